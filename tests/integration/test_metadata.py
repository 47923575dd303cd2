"""wado-rs-metadata and a real Orthanc. SPDX-License-Identifier: MIT"""

import json
import math

import pydicom
import pytest

from program import files_below, outcomes
from test_wado_uri import original_files

INI = """
[searcher search]
type = qido-rs
url = {url}

[downloader fetch]
type = wado-rs-metadata
url = {url}
{keys}

[storage home]
type = tree
path = home
min_free = 0

[trolley metadata]
searcher = search
downloader = fetch
storage = home
"""


def metadata_ini(server, *keys):
    return INI.format(url=server.dicom_web, keys='\n'.join(keys))


@pytest.mark.parametrize('request_level', ['auto', 'study', 'series', 'instance'])
def test_W9_levels(trolley, orthanc, phantoms, home, tmp_path, request_level):
    ini = metadata_ini(orthanc, 'request = ' + request_level)
    expected = [i.in_tree.with_name(i.uid + '.metadata.dcm') for i in phantoms.of('PHANTOM')]
    result = trolley(ini, 'download', 'PatientID=PHANTOM', '--report', 'report.jsonl')
    assert result.status == 0, result.stderr
    assert result.verdict().startswith('complete: 24 of 24 instances (24 stored, 0 skipped, ')
    assert files_below(home) == sorted(expected)
    lines = outcomes(tmp_path / 'report.jsonl')
    assert {(line['outcome'], line['variant']) for line in lines} == {('stored', 'metadata')}
    for path in expected:
        file = pydicom.dcmread(home / path)
        assert file.file_meta.TransferSyntaxUID == '1.2.840.10008.1.2.1'
        assert file.file_meta.MediaStorageSOPInstanceUID == file.SOPInstanceUID
        assert file.file_meta.MediaStorageSOPClassUID == file.SOPClassUID
        assert file.file_meta.ImplementationClassUID
        assert 'PixelData' not in file and file.Rows > 0


def test_W9_second_run_skips(trolley, orthanc, phantoms, home):
    """Its own files only: instances that are there are no metadata."""
    web = metadata_ini(orthanc).replace('wado-rs-metadata', 'wado-rs')
    assert trolley(web, 'download', 'PatientID=OTHER').status == 0
    first = trolley(metadata_ini(orthanc), 'download', 'PatientID=OTHER')
    assert '(2 stored, 0 skipped, ' in first.verdict(), first.stderr
    second = trolley(metadata_ini(orthanc), 'download', 'PatientID=OTHER')
    assert '(0 stored, 2 skipped, ' in second.verdict(), second.stderr
    assert len(files_below(home)) == 4


def test_W9_json(trolley, orthanc, phantoms, home):
    result = trolley(metadata_ini(orthanc, 'format = json'), 'download', 'PatientID=OTHER')
    assert result.status == 0, result.stderr
    for i in phantoms.of('OTHER'):
        sent = json.loads(orthanc.get(
            f'/dicom-web/studies/{i.study}/series/{i.series}/instances/{i.uid}/metadata',
            accept='application/dicom+json'))
        stored = (home / i.in_tree.with_name(i.uid + '.metadata.json')).read_text('utf-8')
        assert json.loads(stored) == sent[0]
    assert len(files_below(home)) == 2
    again = trolley(metadata_ini(orthanc, 'format = json'), 'download', 'PatientID=OTHER')
    assert '(0 stored, 2 skipped, ' in again.verdict(), again.stderr


def test_W9_unknown_instance(trolley, orthanc, phantoms, home, tmp_path):
    known = phantoms.of('OTHER')[0]
    result = trolley(metadata_ini(orthanc).replace('searcher = search\n', ''), 'download',
                     '--study', known.study, '--series', known.series, '--instance', '1.2.3')
    assert result.status == 1, result.stderr
    assert not home.exists() or files_below(home) == []


def same(a, b):
    """Are two values of pydicom the same? Numbers that went through JSON by value."""
    if a in (None, '', b'') or b in (None, '', b''):
        return not a and not b
    if isinstance(a, (pydicom.multival.MultiValue, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, bytes):
        return a.rstrip(b'\0') == b.rstrip(b'\0')
    return str(a).strip(' \0') == str(b).strip(' \0')


def not_sent(tag, sent):
    """Bulk data, pixel data that is not even mentioned, number strings that are none ("1A")."""
    element = sent.get(tag)
    if element is None:
        return tag == '7FE00010'
    return 'BulkDataURI' in element or (
        element.get('Value') in (None, [], [None]) and 'InlineBinary' not in element)


def differences(file, metadata, sent):
    """Attributes of the file that its metadata do not have so; `sent` is what the server told."""
    found = []
    for element in file:
        tag = f'{element.tag:08X}'
        if element.tag.element == 0 or element.keyword == 'SpecificCharacterSet':
            continue
        if not_sent(tag, sent):
            continue
        kept = metadata.get(element.tag)
        if kept is None or element.VR != 'SQ' and not same(element.value, kept.value):
            found.append((element, kept))
        elif element.VR == 'SQ':
            assert len(element.value) == len(kept.value)
            for items in zip(element.value, kept.value, sent[tag]['Value']):
                found += differences(*items)
    return found


def test_W9_real_files_agree(trolley, orthanc_samples, sample_files, home):
    """Attribute by attribute with the file, but for what the server does not send."""
    ini = metadata_ini(orthanc_samples)
    found = trolley(ini, 'find', '--format', 'jsonl')
    result = trolley(ini, 'download', '--from', '-', stdin=found.stdout)
    assert result.status == 0, result.stderr
    originals = original_files(sample_files)
    judged, wrong = 0, []
    for path in files_below(home):
        metadata = pydicom.dcmread(home / path)
        file = pydicom.dcmread(originals[metadata.SOPInstanceUID])
        sent = json.loads(orthanc_samples.get(
            f'/dicom-web/studies/{file.StudyInstanceUID}/series/{file.SeriesInstanceUID}/'
            f'instances/{file.SOPInstanceUID}/metadata', accept='application/dicom+json'))
        sets = file.get('SpecificCharacterSet') or ''
        if not isinstance(sets, str) or 'IR 13' in sets:
            continue  # this server decodes no second set, and takes JIS's backslash for a yen
        judged += 1
        wrong += [(path.name, *difference) for difference in differences(file, metadata, sent[0])]
    assert wrong == []
    assert judged > 50
