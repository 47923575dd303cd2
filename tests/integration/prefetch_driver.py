"""Runs tests/unit/prefetch_driver: one export of an INI file. SPDX-License-Identifier: MIT"""

import json
import os
import pathlib
import subprocess

SIGNS = ('ERROR: AddressSanitizer', 'ERROR: LeakSanitizer', 'runtime error:',
         'WARNING: ThreadSanitizer')


class Export:
    """What the driver told: `urls` of a rehearsal, `failed` requests, `remarks`, and the outcomes."""

    def __init__(self, done):
        self.status, self.stderr = done.returncode, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.urls = [line['url'] for line in lines if 'url' in line]
        self.failed = [line for line in lines if 'failed' in line]
        self.remarks = [line['remark'] for line in lines if 'remark' in line]
        self.probed = [line for line in lines if 'probed' in line]
        self.findings = [line for line in lines if 'finding' in line]
        self.outcomes = [line for line in lines if 'outcome' in line]

    def __getattr__(self, name):
        """A figure of the last outcome."""
        try:
            return self.outcomes[-1][name]
        except (IndexError, KeyError):
            raise AttributeError(name) from None


def start(folder, ini, exporter, *scope, options=()):
    path = pathlib.Path(folder) / 'prefetch.ini'
    path.write_text(ini, encoding='utf-8')
    path.chmod(0o600)
    driver = pathlib.Path(os.environ['BUILDDIR']) / 'tests/unit/prefetch_driver'
    return subprocess.Popen([str(driver), *map(str, options), str(path), exporter, *scope],
                            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, encoding='utf-8')


def finish(process):
    try:
        stdout, stderr = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    done = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
    for sign in SIGNS:
        assert sign not in stderr, stderr
    assert done.returncode >= 0, f'killed by signal {-done.returncode}: {stderr}'
    return Export(done)


def export(folder, ini, exporter, *scope, options=()):
    """Exports `scope`: study, series, instance."""
    return finish(start(folder, ini, exporter, *scope, options=options))
