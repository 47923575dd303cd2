"""C programs against the installed library, found by pkg-config. SPDX-License-Identifier: MIT"""

import os
import pathlib
import shlex
import subprocess

import sdk_build
from program import Result

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = pathlib.Path(os.environ['STAGE'] + os.environ['INSTALLED_SDK']).parent / 'examples'


def compile_program(source, folder):
    """One C file; returns the program."""
    flags = sdk_build.pkg_config(folder, '--cflags', '--libs', 'trolley')
    output = folder / source.stem
    sdk_build.run([*shlex.split(os.environ['CC']), '-std=c11', '-D_POSIX_C_SOURCE=200809L', '-O1',
                   '-g', *shlex.split(sdk_build.WARNINGS), *shlex.split(sdk_build.SANITIZERS),
                   '-o', output, source, *flags, '-lpthread'], folder)
    return output


def run(program, *arguments, folder, timeout=300, environment=None):
    """Runs a program in `folder`; fails when a sanitizer speaks or a signal ends it."""
    env = {**os.environ, 'HOME': str(folder), 'LC_ALL': 'C.UTF-8', **(environment or {})}
    done = subprocess.run([str(program), *map(str, arguments)], cwd=folder, env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          encoding='utf-8', timeout=timeout, check=False)
    for sign in ('Sanitizer', 'runtime error:'):
        assert sign not in done.stderr, done.stderr
    assert done.returncode >= 0, f'killed by signal {-done.returncode}: {done.stderr}'
    return Result(done.returncode, done.stdout, done.stderr)
