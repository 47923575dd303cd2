"""Runs the staged program. SPDX-License-Identifier: MIT"""

import csv
import io
import json
import os
import subprocess
from dataclasses import dataclass


@dataclass
class Result:
    status: int
    stdout: str
    stderr: str

    def rows(self):
        """Answers of find --format csv."""
        return list(csv.DictReader(io.StringIO(self.stdout)))

    def lines(self):
        """Answers of find --format jsonl."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def verdict(self):
        """The last line on stderr."""
        return self.stderr.rstrip('\n').rsplit('\n', 1)[-1]


def run(arguments, folder, environment=None, stdin='', timeout=120, before=None):
    """Runs the program in `folder`. HOME lies there, so that no INI file of the user is read.
    `before` is called in the new process."""
    env = {**os.environ, 'HOME': str(folder), 'XDG_CONFIG_HOME': str(folder / 'none'),
           'LC_ALL': 'C.UTF-8', **(environment or {})}
    done = subprocess.run([os.environ['TROLLEY'], *map(str, arguments)], cwd=folder, env=env,
                          input=stdin, capture_output=True, text=True, encoding='utf-8',
                          timeout=timeout, check=False, preexec_fn=before)
    result = Result(done.returncode, done.stdout, done.stderr)
    for sign in ('ERROR: AddressSanitizer', 'ERROR: LeakSanitizer', 'runtime error:',
                 'WARNING: ThreadSanitizer'):
        assert sign not in result.stderr, result.stderr
    assert done.returncode >= 0, f'killed by signal {-done.returncode}: {result.stderr}'
    return result


def report(path):
    return [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()]


def outcomes(path):
    """Lines of a report that tell the fate of an instance; notes carry no outcome."""
    return [line for line in report(path) if 'outcome' in line]


def files_below(folder):
    """Relative paths of all files, those of the storage's own scratch folder left out."""
    return sorted(path.relative_to(folder) for path in folder.rglob('*')
                  if path.is_file() and '.trolley' not in path.relative_to(folder).parts)


def scratch_files(folder):
    """What an interrupted write would leave: DICOM data under the storage's scratch folder."""
    return [path for path in folder.rglob('.trolley/**/*')
            if path.is_file() and b'DICM' in path.read_bytes()[:132]]
