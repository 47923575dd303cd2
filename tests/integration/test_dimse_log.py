"""What DIMSE says to the log. SPDX-License-Identifier: MIT"""

import pytest

from dimse_servers import Peer, data_set
from program import files_below
from test_dimse_move import by_move


@pytest.mark.parametrize('downloader', ['c-get', 'c-move'])
def test_exchanges_at_debug_level(trolley, qr_ini, phantoms, home, downloader):
    """Association, contexts, requests, responses with status and counters, stores; no names."""
    ini = by_move(qr_ini) if downloader == 'c-move' else qr_ini
    result = trolley(ini, '-vv', 'download', 'PatientID=OTHER', 'PatientName=*')
    assert result.status == 0, result.stderr
    instance = phantoms.of('OTHER')[0]
    name = downloader.upper()
    for words in ('TROLLEY asks PACS at 127.0.0.1', 'association with PACS accepted',
                  'in 1.2.840.10008.1.2', 'C-FIND-RQ: level STUDY', '0010,0020=...',
                  'C-FIND-RSP', 'status FF00', 'status 0000', f'{name}-RQ',
                  f'series {instance.series}', f'{name}-RSP', '2 completed, 0 failed',
                  'C-STORE-RQ', instance.uid, 'association with PACS released'):
        assert words in result.stderr, words
    assert ('listening as TROLLEY' in result.stderr) == (downloader == 'c-move')
    lines = [line for line in result.stderr.splitlines() if 'dimse' in line]
    assert lines and all('OTHER' not in line for line in lines)
    quiet = trolley(ini, 'download', 'PatientID=OTHER', '--output', 'again')
    assert quiet.status == 0 and 'C-FIND-RQ' not in quiet.stderr, quiet.stderr


def test_no_names_and_no_password(trolley, peer_ini):
    """Neither what is asked for nor what comes back, nor the password of the user identity."""
    def script(association, message):
        number, request, _ = message
        association.respond(number, request, 0xff00, data_set(
            {0x0020000d: '1.2.3', 0x00100010: 'Doe^Jane', 0x00100020: 'ID4711'}))
        association.respond(number, request, 0)
    with Peer(script) as peer:
        ini = peer_ini(peer).replace('type = dicom-qr',
                                     'type = dicom-qr\nuser = reader\npassword = hunter2')
        result = trolley(ini, '-vv', 'find', 'PatientName=Doe*', '--format', 'csv')
    assert result.status == 0 and '1.2.3' in result.stdout, result.stderr
    assert 'user identity' in result.stderr and '0010,0010=...' in result.stderr
    for secret in ('Doe', 'Jane', 'ID4711', 'hunter2'):
        assert secret not in result.stderr, secret


@pytest.mark.parametrize('password', [True, False])
def test_F8_identity_with_and_without_password(trolley, peer_ini, password):
    """A user alone is type 1, with a password type 2 [PS3.7 D.3.3.7]."""
    with Peer(lambda association, message: association.respond(message[0], message[1], 0)) as peer:
        ini = peer_ini(peer).replace('type = dicom-qr', 'type = dicom-qr\nuser = reader'
                                     + ('\npassword = secret' if password else ''))
        assert trolley(ini, 'find').status == 0
    sent = peer.user_information[0]
    assert (b'\x02\x00\x00\x06reader\x00\x06secret' if password
            else b'\x01\x00\x00\x06reader\x00\x00') in sent
