"""trolley prefetch with a task store and a clock of its own. SPDX-License-Identifier: MIT"""

import contextlib
import json
import os
import signal
import subprocess
import time

import program

# 2026-11-28, a Saturday, 12:00 UTC.
NOON = 1795867200000
SECOND, MINUTE, HOUR = 1000, 60000, 3600000


class Prefetch:
    """`ini`: sections besides [prefetch]. Everything lies in `folder`; the clock stands."""

    def __init__(self, folder, ini, state='state'):
        self.folder = folder
        self.state = folder / state
        self.clock = folder / 'clock'
        self.wall = self.steady = NOON
        self.write(ini)
        self.set(0)

    def write(self, ini):
        path = self.folder / 'prefetch.ini'
        path.write_text(f'[prefetch]\nstate_dir = {self.state}\n{ini}', encoding='utf-8')
        path.chmod(0o600)

    def set(self, ms, jump=0):
        """So many milliseconds later; `jump`: the wall clock is set by so many besides."""
        self.wall += ms + jump
        self.steady += ms
        new = self.folder / 'clock.new'
        new.write_text(f'{self.wall} {self.steady}\n')
        new.rename(self.clock)

    def arguments(self, *words):
        return ['--config', self.folder / 'prefetch.ini', 'prefetch', *words, '--clock', self.clock]

    def __call__(self, *words, **options):
        environment = {'TZ': 'UTC', **options.pop('environment', {})}
        return program.run(self.arguments(*words), self.folder, environment=environment,
                           timeout=300, **options)

    def plain(self, *words):
        """Forms that know no clock."""
        return program.run(['--config', self.folder / 'prefetch.ini', 'prefetch', *words],
                           self.folder, environment={'TZ': 'UTC'}, timeout=300)

    def tasks(self, *filters):
        done = self('tasks', 'list', '--format', 'json', *filters)
        assert done.status == 0, done.stderr
        return json.loads(done.stdout)

    def export(self, exporter, study, *words):
        done = self('export', '--exporter', exporter, '--study', study, *words)
        assert done.status == 0, done.stderr
        return done.stdout

    @contextlib.contextmanager
    def daemon(self, *words, before=None):
        """`prefetch run` in the background; killed at the end if it still runs. `before` runs in
        its process first."""
        env = {**os.environ, 'HOME': str(self.folder), 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC'}
        with (self.folder / 'daemon.log').open('ab') as log:
            process = subprocess.Popen(
                [os.environ['TROLLEY'], *map(str, self.arguments('run', '-v', *words))], env=env,
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=before)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def log(self):
        return (self.folder / 'daemon.log').read_text(encoding='utf-8')


def wait_for(condition, seconds=120):
    """Until it is true; the bound is for what never happens."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'it never happened'
        time.sleep(0.05)


def stop(process, how=signal.SIGTERM):
    process.send_signal(how)
    return process.wait(timeout=120)
