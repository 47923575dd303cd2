"""What is logged, how, and what never is. SPDX-License-Identifier: MIT"""

import json
import re

import pytest

import orthanc as orthanc_server

TIME = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z'

LOCKED = """
[settings]
{settings}
[session s]
auth = basic
user = reader
password = {password}
[searcher search]
type = qido-rs
url = {url}
session = s
[downloader fetch]
type = wado-rs
url = {url}
session = s
[storage home]
type = tree
path = home
min_free = 0
[trolley t]
searcher = search
downloader = fetch
storage = home
"""


def locked(server, settings='', password='secret'):
    return LOCKED.format(url=server.dicom_web, settings=settings, password=password)


def test_silent_without_a_reason(trolley, orthanc_locked):
    assert trolley(locked(orthanc_locked), 'find', 'PatientID=OTHER').stderr == ''
    assert trolley(locked(orthanc_locked), '-v', 'find', 'PatientID=OTHER').stderr == ''


def test_lines_of_text(trolley, orthanc_locked):
    result = trolley(locked(orthanc_locked), '-vv', 'find', 'PatientID=OTHER')
    assert result.status == 0
    lines = result.stderr.splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(rf'{TIME} (error|warning|info|debug) trolley(\.[\w-]+( .+)?)?: .+', line)


def exchanges(result):
    """The lines of HTTP requests: component, method, URL, status, bytes, milliseconds."""
    return re.findall(rf'^{TIME} debug trolley\.(.+?): ([A-Z]+) (\S+) (\d+), (\d+) bytes, (\d+) ms$',
                      result.stderr, re.MULTILINE)


def test_http_exchanges_at_debug(trolley, orthanc_locked):
    found = trolley(locked(orthanc_locked), '-vv', 'find', 'PatientID=OTHER', 'PatientName=*')
    [(component, method, url, status, size, _)] = exchanges(found)
    assert (component, method, status) == ('qido-rs search', 'GET', '200')
    assert url.startswith(f'{orthanc_locked.dicom_web}/studies?')
    assert int(size) > 100
    assert 'PatientID' in url and 'OTHER' not in found.stderr       # the name, not the value
    assert 'secret' not in found.stderr and 'Authorization' not in found.stderr
    got = trolley(locked(orthanc_locked), '-vv', 'download', 'PatientID=OTHER')
    assert got.status == 0
    assert {line[0] for line in exchanges(got)} == {'qido-rs search', 'wado-rs fetch'}
    assert 'OTHER' not in got.stderr and 'secret' not in got.stderr


def test_values_are_logged_where_the_ini_says_so(trolley, orthanc_locked):
    result = trolley(locked(orthanc_locked, 'log_phi = yes'), '-vv', 'find', 'PatientID=OTHER')
    [(_, _, url, _, _, _)] = exchanges(result)
    assert 'PatientID=OTHER' in url
    assert 'secret' not in result.stderr


def test_a_refused_log_in_tells_no_secret(trolley, orthanc_locked):
    result = trolley(locked(orthanc_locked, 'log_phi = yes', 'wr0ng'), '-vv', 'find')
    assert result.status == 4
    assert 'wr0ng' not in result.stderr
    assert '401' in result.stderr


def test_levels(trolley, orthanc_locked):
    def levels(*options, settings=''):
        result = trolley(locked(orthanc_locked, settings), *options, 'download', 'PatientID=OTHER',
                         '--overwrite')
        assert result.status == 0
        return set(re.findall(rf'^{TIME} (\w+) ', result.stderr, re.MULTILINE))

    assert levels() == set()
    assert levels('-v') == {'info'}
    assert levels('-vv') == {'info', 'debug'}
    assert levels(settings='log_level = debug') == {'info', 'debug'}
    assert levels('-q', settings='log_level = debug') == set()      # the command line wins


def test_quiet_leaves_errors_and_the_verdict(trolley, orthanc_locked):
    result = trolley(locked(orthanc_locked), '-q', 'download', 'PatientID=OTHER')
    assert len(result.stderr.splitlines()) == 1
    assert result.verdict().startswith('complete: 2 of 2')
    assert trolley(locked(orthanc_locked), '-q', 'find', 'PatientID=NOBODY').stderr == ''
    assert 'did you mean' in trolley(locked(orthanc_locked), '-q', 'fnd').stderr


@pytest.mark.parametrize('way', ['option', 'setting'])
def test_json_lines(trolley, orthanc_locked, way):
    options = ['--log-format', 'json'] if way == 'option' else []
    settings = '' if options else 'log_format = json'
    result = trolley(locked(orthanc_locked, settings), *options, '-vv', 'download',
                     'PatientID=OTHER', 'StudyDescription=*')
    assert result.status == 0
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    for line in lines:
        assert re.fullmatch(TIME, line['time'])
        assert line['level'] in ('error', 'warning', 'info', 'debug')
        assert re.fullmatch(r'trolley(\.[\w-]+)?', line['component'])
    assert {line['component'] for line in lines} <= {
        'trolley', 'trolley.host', 'trolley.qido-rs', 'trolley.wado-rs', 'trolley.tree'}
    of = {line['component']: line.get('section') for line in lines}
    assert of['trolley.qido-rs'] == 'search' and of['trolley.wado-rs'] == 'fetch'
    assert lines[-1]['message'].startswith('complete: 2 of 2')


def test_json_errors(trolley):
    port = orthanc_server.free_port()
    ini = (f'[searcher s]\ntype = qido-rs\nurl = http://127.0.0.1:{port}/x\nmax_retries = 0\n'
           '[trolley t]\nsearcher = s\n')
    result = trolley(ini, '--log-format', 'json', 'find')
    assert result.status == 1
    last = json.loads(result.stderr.splitlines()[-1])
    assert last['level'] == 'error' and f'127.0.0.1:{port}' in last['message']
