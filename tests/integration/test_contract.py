"""Each part of the plugin contract through the program: plugins of the tests tell what the host did
with them. SPDX-License-Identifier: MIT"""

import collections
import json
import os
import pathlib
import sys

import pytest

import program

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'servers'))
from http_server import Handler, HttpServer  # noqa: E402

CONTRACT = pathlib.Path(os.environ['BUILDDIR']) / 'tests' / 'plugins' / 'contract'
SETTINGS = f'[settings]\nplugin_path = {CONTRACT}\n'

FIND = SETTINGS + """
[searcher s]
type = contract-find
trace = trace
{more}
[searcher disk]
type = folder
path = {folder}
[trolley t]
searcher = s
"""


@pytest.fixture
def trace(tmp_path):
    def lines():
        path = tmp_path / 'trace'
        return path.read_text(encoding='utf-8').splitlines() if path.exists() else []
    return lines


@pytest.fixture
def find(trolley, phantoms):
    def call(more, *arguments):
        return trolley(FIND.format(more=more, folder=phantoms.folder), 'find', *arguments,
                       '--format', 'jsonl')
    return call


def test_options_of_every_type(find, trace, tmp_path):
    done = find('text = by alias\nint = 5\nbool = on\nduration = PT1M\nsize = 1MiB\n'
                'choice = Blue\npath = sub/file\nurl = http://example.test/x/\nae_title = AET\n'
                'port = 11112\nlist = one\nlist = two\nsecret = hush\nparam.StudyDate = a b\n')
    assert done.status == 0, done.stderr
    assert set(trace()) >= {
        'string=by alias', 'int=5', 'bool=1', 'duration=60000', 'size=1048576', 'choice=2',
        f'path={tmp_path}/sub/file', 'url=http://example.test/x', 'ae_title=AET', 'port=11112',
        'list[0]=one', 'list[1]=two', 'param.StudyDate=a b', 'secret=hush'}


def test_defaults(find, trace):
    assert find('').status == 0
    assert set(trace()) >= {'string=plain', 'int=-3', 'bool=0', 'duration=10000', 'size=4096',
                            'choice=0', 'path=(none)', 'port=104', 'secret='}


@pytest.mark.parametrize('line, word', [
    ('int = 6', '5'), ('int = x', 'number'), ('bool = perhaps', 'yes'), ('choice = pink', 'red'),
    ('port = 0', '1'), ('duration = 3 fortnights', 'duration'), ('size = big', 'size'),
    ('url = ftp://x', 'http'), ('ae_title = SEVENTEEN LETTERS', '16'), ('itn = 1', 'int'),
    ('int = 1\nint = 2', 'int'), ('other = nobody', 'nobody'),
])
def test_values_refused(find, trace, line, word):
    done = find(line)
    assert done.status == 2
    assert word in done.stderr and line.split()[0] in done.stderr
    assert trace() == []


@pytest.mark.parametrize('words, chosen', [
    ([], 'query'),
    (['PatientName=a'], 'query'),
    (['PatientSex=F'], 'moody'),
    (['mood=good', 'PatientID=1'], 'moody'),
    (['eager=yes', 'Modality=CT'], 'open'),
    (['BodyPartExamined=HEAD'], 'open'),
])
def test_first_type_that_covers_the_keys(find, trace, words, chosen):
    done = find('', *words)
    assert done.status == 0, done.stderr
    assert f'find {chosen} level 1' in trace()
    for word in words:
        assert f'key {word.replace("=yes", "=1")}' in trace()


def test_rules_of_the_searcher_itself(find, trace):
    done = find('', 'mood=bad')
    assert done.status == 2
    assert 'not in a bad one' in done.stderr
    assert not [line for line in trace() if line.startswith('find')]


def test_types_and_levels_narrowed_by_configuration(find):
    assert find('studies_only = yes', 'PatientSex=F').status == 2
    done = find('studies_only = yes', '--level', 'series')
    assert done.status == 2
    assert 'only study' in done.stderr


def test_remark_reaches_the_user(find):
    done = find('')
    assert 'a remark of the searcher' in done.stderr


@pytest.mark.parametrize('dead', ['no', 'yes'])
def test_ping(trolley, dead):
    done = trolley(FIND.format(more=f'dead = {dead}', folder='/tmp'), 'ping')
    assert done.status == (1 if dead == 'yes' else 0)
    assert ('it is dead' in done.stdout) == (dead == 'yes')


def test_wrapper_asks_its_peer(find, phantoms):
    done = find('other = disk', 'PatientID=PHANTOM')
    assert done.status == 0, done.stderr
    assert ({line['StudyInstanceUID'] for line in done.lines()} ==
            set(phantoms.studies('PHANTOM')))


def test_wrapper_query_passes_the_acceptance_rule(find):
    """The query names type `query`, which does not take Modality; the peer's `dicom` does."""
    assert find('other = disk\nadd = BodyPartExamined', '--level', 'series').status == 0
    done = find('other = disk\nadd = nonsense', 'PatientID=PHANTOM')
    assert done.status == 2
    assert 'folder disk' in done.stderr and 'no nonsense' in done.stderr


def test_wrapper_of_itself(find):
    done = find('other = s')
    assert done.status == 2
    assert 'names itself' in done.stderr


# ---- downloads

FETCH = SETTINGS + """
[searcher disk]
type = folder
path = {folder}
[downloader first]
type = contract-fetch
trace = trace
file = {files}
retry_delay = 1ms
{more}
{second}
[storage home]
type = {storage}
path = home
min_free = 0
[trolley t]
searcher = disk
downloader = {names}
storage = home
"""


@pytest.fixture(scope='module')
def files(tmp_path_factory, phantoms):
    """The phantoms as UID.dcm."""
    folder = tmp_path_factory.mktemp('by-uid')
    for instance in phantoms.instances:
        (folder / f'{instance.uid}.dcm').symlink_to(instance.path)
    return folder


@pytest.fixture
def download(trolley, phantoms, files, tmp_path):
    def call(more, *arguments, second='', names='first', storage='tree'):
        text = FETCH.format(folder=phantoms.folder, files=files, more=more, second=second,
                            names=names, storage=storage)
        done = trolley(text, 'download', *arguments, '--report', tmp_path / 'report')
        return done, program.report(tmp_path / 'report')
    return call


def kinds(report):
    return collections.Counter(line['outcome'] for line in report if 'outcome' in line)


def test_lives(download, trace, phantoms):
    """One open and one close a section; an instance a thread and one that is asked for its wishes,
    each destroyed before close."""
    done, report = download('max_parallel = 3', 'PatientID=PHANTOM')
    assert done.status == 0, done.stderr
    assert kinds(report) == {'stored': len(phantoms.of('PHANTOM'))}
    lines = trace()
    assert lines.count('open') == lines.count('close') == 1
    assert lines[0] == 'open' and lines[-1] == 'close'
    assert 1 <= lines.count('create') == lines.count('destroy') <= 4
    assert 'create without shared' not in lines


@pytest.mark.parametrize('more, most, series', [
    ('batch = 1', 1, 1), ('batch = 3\ngroup = 2', 3, 1), ('batch = 1000\ngroup = 2', 4, 1),
    ('batch = 1000\ngroup = 1', 8, 2),
])
def test_batches_and_groups(download, trace, phantoms, more, most, series):
    done, report = download(more, 'PatientID=PHANTOM')
    assert done.status == 0, done.stderr
    assert kinds(report) == {'stored': len(phantoms.of('PHANTOM'))}
    fetches = [line.split() for line in trace() if line.startswith('fetch')]
    assert max(int(words[1]) for words in fetches) <= most
    assert max(int(words[6]) for words in fetches) <= series
    assert {words[4] for words in fetches} == {'3'}


def test_transient_failure_is_asked_again(download, phantoms):
    done, report = download('fail = transient\nmax_parallel = 1', 'PatientID=OTHER')
    assert done.status == 0, done.stderr
    assert kinds(report) == {'stored': len(phantoms.of('OTHER'))}


def test_permanent_failure_is_not(download, trace, phantoms):
    done, report = download('fail = permanent\nmax_parallel = 1', 'PatientID=OTHER')
    count = len(phantoms.of('OTHER'))
    assert done.status in (1, 3)
    assert kinds(report) == {'missing': count}
    assert len([line for line in trace() if line.startswith('fetch')]) == count
    assert all('the test says so' in line['message'] for line in report if 'outcome' in line)


def test_permanent_failure_goes_to_the_next_downloader(download, files, phantoms):
    second = f'[downloader second]\ntype = contract-fetch\nfile = {files}\n'
    done, report = download('fail = permanent', 'PatientID=OTHER', second=second,
                            names='first, second')
    assert done.status == 0, done.stderr
    assert kinds(report) == {'stored': len(phantoms.of('OTHER'))}
    assert {line['downloader'] for line in report if 'outcome' in line} == {'second'}


def test_stop_all_stops(download, trace, phantoms):
    done, report = download('fail = stop-all\nmax_parallel = 1', 'PatientID=PHANTOM')
    assert done.status in (1, 3)
    assert 'stored' not in kinds(report)
    fetches = len([line for line in trace() if line.startswith('fetch')])
    assert fetches < len(phantoms.of('PHANTOM'))


def test_failure_to_ignore(download, phantoms):
    done, report = download('fail = ignore', 'PatientID=OTHER')
    assert done.status == 0, done.stderr
    assert kinds(report) == {'ignored': len(phantoms.of('OTHER'))}


def test_storage_gets_what_its_names_need(download, home, phantoms):
    done, report = download('', 'PatientID=OTHER', storage='contract-store')
    assert done.status == 0, done.stderr
    wanted = {f'OTHER-{instance.uid}.dcm' for instance in phantoms.of('OTHER')}
    assert {path.name for path in home.iterdir() if path.suffix == '.dcm'} == wanted
    for instance in phantoms.of('OTHER'):
        assert (home / f'OTHER-{instance.uid}.dcm').read_bytes() == instance.path.read_bytes()


# ---- log-ins

class Guarded(Handler):
    """Wants the token of the phrase `open sesame`, backwards."""

    def do_web(self, *_):
        if self.headers.get('X-Contract') != 'emases nepo':
            self.answer(401, b'', 'text/plain')
            return
        study = {'0020000D': {'vr': 'UI', 'Value': ['1.2.3']}}
        self.answer(200, json.dumps([study]).encode(), 'application/dicom+json')


@pytest.mark.parametrize('phrase, status', [('open sesame', 0), ('not sesame', 4)])
def test_log_in(trolley, phrase, status):
    with HttpServer(handler=Guarded) as server:
        done = trolley(SETTINGS + f'[session door]\nauth = contract-auth\nphrase = {phrase}\n'
                       f'[searcher s]\ntype = qido-rs\nurl = {server.url}/web\nsession = door\n'
                       '[trolley t]\nsearcher = s\n', 'find', '--format', 'jsonl')
    assert done.status == status, done.stderr
    assert len(done.lines()) == (1 if status == 0 else 0)
    assert phrase not in done.stderr
