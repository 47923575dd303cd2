"""The searcher cached around others: what is asked again and what is not, in one run and over runs.
SPDX-License-Identifier: MIT"""

import json
import os
import signal
import subprocess
import time

import pytest

from program import files_below, outcomes

INI = """
[searcher search]
type = qido-rs
url = {url}
max_retries = 0

[searcher remembered]
type = cached
searcher = search
{more}

[downloader fetch]
type = wado-rs
url = {url}
request = series

[storage home]
type = tree
path = home
min_free = 0
durability = none

[trolley hospital]
searcher = remembered
downloader = fetch
storage = home
"""
FILE = 'file = answers.cache'


def searches(server, since=0):
    """Paths of the searches from request number `since` on."""
    paths = [path.split('?')[0] for _, path, _ in server.requests[since:]]
    return [path for path in paths
            if path.rstrip('/').rsplit('/', 1)[-1] in ('studies', 'series', 'instances')]


@pytest.fixture
def asked(trolley):
    """asked(server, *arguments, more=FILE): the result, and how many searches the server saw."""
    def call(server, *arguments, more=FILE, status=0):
        since = len(server.requests)
        result = trolley(INI.format(url=server.dicom_web, more=more), *arguments)
        assert result.status == status, result.stderr
        return result, len(searches(server, since))
    return call


def find(*words):
    return ('find', *words, '--format', 'jsonl')


def test_same_question_is_asked_once(asked, fault_server, phantoms):
    server = fault_server('none')
    first, count = asked(server, *find('PatientID=PHANTOM'))
    assert count > 0 and len(first.lines()) == 3
    again, count = asked(server, *find('PatientID=PHANTOM'))
    assert (count, again.stdout) == (0, first.stdout)
    assert sorted(row['StudyInstanceUID'] for row in again.lines()) == phantoms.studies('PHANTOM')


def test_without_a_file_the_next_run_knows_nothing(asked, fault_server, tmp_path):
    server = fault_server('none')
    for _ in range(2):
        _, count = asked(server, *find('PatientID=PHANTOM'), more='')
        assert count > 0
    assert {path.name for path in tmp_path.iterdir()} == {'trolley.ini'}


def test_answers_expire(asked, fault_server):
    server = fault_server('none')
    more = FILE + '\nexpiry_seconds = 1'
    asked(server, *find('PatientID=PHANTOM'), more=more)
    time.sleep(1.2)
    _, count = asked(server, *find('PatientID=PHANTOM'), more=more)
    assert count > 0


@pytest.mark.parametrize('other', [
    ('PatientID=OTHER',), ('PatientID=PHANTOM', '--level', 'series'),
    ('PatientID=PHANTOM', '--level', 'instance'), ('PatientID=PHANTOM', '--include', 'StudyTime'),
    ('PatientID=PHANTOM', 'limit=2'), ('PatientID=PHANTOM', 'PatientName=*'),
    ('PatientID=PHANTOM*',)])
def test_another_question_is_asked(asked, fault_server, other):
    """Deeper ones above all; then the first is still known."""
    server = fault_server('none')
    first, _ = asked(server, *find('PatientID=PHANTOM'))
    _, count = asked(server, *find(*other))
    assert count > 0
    again, count = asked(server, *find('PatientID=PHANTOM'))
    assert (count, again.stdout) == (0, first.stdout)


def test_shallower_question_is_asked(asked, fault_server, phantoms):
    server = fault_server('none')
    study = phantoms.studies('PHANTOM')[0]
    asked(server, *find(f'StudyInstanceUID={study}', '--level', 'instance'))
    result, count = asked(server, *find(f'StudyInstanceUID={study}'))
    assert count > 0
    assert [row['NumberOfStudyRelatedInstances'] for row in result.lines()] in (['8'], [8])


def test_part_of_an_object_that_is_known(asked, fault_server, phantoms):
    server = fault_server('none')
    study = phantoms.studies('PHANTOM')[0]
    asked(server, *find(f'StudyInstanceUID={study}', '--level', 'instance'))
    for series in {one.series for one in phantoms.of_study(study)}:
        result, count = asked(server, *find(f'StudyInstanceUID={study}',
                                            f'SeriesInstanceUID={series}', '--level', 'instance'))
        assert count == 0
        assert sorted(row['SOPInstanceUID'] for row in result.lines()) == sorted(
            one.uid for one in phantoms.of_study(study) if one.series == series)
    other = phantoms.studies('PHANTOM')[1]
    _, count = asked(server, *find(f'StudyInstanceUID={other}', '--level', 'instance'))
    assert count > 0


def test_expansion_of_a_download_uses_it(asked, fault_server, phantoms, home, tmp_path):
    """The study's answer serves its series; files, verdict and report are those of a real search."""
    server = fault_server('none')
    study = phantoms.studies('PHANTOM')[0]
    expected = phantoms.of_study(study)
    first, count = asked(server, 'download', '--study', study)
    assert count > 0
    assert first.verdict().startswith('complete: 8 of 8 instances (8 stored')
    for path in files_below(home):
        (home / path).unlink()
    series = expected[0].series
    part = [one for one in expected if one.series == series]
    again, count = asked(server, 'download', '--study', study, '--series', series, '--report', 'r')
    assert count == 0
    assert again.verdict().startswith(f'complete: {len(part)} of {len(part)} instances')
    assert files_below(home) == sorted(one.in_tree for one in part)
    assert all((home / one.in_tree).read_bytes() == one.path.read_bytes() for one in part)
    assert {line['instance'] for line in outcomes(tmp_path / 'r')} == {one.uid for one in part}
    whole, count = asked(server, 'download', '--study', study)
    assert count == 0
    assert '4 skipped' in whole.verdict() and files_below(home) == sorted(
        one.in_tree for one in expected)


def test_one_run_asks_once_for_each_series(trolley, fault_server, phantoms, home):
    """References to series, each of them twice: without a file, the second pays nothing."""
    server = fault_server('none')
    pairs = sorted({(one.study, one.series) for one in phantoms.of('PHANTOM')})
    lines = ['StudyInstanceUID,SeriesInstanceUID'] + [','.join(pair) for pair in pairs + pairs[::-1]]
    result = trolley(INI.format(url=server.dicom_web, more=''), 'download', '--from', '-',
                     stdin='\n'.join(lines) + '\n')
    assert result.status == 0, result.stderr
    assert len(files_below(home)) == 24
    asked_for = searches(server)
    # Which instances each has; how many is another question.
    asked_for = [path for path in asked_for if path.endswith('/instances')]
    assert len(asked_for) == len(set(asked_for)) == len(pairs)


@pytest.mark.parametrize('fault', ['searcher-503-always', 'searcher-cut-always'])
def test_errors_and_parts_are_not_kept(trolley, fault_server, phantoms, fault):
    """The same section, first in front of a server that fails, then of one that does not."""
    broken, whole = fault_server(fault), fault_server('none')
    study = phantoms.studies('PHANTOM')[0]
    question = find(f'StudyInstanceUID={study}', '--level', 'instance')
    result = trolley(INI.format(url=broken.dicom_web, more=FILE), *question)
    assert result.status in (1, 3), result.stderr
    result = trolley(INI.format(url=whole.dicom_web, more=FILE), *question)
    assert result.status == 0, result.stderr
    assert len(result.lines()) == 8


def test_answer_with_a_warning_is_not_kept(trolley, fault_server):
    """Who asks again hears it again."""
    server = fault_server('searcher-ignores-offset')
    ini = INI.format(url=server.dicom_web, more=FILE).replace('max_retries = 0',
                                                              'max_retries = 0\npage_size = 4')
    for _ in range(2):
        since = len(server.requests)
        result = trolley(ini, *find('PatientID=PHANTOM', '--level', 'instance'))
        assert result.status == 0, result.stderr
        assert 'offset' in result.stderr and searches(server, since)


def test_nothing_found_is_not_kept(asked, fault_server):
    server = fault_server('none')
    for _ in range(2):
        result, count = asked(server, *find('PatientID=NOBODY'))
        assert result.stdout == '' and count > 0


def test_the_file_is_ours_alone(asked, fault_server, tmp_path):
    server = fault_server('none')
    asked(server, *find('PatientID=PHANTOM'))
    path = tmp_path / 'answers.cache'
    assert path.stat().st_mode & 0o777 == 0o600
    assert {one.name for one in tmp_path.iterdir()} == {'trolley.ini', 'answers.cache'}
    path.chmod(0o644)
    result, count = asked(server, *find('PatientID=PHANTOM'))
    assert count > 0 and 'the cache is not used' in result.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    _, count = asked(server, *find('PatientID=PHANTOM'))
    assert count == 0


@pytest.mark.parametrize('damage', ['empty', 'half', 'byte', 'version', 'text'])
def test_damaged_file_is_not_used(asked, fault_server, tmp_path, damage):
    server = fault_server('none')
    first, _ = asked(server, *find('PatientID=PHANTOM'))
    path = tmp_path / 'answers.cache'
    data = path.read_bytes()
    path.write_bytes({'empty': b'', 'half': data[:len(data) // 2],
                      'byte': data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
                      'version': data.replace(b'cache 1', b'cache 9'), 'text': b'{}\n'}[damage])
    result, count = asked(server, *find('PatientID=PHANTOM'))
    assert count > 0 and result.stdout == first.stdout
    assert 'the cache is not used' in result.stderr and 'answers.cache' in result.stderr
    result, count = asked(server, *find('PatientID=PHANTOM'))
    assert count == 0 and 'warning' not in result.stderr


def test_disk_that_cannot_be_written_is_a_warning(asked, fault_server):
    server = fault_server('none')
    result, _ = asked(server, *find('PatientID=PHANTOM'), more='file = none/answers.cache')
    assert len(result.lines()) == 3
    assert 'the cache was not kept' in result.stderr and 'none/answers.cache' in result.stderr


def test_file_of_another_searcher_is_not_used(trolley, fault_server):
    server = fault_server('none')
    ini = INI.format(url=server.dicom_web, more=FILE)
    assert trolley(ini, *find('PatientID=PHANTOM')).status == 0
    since = len(server.requests)
    renamed = ini.replace('[searcher search]', '[searcher else]').replace(
        'searcher = search', 'searcher = else')
    result = trolley(renamed, *find('PatientID=PHANTOM'))
    assert result.status == 0 and searches(server, since)
    assert 'another searcher' in result.stderr


def test_killed_program_leaves_the_old_file(asked, fault_server, tmp_path):
    server, slow = fault_server('none'), fault_server('far-away')
    asked(server, *find('PatientID=PHANTOM'))
    data = (tmp_path / 'answers.cache').read_bytes()
    (tmp_path / 'slow.ini').write_text(INI.format(url=slow.dicom_web, more=FILE))
    (tmp_path / 'slow.ini').chmod(0o600)
    env = {**os.environ, 'HOME': str(tmp_path), 'LC_ALL': 'C.UTF-8'}
    with subprocess.Popen([os.environ['TROLLEY'], '--config', 'slow.ini', 'download',
                           'PatientID=OTHER'], cwd=tmp_path, env=env,
                          stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 30
        while not slow.requests and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    assert (tmp_path / 'answers.cache').read_bytes() == data
    _, count = asked(server, *find('PatientID=PHANTOM'))
    assert count == 0


def test_looking_at_the_configuration_writes_nothing(asked, fault_server, tmp_path):
    server = fault_server('none')
    result, _ = asked(server, 'config', 'check')
    assert 'warning' not in result.stderr
    assert {one.name for one in tmp_path.iterdir()} == {'trolley.ini'}


def test_types_and_levels_are_those_of_the_other(trolley, fault_server, phantoms):
    server = fault_server('none')
    result = trolley(INI.format(url=server.dicom_web, more='').replace(
        'type = qido-rs\n', f'type = folder\npath = {phantoms.folder}\n').replace(
            f'url = {server.dicom_web}\nmax_retries = 0\n', '', 1),
                     'find', 'Modality=CT', '--level', 'series', '--format', 'jsonl')
    assert result.status == 0, result.stderr
    assert len(result.lines()) == 7
    refused = trolley(INI.format(url=server.dicom_web, more=''), 'find', 'no_such_key=1')
    assert refused.status == 2
    shown = trolley(None, 'plugins', 'cached')
    assert shown.status == 0 and 'expiry_seconds' in shown.stdout and '600' in shown.stdout


@pytest.mark.parametrize('searcher, said', [('remembered', 'remembered'), ('nobody', 'nobody')])
def test_circles_and_strangers_are_refused(trolley, searcher, said):
    ini = INI.format(url='http://127.0.0.1:9', more='').replace('searcher = search\n',
                                                               f'searcher = {searcher}\n')
    result = trolley(ini, *find('PatientID=X'))
    assert result.status == 2, result.stderr
    assert said in result.stderr


def test_a_cache_around_a_cache(trolley, fault_server):
    server = fault_server('none')
    ini = INI.format(url=server.dicom_web, more=FILE)
    ini += '\n[searcher twice]\ntype = cached\nsearcher = remembered\n'
    ini = ini.replace('hospital]\nsearcher = remembered', 'hospital]\nsearcher = twice')
    first = trolley(ini, *find('PatientID=PHANTOM'))
    since = len(server.requests)
    again = trolley(ini, *find('PatientID=PHANTOM'))
    assert (first.status, again.status) == (0, 0)
    assert again.stdout == first.stdout and not searches(server, since)
    assert json.loads(again.stdout.splitlines()[0])['PatientID'] == 'PHANTOM'
