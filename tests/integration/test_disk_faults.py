"""S3 and S4 through the program: disks that are full, read-only or not ours, and in which order things
reach them. SPDX-License-Identifier: MIT"""

import os
import pathlib
import resource

import pytest

from disks import grow, obey_permissions, small_disk
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
{durability}

[trolley hospital]
searcher = search
downloader = fetch
storage = home
"""


def ini_of(server, durability='batch', request='series', workers=2, home='home'):
    """`durability`: None for the storage's own choice."""
    key = f'durability = {durability}' if durability else ''
    return INI.format(url=server.dicom_web, durability=key, request=request, workers=workers,
                      home=home)


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


def told(path):
    """The report's words for what failed."""
    return ' | '.join(line.get('message') or '' for line in outcomes(path)
                      if line['outcome'] == 'failed')


DURABILITIES = ['none', 'batch', 'each']


@pytest.mark.parametrize('durability', DURABILITIES)
def test_S3_disk_full_in_mid_way(trolley, onto, fault_server, phantoms, home, tmp_path, durability):
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
    assert {line['instance'] for line in lines} == {one.uid for one in held} and len(lines) == 8
    assert 'No space left on device' in told(tmp_path / 'report.jsonl')
    assert 'home' in told(tmp_path / 'report.jsonl')
    check_rest(trolley, ini, study, server, home, before)


@pytest.mark.parametrize('durability', DURABILITIES)
def test_S3_no_room_at_all(trolley, onto, fault_server, phantoms, home, durability):
    study = phantoms.studies('PHANTOM')[0]
    server = fault_server('none')
    ini = ini_of(server, durability)
    result = onto(ini, 'download', '--study', study, DISK_ROOM='100')
    assert result.status == 1, result.stderr
    assert result.verdict().startswith('failed: 0 of 8 instances (0 stored, ')
    assert check_disk(home, server.of_study(study)) == []
    check_rest(trolley, ini, study, server, home, [])


@pytest.mark.parametrize('durability, broken', [('batch', 'syncfs'), ('each', 'fsync')])
def test_S3_sync_fails(trolley, onto, fault_server, phantoms, home, tmp_path, durability, broken):
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


def test_S3_small_file_system(trolley, fault_server, tmp_path):
    """Where none may be mounted the program's files are bounded, which is the same to it but for the
    words."""
    server = fault_server('none')
    bound = min(len(one.data) for one in server.state.held) - 1
    ini = ini_of(server, request='instance', workers=1, home='disk/home')
    with small_disk(tmp_path / 'disk', 'size=100k') as mounted:
        home = tmp_path / 'disk/home'
        result = trolley(ini, 'download', 'PatientID=PHANTOM',
                         before=None if mounted else files_up_to(bound))
        assert result.status == (3 if mounted else 1), result.stderr
        there = check_disk(home, server.state.held)
        assert result.verdict().startswith(('partial: ' if mounted else 'failed: ') +
                                           f'{len(there)} of ')
        assert len(there) < 24 and bool(there) == mounted
        if mounted:
            grow(tmp_path / 'disk', '8m')
        result = trolley(ini, 'download', 'PatientID=PHANTOM')
        assert result.status == 0, result.stderr
        assert f'({24 - len(there)} stored, {len(there)} skipped' in result.verdict()
        assert len(check_disk(home, server.state.held)) == 24


def files_up_to(size):
    """As with ulimit -f."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_S3_limit_of_a_file(trolley, fault_server, phantoms, home, tmp_path):
    """An error, not the end of the program."""
    study = phantoms.studies('PHANTOM')[0]
    server = fault_server('none')
    assert min(len(one.data) for one in server.of_study(study)) > 8192
    result = trolley(ini_of(server), 'download', '--study', study, '--report', 'report.jsonl',
                     before=files_up_to(8192))
    assert result.status == 1, result.stderr
    assert check_disk(home, server.of_study(study)) == []
    assert 'File too large' in told(tmp_path / 'report.jsonl')
    check_rest(trolley, ini_of(server), study, server, home, [])


@pytest.mark.parametrize('inner', ['', 'study', 'series'])
def test_S3_no_permission(trolley, fault_server, phantoms, home, tmp_path, inner):
    """The root, or a folder in it, is not ours to write."""
    study = phantoms.studies('PHANTOM')[0]
    server = fault_server('none')
    held = server.of_study(study)
    first = held[0].in_tree
    folder = {'': home, 'study': home / first.parts[0], 'series': home / first.parent}[inner]
    folder.mkdir(parents=True)
    folder.chmod(0o555)
    try:
        result = trolley(ini_of(server), 'download', '--study', study, '--report', 'report.jsonl',
                         before=obey_permissions)
    finally:
        folder.chmod(0o755)
    before = check_disk(home, held)
    others = [one for one in held if one.in_tree.parent != first.parent]
    assert len(before) == (len(others) if inner == 'series' else 0)
    assert result.status == (3 if before else 1), result.stderr
    said = told(tmp_path / 'report.jsonl') + result.stderr
    assert 'Permission denied' in said and 'home' in said
    check_rest(trolley, ini_of(server), study, server, home, before)


class Log:
    """What reached the disk, as (what, arguments)."""

    def __init__(self, path):
        self.events = [tuple(line.split()) for line in path.read_text().splitlines()]

    def at(self, *wanted):
        return [i for i, event in enumerate(self.events) if event[:len(wanted)] == wanted]


@pytest.mark.parametrize('workers', [1, 8])
@pytest.mark.parametrize('durability', [*DURABILITIES, None])
def test_S4_order_in_which_it_reaches_the_disk(onto, fault_server, home, tmp_path, durability,
                                               workers):
    """Bytes, then their sync, then the name, then the folder's sync, then the report: so that after
    a power cut a name stands for all its bytes, and what was reported is there. One sync for a whole
    batch, which is what a storage does by itself; one for each file where each is asked for."""
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
    if durability == 'each':
        assert not syncs
    else:
        assert 0 < len(syncs) <= 24  # two a group, and a group a second
    for at in renames:
        _, temporary, name = log.events[at]
        last = log.at('write', temporary)[-1]
        folder = name.rsplit('/', 1)[0]
        if durability != 'each':
            assert not log.at('fsync', temporary) and not log.at('fsync', name)
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
