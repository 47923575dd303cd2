"""qido-rs, wado-rs and wado-rs-metadata with servers that do what Orthanc does not.
SPDX-License-Identifier: MIT"""

import io
import json
import pathlib
import sys
from dataclasses import dataclass

import pydicom
import pytest

from program import files_below, outcomes, report, scratch_files

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))
from dicomweb_server import ACCEPTS, BOUNDARY, SPELLINGS, DicomWebServer  # noqa: E402

INI = """
[searcher search]
type = qido-rs
url = {search}
{keys}

[downloader fetch]
type = {kind}
url = {fetch}
max_retries = 1
retry_delay = 1ms
{more}

[storage home]
type = tree
path = home
min_free = 0

[trolley wild]
searcher = search
downloader = fetch
storage = home
"""


def wild_ini(server, search='good', fetch='good', keys='', kind='wado-rs', more=''):
    return INI.format(search=f'{server.url}/{search}', fetch=f'{server.url}/{fetch}', keys=keys,
                      kind=kind, more=more)


@dataclass(frozen=True)
class Sent:
    """An instance as the server holds it."""
    study: str
    series: str
    uid: str
    patient: str
    data: bytes
    metadata: dict

    @property
    def data_set(self):
        """Without preamble and group 0002."""
        length = int.from_bytes(self.data[140:144], 'little')
        return self.data[144 + length:]


def sent(instance, data=None):
    data = data or instance.path.read_bytes()
    header = pydicom.dcmread(io.BytesIO(data))
    header.pop('PixelData', None)
    return Sent(instance.study, instance.series, instance.uid, instance.patient, data,
                header.to_json_dict())


@pytest.fixture(scope='module')
def archive(phantoms):
    return [sent(i) for i in phantoms.of_study(phantoms.studies('PHANTOM')[0])] \
        + [sent(i) for i in phantoms.of('OTHER')]


@pytest.fixture(scope='module')
def server(archive):
    with DicomWebServer(archive) as running:
        yield running


@pytest.fixture(scope='module')
def many():
    with DicomWebServer(many=250) as running:
        yield running


def studies(result):
    return [row['StudyInstanceUID'] for row in result.rows()]


def find(trolley, ini, *arguments):
    return trolley(ini, 'find', *arguments, '--format', 'csv', '--fields', 'StudyInstanceUID')


# ---- searching


@pytest.mark.parametrize('mode', ['good', 'capped', 'capped-warning', 'capped-206'])
def test_Q6_Q8_every_page(trolley, many, mode):
    result = find(trolley, wild_ini(many, mode), 'PatientID=MANY')
    assert result.status == 0, result.stderr
    assert studies(result) == [f'1.2.{n}' for n in range(250)]


def test_Q1_accept(trolley, many):
    find(trolley, wild_ini(many), 'PatientID=MANY', 'limit=1')
    assert many.state.accepted['/good/studies'] == 'application/dicom+json'


def test_Q6_page_size(trolley, many):
    before = many.counts.get('/good/studies', 0)
    result = find(trolley, wild_ini(many, keys='page_size = 60'), 'PatientID=MANY')
    assert len(studies(result)) == 250
    assert many.counts['/good/studies'] - before == 5


def test_Q7_offset_ignored(trolley, many):
    """No endless loop, and the suspicion is said [Q8]."""
    before = many.counts.get('/blind/studies', 0)
    result = find(trolley, wild_ini(many, 'blind'), 'PatientID=MANY')
    assert result.status == 0, result.stderr
    assert len(studies(result)) == 100
    assert many.counts['/blind/studies'] - before == 2
    assert 'offset' in result.stderr and 'incomplete' in result.stderr


def test_Q7_duplicates(trolley, server, archive):
    result = find(trolley, wild_ini(server, 'doubled'))
    assert result.status == 0, result.stderr
    assert sorted(studies(result)) == sorted({i.study for i in archive})


def test_Q2_empty_array(trolley):
    with DicomWebServer(wild=b'[]') as server:
        result = find(trolley, wild_ini(server, 'wild'), 'PatientID=NOBODY')
    assert (result.status, studies(result)) == (0, []), result.stderr


@pytest.mark.parametrize('mode', ['empty', 'no-content'])
def test_Q2_nothing(trolley, server, mode):
    result = find(trolley, wild_ini(server, mode), 'PatientID=NOBODY')
    assert result.status == 0, result.stderr
    assert studies(result) == []


@pytest.mark.parametrize('level', ['series', 'instance'])
@pytest.mark.parametrize('code', [400, 404, 501])
def test_Q9_relational_refused(trolley, server, archive, code, level):
    result = trolley(wild_ini(server, f'refuses/{code}'), 'find', 'PatientID=PHANTOM', '--level',
                     level, '--format', 'csv', '--fields',
                     'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID')
    assert result.status == 0, result.stderr
    depth = 2 if level == 'series' else 3
    assert sorted(tuple(row.values())[:depth] for row in result.rows()) \
        == sorted({(i.study, i.series, i.uid)[:depth] for i in archive if i.patient == 'PHANTOM'})


def test_Q9_other_refusals_stand(trolley, server):
    result = trolley(wild_ini(server, 'refuses/403'), 'find', 'PatientID=PHANTOM', '--level',
                     'instance')
    assert result.status == 4, result.stderr
    assert '403' in result.stderr


WILD = """ {
  "0020000D": {"Value": ["1.2.3"]},
  "00100010": {"vr": "", "Value": {"Alphabetic": "Smith^Jo"}},
  "00100020": {"vr": "LO", "Value": "P1"},
  "00101030": {"vr": "DS", "Value": ["70.5"]},
  "00101020": {"vr": "DS", "Value": [1.80]},
  "00201208": {"vr": "IS", "Value": [12]},
  "00080050": {"vr": "SH", "Value": null},
  "00080020": {"vr": "DA"},
  "00081030": null,
  "00081190": {"vr": "UR", "Value": ["http://h/x"]},
  "00090010": {"vr": "OB", "BulkDataURI": "http://h/b"},
  "totals": {"x": 1}
} """


def test_Q10_json_in_the_wild(trolley):
    with DicomWebServer(wild=WILD.encode()) as server:
        result = trolley(wild_ini(server, 'wild'), 'find', '--format', 'csv', '--fields',
                         'StudyInstanceUID,PatientName,PatientID,PatientWeight,PatientSize,'
                         'NumberOfStudyRelatedInstances,AccessionNumber')
    assert result.status == 0, result.stderr
    [row] = result.rows()
    assert list(row.values()) == ['1.2.3', 'Smith^Jo', 'P1', '70.5', '1.80', '12', '']


@pytest.mark.parametrize('mode, words', [
    ('cut', 'too early'), ('not-json', 'JSON'), ('html', 'text/html'), ('error-page', 'error')])
def test_Q10_no_answer(trolley, server, mode, words):
    """Exit 3 where records came before, 1 where none did; what is wrong is said."""
    result = find(trolley, wild_ini(server, mode))
    assert result.status in (1, 3), result.stderr
    assert words in result.stderr


def test_Q10_hostile(trolley):
    """Nested 100,000 deep; a UID that leaves the folder."""
    deep = b'[{"00081110":{"vr":"SQ","Value":' + b'[' * 100000
    with DicomWebServer(wild=deep) as server:
        result = find(trolley, wild_ini(server, 'wild'))
        assert result.status == 1
        assert 'nested' in result.stderr
    with DicomWebServer(wild=b'[{"0020000D":{"vr":"UI","Value":["../../etc/passwd"]}}]') as server:
        result = find(trolley, wild_ini(server, 'wild'))
        assert studies(result) == []


def test_Q12_answers_are_matched_again(trolley, server, archive):
    """This server does not know StudyDescription: what comes back without it is said, what
    contradicts a key is dropped."""
    result = find(trolley, wild_ini(server), 'PatientID=OTHER', 'StudyDescription=Head')
    assert result.status == 0, result.stderr
    assert 'StudyDescription' in result.stderr
    with DicomWebServer(many=3) as liar:
        result = find(trolley, wild_ini(liar), 'PatientID=SOMEBODY')
        assert (result.status, studies(result)) == (0, []), result.stderr


# ---- retrieving


def check_files(home, expected):
    """Exactly these, bit for bit; nothing half-written."""
    paths = {pathlib.Path(i.study) / i.series / (i.uid + '.dcm'): i.data for i in expected}
    assert files_below(home) == sorted(paths)
    for path, data in paths.items():
        assert (home / path).read_bytes() == data, path
    assert scratch_files(home) == []


def fates(path):
    found = {}
    for line in outcomes(path):
        found[line['outcome']] = found.get(line['outcome'], 0) + 1
    return found


def download(trolley, ini, *arguments):
    return trolley(ini, 'download', *(arguments or ['PatientID=PHANTOM']), '--report',
                   'report.jsonl')


@pytest.fixture
def phantom(archive):
    return [i for i in archive if i.patient == 'PHANTOM']


@pytest.mark.parametrize('fetch, more', [
    ('single', 'request = instance'), ('half', ''), ('unclosed', ''), ('unclosed-length', ''),
    ('framed', ''), ('mixed', ''), ('good', 'accept = application/dicom'),
    *((f'typed/{i}', 'request = study') for i in range(len(SPELLINGS)))])
def test_W3_W6_W7_complete_in_the_end(trolley, server, phantom, home, tmp_path, fetch, more):
    result = download(trolley, wild_ini(server, fetch=fetch, more=more))
    assert result.status == 0, result.stderr
    assert result.verdict().startswith('complete: 8 of 8 instances (8 stored, 0 skipped, 0 missing')
    assert fates(tmp_path / 'report.jsonl') == {'stored': 8}
    check_files(home, phantom)


@pytest.mark.parametrize('level, requests', [('study', 1), ('series', 2), ('auto', 2),
                                             ('instance', 8)])
def test_W2_what_one_request_asks(trolley, server, phantom, home, level, requests):
    before = {path: count for path, count in server.counts.items() if path.startswith('/framed/')}
    result = download(trolley, wild_ini(server, fetch='framed', more='request = ' + level))
    assert result.status == 0, result.stderr
    check_files(home, phantom)
    after = {path: count for path, count in server.counts.items() if path.startswith('/framed/')}
    assert sum(after.values()) - sum(before.values()) == requests


@pytest.mark.parametrize('mode', ['picky', 'picky-400'])
@pytest.mark.parametrize('number', range(len(ACCEPTS)))
def test_W1_negotiation(trolley, server, phantom, home, mode, number):
    """Refused once, remembered: one more request each for what comes before the right value."""
    before = sum(server.counts.values())
    ini = wild_ini(server, fetch=f'{mode}/{number}', more='request = instance\nmax_parallel = 1')
    lines = ['StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID']
    lines += [f'{i.study},{i.series},{i.uid}' for i in phantom]
    result = trolley(ini.replace('searcher = search\n', ''), 'download', '--from', '-',
                     stdin='\n'.join(lines) + '\n')
    assert result.status == 0, result.stderr
    check_files(home, phantom)
    assert sum(server.counts.values()) - before == len(phantom) + number


def test_W7_partial_content_is_said(trolley, server, home, tmp_path):
    result = download(trolley, wild_ini(server, fetch='half'))
    assert result.status == 0, result.stderr
    assert any('206' in line.get('message', '') for line in report(tmp_path / 'report.jsonl'))


def test_W6_last_part_never_whole(trolley, server, archive, home, tmp_path):
    """Without closing delimiter and length nobody knows that the last instance is whole."""
    result = download(trolley, wild_ini(server, fetch='unclosed-always'), 'PatientID=OTHER')
    assert result.status == 3, result.stderr
    assert result.verdict().startswith('partial: 1 of 2 instances (1 stored, ')
    check_files(home, [i for i in archive if i.patient == 'OTHER'][:1])


def test_W8_part_of_another_study(trolley, server, phantom, home, tmp_path):
    result = download(trolley, wild_ini(server, fetch='foreign'))
    assert result.status == 0, result.stderr
    assert fates(tmp_path / 'report.jsonl') == {'stored': 8, 'unexpected': 2}
    assert 'unasked' in (tmp_path / 'report.jsonl').read_text()
    check_files(home, phantom)


def test_W8_duplicates(trolley, server, phantom, home, tmp_path):
    result = download(trolley, wild_ini(server, fetch='twice'))
    assert result.status == 0, result.stderr
    assert fates(tmp_path / 'report.jsonl') == {'stored': 8, 'duplicate': 8}
    check_files(home, phantom)


def test_W8_bare_data_sets(trolley, server, phantom, home):
    """Accepted as they are; their UIDs are checked all the same."""
    result = download(trolley, wild_ini(server, fetch='bare'))
    assert result.status == 0, result.stderr
    for i in phantom:
        path = home / i.study / i.series / (i.uid + '.dcm')
        assert path.read_bytes() == i.data_set


@pytest.mark.parametrize('code, outcome', [(404, 'missing'), (410, 'missing'), (500, 'missing')])
def test_W7_one_failure_does_not_stop_the_others(trolley, server, phantom, home, tmp_path, code,
                                                 outcome):
    result = download(trolley, wild_ini(server, fetch=f'lost/{code}', more='request = instance'))
    assert result.status == 3, result.stderr
    assert result.verdict().startswith('partial: 4 of 8 instances (4 stored, 0 skipped, 4 missing')
    assert fates(tmp_path / 'report.jsonl') == {'stored': 4, outcome: 4}
    assert str(code) in result.stderr
    check_files(home, phantom[::2])


@pytest.mark.parametrize('mode, words', [('html', '<!DOCTYPE html>'), ('error-page', 'no such study')])
def test_H10_pages_in_place_of_instances(trolley, server, home, mode, words):
    result = download(trolley, wild_ini(server, fetch=mode))
    assert result.status == 1, result.stderr
    assert 'in place of application/dicom' in result.stderr
    assert not home.exists() or files_below(home) == []
    assert words in result.stderr


@pytest.mark.parametrize('bytes_within', [
    b'\r\n--' + BOUNDARY.encode() + b'x', b'--' + BOUNDARY.encode() + b'--\r\n',
    b'\r\n--' + BOUNDARY.encode()[:-1], b'\r\n--' + BOUNDARY.encode() + b' x\r\n', b'\r\n\r\n'])
def test_W4_boundary_in_pixel_data(trolley, phantoms, home, bytes_within):
    [first, second] = phantoms.of('OTHER')
    data = first.path.read_bytes()
    middle = len(data) - 5000
    data = data[:middle] + bytes_within + data[middle + len(bytes_within):]
    held = [sent(first, data), sent(second)]
    with DicomWebServer(held) as server:
        result = download(trolley, wild_ini(server), 'PatientID=OTHER')
    assert result.status == 0, result.stderr
    check_files(home, held)


# ---- WADO-URI


@pytest.mark.parametrize('mode', ['good', 'octets', 'untyped'])
def test_U5_base_with_a_query(trolley, server, phantom, home, mode):
    result = download(trolley, wild_ini(server, fetch='uri?mode=' + mode, kind='wado-uri'))
    assert result.status == 0, result.stderr
    check_files(home, phantom)


@pytest.mark.parametrize('mode, words', [
    ('page', '<!DOCTYPE html>'), ('error', 'no such study')])
def test_U3_pages_in_place_of_instances(trolley, server, home, mode, words):
    result = download(trolley, wild_ini(server, fetch='uri?mode=' + mode, kind='wado-uri'))
    assert result.status == 1, result.stderr
    assert words in result.stderr and 'in place of application/dicom' in result.stderr
    assert not home.exists() or files_below(home) == []


def test_U3_one_failure_does_not_stop_the_others(trolley, server, phantom, home, tmp_path):
    result = download(trolley, wild_ini(server, fetch='uri?mode=lost', kind='wado-uri'))
    assert result.status == 3, result.stderr
    assert fates(tmp_path / 'report.jsonl') == {'stored': 4, 'missing': 4}
    check_files(home, phantom[::2])


@pytest.mark.parametrize('mode, status', [('jpeg-as-png', 0), ('png-as-jpeg', 1), ('good', 1)])
def test_U4_bytes_tell_the_format(trolley, server, phantom, home, mode, status):
    """The first bytes, not the name that the server gives them."""
    result = download(trolley, wild_ini(server, fetch='uri?mode=' + mode, kind='wado-uri',
                                        more='content_type = image/jpeg'))
    assert result.status == status, result.stderr
    stored = files_below(home) if home.exists() else []
    assert len(stored) == (0 if status else len(phantom))
    assert {path.suffix for path in stored} <= {'.jpg'}


# ---- metadata


@pytest.mark.parametrize('form, suffix', [('dicom', '.dcm'), ('json', '.json')])
def test_W9_metadata(trolley, server, phantom, home, form, suffix):
    result = download(trolley, wild_ini(server, kind='wado-rs-metadata', more='format = ' + form))
    assert result.status == 0, result.stderr
    assert files_below(home) == sorted(
        pathlib.Path(i.study) / i.series / f'{i.uid}.metadata{suffix}' for i in phantom)
    for i in phantom:
        path = home / i.study / i.series / f'{i.uid}.metadata{suffix}'
        if form == 'json':
            assert json.loads(path.read_text('utf-8')) == i.metadata
        else:
            assert pydicom.dcmread(path).to_json_dict() == i.metadata


ODD = {
    '00080005': {'vr': 'CS', 'Value': ['ISO_IR 100']},
    '00080008': {'vr': 'CS', 'Value': ['ORIGINAL', None, 'AXIAL']},
    '00080016': {'Value': '1.2.840.10008.5.1.4.1.1.2'},
    '00080018': {'vr': 'UI', 'Value': ['1.2.3.4.5']},
    '00020010': {'vr': 'UI', 'Value': ['1.2.840.10008.1.2.4.70']},
    '00081110': {'vr': 'SQ', 'Value': [
        {'00081155': {'vr': 'UI', 'Value': ['1.2']}, '00080005': {'vr': 'CS'}}, None, {}]},
    '00090010': {'vr': 'LO', 'Value': ['ACME']},
    '00091001': {'vr': 'UN', 'InlineBinary': 'AAECAw=='},
    '00091002': {'vr': 'OW', 'InlineBinary': 'AQIDBA=='},
    '00091003': {'vr': 'OB', 'BulkDataURI': 'bulk/1'},
    '00091004': {'vr': 'FD', 'Value': [0.1, 'NaN']},
    '00091005': {'vr': 'OF', 'InlineBinary': 'AACAPw=='},
    '00091006': {'vr': 'SV', 'Value': [-9007199254740993]},
    '00091007': {'vr': 'UV', 'Value': ['18446744073709551615']},
    '00091008': {'vr': 'AT', 'Value': ['00100010', '7FE00010']},
    '00100010': {'vr': 'PN', 'Value': [{'Alphabetic': 'M\u00fcller', 'Phonetic': 'x'}]},
    '00180050': {'vr': 'DS', 'Value': [0.12345678901234567890]},
    '0020000D': {'vr': 'UI', 'Value': ['1.2.3']},
    '0020000E': {'vr': 'UI', 'Value': ['1.2.3.4']},
    '00200013': {'vr': 'IS', 'Value': ['7']},
    '00280010': {'vr': '', 'Value': [512]},
    '00280120': {'vr': 'US', 'Value': [-2000]},
}


def test_W9_odd_metadata(trolley, home, tmp_path):
    ini = wild_ini(fake := DicomWebServer(wild=json.dumps(ODD).encode()), fetch='wild',
                   kind='wado-rs-metadata')
    with fake:
        result = trolley(ini.replace('searcher = search\n', ''), 'download', '--study', '1.2.3',
                         '--series', '1.2.3.4', '--instance', '1.2.3.4.5', '--report',
                         'report.jsonl')
    assert result.status == 0, result.stderr
    file = pydicom.dcmread(home / '1.2.3/1.2.3.4/1.2.3.4.5.metadata.dcm')
    assert file.file_meta.TransferSyntaxUID == '1.2.840.10008.1.2.1'
    assert file.SpecificCharacterSet == 'ISO_IR 192'
    assert list(file.ImageType) == ['ORIGINAL', '', 'AXIAL']
    assert [item.get('ReferencedSOPInstanceUID') for item in file[0x00081110]] == ['1.2', None, None]
    assert file[0x00091001].value == b'\0\1\2\3'
    assert (file[0x00091002].VR, file[0x00091002].value) == ('OW', b'\1\2\3\4')
    assert 0x00091003 not in file
    assert file[0x00091004].value[0] == 0.1 and file[0x00091004].value[1] != file[0x00091004].value[1]
    assert file[0x00091005].value == b'\0\0\x80\x3f'
    assert file[0x00091006].value == -9007199254740993
    assert file[0x00091007].value == 18446744073709551615
    assert list(file[0x00091008].value) == [0x00100010, 0x7fe00010]
    assert str(file.PatientName) == 'M\u00fcller==x'
    assert abs(file.SliceThickness - 0.12345678901234568) < 1e-14
    assert len(str(file[0x00180050].value.original_string)) <= 16
    assert (file.InstanceNumber, file.Rows, file[0x00280120].value) == (7, 512, 63536)
    assert 'BulkDataURI' in (tmp_path / 'report.jsonl').read_text()


@pytest.mark.parametrize('wrong', [
    {'00280010': {'vr': 'US', 'Value': ['many']}}, {'00280010': {'vr': 'US', 'Value': [70000]}},
    {'00080016': {'vr': 'UI'}}, {'00081110': {'vr': 'LO', 'Value': [['x']]}}])
def test_W9_malformed_object(trolley, home, wrong):
    """It alone is lost, and said to be."""
    odd = [{**ODD, **wrong}, {**ODD, '00080018': {'vr': 'UI', 'Value': ['1.2.3.4.6']}}]
    with DicomWebServer(wild=json.dumps(odd).encode()) as server:
        ini = wild_ini(server, fetch='wild', kind='wado-rs-metadata', more='max_parallel = 1')
        lines = ['StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID', '1.2.3,1.2.3.4,1.2.3.4.5',
                 '1.2.3,1.2.3.4,1.2.3.4.6']
        result = trolley(ini.replace('searcher = search\n', ''), 'download', '--from', '-',
                         stdin='\n'.join(lines) + '\n')
    assert result.status == 3, result.stderr
    assert [path.name for path in files_below(home)] == ['1.2.3.4.6.metadata.dcm']
    assert '1.2.3.4.5' in result.stderr
