"""The folder backend and Orthanc, on the same files, give the same answers and the same files:
swapping the backend is an edit of the INI. SPDX-License-Identifier: MIT"""

import pytest

from program import files_below

FIELDS = ('PatientID', 'PatientName', 'StudyInstanceUID', 'StudyDate', 'AccessionNumber')
SERIES = FIELDS + ('SeriesInstanceUID', 'Modality', 'SeriesNumber')
INSTANCE = SERIES + ('SOPInstanceUID', 'SOPClassUID', 'InstanceNumber')


def answers(trolley, ini, level, fields, *keys):
    result = trolley(ini, 'find', *keys, '--level', level, '--format', 'csv', '--fields',
                     ','.join(fields))
    assert result.status == 0, result.stderr
    return sorted(tuple(row[field] for field in fields) for row in result.rows())


@pytest.mark.parametrize('level, fields, studies_to_rows', [
    ('study', FIELDS, {3: 3, 1: 1, 0: 0}),
    ('series', SERIES, {3: 6, 1: 2, 0: 0}),
    ('instance', INSTANCE, {3: 24, 1: 8, 0: 0})])
@pytest.mark.parametrize('keys, studies', [
    (['PatientID=PHANTOM'], 3),
    (['PatientID=PHANTOM', 'StudyDate=20240102'], 1),
    (['PatientName=phantom*', 'AccessionNumber=ACC1003', 'PatientID=PHANTOM'], 1),
    (['PatientID=NOBODY'], 0)])
def test_same_answers(trolley, web_ini, folder_ini, keys, studies, level, fields, studies_to_rows):
    web = answers(trolley, web_ini, level, fields, *keys)
    disk = answers(trolley, folder_ini, level, fields, *keys)
    assert len(web) == studies_to_rows[studies]
    assert disk == web


@pytest.mark.parametrize('level, fields, rows', [
    ('study', FIELDS, 3), ('series', SERIES, 6), ('instance', INSTANCE, 24)])
@pytest.mark.parametrize('modality', ['CT', 'MR'])
def test_same_modalities(trolley, web_ini, folder_ini, modality, level, fields, rows):
    keys = 'PatientID=PHANTOM', 'ModalitiesInStudy=' + modality
    web = answers(trolley, web_ini, level, fields, *keys)
    assert len(web) == (rows if modality == 'CT' else 0)
    assert answers(trolley, folder_ini, level, fields, *keys) == web


def test_same_files(trolley, web_ini, folder_ini, phantoms, tmp_path):
    web = trolley(web_ini, 'download', 'PatientID=PHANTOM', '--output', 'web')
    disk = trolley(folder_ini, 'download', 'PatientID=PHANTOM', '--output', 'disk')
    assert web.status == 0, web.stderr
    assert disk.status == 0, disk.stderr
    names = files_below(tmp_path / 'web')
    assert names == files_below(tmp_path / 'disk')
    assert len(names) == len(phantoms.of('PHANTOM'))
    for name in names:
        assert (tmp_path / 'web' / name).read_bytes() == (tmp_path / 'disk' / name).read_bytes()


def test_source_is_left_alone(trolley, folder_ini, phantoms):
    before = {path: path.stat().st_mtime_ns for path in phantoms.folder.rglob('*')}
    assert trolley(folder_ini, 'download', 'PatientID=OTHER').status == 0
    assert {path: path.stat().st_mtime_ns for path in phantoms.folder.rglob('*')} == before
