"""DIMSE over TLS with a real Orthanc, in both directions, and DCMTK's storescu as a sender.
SPDX-License-Identifier: MIT"""

import socket
import subprocess

import pydicom
import pytest

from conftest import DIMSE, started
from dimse_servers import Peer, tool
from nginx import Authority
from orthanc import clean_environment
from program import files_below, scratch_files
from test_dimse_move import by_move


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('authority'))


@pytest.fixture(scope='module')
def stranger(tmp_path_factory):
    """An authority that nobody here trusts."""
    return Authority(tmp_path_factory.mktemp('stranger'))


@pytest.fixture(scope='module')
def pair(authority):
    """Certificate and key of the program, as a client and as a listener."""
    return authority.issue('trolley', 'localhost')


@pytest.fixture(scope='module')
def orthanc_tls(tmp_path_factory, authority, phantoms, listen_port):
    """Speaks TLS alone, wants certificates of its callers, and sends to TROLLEY over TLS."""
    certificate, key = authority.issue('orthanc', 'localhost')
    server = started(tmp_path_factory.mktemp('orthanc-tls'), DicomTlsEnabled=True,
                     DicomTlsCertificate=str(certificate), DicomTlsPrivateKey=str(key),
                     DicomTlsTrustedCertificates=str(authority.certificate),
                     DicomTlsRemoteCertificateRequired=True, DicomAlwaysAllowGet=True,
                     DicomModalities={'trolley': {
                         'AET': 'TROLLEY', 'Host': '127.0.0.1', 'Port': listen_port,
                         'UseDicomTls': True, 'AllowGet': True}})
    try:
        server.upload([instance.path for instance in phantoms.of('OTHER')])
        yield server
    finally:
        server.stop()


def secured(ini, authority, pair):
    """Associations out speak TLS."""
    lines = (f'host = localhost\ntls = yes\nca_file = {authority.certificate}\n'
             f'client_cert = {pair[0]}\nclient_key = {pair[1]}\nmax_retries = 0')
    return ini.replace('host = 127.0.0.1', lines)


def listening(ini, pair, *more):
    """The storage SCP speaks TLS."""
    return by_move(ini).replace('type = c-move', '\n'.join(
        ('type = c-move', 'listen_tls = yes', f'listen_cert = {pair[0]}',
         f'listen_key = {pair[1]}', *more)))


def check_home(home, phantoms):
    expected = phantoms.of('OTHER')
    assert files_below(home) == sorted(instance.in_tree for instance in expected)
    for instance in expected:
        mine, stored = pydicom.dcmread(home / instance.in_tree), pydicom.dcmread(instance.path)
        assert mine.PixelData == stored.PixelData and mine.PatientName == stored.PatientName


@pytest.fixture
def tls_ini(orthanc_tls, listen_port, authority, pair):
    return secured(DIMSE.format(port=orthanc_tls.dicom_port, ae='ORTHANC', listen=listen_port),
                   authority, pair)


def test_F8_get_from_orthanc(trolley, tls_ini, phantoms, home):
    """Both sides show certificates; search and C-GET."""
    result = trolley(tls_ini, 'download', 'PatientID=OTHER')
    assert result.status == 0, result.stderr
    check_home(home, phantoms)


def test_F8_orthanc_wants_a_certificate(trolley, tls_ini, pair, home):
    ini = tls_ini.replace(f'client_cert = {pair[0]}\nclient_key = {pair[1]}\n', '')
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status in (1, 4) and 'certificate' in result.stderr, result.stderr
    assert files_below(home) == []


def test_F8_G4_move_from_orthanc(trolley, tls_ini, authority, pair, phantoms, home):
    """The listener speaks TLS too and checks Orthanc's certificate."""
    ini = listening(tls_ini, pair, f'listen_ca = {authority.certificate}')
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status == 0, result.stderr
    check_home(home, phantoms)


def test_G4_orthanc_is_not_trusted(trolley, tls_ini, stranger, pair, home):
    """Its certificate is vouched for by somebody else: nothing comes, and the log says why."""
    ini = listening(tls_ini, pair, f'listen_ca = {stranger.certificate}')
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status == 1, result.stderr
    assert 'no TLS with a caller' in result.stderr and 'AE title TROLLEY' in result.stderr
    assert files_below(home) == [] and scratch_files(home) == []


# ---- storescu ----

def storescu(port, path, *options):
    return subprocess.run([tool('storescu'), '-aec', 'TROLLEY', *map(str, options), '127.0.0.1',
                           str(port), str(path)], env=clean_environment(), capture_output=True,
                          text=True, timeout=60).returncode


def sending(phantoms, listen_port, codes, *ways):
    """A script: storescu sends each instance in each of the ways, then all is said to have come."""
    def script(association, message):
        number, request, _ = message
        for options in ways:
            codes.append([storescu(listen_port, instance.path, *options)
                          for instance in phantoms.of('OTHER')])
        association.respond(number, request, 0, completed=2, failed=0)
    return script


def fetch(trolley, ini, phantoms):
    study = phantoms.of('OTHER')[0].study
    return trolley(ini.replace('searcher = search\n', '').replace('= 3s', '= 60s'), 'download',
                   '--study', study)


def test_G4_storescu_over_tls(trolley, peer_ini, phantoms, listen_port, authority, stranger, pair,
                              home):
    """Refused: plain TCP, no certificate, a stranger's; then with one of ours all comes."""
    mine, theirs = authority.issue('sender'), stranger.issue('sender')
    trust = ('+cf', authority.certificate)
    codes = []
    with Peer(sending(phantoms, listen_port, codes, (), ('+tla', *trust),
                      ('+tls', theirs[1], theirs[0], *trust),
                      ('+tls', mine[1], mine[0], *trust))) as peer:
        result = fetch(trolley, listening(peer_ini(peer), pair,
                                          f'listen_ca = {authority.certificate}'), phantoms)
    assert result.status == 0, result.stderr
    assert codes[3] == [0, 0] and all(code for some in codes[:3] for code in some), codes
    check_home(home, phantoms)


def test_G4_storescu_without_listen_ca(trolley, peer_ini, phantoms, listen_port, authority, pair,
                                       home):
    """Anybody who speaks TLS may send; who does not trust us does not."""
    stray = authority.issue('stray')
    codes = []
    with Peer(sending(phantoms, listen_port, codes, ('+tls', stray[1], stray[0]),
                      ('+tls', stray[1], stray[0], '+cf', authority.certificate))) as peer:
        result = fetch(trolley, listening(peer_ini(peer), pair), phantoms)
    assert result.status == 0, result.stderr
    assert all(codes[0]) and codes[1] == [0, 0], codes
    check_home(home, phantoms)


def test_G4_silent_caller_of_tls(trolley, peer_ini, phantoms, listen_port, authority, pair, home):
    """A caller that never says anything holds nobody up."""
    silent = []

    def script(association, message):
        silent.append(socket.create_connection(('127.0.0.1', listen_port), 10))
        sending(phantoms, listen_port, [], ('+tls', stray[1], stray[0], '+cf',
                                            authority.certificate))(association, message)
    stray = authority.issue('silent')
    with Peer(script) as peer:
        result = fetch(trolley, listening(peer_ini(peer), pair), phantoms)
    assert result.status == 0, result.stderr
    silent[0].close()
    check_home(home, phantoms)


@pytest.mark.parametrize('lines, words', [
    ('listen_tls = yes', 'listen_cert'), ('listen_cert = x.pem', 'listen_tls'),
    ('listen_tls = yes\nlisten_cert = absent.pem', 'absent.pem')])
def test_G4_listener_certificates(trolley, peer_ini, home, lines, words):
    """What is missing is said before anything is asked."""
    with Peer(lambda association, message: None) as peer:
        ini = by_move(peer_ini(peer)).replace('searcher = search\n', '')
        result = trolley(ini.replace('type = c-move', 'type = c-move\n' + lines), 'download',
                         '--study', '1.2.3')
    assert result.status != 0 and words in result.stderr, result.stderr
    assert peer.requests == []
