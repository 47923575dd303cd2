"""Every key on every searcher of the tree: taken, or refused by an error that names the key and says
for each query type what stood in the way. SPDX-License-Identifier: MIT"""

import concurrent.futures
import json
import os
import pathlib
import sys
import urllib.parse

import pytest

import program

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'servers'))
from http_server import Handler, HttpServer  # noqa: E402

QUERY = {'StudyInstanceUID', 'AccessionNumber', 'PatientName', 'PatientID', 'ModalitiesInStudy',
         'SeriesInstanceUID', 'min_study_date', 'max_study_date'}
EXTENDED = QUERY | {'InstitutionName', 'PatientSex', 'StudyDescription', 'SeriesDescription',
                    'InstitutionalDepartmentName', 'PatientBirthDate'}
QIDO = QUERY | {'limit', 'offset', 'fuzzymatching'}

# Query type -> (its parameters, whether it takes any attribute).
TYPES = {
    'query': (QUERY, False),
    'extended': (EXTENDED, False),
    'mint': (EXTENDED | {'limit'}, False),
    'dicom': (EXTENDED | {'Modality', 'ProtocolName', 'StudyID'}, True),
    'qido-relational': (QIDO, True),
    'qido-hierarchical': (QIDO, True),
}

# Searcher -> the types it takes, in order of preference.
SEARCHERS = {
    'qido-rs': ['qido-relational', 'qido-hierarchical', 'query', 'extended'],
    'folder': ['dicom', 'extended', 'query'],
    'mint': ['mint', 'extended', 'query'],
    'dicom-qr': ['dicom', 'extended', 'query'],
}

# What a searcher adds to a type that others have too.
MORE = {('dicom-qr', 'dicom'): {'limit'}}

VALUES = {
    'StudyInstanceUID': '1.2.3', 'SeriesInstanceUID': '1.2.3.4', 'AccessionNumber': 'a1',
    'PatientName': 'Doe*', 'PatientID': 'p1', 'ModalitiesInStudy': 'CT',
    'min_study_date': '20150301', 'max_study_date': '20150302', 'InstitutionName': 'inst',
    'PatientSex': 'F', 'StudyDescription': 'knee', 'SeriesDescription': 'axial',
    'InstitutionalDepartmentName': 'dept', 'PatientBirthDate': '19700101', 'limit': '3',
    'offset': '4', 'fuzzymatching': '0', 'Modality': 'MR', 'ProtocolName': 'prot',
    'StudyID': 's1', 'BodyPartExamined': 'HEAD', 'nonsense_parameter': '1',
}
ATTRIBUTES = {key for key in VALUES if key[0].isupper()}


def parameters_of(searcher, own):
    return TYPES[own][0] | MORE.get((searcher, own), set())


def covers(searcher, own, key):
    return key in parameters_of(searcher, own) or (TYPES[own][1] and key in ATTRIBUTES)


def plugins(folder):
    listed = json.loads(program.run(['plugins', '--format', 'json'], folder).stdout)
    return {plugin['name']: component for plugin in listed for component in plugin['components']
            if component['kind'] == 'searcher'}


def made_up(option, folder, port):
    """A value for a required key."""
    return {'url': f'http://127.0.0.1:{port}/web', 'path': str(folder), 'port': str(port),
            'ae-title': 'TEST', 'component': 'other'}.get(
                option['type'], '127.0.0.1' if 'host' in option['key'] else 'x')


@pytest.fixture(scope='module')
def searchers(tmp_path_factory):
    """name -> (its types, a path of an INI file whose server is not there)."""
    folder = tmp_path_factory.mktemp('searchers')
    made = {}
    for name, component in plugins(folder).items():
        lines = [f'{option["key"]} = {made_up(option, folder, 1)}'
                 for option in component['options'] if option['required']]
        path = folder / f'{name}.ini'
        path.write_text('\n'.join(['[searcher s]', f'type = {name}', 'max_retries = 0', *lines,
                                   '[searcher other]', 'type = folder', f'path = {folder}',
                                   '[trolley t]', 'searcher = s', '']), encoding='utf-8')
        path.chmod(0o600)
        made[name] = (component['query_types'], path)
    return made


def find_all(searchers, requests):
    """Runs find for each (searcher, type or None, keys), some at a time."""
    def run(request):
        name, forced, keys = request
        words = [f'{key}={VALUES[key]}' for key in sorted(keys)]
        option = ['--query-type', forced] if forced else []
        path = searchers[name][1]
        return program.run(['--config', path, 'find', *words, *option], path.parent)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(zip(requests, pool.map(run, requests)))


REFUSED = 'every key: '


def reasons(stderr):
    """What stood in the way: type -> text."""
    text = stderr.split(REFUSED, 1)[1].split('; did you mean')[0]
    return dict(part.split(': ', 1) for part in text.strip().split('; '))


def test_types_are_those_of_the_table(searchers):
    for name in SEARCHERS.keys() & searchers.keys():
        assert [own['name'] for own in searchers[name][0]] == SEARCHERS[name]
    assert {'qido-rs', 'folder'} <= searchers.keys()


def test_parameters_are_shown_whole(searchers):
    """With those of the bases, and of the types that are listed by name alone."""
    for name in SEARCHERS.keys() & searchers.keys():
        for own in searchers[name][0]:
            assert ({parameter['key'] for parameter in own['parameters']} ==
                    parameters_of(name, own['name']))
            assert own['any_attribute'] == TYPES[own['name']][1]


def test_each_key_is_taken_or_refused_by_name(searchers):
    known = sorted(SEARCHERS.keys() & searchers.keys())
    requests = [(name, None, (key,)) for name in known for key in VALUES
                if not any(covers(name, own, key) for own in SEARCHERS[name])]
    requests += [(name, own, (key,)) for name in known for own in SEARCHERS[name]
                 for key in VALUES if not covers(name, own, key)]
    for (name, forced, (key,)), done in find_all(searchers, requests):
        assert done.status == 2, (name, forced, key, done)
        assert REFUSED in done.stderr, (name, forced, key, done.stderr)
        told = reasons(done.stderr)
        assert list(told) == ([forced] if forced else SEARCHERS[name]), (name, forced, key)
        assert all(f'no {key}' == text for text in told.values()), (name, forced, key, told)


def test_all_keys_of_a_type_are_taken_together(searchers):
    """Nobody is there to answer; what counts is that the request is made."""
    known = sorted(SEARCHERS.keys() & searchers.keys())
    requests = [(name, own, tuple(key for key in VALUES if key in parameters_of(name, own)))
                for name in known for own in SEARCHERS[name]]
    for (name, forced, _), done in find_all(searchers, requests):
        assert done.status == (0 if name == 'folder' else 1), (name, forced, done)
        assert REFUSED not in done.stderr


def test_type_that_is_not_taken(searchers):
    for (name, _, _), done in find_all(searchers, [(name, 'nowhere', ('PatientID',))
                                                   for name in sorted(searchers)]):
        assert done.status == 2
        assert 'nowhere: not accepted, only' in done.stderr
        for own in searchers[name][0]:
            assert own['name'] in done.stderr


class Recorder(Handler):
    """Answers every search with one study, and keeps what was asked."""

    def do_web(self, *_):
        self.server.state.asked = getattr(self.server.state, 'asked', []) + [self.path]
        study = {'0020000D': {'vr': 'UI', 'Value': ['1.2.3']},
                 '00100010': {'vr': 'PN', 'Value': [{'Alphabetic': 'Dough^Joe'}]}}
        self.answer(200, json.dumps([study]).encode(), 'application/dicom+json')


INI = """
[searcher s]
type = qido-rs
url = {url}/web
{more}
[trolley t]
searcher = s
"""


@pytest.fixture
def recorder():
    with HttpServer(handler=Recorder) as server:
        yield server


@pytest.mark.parametrize('own', ['qido-relational', 'qido-hierarchical', 'query', 'extended'])
def test_every_key_reaches_the_server(recorder, trolley, own):
    keys = [key for key in VALUES if key in TYPES[own][0] and key != 'SeriesInstanceUID']
    done = trolley(INI.format(url=recorder.url, more='refilter = no'), 'find',
                   *[f'{key}={VALUES[key]}' for key in keys], '--query-type', own)
    assert done.status == 0, done.stderr
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(recorder.state.asked[0]).query)
    for key in keys:
        if key.endswith('study_date'):
            assert asked['StudyDate'] == ['20150301-20150302']
        elif key == 'fuzzymatching':
            assert asked[key] == ['false']
        elif key in asked:
            assert asked[key] == [VALUES[key]]
        else:
            assert VALUES[key] in recorder.state.asked[0], (key, asked)


@pytest.mark.parametrize('more, words, count', [
    ('', ['fuzzymatching=yes'], 1),
    ('', ['fuzzymatching=no'], 0),
    ('', [], 0),
    ('fuzzymatching = yes', [], 1),
    ('fuzzymatching = yes', ['fuzzymatching=no'], 0),
])
def test_fuzzy_names_are_not_dropped(recorder, trolley, more, words, count):
    """A name that sounds alike contradicts the key; the server was asked for such names."""
    done = trolley(INI.format(url=recorder.url, more=more), 'find', 'PatientName=Doe^Joe', *words,
                   '--format', 'jsonl')
    assert done.status == 0, done.stderr
    assert len(done.lines()) == count
