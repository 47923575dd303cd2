"""download from servers that misbehave: nothing is lost without a word, nothing is half on disk.
SPDX-License-Identifier: MIT"""

import collections
import hashlib
import pathlib
import re
import time

import pytest

from fault_server import FAULTS
from faults_table import CASES, COUNTED, Case, counted
from program import files_below, outcomes

SERVERS = pathlib.Path(__file__).resolve().parent.parent / 'servers'

INI = """
[session pacs]
{session}
[searcher search]
type = qido-rs
url = {url}
session = pacs
retry_delay = 20ms
max_retries = 2
{search}
[downloader fetch]
type = wado-rs
url = {url}
session = pacs
max_parallel = 1
retry_delay = 20ms
{downloader}
[storage home]
type = tree
path = home
min_free = 0

[trolley hospital]
{searcher}
downloader = fetch
storage = home
expected = {expected}
"""


def ini_of(case, server, expected='instances'):
    downloader = case.downloader
    if 'max_retries' not in downloader:
        downloader += 'max_retries = 2\n'
    return INI.format(url=server.dicom_web, session=case.session, search=case.search,
                      downloader=downloader, expected=expected,
                      searcher='searcher = search' if case.searcher else '')


def check_disk(home, held):
    """Whole files of the server's, under their names, and nothing else."""
    by_name = {one.in_tree: one.data for one in held}
    for path in files_below(home):
        assert path in by_name, f'{path} is no file of the study'
        assert (home / path).read_bytes() == by_name[path], path
    scratch = [path for path in home.rglob('.trolley/**/*') if path.is_file()]
    assert [path for path in scratch if path.name != 'lock' or path.stat().st_size] == []
    return files_below(home)


def check_report(lines, home):
    """What the report says is stored is there with those bytes, and nothing else is."""
    stored = [line for line in lines if line['outcome'] in ('stored', 'skipped', 'replaced')]
    for line in stored:
        path = home.parent / line['path']
        data = path.read_bytes()
        assert line['bytes'] == len(data)
        if line['outcome'] != 'skipped':
            assert line['sha256'] == hashlib.sha256(data).hexdigest()
        assert path.stem == line['instance']
    assert len({line['path'] for line in stored}) == len(files_below(home))


def check_fault(trolley, server, ini, study, case, folder):
    """One download, and what it must lead to."""
    home = folder / 'home'
    held = server.of_study(study)
    start = time.monotonic()
    result = trolley(ini, 'download', '--study', study, '--report', 'report.jsonl')
    took = time.monotonic() - start
    assert result.verdict().startswith(case.verdict), result.stderr
    assert result.status == case.status, result.stderr
    assert case.says in result.stderr
    lines = outcomes(folder / 'report.jsonl')
    told = collections.Counter()
    for line in lines:
        told[line['outcome']] += line.get('instances', 1)
    assert told == case.outcomes
    home.mkdir(exist_ok=True)
    there = [one.in_tree for number, one in enumerate(held) if number not in case.lacks]
    more = case.stored - len(there)
    strange = [path for path in files_below(home) if path not in {one.in_tree for one in held}]
    assert [path.stem for path in strange] == ['1.2.3.4.5'] * more
    for path in strange:
        (home / path).rename(folder / 'strange')
    assert check_disk(home, held) == sorted(there)
    for path in strange:
        (folder / 'strange').rename(home / path)
    check_report(lines, home)
    again = {one.uid for one in held} & set(server.fetched_again)
    assert len(again) == case.again
    assert not getattr(server.state, 'leaked', False)
    assert took >= case.slow


@pytest.fixture
def one_study(fault_server, phantoms):
    """A server with that fault and one study, and the study."""
    def make(fault):
        study = phantoms.studies('PHANTOM')[0]
        paths = [i.path for i in phantoms.of_study(study) + phantoms.of('OTHER')]
        return fault_server(fault, paths), study
    return make


@pytest.mark.parametrize('case', CASES, ids=lambda case: case.name.replace(', ', '-'))
def test_fault(trolley, one_study, tmp_path, case):
    server, study = one_study(case.fault)
    check_fault(trolley, server, ini_of(case, server), study, case, tmp_path)


@pytest.mark.parametrize('case', [case for case in CASES if case.searcher], ids=lambda case: case.name)
def test_fault_counted(trolley, one_study, tmp_path, case):
    """Where counts suffice nothing is lost either, but what no count can tell."""
    server, study = one_study(case.fault)
    check_fault(trolley, server, ini_of(case, server, 'counts'), study, counted(case), tmp_path)


def lists(server):
    """The searches for instances so far."""
    return [path for _, path, _ in server.requests if path.split('?')[0].endswith('/instances')]


@pytest.mark.parametrize('fault, asked', [('none', 0), ('cut-body', 1), ('503', 0)])
def test_counts_are_met_without_names(trolley, one_study, home, fault, asked):
    """Only where a count is not met are the instances of that series asked for."""
    server, study = one_study(fault)
    ini = ini_of(Case(fault, ''), server, 'counts')
    result = trolley(ini, 'download', '--study', study, '--require-verified')
    assert result.status == 0, result.stderr
    assert len(files_below(home)) == 8
    assert len(lists(server)) == asked
    # What is there is known by name only.
    (home / files_below(home)[0]).unlink()
    again = trolley(ini, 'download', '--study', study)
    assert '(1 stored, 7 skipped, 0 missing, 0 failed)' in again.verdict()
    assert len(server.fetched_again) == 1


# Of many requests at once, the one that logs in again may well be the third again: refused twice.
@pytest.mark.parametrize('case', [case for case in CASES if case.searcher and
                                  case.fault != '401-every-third'], ids=lambda case: case.name)
@pytest.mark.parametrize('expected', ['instances', 'counts'])
def test_sixteen_workers(trolley, fault_server, phantoms, home, tmp_path, case, expected):
    """Three studies at once: nothing lost without a word, whatever the order of things."""
    server = fault_server(case.fault)
    ini = ini_of(case, server, expected).replace('max_parallel = 1', 'max_parallel = 16')
    case = counted(case) if expected == 'counts' else case
    studies = '\n'.join(['StudyInstanceUID', *phantoms.studies('PHANTOM')]) + '\n'
    result = trolley(ini, 'download', '--from', '-', '--report', 'report.jsonl', stdin=studies)
    assert result.status == case.status, result.stderr
    assert result.verdict().startswith(case.word), result.stderr
    lines = outcomes(tmp_path / 'report.jsonl')
    home.mkdir(exist_ok=True)
    there = {path.stem for path in files_below(home)} - {'1.2.3.4.5'}
    for path in [path for path in files_below(home) if path.stem == '1.2.3.4.5']:
        (home / path).rename(tmp_path / 'strange')
    check_disk(home, server.state.held)
    told = {line['instance'] for line in lines if line['outcome'] in ('missing', 'failed')}
    asked = {one.uid for one in server.state.held if one.patient == 'PHANTOM'}
    assert not there & told
    if None not in told:  # each instance that is expected has come or is told
        numbers = [int(number) for number in re.findall(r'\d+', result.verdict())]
        delivered, expected, stored, skipped, missing, failed = numbers[:6]
        assert (delivered, expected) == (stored + skipped, delivered + missing + failed)
    if case.word == 'complete':
        assert there == asked or case.lacks  # one of each study that no count can tell
    elif None not in told:
        assert there | told >= asked


def test_begins_while_the_searcher_names(trolley, fault_server, phantoms, home):
    """Only where nothing is there yet: what is there is never fetched again."""
    study = phantoms.studies('PHANTOM')[0]
    server = fault_server('searcher-late')
    ini = ini_of(Case('searcher-late', ''), server)
    assert trolley(ini, 'download', '--study', study).status == 0
    assert server.state.early
    lost = server.of_study(study)[2]
    (home / lost.in_tree).unlink()
    since = len(server.requests)
    again = trolley(ini, 'download', '--study', study)
    assert '(1 stored, 7 skipped, 0 missing, 0 failed)' in again.verdict()
    asked = [path.split('?')[0].split('/')[2:] for _, path, _ in server.requests[since:]]
    assert [words for words in asked if len(words) % 2 == 0] == [
        ['studies', study, 'series', lost.series, 'instances', lost.uid]]
    assert server.fetched_again == [lost.uid]


def test_full_disk_waits_for_no_silent_server(trolley, one_study):
    """One worker meets a full disk, the other one a server that says nothing for 20 s."""
    server, study = one_study('no-answer')
    ini = ini_of(Case('no-answer', ''), server).replace('max_parallel = 1', 'max_parallel = 2')
    start = time.monotonic()
    result = trolley(ini.replace('min_free = 0', 'min_free = 1000TB'), 'download', '--study', study)
    assert time.monotonic() - start < 15
    assert result.status == 1, result.stderr
    assert 'min_free keeps' in result.stderr



def test_every_fault_has_a_case():
    assert {case.fault for case in CASES} == set(FAULTS)
    assert set(COUNTED) <= set(FAULTS)


def test_table_of_readme_is_this_one():
    text = (SERVERS / 'README.md').read_text(encoding='utf-8')
    rows = [line for line in text.splitlines() if line.count('|') == 7]
    assert rows[2:] == [case.row for case in CASES]
