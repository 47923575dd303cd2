"""download onto disks that fill or fail, and in which order things reach them.
SPDX-License-Identifier: MIT"""

import contextlib
import os
import pathlib
import resource
import subprocess

import pytest

import program
from program import files_below, outcomes
from sdk_build import compile_plugin
from test_faults import check_disk, check_report

INI = """
[searcher search]
type = qido-rs
url = {url}

[downloader fetch]
type = wado-rs
url = {url}
request = {request}
max_parallel = {workers}
max_retries = 1
retry_delay = 20ms

[storage home]
type = tree
path = {home}
min_free = 0
durability = {durability}

[trolley hospital]
searcher = search
downloader = fetch
storage = home
"""


def ini_of(server, durability='batch', request='series', workers=2, home='home'):
    return INI.format(url=server.dicom_web, durability=durability, request=request,
                      workers=workers, home=home)


@pytest.fixture(scope='session')
def preload(tmp_path_factory):
    library = tmp_path_factory.mktemp('preload') / 'disk_preload.so'
    compile_plugin(pathlib.Path(__file__).with_name('disk_preload.c'), library, '-O1',
                   '-D_GNU_SOURCE')
    return library


@pytest.fixture
def onto(trolley, preload):
    """onto(ini, *arguments, **variables): the program on such a disk."""
    def call(ini, *arguments, **variables):
        asan = os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
        return trolley(ini, *arguments, environment={
            'LD_PRELOAD': str(preload), 'ASAN_OPTIONS': asan, **variables})
    return call


def check_rest(trolley, ini, study, server, home, before):
    """Once the disk is well, the next run fetches what is missing and nothing else."""
    since = len(server.requests)
    result = trolley(ini, 'download', '--study', study)
    assert result.status == 0, result.stderr
    assert f'({8 - len(before)} stored, {len(before)} skipped, 0 missing' in result.verdict()
    assert len(check_disk(home, server.of_study(study))) == 8
    asked = [path.split('?')[0].split('/')[-1] for _, path, _ in server.requests[since:]]
    assert not {path.stem for path in before} & set(asked)


@pytest.mark.parametrize('durability', ['none', 'batch', 'each'])
def test_disk_full_in_mid_way(trolley, onto, fault_server, phantoms, home, tmp_path, durability):
    study = phantoms.studies('PHANTOM')[0]
    server = fault_server('none')
    held = server.of_study(study)
    ini = ini_of(server, durability, request='instance', workers=1)
    room = sum(len(one.data) for one in held[:3]) + 1000
    result = onto(ini, 'download', '--study', study, '--report', 'report.jsonl',
                  DISK_ROOM=str(room))
    assert result.status == 3, result.stderr
    assert 'No space left on device' in result.stderr
    assert result.verdict().startswith('partial: 3 of 8 instances (3 stored, 0 skipped, ')
    before = check_disk(home, held)
    assert len(before) == 3
    lines = outcomes(tmp_path / 'report.jsonl')
    check_report(lines, home)
    assert len(lines) == 8
    check_rest(trolley, ini, study, server, home, before)


def test_no_room_at_all(trolley, onto, fault_server, phantoms, home):
    study = phantoms.studies('PHANTOM')[0]
    server = fault_server('none')
    result = onto(ini_of(server), 'download', '--study', study, DISK_ROOM='100')
    assert result.status == 1, result.stderr
    assert result.verdict().startswith('failed: 0 of 8 instances (0 stored, ')
    assert check_disk(home, server.of_study(study)) == []
    check_rest(trolley, ini_of(server), study, server, home, [])


@pytest.mark.parametrize('durability, broken', [('batch', 'syncfs'), ('each', 'fsync')])
def test_sync_fails(trolley, onto, fault_server, phantoms, home, tmp_path, durability, broken):
    """What could not be synced is not said to be stored."""
    study = phantoms.studies('PHANTOM')[0]
    server = fault_server('none')
    ini = ini_of(server, durability)
    result = onto(ini, 'download', '--study', study, '--report', 'report.jsonl', DISK_BROKEN=broken)
    assert result.status == 1, result.stderr
    assert 'Input/output error' in result.stderr
    assert result.verdict().startswith('failed: 0 of 8 instances (0 stored, 0 skipped, ')
    assert check_disk(home, server.of_study(study)) == []
    check_report(outcomes(tmp_path / 'report.jsonl'), home)
    check_rest(trolley, ini, study, server, home, [])


@contextlib.contextmanager
def small_disk(folder, kib):
    """A file system of that size on the folder, where one may be mounted. Yields what a program run
    there needs done before it, None for nothing: else its files are bounded, which is the same to
    it but for the words."""
    folder.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', f'size={kib}k', 'none', folder], capture_output=True,
        check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(['umount', folder], check=True)


def test_small_file_system(trolley, fault_server, phantoms, tmp_path):
    study = phantoms.studies('PHANTOM')[0]
    server = fault_server('none')
    held = server.of_study(study)
    ini = ini_of(server, request='instance', workers=1, home='disk/home')
    with small_disk(tmp_path / 'disk', 100) as mounted:
        home = tmp_path / 'disk/home'
        bound = resource.getrlimit(resource.RLIMIT_FSIZE)
        if not mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(held[0].data) - 1, bound[1]))
        try:
            result = trolley(ini, 'download', 'PatientID=PHANTOM')
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, bound)
        assert result.status == (3 if mounted else 1), result.stderr
        there = check_disk(home, server.state.held)
        assert result.verdict().startswith(('partial: ' if mounted else 'failed: ') +
                                           f'{len(there)} of ')
        assert len(there) < 24 and bool(there) == mounted
        if mounted:
            subprocess.run(['mount', '-o', 'remount,size=8m', tmp_path / 'disk'], check=True)
        result = trolley(ini, 'download', 'PatientID=PHANTOM')
        assert result.status == 0, result.stderr
        assert f'({24 - len(there)} stored, {len(there)} skipped' in result.verdict()
        assert len(check_disk(home, server.state.held)) == 24


class Log:
    """What reached the disk, as (what, arguments)."""

    def __init__(self, path):
        self.events = [tuple(line.split()) for line in path.read_text().splitlines()]

    def at(self, *wanted):
        return [i for i, event in enumerate(self.events) if event[:len(wanted)] == wanted]


@pytest.mark.parametrize('workers', [1, 8])
@pytest.mark.parametrize('durability', ['none', 'batch', 'each'])
def test_s4_order_in_which_it_reaches_the_disk(onto, fault_server, phantoms, home, tmp_path,
                                               durability, workers):
    """Bytes, then their sync, then the name, then the folder's sync, then the report: so that after
    a power cut a name stands for all its bytes, and what was reported is there."""
    server = fault_server('none')
    result = onto(ini_of(server, durability, workers=workers), 'download', 'PatientID=PHANTOM',
                  '--report', 'report.jsonl', DISK_LOG=str(tmp_path / 'log'))
    assert result.status == 0, result.stderr
    assert len(files_below(home)) == 24
    log = Log(tmp_path / 'log')
    renames = log.at('rename')
    assert len(renames) == 24
    syncs = log.at('syncfs', '0')
    if durability == 'none':
        assert not syncs and not log.at('fsync')
        return
    for at in renames:
        _, temporary, name = log.events[at]
        last = log.at('write', temporary)[-1]
        folder = name.rsplit('/', 1)[0]
        if durability == 'batch':
            assert any(last < sync < at for sync in syncs), log.events[at]
            assert any(at < sync for sync in syncs + log.at('fsync', folder, '0'))
        else:
            assert any(last < sync < at for sync in log.at('fsync', temporary, '0'))
            assert any(at < sync for sync in log.at('fsync', folder, '0'))
            # The folder's own name too.
            assert log.at('fsync', folder.rsplit('/', 1)[0], '0')
    reports = log.at('report')
    assert reports
    durable = syncs + log.at('fsync')
    assert min(reports) > min(durable) and max(reports) > max(renames)
