"""What a download leaves behind when it is killed, stopped or run again. TROLLEY_KILLS is the number
of kills. SPDX-License-Identifier: MIT"""

import os
import random
import signal
import subprocess
import time

import pytest

from program import files_below, outcomes

INI = """
[searcher search]
type = qido-rs
url = {url}

[downloader fetch]
type = wado-rs
url = {url}
request = instance
max_parallel = {workers}
{downloader}

[storage home]
type = tree
path = home
min_free = 0
durability = {durability}

[trolley hospital]
searcher = search
downloader = fetch
storage = home
"""


def ini_of(server, workers=4, downloader='', durability='batch'):
    return INI.format(url=server.dicom_web, workers=workers, downloader=downloader,
                      durability=durability)


def start(ini, folder, *arguments):
    path = folder / 'trolley.ini'
    path.write_text(ini, encoding='utf-8')
    path.chmod(0o600)
    env = {**os.environ, 'HOME': str(folder), 'XDG_CONFIG_HOME': str(folder), 'LC_ALL': 'C.UTF-8'}
    return subprocess.Popen([os.environ['TROLLEY'], '--config', path, 'download', *arguments],
                            cwd=folder, env=env, stderr=subprocess.DEVNULL)


KILLS = int(os.environ.get('TROLLEY_KILLS', '20'))


def asked(server, since=0):
    """SOP Instance UIDs of the retrievals from request number `since` on."""
    paths = [path.split('?')[0].split('/') for _, path, _ in server.requests[since:]]
    return [words[-1] for words in paths if len(words) == 8]


def check_whole(home, server):
    by_name = {one.in_tree: one.data for one in server.state.held}
    there = files_below(home) if home.exists() else []
    for path in there:
        assert (home / path).read_bytes() == by_name[path], path
    return {path.stem for path in there}


@pytest.mark.parametrize('durability, workers', [('none', 4), ('batch', 8), ('each', 2)])
def test_killed_at_any_moment(fault_server, home, tmp_path, durability, workers):
    server = fault_server('far-away')
    ini = ini_of(server, workers, durability=durability)
    moments = random.Random(int(os.environ.get('TROLLEY_SEED', '1')))
    left, running = KILLS, 0
    folder, finished = tmp_path, 0
    while left:
        before = check_whole(folder / 'home', server)
        since = len(server.requests)
        process = start(ini, folder, 'PatientID=PHANTOM')
        try:
            process.wait(moments.uniform(0, 0.45))
        except subprocess.TimeoutExpired:
            process.kill()
            running += 1
            left -= 1
        assert process.wait(30) in (0, -signal.SIGKILL)
        after = check_whole(folder / 'home', server)
        assert before <= after
        assert not before & set(asked(server, since))
        if process.returncode == 0:
            assert len(after) == 24
            finished += 1
            folder = tmp_path / str(finished)
            folder.mkdir()
    assert running == KILLS
    since, before = len(server.requests), check_whole(folder / 'home', server)
    assert start(ini, folder, 'PatientID=PHANTOM').wait(60) == 0
    assert len(check_whole(folder / 'home', server)) == 24
    print(f'{running} kills of {finished + 1} downloads')
    # As sets: a busy server may take note of a dead program's last requests late.
    assert set(asked(server, since)) == (
        {one.uid for one in server.state.held if one.patient == 'PHANTOM'} - before)
    left_over = [path for path in (folder / 'home').rglob('.trolley/**/*') if path.is_file()]
    assert [path.name for path in left_over] in ([], ['lock'])


@pytest.mark.parametrize('number, status', [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_by_signal(trolley, fault_server, home, tmp_path, number, status):
    server = fault_server('far-away')
    process = start(ini_of(server, workers=1), tmp_path, 'PatientID=PHANTOM')
    until = time.monotonic() + 30
    while len(asked(server)) < 6 and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(number)
    assert process.wait(10) == status
    before, since = check_whole(home, server), len(server.requests)
    assert 1 <= len(before) < 24
    result = trolley(ini_of(server), 'download', 'PatientID=PHANTOM')
    assert result.status == 0, result.stderr
    assert not before & set(asked(server, since))
    assert len(check_whole(home, server)) == 24


def test_max_rate(trolley, fault_server, phantoms):
    server = fault_server('none')
    ini = ini_of(server, 2, 'session = slow') + '\n[session slow]\nmax_rate = 64KiB\n'
    began = time.monotonic()
    result = trolley(ini, 'download', '--study', phantoms.studies('PHANTOM')[0])
    assert result.status == 0, result.stderr
    size = sum(len(one.data) for one in server.of_study(phantoms.studies('PHANTOM')[0]))
    assert time.monotonic() - began > 0.5 * size / 65536


def test_notes_are_told_once(trolley, fault_server, phantoms, tmp_path):
    server = fault_server('partial-content')
    ini = ini_of(server).replace('request = instance', 'request = series')
    result = trolley(ini, 'download', '--study', phantoms.studies('PHANTOM')[0], '--report', 'r')
    assert result.status == 0, result.stderr
    # Two series and the four instances that these left out.
    assert result.stderr.count('delivers only part') == 6
    assert (tmp_path / 'r').read_text().count('delivers only part') == 6


def test_verify_keeps_both_and_overwrite_replaces(trolley, fault_server, phantoms, home, tmp_path):
    server = fault_server('none')
    study = phantoms.studies('PHANTOM')[0]
    held = server.of_study(study)
    ini = ini_of(server)
    assert trolley(ini, 'download', '--study', study).status == 0
    verified = trolley(ini, 'download', '--study', study, '--verify')
    assert verified.status == 0, verified.stderr
    assert '(0 stored, 8 skipped, 0 missing, 0 failed)' in verified.verdict()
    damaged = home / held[0].in_tree
    damaged.chmod(0o640)
    damaged.write_bytes(held[0].data[:-2] + b'xx')
    verified = trolley(ini, 'download', '--study', study, '--verify', '--report', 'r')
    assert verified.status == 3, verified.stderr
    assert '(0 stored, 7 skipped, 0 missing, 1 failed)' in verified.verdict()
    failed = [line for line in outcomes(tmp_path / 'r') if line['outcome'] == 'failed']
    assert [line['instance'] for line in failed] == [held[0].uid]
    assert damaged.read_bytes() == held[0].data[:-2] + b'xx'
    beside = home.parent / failed[0]['path']
    assert beside != damaged and beside.read_bytes() == held[0].data
    beside.unlink()
    replaced = trolley(ini, 'download', '--study', study, '--overwrite', '--report', 'r')
    assert replaced.status == 0, replaced.stderr
    assert '8 replaced' in replaced.verdict()
    changed = [line['instance'] for line in outcomes(tmp_path / 'r')
               if line['sha256'] != line['previous_sha256']]
    assert changed == [held[0].uid]
    assert damaged.read_bytes() == held[0].data
    assert len(files_below(home)) == 8


def test_references_out_of_order_and_twice(trolley, fault_server, phantoms, home):
    server = fault_server('none')
    one, two = phantoms.studies('PHANTOM')[:2]
    lines = '\n'.join(['StudyInstanceUID', one, two, one, one, two])
    result = trolley(ini_of(server), 'download', '--from', '-', stdin=lines + '\n')
    assert result.status == 0, result.stderr
    assert len(check_whole(home, server)) == 16
    assert server.state.asked['retrieve'] >= 16
