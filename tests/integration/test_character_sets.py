"""Names in every script are shown right whichever searcher brings them, and no text of a server
moves the cursor. SPDX-License-Identifier: MIT"""

import http.server
import json
import pathlib
import shutil
import threading

import pydicom
import pytest

import mint_server
import terminal
from dimse_servers import Peer, data_set

FILES = pathlib.Path(pydicom.__file__).parent / 'data' / 'charset_files'

# What the files are samples of: PS3.5 annexes H, I, J and K, and one a character set.
NAMES = {
    'chrArab': 'قباني^لنزار',
    'chrFren': 'Buc^Jérôme',
    'chrGerm': 'Äneas^Rüdiger',
    'chrGreek': 'Διονυσιος',
    'chrH31': 'Yamada^Tarou=山田^太郎=やまだ^たろう',
    'chrH32': 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
    'chrHbrw': 'שרון^דבורה',
    'chrI2': 'Hong^Gildong=洪^吉洞=홍^길동',
    'chrJapMulti': 'やまだ^たろう',
    'chrKoreanMulti': '김희중',
    'chrRuss': 'Люкceмбypг',
    'chrX1': 'Wang^XiaoDong=王^小東',
    'chrX2': 'Wang^XiaoDong=王^小东',
}

FOLDER = '[searcher s]\ntype = folder\npath = {}\n[trolley t]\nsearcher = s\n'
QIDO = '[searcher s]\ntype = qido-rs\nurl = {}\n[trolley t]\nsearcher = s\n'
MINT = '[searcher s]\ntype = mint\nurl = {}/vitrea\n[trolley t]\nsearcher = s\n'
DIMSE = ('[searcher s]\ntype = dicom-qr\nhost = 127.0.0.1\nport = {}\ncalled_ae = PEER\n'
         '[trolley t]\nsearcher = s\n')


def study_of(name):
    return pydicom.dcmread(FILES / f'{name}.dcm', stop_before_pixels=True).StudyInstanceUID


def shown(trolley, ini, name, study):
    """The name as csv and jsonl have it, empty groups at its end aside."""
    arguments = ('find', f'StudyInstanceUID={study}', '--include', 'PatientName')
    [row] = trolley(ini, *arguments, '--format', 'csv').rows()
    [line] = trolley(ini, *arguments, '--format', 'jsonl').lines()
    assert row['PatientName'] == line['PatientName']
    return row['PatientName'].rstrip('=')


@pytest.fixture(scope='module')
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp('charsets')
    for name in NAMES:
        shutil.copy(FILES / f'{name}.dcm', folder)
    return folder


@pytest.mark.parametrize('name', NAMES)
def test_folder(trolley, samples, name):
    assert shown(trolley, FOLDER.format(samples), name, study_of(name)) == NAMES[name]


# Orthanc 1.10 reads no code extensions but those of Japanese (PS3.5 6.1.2.5).
@pytest.mark.parametrize('name', [name for name in NAMES
                                  if name not in ('chrI2', 'chrKoreanMulti', 'chrH32')])
def test_qido_rs(trolley, orthanc_samples, name):
    assert shown(trolley, QIDO.format(orthanc_samples.dicom_web), name, study_of(name)) == \
        NAMES[name]


@pytest.mark.parametrize('name', NAMES)
def test_dicom_qr(trolley, name):
    """A peer that answers with the bytes of the file."""
    header = pydicom.dcmread(FILES / f'{name}.dcm', stop_before_pixels=True)
    study = header.StudyInstanceUID
    raw = header['PatientName'].value.original_string
    term = header['SpecificCharacterSet'].value
    term = term if isinstance(term, str) else '\\'.join(term)
    elements = {0x00080005: term.encode() + b' ' * (len(term) % 2), 0x0020000d: study,
                0x00100010: raw + b' ' * (len(raw) % 2)}

    def script(association, message):
        number, request, _ = message
        association.respond(number, request, 0xff00, data_set(elements))
        association.respond(number, request, 0)
    with Peer(script) as peer:
        result = trolley(DIMSE.format(peer.port), 'find', f'StudyInstanceUID={study}', '--include',
                         'PatientName', '--format', 'csv')
    assert result.status == 0, result.stderr
    assert [row['PatientName'].rstrip('=') for row in result.rows()] == [NAMES[name]]


@pytest.mark.parametrize('name', NAMES)
def test_mint(trolley, name):
    studies = mint_server.archive(1)
    studies[0].values['PatientName'] = NAMES[name]
    with mint_server.MintServer(studies) as server:
        assert shown(trolley, MINT.format(server.url), name,
                     studies[0].values['StudyInstanceUID']) == NAMES[name]


@pytest.mark.parametrize('columns', [80, 200])
def test_table_is_straight_in_every_script(tmp_path, samples, columns):
    """Each column begins where its header does, counted as a terminal does."""
    ini = tmp_path / 'trolley.ini'
    ini.write_text(FOLDER.format(samples))
    ini.chmod(0o600)
    status, text = terminal.on_terminal(ini, columns, 'find', '--fields',
                                        'PatientName,StudyInstanceUID', LC_ALL='C')
    assert status == 0
    head, *rows = [line for line in terminal.screen(text) if line and 'warning' not in line
                   and 'files below' not in line]
    at = head.index('StudyInstanceUID')
    assert len(rows) == len(NAMES)
    for row in rows:
        name = row.partition('  1.')[0].rstrip()
        assert name.rstrip('=…') in {value[:len(name.rstrip('=…'))] for value in NAMES.values()}
        assert terminal.width(row[:row.index(' 1.') + 1]) == at, row
        assert terminal.width(row) <= columns


# ---- controls ----

EVIL = {
    'ESC': 'a\x1b[2J\x1b]0;title\x07b',
    'C0': 'a\x07\x08\x0e\x1f\x7fb',
    'newline': 'a\nb\rc\td\x0be',
    'C1': 'a\u009b2J\u0085\u0090b',
    'bidi': 'a\u202e\u2066\u200f\u061c\u2028b',
}
FORMATS = ['table', 'tree', 'csv', 'json', 'jsonl', 'dicom-json']


class Rows(http.server.BaseHTTPRequestHandler):
    """Answers every search with the server's one study."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        body = json.dumps([self.server.study]).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'application/dicom+json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def check_screen(ini, form, tmp_path, level='study'):
    path = tmp_path / 'trolley.ini'
    path.write_text(ini)
    path.chmod(0o600)
    status, text = terminal.on_terminal(path, 200, '-vv', 'find', 'StudyInstanceUID=1.2.3',
                                        '--format', form, '--level', level, '--include',
                                        'StudyDescription')
    assert status == 0, text
    # screen() refuses everything that moves the cursor or cannot be seen.
    lines = [line for line in terminal.screen(text) if '1.2.3' in line and 'StudyInst' not in line
             or '"StudyDescription"' in line or '"00081030"' in line]
    assert any('\\' in line for line in lines), text


@pytest.mark.parametrize('form', FORMATS)
@pytest.mark.parametrize('kind', EVIL)
def test_controls_from_qido_rs(tmp_path, kind, form):
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Rows) as server:
        server.study = {'0020000D': {'vr': 'UI', 'Value': ['1.2.3']},
                        '00081030': {'vr': 'LO', 'Value': [EVIL[kind]]},
                        '00100020': {'vr': 'LO', 'Value': [EVIL[kind]]}}
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            check_screen(QIDO.format(f'http://127.0.0.1:{server.server_address[1]}'), form, tmp_path)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize('kind', ['C1', 'bidi'])     # XML has no other controls
def test_controls_from_mint(tmp_path, kind):
    studies = mint_server.archive(1)
    studies[0].values.update(StudyInstanceUID='1.2.3', StudyDescription=EVIL[kind])
    with mint_server.MintServer(studies) as server:
        check_screen(MINT.format(server.url), 'table', tmp_path)


@pytest.mark.parametrize('kind', EVIL)
def test_controls_from_dicom_qr(tmp_path, kind):
    raw = EVIL[kind].encode()

    def script(association, message):
        number, request, _ = message
        association.respond(number, request, 0xff00, data_set(
            {0x00080005: b'ISO_IR 192', 0x00081030: raw + b' ' * (len(raw) % 2),
             0x0020000d: '1.2.3'}))
        association.respond(number, request, 0)
    with Peer(script) as peer:
        check_screen(DIMSE.format(peer.port), 'table', tmp_path)


@pytest.mark.parametrize('kind', EVIL)
def test_controls_from_folder(tmp_path, kind):
    files = tmp_path / 'files'
    files.mkdir()
    header = pydicom.dcmread(FILES / 'chrGreek.dcm')
    header.SpecificCharacterSet = 'ISO_IR 192'
    header.StudyInstanceUID = '1.2.3'
    header.StudyDescription = EVIL[kind]
    header.save_as(files / 'evil.dcm')
    check_screen(FOLDER.format(files), 'table', tmp_path)
