"""What every benchmark shares: studies of a phantom on an Orthanc, commands that are timed, and rows
in which trolley and another program take turns. SPDX-License-Identifier: MIT

In the environment: BENCH_RUNS; BENCH_ROWS: only rows whose name holds one of these words;
BENCH_LIMIT: seconds after which another program that may be slow is stopped; and BENCH_DIR for where
the data lies. ext4 creates files slowly for minutes after many were deleted; a tmpfs does not.
"""

import itertools
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

import pydicom

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'integration'), str(HERE.parent / 'servers')]

import orthanc  # noqa: E402  pylint: disable=wrong-import-position
from orthanc import clean_environment  # noqa: E402  pylint: disable=wrong-import-position

INSTANCES = int(os.environ.get('BENCH_INSTANCES', 1000))
KIB = int(os.environ.get('BENCH_KIB', 512))
RUNS = int(os.environ.get('BENCH_RUNS', 5))
LIMIT = int(os.environ.get('BENCH_LIMIT', 60))
ONLY = os.environ.get('BENCH_ROWS', '').split(',')
BELOW = os.environ.get('BENCH_DIR') or os.environ['BUILDDIR']
TROLLEY = os.environ['TROLLEY']
STOPPED = 124  # exit status of timeout


def wanted(name):
    return any(word in name for word in ONLY)


class Run(NamedTuple):
    seconds: float
    mib: float  # resident at most
    cpu: float  # seconds, of all its processes


def timed(arguments, folder, environment, times=1):
    """One command, or the mean of several of its lives. It is started by a small program: a child of
    a large one is told to have been as large as that."""
    log = folder / 'time'
    launch = ['/usr/bin/time', '-f', '%M %U %S', '-o', log]
    if times > 1:
        launch += ['sh', '-c', f'i=0; while [ $i -lt {times} ]; do "$@"; i=$((i + 1)); done', 'sh']
    began = time.monotonic()
    subprocess.run([*launch, *map(str, arguments)], cwd=folder, env=environment, check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)
    seconds = time.monotonic() - began
    kib, user, system = map(float, log.read_text().split()[-3:])
    return Run(seconds / times, kib / 1024, (user + system) / times)


def trolley_once(folder, ini, *arguments, files=None):
    """The program with that INI text; afterwards `files` of them must be in home/, which is removed."""
    path = folder / 'bench.ini'
    path.write_text(ini)
    path.chmod(0o600)
    result = timed([TROLLEY, '--config', path, *arguments], folder, dict(os.environ))
    if files is not None:
        there = sum(1 for _ in (folder / 'home').rglob('*.dcm'))
        assert there == files, f'{there} of {files} files'
    shutil.rmtree(folder / 'home', ignore_errors=True)
    return result


def other_once(folder, *arguments, sync=False, limited=False, **environment):
    """Another program, which writes to or below out/; `sync`: with what it wrote on disk. `limited`:
    None when it was stopped after LIMIT seconds."""
    out = folder / 'out'
    out.mkdir()
    if sync:
        arguments = ['sh', '-c', '"$@" && sync -f out', 'sh', *arguments]
    if limited:
        arguments = ['timeout', LIMIT, *arguments]
    try:
        return timed(arguments, folder, {**clean_environment(), **environment})
    except subprocess.CalledProcessError as error:
        if not limited or error.returncode != STOPPED:
            raise
        return None
    finally:
        shutil.rmtree(out)


seeds = itertools.count(1)


def make_study(folder, server, instances=None, kib=None, series=1):
    """Uploads a study that nobody else has; returns its UID."""
    files = folder / 'study'
    subprocess.run([os.path.join(os.environ['BUILDDIR'], 'phantom'), '--out', files,
                    '--series', str(series), '--instances', str((instances or INSTANCES) // series),
                    '--bytes', str((kib or KIB) * 1024), '--seed', str(next(seeds))], check=True)
    paths = sorted(files.rglob('*.dcm'))
    server.upload(paths)
    study = pydicom.dcmread(paths[0], stop_before_pixels=True).StudyInstanceUID
    shutil.rmtree(files)
    return study


def references(server, study):
    """(series, instance) of all instances of a study."""
    rows = json.loads(server.get(f'/dicom-web/studies/{study}/instances', 'application/dicom+json'))
    return [(row['0020000E']['Value'][0], row['00080018']['Value'][0]) for row in rows]


class Table:
    """Rows of medians, each printed once it is known."""

    def __init__(self, title):
        print(f'{title}, medians of {RUNS} alternating runs\n'
              f'{"work / beside":<58} {"trolley":>9} {"other":>9} {"ratio":>6} {"aim":>6} '
              f'{"MiB":>6} {"other":>6} {"CPU s":>6} {"other":>6}', flush=True)

    def compare(self, name, ours, theirs, aim=None):
        """ours and theirs run once and return a Run; they take turns. Where theirs was stopped, it is
        not run again, and stands with the limit."""
        sides, stopped = ([], []), False
        for _ in range(RUNS):
            sides[0].append(ours())
            other = None if stopped else theirs()
            stopped = other is None
            sides[1].append(other)
        mine = medians(sides[0])
        if stopped:
            print(f'{name:<58} {clock(mine)} {f"> {LIMIT} s":>9} '
                  f'{"<" + number(mine.seconds / LIMIT):>6} {number(aim):>6} {mine.mib:6.1f} '
                  f'{"":>6} {mine.cpu:6.2f}'
                  f'{"  not shown" if aim and mine.seconds / LIMIT > aim else ""}', flush=True)
            return
        other = medians(sides[1])
        ratio = mine.seconds / other.seconds
        missed = aim is not None and ratio > aim
        print(f'{name:<58} {clock(mine)} {clock(other)} {number(ratio):>6} '
              f'{number(aim):>6} {mine.mib:6.1f} {other.mib:6.1f} '
              f'{mine.cpu:6.2f} {other.cpu:6.2f}{"  missed" if missed else ""}', flush=True)

    def alone(self, name, ours, aim_mib=None):
        """What no other program does: its time and memory, once."""
        run = ours()
        missed = aim_mib is not None and run.mib > aim_mib
        print(f'{name:<58} {clock(run)} {"":>9} {"":>6} {"":>6} {run.mib:6.1f} {"":>6} '
              f'{run.cpu:6.2f}{"  missed" if missed else ""}', flush=True)


def medians(runs):
    return Run(*(statistics.median(column) for column in zip(*runs)))


def number(ratio):
    return '' if ratio is None else f'{ratio:.3f}' if ratio < 0.1 else f'{ratio:.2f}'


def clock(run):
    return f'{run.seconds:7.2f} s' if run.seconds >= 0.1 else f'{run.seconds * 1000:6.1f} ms'
