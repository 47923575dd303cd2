"""S3 and S4 through the program: disks that are full, read-only or not ours, and what durability means.
SPDX-License-Identifier: MIT"""

import ctypes
import os
import pathlib
import resource

import pytest

import sdk_build
from program import files_below, outcomes, scratch_files

INI = """
[searcher search]
type = folder
path = {path}

[downloader fetch]
type = folder
path = {path}
max_parallel = {workers}

[storage home]
type = tree
path = home
min_free = 0
{more}

[trolley disk]
searcher = search
downloader = fetch
storage = home
"""

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


@pytest.fixture(scope='module')
def shim(tmp_path_factory):
    output = tmp_path_factory.mktemp('shim') / 'disk_shim.so'
    sdk_build.compile_plugin(pathlib.Path(__file__).with_name('disk_shim.c'), output, '-ldl')
    return output


@pytest.fixture
def download(trolley, phantoms, shim, tmp_path):
    """download(more, room): of one study of eight instances, with the disk watched; returns the
    result and what was done to the disk."""
    def call(more='', room=None, workers=4, before=None):
        log = tmp_path / 'disk.log'
        asan = os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
        env = {'LD_PRELOAD': str(shim), 'DISK_LOG': str(log), 'ASAN_OPTIONS': asan}
        if room is not None:
            env['DISK_ROOM'] = str(room)
        text = INI.format(path=phantoms.folder, more=more, workers=workers)
        result = trolley(text, 'download', '--study', phantoms.studies('PHANTOM')[0], '--report',
                         'report.jsonl', environment=env, before=before)
        lines = log.read_text().splitlines() if log.exists() else []
        return result, [line.split(' ') for line in lines]
    return call


@pytest.fixture
def study(phantoms):
    return phantoms.of_study(phantoms.studies('PHANTOM')[0])


def check_whole_or_absent(home, study):
    whole = files_below(home) if home.exists() else []
    by_name = {one.in_tree: one.path for one in study}
    for path in whole:
        assert (home / path).read_bytes() == by_name[path].read_bytes()
    assert not home.exists() or scratch_files(home) == []
    return len(whole)


def check_told(tmp_path, study, stored):
    """Each instance has its fate in the report."""
    lines = outcomes(tmp_path / 'report.jsonl')
    assert {line['instance'] for line in lines} == {one.uid for one in study}
    assert sum(line['outcome'] == 'stored' for line in lines) == stored
    return ' | '.join(line.get('message') or '' for line in lines if line['outcome'] == 'failed')


@pytest.mark.parametrize('durability', ['none', 'batch', 'each'])
@pytest.mark.parametrize('fit', [0, 3.5])
def test_S3_full_disk(download, study, home, tmp_path, durability, fit):
    size = max(one.path.stat().st_size for one in study)
    result, _ = download(f'durability = {durability}', room=int(fit * size), workers=1)
    stored = check_whole_or_absent(home, study)
    assert stored == int(fit)
    assert result.status == (3 if fit else 1), result.stderr
    said = check_told(tmp_path, study, stored)
    assert 'No space left on device' in said and 'home' in said
    again, _ = download(f'durability = {durability}')
    assert again.status == 0, again.stderr
    assert f'{stored} skipped' in again.verdict()
    assert check_whole_or_absent(home, study) == len(study)


def test_S3_limit_of_a_file(download, study, home, tmp_path):
    """As with ulimit -f: an error, not the end of the program."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
    assert min(one.path.stat().st_size for one in study) > 8192
    result, _ = download(before=limit)
    assert result.status == 1, result.stderr
    assert check_whole_or_absent(home, study) == 0
    assert 'File too large' in check_told(tmp_path, study, 0)


def obey_permissions():
    """Root without its right to pass by them."""
    if os.geteuid() == 0:
        ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


@pytest.mark.parametrize('inner', ['', 'study', 'series'])
def test_S3_no_permission(download, study, home, tmp_path, inner):
    """The root, or a folder in it, is not ours to write."""
    folder = {'': home, 'study': home / study[0].study,
              'series': home / study[0].study / study[0].series}[inner]
    folder.mkdir(parents=True)
    folder.chmod(0o555)
    try:
        result, _ = download(before=obey_permissions)
    finally:
        folder.chmod(0o755)
    others = 0 if inner != 'series' else sum(one.series != study[0].series for one in study)
    assert result.status == (3 if others else 1), result.stderr
    assert check_whole_or_absent(home, study) == others
    said = check_told(tmp_path, study, others)
    assert 'Permission denied' in said + result.stderr and 'home' in said + result.stderr
    again, _ = download()
    assert again.status == 0, again.stderr
    assert check_whole_or_absent(home, study) == len(study)


def names(done):
    return [line[1] for line in done if line[0] == 'name']


def test_S4_none_never_syncs(download, study, home):
    result, done = download('durability = none')
    assert result.status == 0, result.stderr
    assert len(names(done)) == len(study) == check_whole_or_absent(home, study)
    assert {line[0] for line in done} == {'name'}


@pytest.mark.parametrize('key', ['', 'durability = batch'])
def test_S4_batch_syncs_before_it_names(download, study, home, key):
    """All of a group at once, and the names afterwards."""
    result, done = download(key)
    assert result.status == 0, result.stderr
    assert len(names(done)) == len(study) == check_whole_or_absent(home, study)
    whats = [line[0] for line in done]
    assert whats[0] == 'syncfs' and whats[-1] != 'name'
    assert whats.count('syncfs') <= len(study)  # two a group, and a group a second
    assert not any(line[0] == 'fsync' and line[1].endswith('.dcm') for line in done)
    assert not any(line[0] == 'fsync' and '/.trolley/' in line[1] for line in done)


def test_S4_each_syncs_every_file(download, study, home):
    result, done = download('durability = each')
    assert result.status == 0, result.stderr
    assert len(names(done)) == len(study) == check_whole_or_absent(home, study)
    assert 'syncfs' not in {line[0] for line in done}
    for at, (what, name, old) in enumerate(done):
        if what != 'name':
            continue
        before = [line[1] for line in done[:at] if line[0] == 'fsync']
        assert any(path.endswith('/' + old) and '/.trolley/' in path for path in before), name
        assert any(line[0] == 'fsync' and '/.trolley/' not in line[1] for line in done[at:]), name
