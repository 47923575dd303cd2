"""The folder backend on real files, against what pydicom reads from them.
SPDX-License-Identifier: MIT"""

import fnmatch
import json
import pathlib
import warnings

import pydicom
import pytest

from conftest import FOLDER
from program import files_below

LEVELS = {'study': 1, 'series': 2, 'instance': 3}
TAGS = {'PatientID': '00100020', 'Modality': '00080060', 'StudyDescription': '00081030',
        'SeriesDescription': '0008103E', 'SliceThickness': '00180050', 'PatientWeight': '00101030',
        'ImageType': '00080008', 'Rows': '00280010', 'WindowCenter': '00281050'}


@pytest.fixture(scope='module')
def instances(sample_files):
    """{(study, series, instance): data sets of the files that hold it}."""
    found = {}
    for path in sample_files:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            data = pydicom.dcmread(path, stop_before_pixels=True)
            uids = tuple(str(data.get(keyword) or '') for keyword in
                         ('StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'))
            str(data.get('PatientName'))
        if all(uids):
            found.setdefault(uids, []).append(data)
    return found


@pytest.fixture(scope='module')
def ini(sample_files):
    return FOLDER.format(path=pathlib.Path(pydicom.__file__).parent / 'data')


def find(trolley, ini, level, *arguments):
    result = trolley(ini, 'find', '--level', level, '--format', 'dicom-json', *arguments)
    assert result.status == 0, result.stderr
    keys = ('0020000D', '0020000E', '00080018')[:LEVELS[level]]
    return {tuple(row[key]['Value'][0] for key in keys): row for row in json.loads(result.stdout)}


def texts(value):
    """Values without padding; numbers as numbers."""
    if value is None or value == '':
        return []
    values = list(value) if isinstance(value, (list, pydicom.multival.MultiValue)) else [value]
    try:
        return [float(item) for item in values]
    except ValueError:
        return [str(item).strip() for item in values]


def name(data):
    return str(data.get('PatientName', '')).rstrip('=^')


def shown_name(row):
    groups = row.get('00100010', {}).get('Value', [{}])[0]
    return '='.join(groups.get(group, '') for group in
                    ('Alphabetic', 'Ideographic', 'Phonetic')).rstrip('=^')


def test_every_instance_is_there(trolley, ini, instances):
    assert set(find(trolley, ini, 'instance')) == set(instances)


def test_attributes_are_pydicoms(trolley, ini, instances):
    rows = find(trolley, ini, 'instance', '--include', ','.join(TAGS))
    assert len(rows) > 100
    for uids, row in rows.items():
        shown = [shown_name(row)] + [texts(row.get(tag, {}).get('Value')) for tag in TAGS.values()]
        expected = [[name(data)] + [texts(data.get(keyword)) for keyword in TAGS]
                    for data in instances[uids]]
        assert shown in expected


@pytest.mark.parametrize('level, key, match', [
    ('study', 'PatientName=doe*', lambda d: fnmatch.fnmatch(name(d).lower(), 'doe*')),
    ('study', 'PatientName=Buc^Jérôme', lambda d: name(d) == 'Buc^Jérôme'),
    ('study', 'PatientName=*山田*', lambda d: '山田' in name(d)),
    ('study', 'StudyDate=20030101-20041231', lambda d: '20030101' <= d.get('StudyDate', '') <=
     '20041231'),
    ('study', 'ModalitiesInStudy=MR', lambda d: d.get('Modality') == 'MR'),
    ('series', 'Modality=MR\\CT', lambda d: d.get('Modality') in ('MR', 'CT')),
    ('instance', 'Rows=64', lambda d: d.get('Rows') == 64),
    ('instance', 'SliceThickness=5', lambda d: texts(d.get('SliceThickness')) == [5.0]),
    ('instance', 'ImageType=LOCALIZER', lambda d: 'LOCALIZER' in texts(d.get('ImageType'))),
    ('study', 'PatientID=NOBODY', lambda d: False)])
def test_matching(trolley, ini, instances, level, key, match):
    expected = {uids[:LEVELS[level]] for uids, files in instances.items() if match(files[0])}
    assert expected or key == 'PatientID=NOBODY'
    assert set(find(trolley, ini, level, key)) == expected


def test_files_are_copied_bit_for_bit(trolley, ini, instances, sample_files, home):
    result = trolley(ini, 'download', 'PatientName=*')
    assert result.status == 0, result.stderr
    sources = {path.read_bytes() for path in sample_files}
    names = files_below(home)
    assert {tuple(path.with_suffix('').parts) for path in names} == set(instances)
    assert all((home / path).read_bytes() in sources for path in names)


def test_missing_dictionary_is_named(trolley, ini):
    result = trolley(ini, 'find', environment={'DCMDICTPATH': '/nowhere/dicom.dic'})
    assert result.status == 2
    assert 'DCMDICTPATH' in result.stderr
