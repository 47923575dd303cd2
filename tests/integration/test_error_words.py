"""What an error of a server must tell: method, host, path, names of parameters but not their values,
status, the server's own words in one safe line, and the section to look at.
SPDX-License-Identifier: MIT"""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))

import http_server  # noqa: E402  pylint: disable=wrong-import-position


class Shut(http_server.Handler):
    """Refuses everything, in words that would like to move the cursor."""

    def dispatch(self):
        self.rfile.read(int(self.headers.get('Content-Length') or 0))
        self.server.state.count(self.path.split('?')[0])
        self.answer(self.server.state.code, b'the archive\x1b[2J is \xc3\xbcber full\nmore', 'text/plain')

    do_GET = do_POST = dispatch


@pytest.fixture(scope='module')
def shut():
    with http_server.HttpServer(handler=Shut) as server:
        yield server


INI = """
[session pacs]
auth = basic
user = reader
password = s3cret-word
log_phi = {phi}

[{kind} backend]
type = {type}
url = {url}/base
session = pacs
max_retries = 0

[storage home]
type = tree
path = home

[trolley t]
{kind} = backend
storage = home
"""
UIDS = ['--study', '1.2', '--series', '1.2.3', '--instance', '1.2.3.4']
ROWS = [
    ('qido-rs', 'searcher', ['find', 'PatientID=Meier-77', 'PatientName=M\u00fcller*'], 'GET',
     '/base/studies', ['PatientID', 'PatientName']),
    ('mint', 'searcher', ['find', 'PatientID=Meier-77', 'PatientName=M\u00fcller*'], 'GET',
     '/base/studies', ['PatientID', 'PatientName', 'QueryLevel']),
    ('wado-rs', 'downloader', ['download', *UIDS], 'GET',
     '/base/studies/1.2/series/1.2.3/instances/1.2.3.4', []),
    ('wado-rs-metadata', 'downloader', ['download', *UIDS], 'GET',
     '/base/studies/1.2/series/1.2.3/instances/1.2.3.4/metadata', []),
    ('wado-uri', 'downloader', ['download', *UIDS], 'GET', '/base',
     ['requestType', 'studyUID', 'seriesUID', 'objectUID', 'contentType']),
    ('rad69', 'downloader', ['download', *UIDS], 'POST', '/base', []),
]


@pytest.mark.parametrize('type_, kind, words, method, path, names', ROWS)
@pytest.mark.parametrize('code, reason, status', [(409, 'Conflict', 2), (500, 'Internal Server', 1)])
def test_error_says_what_was_tried_and_what_came_back(trolley, shut, type_, kind, words, method,
                                                      path, names, code, reason, status):
    shut.state.code = code
    ini = INI.format(type=type_, kind=kind, url=shut.url, phi='no').replace('log_phi = no\n', '')
    result = trolley(ini, *words)
    assert result.status == (1 if kind == 'downloader' else status), result.stderr
    [line] = [one for one in result.stderr.splitlines() if 'archive' in one][-1:]
    for said in (method, shut.url.removeprefix('http://'), path, str(code), reason, *names,
                 'the archive', 'is \u00fcber full', 'backend', type_):
        assert said in line, (said, line)
    for kept in ('Meier-77', 'M\u00fcller', 'M%C3', 's3cret', '\x1b', 'more'):
        assert kept not in result.stderr, kept


@pytest.mark.parametrize('type_, kind, words, method, path, names', ROWS)
def test_refused_log_in_names_the_session(trolley, shut, type_, kind, words, method, path, names):
    shut.state.code = 401
    ini = INI.format(type=type_, kind=kind, url=shut.url, phi='no').replace('log_phi = no\n', '')
    before = sum(shut.counts.values())
    result = trolley(ini, *words)
    assert result.status == 4, result.stderr
    assert sum(shut.counts.values()) == before + 1
    for said in (method, path, '401', 'user and password of [session pacs]', *names):
        assert said in result.stderr, (said, result.stderr)
    assert 's3cret' not in result.stderr and 'Meier-77' not in result.stderr


def test_values_are_told_where_the_ini_allows_it(trolley, shut):
    shut.state.code = 409
    ini = INI.format(type='qido-rs', kind='searcher', url=shut.url, phi='no').replace(
        'log_phi = no\n', '')
    result = trolley('[settings]\nlog_phi = yes\n' + ini, 'find', 'PatientID=Meier-77')
    assert 'PatientID=Meier-77' in result.stderr and 's3cret' not in result.stderr
