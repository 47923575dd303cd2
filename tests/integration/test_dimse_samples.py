"""pydicom's sample files of every transfer syntax and character set, through real servers, by each
way that there is. SPDX-License-Identifier: MIT"""

import pathlib

import pydicom
import pytest

import program
from conftest import WEB
from dimse_servers import Peer, Qrscp, data_set
from program import files_below
from test_dimse_get import compare
from test_dimse_move import by_move

CHARSETS = sorted(path for path in
                  (pathlib.Path(pydicom.__file__).parent / 'data/charset_files').glob('chr*.dcm')
                  if pydicom.dcmread(path, force=True).get('PatientName') is not None)


@pytest.fixture(scope='module')
def by_http(trolley_in, orthanc_samples):
    """Where qido-rs and wado-rs put the whole server."""
    return trolley_in(WEB.format(url=orthanc_samples.dicom_web), 'http')


@pytest.fixture(scope='module')
def trolley_in(tmp_path_factory):
    """trolley_in(ini, name): downloads all that the server has into a folder of its own."""
    def call(ini, name):
        folder = tmp_path_factory.mktemp(name)
        (folder / 'trolley.ini').write_text(ini)
        (folder / 'trolley.ini').chmod(0o600)
        found = program.run(['--config', 'trolley.ini', 'find', '--format', 'jsonl'], folder)
        assert found.status == 0, found.stderr
        result = program.run(['--config', 'trolley.ini', 'download', '--from', '-'], folder,
                             stdin=found.stdout, timeout=600)
        assert result.status in (0, 3), result.stderr
        return folder / 'home'
    return call


@pytest.mark.parametrize('downloader', ['c-get', 'c-move'])
def test_G1_G6_same_as_by_http(trolley_in, by_http, orthanc_samples, qr_ini, qrscp, downloader):
    """The central property: by changing the INI alone, C-GET and C-MOVE bring the same instances
    as QIDO-RS and WADO-RS, in the same transfer syntax, equal element by element."""
    ini = qr_ini.replace(f'port = {qrscp.port}', f'port = {orthanc_samples.dicom_port}')
    home = trolley_in(by_move(ini) if downloader == 'c-move' else ini, downloader)
    expected, got = files_below(by_http), files_below(home)
    assert len(expected) > 60
    assert got == expected
    syntaxes = set()
    for path in got:
        mine, theirs = pydicom.dcmread(home / path), pydicom.dcmread(by_http / path)
        syntaxes.add(mine.file_meta.TransferSyntaxUID)
        assert compare(mine, theirs), path
    assert len(syntaxes) > 5, syntaxes


# A transfer syntax that dcmqrscp keeps and sends as it is, by the letter of its options +x and -x.
SYNTAXES = {'=': '1.2.840.10008.1.2.1', 'd': '1.2.840.10008.1.2.1.99',
            's': '1.2.840.10008.1.2.4.70', 'y': '1.2.840.10008.1.2.4.50',
            'x': '1.2.840.10008.1.2.4.51', 'v': '1.2.840.10008.1.2.4.90',
            'w': '1.2.840.10008.1.2.4.91', 't': '1.2.840.10008.1.2.4.80',
            'r': '1.2.840.10008.1.2.5'}


@pytest.fixture(scope='module', params=SYNTAXES)
def qrscp_samples(request, tmp_path_factory, sample_files, listen_port):
    """A dcmqrscp that holds the samples of one transfer syntax as they are, one an instance UID."""
    uids = {}
    for path in sample_files:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        if header.file_meta.get('TransferSyntaxUID') == SYNTAXES[request.param]:
            uids.setdefault(header.get('SOPInstanceUID'), path)
    uids.pop(None, None)
    option = '-x' + request.param
    server = Qrscp(tmp_path_factory.mktemp('qrscp-samples'), {'TROLLEY': listen_port},
                   options=('+x' + request.param, option, '+B'))
    server.start()
    try:
        taken = server.offer(uids.values(), option)
        server.taken = [path for uid, path in uids.items() if uid in taken]
        yield server
    finally:
        server.stop()


def in_tree(path):
    header = pydicom.dcmread(path, stop_before_pixels=True)
    return pathlib.Path(header.StudyInstanceUID, header.SeriesInstanceUID,
                        header.SOPInstanceUID + '.dcm')


@pytest.mark.parametrize('downloader', ['c-get', 'c-move'])
def test_G1_G6_samples_of_dcmqrscp(trolley_in, qrscp_samples, qr_ini, qrscp, downloader):
    """All that it took comes back, in its own transfer syntax."""
    ini = qr_ini.replace(f'port = {qrscp.port}', f'port = {qrscp_samples.port}')
    home = trolley_in(by_move(ini) if downloader == 'c-move' else ini, downloader)
    stored = {in_tree(path): path for path in qrscp_samples.taken}
    assert stored and files_below(home) == sorted(stored)
    for path, original in stored.items():
        mine, theirs = pydicom.dcmread(home / path), pydicom.dcmread(original)
        if theirs.file_meta.TransferSyntaxUID == SYNTAXES['d']:
            # For a C-GET this server inflates it.
            theirs.file_meta.TransferSyntaxUID = mine.file_meta.TransferSyntaxUID
        assert compare(mine, theirs), path


@pytest.mark.parametrize('path', CHARSETS, ids=lambda path: path.stem)
def test_F3_charset_samples(trolley, peer_ini, path):
    """Answers with the character set and the bytes of pydicom's sample: the name that pydicom
    reads."""
    header = pydicom.dcmread(path, force=True)
    charset = header.get('SpecificCharacterSet')
    terms = charset if isinstance(charset, str) else '\\'.join(charset)
    raw = pydicom.dcmread(path, force=True).get_item('PatientName').value

    def script(association, message):
        number, request, _ = message
        padded = {tag: value + b' ' * (len(value) % 2) for tag, value in (
            (0x00080005, terms.encode()), (0x00100010, raw))}
        association.respond(number, request, 0xff00, data_set({**padded, 0x0020000d: '1.2.3'}))
        association.respond(number, request, 0)
    with Peer(script) as peer:
        result = trolley(peer_ini(peer), 'find', '--format', 'csv', '--include', 'PatientName')
    assert result.status == 0, result.stderr
    # An empty component group at the end is no part of what pydicom shows.
    assert result.rows()[0]['PatientName'].rstrip('=') == str(header.PatientName)
