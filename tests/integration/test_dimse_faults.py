"""Peers and senders that fail, and what stops them: C-GET and C-MOVE alike.
SPDX-License-Identifier: MIT"""

import struct

import pytest

from dimse_servers import CT, Association, Peer, ct, data_set, hold, parse, pdu, reject
from orthanc import free_port
from program import files_below, outcomes, report, scratch_files
from test_dimse_get import SERIES, STUDY, fetch
from test_dimse_move import Sender, by_move, originator

BOTH = pytest.mark.parametrize('downloader', ['c-get', 'c-move'])


def of(downloader, ini):
    return by_move(ini) if downloader == 'c-move' else ini


def sent_by(downloader, listen_port):
    """store(association, request, instance, data): one C-STORE, whichever way; its status."""
    def get(association, request, instance, data):
        return association.store(instance, data)

    def move(association, request, instance, data):
        sender = Sender(listen_port)
        sender.send(1, {0x00000002: CT, 0x00000100: 1, 0x00000110: 5, 0x00000700: 0,
                        0x00001000: instance, **originator(request)}, data)
        status, = struct.unpack('<H', sender.read_message()[1][0x00000900])
        sender.release()
        return status
    return get if downloader == 'c-get' else move


# ---- statuses ----

@BOTH
@pytest.mark.parametrize('status, words', [
    (0xa700, 'out of resources'), (0xa701, 'number of matches'), (0xa702, 'sub-operations'),
    (0xa801, 'move destination unknown'), (0xa900, 'does not match'), (0xc000, 'unable to process'),
    (0xc123, 'unable to process'), (0xfe00, 'cancelled'), (0xb000, 'failures')])
def test_G3_every_final_status(trolley, peer_ini, listen_port, home, downloader, status, words):
    """One instance comes, then that status: in words, what came stays, partial."""
    store = sent_by(downloader, listen_port)

    def script(association, message):
        number, request, _ = message
        store(association, request, '1.2.3.4.0', ct(STUDY, SERIES, '1.2.3.4.0'))
        association.respond(number, request, status, completed=1, failed=1,
                            comment='no \x1b luck')
    with Peer(script) as peer:
        result = fetch(trolley, of(downloader, peer_ini(peer)))
    assert result.status == 3, result.stderr
    assert f'{status:04X}' in result.stderr and words in result.stderr, result.stderr
    assert '\x1b' not in result.stderr
    assert [path.name for path in files_below(home)] == ['1.2.3.4.0.dcm']


@BOTH
def test_G2_failed_ones_are_asked_again_singly(trolley, peer_ini, listen_port, home, tmp_path,
                                               downloader):
    """B000 with a list of failed instances: the host's retry asks for just that one."""
    store = sent_by(downloader, listen_port)
    asked = []

    def script(association, message):
        number, request, identifier = message
        asked.append(identifier)
        wanted = [f'1.2.3.4.{i}' for i in range(3) if f'1.2.3.4.{i}'.encode() in identifier]
        first = len(asked) == 1
        for instance in wanted[:2] if first else wanted:
            store(association, request, instance, ct(STUDY, SERIES, instance))
        if first:
            association.respond(number, request, 0xb000, data_set({0x00080058: '1.2.3.4.2'}),
                                completed=2, failed=1)
        else:
            association.respond(number, request, 0, completed=len(wanted), failed=0)
    lines = 'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n' + ''.join(
        f'{STUDY},{SERIES},1.2.3.4.{i}\n' for i in range(3))
    with Peer(script) as peer:
        ini = of(downloader, peer_ini(peer)).replace('searcher = search\n', '')
        ini = ini.replace('max_retries = 0', 'max_retries = 2\nretry_delay = 50ms')
        ini = ini.replace('type = c-', 'max_parallel = 1\ntype = c-')
        result = trolley(ini, 'download', '--from', '-', stdin=lines)
    assert result.status == 0, result.stderr
    assert len(files_below(home)) == 3
    again = asked[-1]
    assert b'1.2.3.4.2' in again and b'1.2.3.4.0' not in again and b'1.2.3.4.1' not in again


def test_G4_missing_stores(trolley, peer_ini, listen_port, home, tmp_path):
    """The PACS says that three were completed, one came: a bounded wait, then missing."""
    store = sent_by('c-move', listen_port)

    def script(association, message):
        number, request, _ = message
        store(association, request, '1.2.3.4.0', ct(STUDY, SERIES, '1.2.3.4.0'))
        association.respond(number, request, 0, completed=3, failed=0)
    lines = 'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n' + ''.join(
        f'{STUDY},{SERIES},1.2.3.4.{i}\n' for i in range(3))
    with Peer(script) as peer:
        ini = by_move(peer_ini(peer)).replace('searcher = search\n', '')
        ini = ini.replace('type = c-move', 'type = c-move\nstore_wait = 300ms')
        result = trolley(ini, 'download', '--from', '-', '--report', 'report.jsonl', stdin=lines)
    assert result.status == 3, result.stderr
    fates = {line['instance']: line['outcome'] for line in outcomes(tmp_path / 'report.jsonl')}
    assert fates['1.2.3.4.0'] == 'stored'
    assert {fates['1.2.3.4.1'], fates['1.2.3.4.2']} <= {'missing', 'failed'}


# ---- stores that fail ----

@BOTH
def test_G5_a_store_that_fails_alone(trolley, peer_ini, listen_port, home, downloader):
    """One has no UID that is one: refused; the next one is taken."""
    store = sent_by(downloader, listen_port)
    statuses = []

    def script(association, message):
        number, request, _ = message
        statuses.append(store(association, request, '1..0', ct(STUDY, SERIES, '1..0')))
        statuses.append(store(association, request, '1.2.3.4.1', ct(STUDY, SERIES, '1.2.3.4.1')))
        association.respond(number, request, 0xb000, completed=1, failed=1)
    with Peer(script) as peer:
        result = fetch(trolley, of(downloader, peer_ini(peer)))
    assert result.status == 3, result.stderr
    assert statuses == [0xa900, 0]
    assert [path.name for path in files_below(home)] == ['1.2.3.4.1.dcm']
    assert scratch_files(home) == []


@BOTH
def test_G5_what_is_not_kept_is_not_acknowledged(trolley, peer_ini, listen_port, home, tmp_path,
                                                 downloader):
    """One that nobody asked for is refused; a second copy of what is there is not."""
    store = sent_by(downloader, listen_port)
    statuses = []

    def script(association, message):
        number, request, _ = message
        for instance in ('1.2.3.4.9', '1.2.3.4.0', '1.2.3.4.0', '1.2.3.4.1'):
            statuses.append(store(association, request, instance, ct(STUDY, SERIES, instance)))
        association.respond(number, request, 0xb000, data_set({0x00080058: '1.2.3.4.9'}),
                            completed=3, failed=1)
    lines = 'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n' + ''.join(
        f'{STUDY},{SERIES},1.2.3.4.{i}\n' for i in range(2))
    with Peer(script) as peer:
        ini = of(downloader, peer_ini(peer)).replace('searcher = search\n', '')
        result = trolley(ini, 'download', '--from', '-', '--report', 'report.jsonl', stdin=lines)
    assert statuses == [0xc000, 0, 0, 0], [hex(status) for status in statuses]
    assert result.status == 0, result.stderr
    assert [path.name for path in files_below(home)] == ['1.2.3.4.0.dcm', '1.2.3.4.1.dcm']
    fates = [(line['instance'], line['outcome']) for line in outcomes(tmp_path / 'report.jsonl')]
    assert sorted(fates) == [('1.2.3.4.0', 'duplicate'), ('1.2.3.4.0', 'stored'),
                             ('1.2.3.4.1', 'stored'), ('1.2.3.4.9', 'unexpected')]


@BOTH
@pytest.mark.parametrize('padding', [b' ', b'\0', b'\0\0', b'  '])
def test_G10_padding_of_uids(trolley, peer_ini, listen_port, home, tmp_path, downloader, padding):
    """NUL and spaces behind a UID are no part of it."""
    store = sent_by(downloader, listen_port)

    def script(association, message):
        number, request, _ = message
        instance = b'1.2.3.4.10' if len(padding) == 2 else b'1.2.3.4.1'
        assert store(association, request, instance + padding,
                     ct(STUDY, SERIES, instance.decode())) == 0
        association.respond(number, request, 0, completed=1, failed=0)
    with Peer(script) as peer:
        result = fetch(trolley, of(downloader, peer_ini(peer)))
    assert result.status == 0, result.stderr
    assert [path.name for path in files_below(home)] == [
        '1.2.3.4.10.dcm' if len(padding) == 2 else '1.2.3.4.1.dcm']
    if b' ' in padding:
        assert any('pads UIDs' in line['message'] for line in report(tmp_path / 'report.jsonl')
                   if line.get('note'))


@pytest.mark.parametrize('how', ['abort', 'abort in mid-PDU', 'close', 'silence'])
def test_G4_sender_breaks_off(trolley, peer_ini, listen_port, home, how):
    """The sender of a C-MOVE fails in the middle of the second data set: nothing half-written."""
    store = sent_by('c-move', listen_port)

    def script(association, message):
        number, request, _ = message
        store(association, request, '1.2.3.4.0', ct(STUDY, SERIES, '1.2.3.4.0'))
        sender = Sender(listen_port)
        sender.send(1, {0x00000002: CT, 0x00000100: 1, 0x00000110: 6, 0x00000700: 0,
                        0x00001000: '1.2.3.4.1', **originator(request)}, b'')
        fragment = sender.fragment(1, 0, ct(STUDY, SERIES, '1.2.3.4.1')[:1500])
        sender.connection.sendall(fragment if how == 'abort' else fragment[:1000])
        if how.startswith('abort'):
            sender.abort(0, 0)
        if how != 'silence':
            sender.connection.close()
        association.respond(number, request, 0xb000, completed=1, failed=1)
        hold(association.connection)
    with Peer(script) as peer:
        ini = by_move(peer_ini(peer)).replace('type = c-move', 'type = c-move\nstore_wait = 300ms')
        result = fetch(trolley, ini.replace('dimse_timeout = 3s', 'dimse_timeout = 1s'))
    assert result.status == 3, result.stderr
    assert [path.name for path in files_below(home)] == ['1.2.3.4.0.dcm']
    assert scratch_files(home) == []


# ---- associations that fail ----

@BOTH
@pytest.mark.parametrize('parts, words, exit_status', [
    ((1, 1, 1), 'no reason given', 1), ((1, 1, 3), 'calling AE title not recognized', 4),
    ((1, 1, 7), 'called AE title not recognized', 4), ((2, 3, 1), 'temporary congestion', 1)])
def test_F7_rejected_download(trolley, peer_ini, home, downloader, parts, words, exit_status):
    with Peer(raw=reject(*parts)) as peer:
        result = fetch(trolley, of(downloader, peer_ini(peer)))
    assert result.status == exit_status and words in result.stderr, result.stderr
    assert files_below(home) == []


@BOTH
@pytest.mark.parametrize('parts', [(2, 3, 1), (2, 3, 2), (2, 1, 1)])
def test_F7_rejected_for_now(trolley, peer_ini, listen_port, home, downloader, parts):
    """Transiently: the host asks again, twice here, and then all is there. Searches too."""
    store = sent_by(downloader, listen_port)
    order = ['search', downloader]  # who comes next
    left = {'search': 2, downloader: 2}  # how often each is still turned away

    def turn_away(connection):
        if left[order[0]]:
            left[order[0]] -= 1
            reject(*parts)(connection)
            return
        order.append(order.pop(0))
        association = Association(connection, peer)
        association.negotiate()
        while message := association.read_message():
            script(association, message)

    def script(association, message):
        number, request, identifier = message
        if request[0x00000100] == b'\x20\0':
            unique = {0x0020000d: STUDY, 0x0020000e: SERIES, 0x00080018: '1.2.3.4.0'}
            association.respond(number, request, 0xff00, data_set(
                {tag: unique[tag] for tag in parse(identifier) if tag in unique}))
            association.respond(number, request, 0)
        else:
            store(association, request, '1.2.3.4.0', ct(STUDY, SERIES, '1.2.3.4.0'))
            association.respond(number, request, 0, completed=1, failed=0)
    with Peer(raw=turn_away) as peer:
        ini = of(downloader, peer_ini(peer))
        ini = ini.replace('max_retries = 0', 'max_retries = 3\nretry_delay = 50ms')
        result = trolley(ini, 'download', '--study', STUDY)
    assert result.status == 0, result.stderr
    assert left == {'search': 0, downloader: 0}
    assert [path.name for path in files_below(home)] == ['1.2.3.4.0.dcm']


@BOTH
@pytest.mark.parametrize('how, words', [
    (hold, 'within 500 ms'), (lambda connection: connection.recv(65536), 'closed by the peer'),
    (lambda connection: connection.sendall(b'HTTP/1.0 400 Bad Request\r\n\r\n'), 'association'),
    (lambda connection: (connection.recv(65536),
                         connection.sendall(pdu(2, bytes(68))[:40])), 'association')],
    ids=['silence', 'close', 'another protocol', 'cut'])
def test_F7_no_association(trolley, peer_ini, home, downloader, how, words):
    with Peer(raw=how) as peer:
        ini = peer_ini(peer).replace('acse_timeout = 3s', 'acse_timeout = 500ms')
        result = fetch(trolley, of(downloader, ini))
    assert result.status == 1 and words in result.stderr, result.stderr


@BOTH
def test_F7_connection_refused(trolley, qr_ini, qrscp, home, downloader):
    ini = qr_ini.replace(f'port = {qrscp.port}', f'port = {free_port()}\nmax_retries = 0')
    result = fetch(trolley, of(downloader, ini))
    assert result.status == 1 and 'Connection refused' in result.stderr, result.stderr


@BOTH
def test_F7_wrong_called_ae(trolley, qr_ini, home, downloader):
    """dcmqrscp knows PACS alone."""
    ini = qr_ini.replace('called_ae = PACS', 'called_ae = NOBODY\nmax_retries = 0')
    result = fetch(trolley, of(downloader, ini))
    assert result.status in (1, 4) and 'NOBODY' in result.stderr, result.stderr
    assert files_below(home) == []
