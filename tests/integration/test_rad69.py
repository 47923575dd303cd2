"""download through rad69 from a server of fixtures. SPDX-License-Identifier: MIT"""

import pathlib
import re
import shutil
import sys

import pytest

from orthanc import free_port
from program import files_below, outcomes, report, scratch_files

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))

import rad69_server  # noqa: E402  pylint: disable=wrong-import-position

COMPLETE, FAILED, USAGE, PARTIAL = 0, 1, 2, 3

INI = """
[searcher search]
type = folder
path = {path}

[downloader fetch]
type = rad69
url = {url}
retry_delay = 10ms
{more}

[downloader second]
type = folder
path = {path}

[storage home]
type = tree
path = home
min_free = 0

[trolley imaging]
searcher = search
downloader = {downloaders}
storage = home
"""


@pytest.fixture(scope='session')
def source(phantoms):
    with rad69_server.Rad69Server([instance.path for instance in phantoms.instances]) as server:
        yield server


@pytest.fixture
def rad69(trolley, phantoms, source):
    """rad69(mode, *arguments): downloads with a report from the server in that mode."""
    source.reset()

    def call(mode, *arguments, more='', downloaders='fetch'):
        ini = INI.format(path=phantoms.folder, url=f'{source.url}/{mode}', more=more,
                         downloaders=downloaders)
        result = trolley(ini, *(arguments or ['download', 'PatientID=OTHER', '--report',
                                              'report.jsonl']))
        assert source.complaints == []
        return result
    return call


@pytest.fixture
def other(phantoms):
    """One study of one series of two instances."""
    return phantoms.of('OTHER')


def check_tree(home, expected):
    """Exactly these files, each bit for bit; nothing half-written."""
    assert files_below(home) == sorted(instance.in_tree for instance in expected)
    for instance in expected:
        assert (home / instance.in_tree).read_bytes() == instance.path.read_bytes()
    assert scratch_files(home) == []


def check_complete(result, home, expected):
    assert result.status == COMPLETE, result.stderr
    assert result.verdict().startswith(f'complete: {len(expected)} of {len(expected)} instances')
    check_tree(home, expected)


def fates(tmp_path):
    """Outcome and message of each instance."""
    return {line['instance']: (line['outcome'], line.get('message') or '')
            for line in outcomes(tmp_path / 'report.jsonl')}


def notes(tmp_path):
    return ' | '.join(str(line) for line in report(tmp_path / 'report.jsonl')
                      if 'outcome' not in line)


# ---- R1, R2: the request

def test_r1_request(rad69, source, home, phantoms):
    """The server asserts on the message (rad69_server.check_request); options go where they
    belong, each escaped."""
    more = ('home_community_id = "urn:oid:1.2.3&<\'>"\nrepository_unique_id = 1.9.8\n'
            'transfer_syntax_uids = 1.2.840.10008.1.2.4.90, 1.2.840.10008.1.2.1\n')
    result = rad69('ok?a=1&b=<2>', 'download', 'PatientID=PHANTOM', more=more)
    check_complete(result, home, phantoms.of('PHANTOM'))
    for request in source.requests:
        assert request.to == f'{source.url}/ok?a=1&b=<2>'
        assert request.syntaxes == ['1.2.840.10008.1.2.4.90', '1.2.840.10008.1.2.1']
        assert {document[2:4] for document in request.documents} == {("urn:oid:1.2.3&<'>", '1.9.8')}
    identities = [request.message_id for request in source.requests]
    assert len(set(identities)) == len(identities) == 6


def test_r1_defaults(rad69, source, home, other):
    check_complete(rad69('ok'), home, other)
    [request] = source.requests
    assert request.syntaxes == ['1.2.840.10008.1.2.4.70', '1.2.840.10008.1.2',
                                '1.2.840.10008.1.2.1']
    assert request.documents == [(i.study, i.series, None, '1.3.6.1.4.1000', i.uid)
                                 for i in sorted(other, key=lambda i: i.uid)]


def test_r2_one_request_a_series(rad69, source, home, phantoms):
    expected = phantoms.of('PHANTOM')
    check_complete(rad69('ok', 'download', 'PatientID=PHANTOM'), home, expected)
    assert all(len(request.series) == 1 for request in source.requests)
    assert sorted(request.series[0] for request in source.requests) \
        == sorted({(instance.study, instance.series) for instance in expected})


def test_r2_one_request_a_study(rad69, source, home, phantoms):
    expected = phantoms.of('PHANTOM')
    result = rad69('ok', 'download', 'PatientID=PHANTOM', more='request_per_series = no')
    check_complete(result, home, expected)
    assert sorted(request.series for request in source.requests) == sorted(
        sorted({(i.study, i.series) for i in phantoms.of_study(study)})
        for study in phantoms.studies('PHANTOM'))


def test_r2_gaps_alone_are_asked_for(rad69, source, home, other):
    check_complete(rad69('ok'), home, other)
    (home / other[0].in_tree).unlink()
    source.reset()
    result = rad69('ok')
    assert result.status == COMPLETE, result.stderr
    assert [request.instances for request in source.requests] == [[other[0].uid]]
    check_tree(home, other)


def test_r2_wide_references_are_expanded(rad69, source, home, phantoms):
    study = phantoms.studies('PHANTOM')[0]
    expected = phantoms.of_study(study)
    check_complete(rad69('ok', 'download', '--study', study), home, expected)
    assert sum(len(request.documents) for request in source.requests) == len(expected)


# ---- R3: the answer

@pytest.mark.parametrize('mode', [
    'shuffled', 'root-last', 'no-start', 'percent', 'no-brackets', 'inline', 'inline-soap',
    'base64-parts', 'octets'])
def test_r3_shapes_of_answers(rad69, source, home, other, mode, tmp_path):
    check_complete(rad69(mode), home, other)
    assert len(source.requests) == 1
    assert notes(tmp_path) == ''


@pytest.mark.parametrize('mode, word', [
    ('malformed', 'mismatch'), ('bomb', 'document type'), ('deep', 'nest'), ('wide', 'attribute'),
    ('endless-message', '16 MiB')])
def test_r3_unreadable_message_with_good_parts(rad69, source, home, other, mode, word, tmp_path):
    check_complete(rad69(mode), home, other)
    assert len(source.requests) == 1
    assert 'the SOAP message of the answer cannot be read' in notes(tmp_path)
    assert word in notes(tmp_path)


def test_r3_real_files(trolley, sample_files, tmp_path):
    """Compressed, deflated, big endian, of all kinds: bytes as the server has them."""
    folder = tmp_path / 'samples'
    folder.mkdir()
    for number, path in enumerate(sample_files):
        (folder / f'{number}.dcm').write_bytes(path.read_bytes())
    ini = INI.format(path=folder, url='{url}', more='', downloaders='fetch')
    listed = trolley(ini, 'find', '--level', 'instance', '--format', 'csv', '--fields',
                     'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID')
    uids = {row['SOPInstanceUID'] for row in listed.rows()}
    assert len(uids) > 50
    with rad69_server.Rad69Server(sorted(folder.iterdir())) as server:
        ini = ini.replace('{url}', server.url + '/ok')
        result = trolley(ini, 'download', '--from', '-', '--report', 'report.jsonl',
                         stdin=listed.stdout)
        assert result.status == COMPLETE, result.stderr
        assert server.complaints == []
        stored = {line['instance']: line for line in outcomes(tmp_path / 'report.jsonl')
                  if line['outcome'] == 'stored'}
        assert set(stored) == uids
        for uid, line in stored.items():
            path = pathlib.Path(line['path'])
            assert (tmp_path / path).read_bytes() == server.files[uid]


# ---- R4: Success, PartialSuccess, Failure

def test_r4_missing_under_success(rad69, source, home, other, tmp_path):
    result = rad69(f'silent-gap/{other[0].uid}')
    assert result.status == PARTIAL, result.stderr
    assert fates(tmp_path)[other[0].uid][0] == 'missing'
    check_tree(home, other[1:])


def test_r4_partial_success(rad69, source, home, other, tmp_path):
    first = min(other, key=lambda instance: instance.uid)
    result = rad69('partial', more='max_retries = 0')
    assert result.status == PARTIAL, result.stderr
    outcome, message = fates(tmp_path)[first.uid]
    assert outcome == 'missing'
    assert f'XDSMissingDocument: Document {first.uid} is not here (at urn:oid:{first.uid})' \
        in message
    assert 'index is old' in notes(tmp_path) and 'XDSMissingDocument' not in notes(tmp_path)
    check_tree(home, [instance for instance in other if instance != first])


def test_r4_failure(rad69, source, home, other, tmp_path):
    result = rad69('failure')
    assert result.status == FAILED, result.stderr
    assert {outcome for outcome, _ in fates(tmp_path).values()} == {'missing'}
    for _, message in fates(tmp_path).values():
        assert 'XDSMissingDocument: nothing <found> & "nowhere"' in message
    assert len(source.requests) == 1  # what is not there is not asked for again
    assert len(fates(tmp_path)) == len(other)


def test_r4_failure_without_reason(rad69, tmp_path):
    result = rad69('failure-without-reason', more='max_retries = 0')
    assert result.status == FAILED
    assert all('Failure' in message for _, message in fates(tmp_path).values())


def test_r4_busy_is_asked_again(rad69, source, home, other):
    check_complete(rad69('busy-once'), home, other)
    assert len(source.requests) == 2


def test_r4_announced_part_is_absent(rad69, home, other, tmp_path):
    last = max(other, key=lambda instance: instance.uid)
    result = rad69('lost-part')
    assert result.status == PARTIAL, result.stderr
    outcome, message = fates(tmp_path)[last.uid]
    assert outcome == 'missing' and f'{last.uid}@trolley' in message
    check_tree(home, [instance for instance in other if instance != last])


def test_r4_second_downloader_fills_gaps(rad69, source, home, other, tmp_path):
    result = rad69('partial', downloaders='fetch, second')
    check_complete(result, home, other)
    by = {line['instance']: line['downloader'] for line in outcomes(tmp_path / 'report.jsonl')}
    first = min(other, key=lambda instance: instance.uid)
    assert by == {i.uid: 'second' if i == first else 'fetch' for i in other}


# ---- R5: errors alone

def test_r5_ignored_error_skips_the_series(rad69, source, home, phantoms, tmp_path):
    study = phantoms.studies('PHANTOM')[0]
    expected = phantoms.of_study(study)
    skipped = expected[0].series
    result = rad69(f'failure-of-series/{skipped}', 'download', '--study', study, '--report',
                   'report.jsonl', more='errors_to_ignore = XDSUnknownRepositoryId, '
                                        'XDSMissingDocument')
    assert result.status == COMPLETE, result.stderr
    for instance in expected:
        outcome, message = fates(tmp_path)[instance.uid]
        assert outcome == ('ignored' if instance.series == skipped else 'stored')
        assert ('no such series' in message) == (outcome == 'ignored')
    check_tree(home, [instance for instance in expected if instance.series != skipped])


def test_r5_other_errors_are_not_ignored(rad69, tmp_path):
    result = rad69('failure/XDSRepositoryError',
                   more='errors_to_ignore = XDSMissingDocument\nmax_retries = 1')
    assert result.status == FAILED
    assert all('XDSRepositoryError' in message for _, message in fates(tmp_path).values())


@pytest.mark.parametrize('mode, words', [
    ('fault/500', ['500', 'SOAP fault Receiver', 'Internal', 'database is down']),
    ('fault/400', ['400', 'SOAP fault Sender', 'database is down']),
    ('fault/200', ['SOAP fault Sender', 'database is down']),
    ('fault-11', ['500', 'SOAP fault Client', 'old soap']),
])
def test_r5_faults(rad69, source, home, tmp_path, mode, words):
    result = rad69(mode, more='max_retries = 1')
    assert result.status == FAILED
    for _, message in fates(tmp_path).values():
        for word in words:
            assert word in message
    assert len(source.requests) == (2 if mode == 'fault/500' else 1)
    assert files_below(home) == []


@pytest.mark.parametrize('mode, words', [
    ('html', ['text/html', '<!DOCTYPE html><title>Log in</title>']),
    ('malformed-alone', ['cannot be read']),
    ('no-boundary', ['boundary']),
])
def test_r5_no_answer_at_all(rad69, source, home, tmp_path, mode, words):
    result = rad69(mode)
    assert result.status == FAILED
    for _, message in fates(tmp_path).values():
        for word in words:
            assert word in message, message
    assert len(source.requests) == 1
    assert files_below(home) == []


@pytest.mark.parametrize('mode', ['not-dicom', 'bad-base64'])
def test_r5_broken_document_alone_fails(rad69, home, other, tmp_path, mode):
    first = min(other, key=lambda instance: instance.uid)
    result = rad69(mode, more='max_retries = 0')
    assert result.status == PARTIAL, result.stderr
    assert fates(tmp_path)[first.uid][0] == 'failed'
    check_tree(home, [instance for instance in other if instance != first])


# ---- R6: streams that break

def places_to_cut(body):
    """Within the message, around each delimiter and header of a part, and within the data."""
    marks = [match.start() for match in re.finditer(b'\r\n--uuid:', body)]
    around = [mark + offset for mark in marks for offset in (-1, 0, 2, 7, 45, 60, 150)]
    return sorted({place for place in [0, 1, 500, len(body) - 1, *around] if place < len(body)})


def test_r6_cut_once_at_many_places(trolley, rad69, source, home, other):
    """What came whole before the cut is not asked for again, and everything comes in the end."""
    body = source.answer(sorted(instance.uid for instance in other)).body()
    delimiters = [match.end() for match in re.finditer(b'\r\n--[^\r]*\r\n', body)]
    assert len(delimiters) == 3  # behind the message and the instances
    delimiters[2] -= 2  # of the closing one the line end does not count
    for place in places_to_cut(body):
        source.reset()
        check_complete(rad69(f'cut/{place}'), home, other)
        again = [len(request.documents) for request in source.requests[1:]]
        whole = sum(place >= delimiter for delimiter in delimiters[1:])
        assert again == ([2 - whole] if whole < 2 else []), place
        shutil.rmtree(home)


def test_r6_cut_anywhere_in_the_message(rad69, source, home, other, tmp_path):
    for cut in range(0, 1500, 150):
        result = rad69(f'cut-always/{cut}', more='max_retries = 0')
        assert result.status == FAILED, (cut, result.stderr)
        assert len(fates(tmp_path)) == len(other)
        assert files_below(home) == [] and scratch_files(home) == []


def test_r6_no_closing_delimiter(rad69, home, other, tmp_path):
    result = rad69('unclosed', more='max_retries = 0')
    assert result.status == PARTIAL, result.stderr
    last = max(other, key=lambda instance: instance.uid)
    outcome, message = fates(tmp_path)[last.uid]
    assert outcome == 'failed' and 'closing delimiter' in message
    check_tree(home, [instance for instance in other if instance != last])


def test_r6_length_proves_the_last_part(rad69, source, home, other):
    result = rad69('unclosed-with-lengths', more='max_retries = 0')
    check_complete(result, home, other)


# ---- ping

def test_ping(rad69):
    assert rad69('ok', 'ping').status == COMPLETE


def test_ping_nobody_there(trolley, phantoms):
    ini = INI.format(path=phantoms.folder, url=f'http://127.0.0.1:{free_port()}/', more='',
                     downloaders='fetch')
    result = trolley(ini, 'ping')
    assert result.status == FAILED
    assert 'rad69' in result.stdout + result.stderr


@pytest.mark.parametrize('more, word', [
    ('transfer_syntax_uids = JPEG', 'transfer_syntax_uids'),
    ('request_per_serie = no', 'request_per_series'),
])
def test_bad_options(rad69, source, more, word):
    result = rad69('ok', more=more)
    assert result.status == USAGE, result.stderr
    assert word in result.stderr
    assert source.requests == []
