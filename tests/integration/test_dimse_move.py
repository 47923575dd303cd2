"""download through c-move. SPDX-License-Identifier: MIT"""

import socket
import struct

import pydicom
import pytest

from dimse_servers import CT, EXPLICIT, Association, Peer, ct, item, pdu
from program import files_below
from test_dimse_get import SERIES, STUDY, check_samples, fetch


def by_move(ini):
    return ini.replace('downloader = get', 'downloader = move')


class Sender(Association):
    """An association that the scripted PACS opens to the storage SCP."""

    def __init__(self, port, called='TROLLEY', syntax=EXPLICIT):
        super().__init__(socket.create_connection(('127.0.0.1', port), 10), None)
        context = item(0x20, b'\1\0\0\0' + item(0x30, CT.encode()) + item(0x40, syntax.encode()))
        user = item(0x50, item(0x51, struct.pack('>I', 16384)) + item(0x52, b'1.2.3.4'))
        self.connection.sendall(pdu(1, struct.pack('>HH16s16s32x', 1, 0, called.ljust(16).encode(),
                                                   b'PEER'.ljust(16))
                                    + item(0x10, b'1.2.840.10008.3.1.1.1') + context + user))
        self.kind, self.answer = self.read_pdu()
        self.contexts = {1: (CT, syntax)}

    def release(self):
        self.connection.sendall(pdu(5, bytes(4)))
        assert self.read_pdu()[0] == 6
        self.connection.close()


def originator(request):
    number, = struct.unpack('<H', request[0x00000110])
    return {0x00001030: 'TROLLEY ', 0x00001031: number}


def test_G4_whole_patient(trolley, qr_ini, phantoms, home):
    result = trolley(by_move(qr_ini), 'download', 'PatientID=PHANTOM')
    assert result.status == 0, result.stderr
    expected = phantoms.of('PHANTOM')
    assert files_below(home) == sorted(i.in_tree for i in expected)
    for i in expected:
        assert pydicom.dcmread(home / i.in_tree) == pydicom.dcmread(i.path)


def test_G4_samples_of_orthanc(trolley, orthanc_samples, qrscp, qr_ini, home):
    ini = qr_ini.replace(f'port = {qrscp.port}', f'port = {orthanc_samples.dicom_port}')
    check_samples(trolley, by_move(ini), orthanc_samples, home, 3, 'ModalitiesInStudy=MR')


def test_same_by_get_and_move(trolley, qr_ini, phantoms, tmp_path):
    """Data sets bit for bit; group 2 may name the sender differently."""
    for name, ini in (('one', qr_ini), ('two', by_move(qr_ini))):
        result = trolley(ini, 'download', 'PatientID=PHANTOM', '--output', name)
        assert result.status == 0, result.stderr
    paths = files_below(tmp_path / 'one')
    assert paths == files_below(tmp_path / 'two') and len(paths) == 24
    for path in paths:
        assert (tmp_path / 'one' / path).read_bytes() == (tmp_path / 'two' / path).read_bytes()


def test_G3_G4_unknown_destination(trolley, qr_ini, listen_port, home):
    """A801 names the AE title, address and port that the PACS needs."""
    ini = by_move(qr_ini).replace('type = c-move', 'type = c-move\ndestination_ae = ELSEWHERE\n'
                                  'max_retries = 0')
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status == 1, result.stderr
    for word in ('A801', 'ELSEWHERE', '127.0.0.1', str(listen_port)):
        assert word in result.stderr


def test_G4_silent_destination(trolley, qr_ini, listen_port, home):
    """The PACS sends where nobody listens: advice."""
    ini = by_move(qr_ini).replace('type = c-move', 'type = c-move\ndestination_ae = NOWHERE\n'
                                  'max_retries = 0')
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status == 1, result.stderr
    assert 'AE title NOWHERE' in result.stderr and f'port {listen_port}' in result.stderr


@pytest.mark.parametrize('named', [True, False])
def test_G4_late_stores(trolley, peer_ini, listen_port, home, named):
    """The final response is there before the stores; they may name their originator or not."""
    def script(association, message):
        number, request, _ = message
        association.respond(number, request, 0, completed=2, failed=0)
        sender = Sender(listen_port)
        for i in range(2):
            statuses.append(named_store(sender, i, originator(request) if named else {}))
        sender.release()
    statuses = []
    with Peer(script) as peer:
        result = fetch(trolley, by_move(peer_ini(peer)))
    assert result.status == 0, result.stderr
    assert statuses == [0, 0] and len(files_below(home)) == 2


def named_store(sender, i, more):
    sender.send(1, {0x00000002: CT, 0x00000100: 1, 0x00000110: 5, 0x00000700: 0,
                    0x00001000: f'1.2.3.4.{i}', **more}, ct(STUDY, SERIES, f'1.2.3.4.{i}'))
    return struct.unpack('<H', sender.read_message()[1][0x00000900])[0]


@pytest.mark.parametrize('syntax', ['1.2.4.53', '1.2.4.107', '1.2.4.201', '1.2.8.1'])
def test_G4_any_transfer_syntax(trolley, peer_ini, listen_port, home, syntax):
    """The listener takes what the PACS has, whether DCMTK knows that transfer syntax or not."""
    def script(association, message):
        number, request, _ = message
        sender = Sender(listen_port, syntax='1.2.840.10008.' + syntax)
        statuses.append(named_store(sender, 0, originator(request)))
        sender.release()
        association.respond(number, request, 0, completed=1, failed=0)
    statuses = []
    with Peer(script) as peer:
        result = fetch(trolley, by_move(peer_ini(peer)))
    assert result.status == 0, result.stderr
    assert statuses == [0]
    path, = files_below(home)
    meta = pydicom.filereader.read_file_meta_info(home / path)
    assert meta.TransferSyntaxUID == '1.2.840.10008.' + syntax


def test_G4_foreign_stores_are_refused(trolley, peer_ini, listen_port, home):
    """A store that names another C-MOVE, and an association for another AE title."""
    def script(association, message):
        number, request, _ = message
        sender = Sender(listen_port)
        statuses.append(named_store(sender, 0, {0x00001030: 'TROLLEY ', 0x00001031: 4711}))
        sender.release()
        kinds.append(Sender(listen_port, called='OTHER').kind)
        association.respond(number, request, 0, completed=0, failed=0)
    statuses, kinds = [], []
    with Peer(script) as peer:
        fetch(trolley, by_move(peer_ini(peer)))
    assert statuses and statuses[0] != 0 and kinds == [3]
    assert files_below(home) == []


def test_G4_port_taken(trolley, peer_ini, listen_port, home):
    with socket.create_server(('127.0.0.1', listen_port)), \
            Peer(lambda association, message: None) as peer:
        result = fetch(trolley, by_move(peer_ini(peer)))
    assert result.status == 1 and str(listen_port) in result.stderr
    assert peer.requests == []


def test_G5_no_space(trolley, qr_ini, home):
    ini = by_move(qr_ini).replace('min_free = 0', 'min_free = 1000000GB')
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status == 1, result.stderr
    assert files_below(home) == []
