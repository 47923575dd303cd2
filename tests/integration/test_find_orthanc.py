"""find through qido-rs on a real Orthanc. SPDX-License-Identifier: MIT"""

import json
import os

import pydicom
import pytest


def test_study_by_patient(trolley, web_ini, phantoms):
    result = trolley(web_ini, 'find', 'PatientID=PHANTOM', '--format', 'csv', '--fields',
                     'StudyInstanceUID,PatientID,AccessionNumber,StudyDate')
    assert result.status == 0, result.stderr
    rows = result.rows()
    assert sorted(row['StudyInstanceUID'] for row in rows) == phantoms.studies('PHANTOM')
    assert {row['PatientID'] for row in rows} == {'PHANTOM'}
    assert sorted(row['StudyDate'] for row in rows) == ['20240101', '20240102', '20240103']
    assert sorted(row['AccessionNumber'] for row in rows) == ['ACC1001', 'ACC1002', 'ACC1003']


def test_piped_output_is_json_lines(trolley, web_ini, phantoms):
    result = trolley(web_ini, 'find', 'PatientID=OTHER')
    assert result.status == 0, result.stderr
    [study] = result.lines()
    assert study['StudyInstanceUID'] == phantoms.studies('OTHER')[0]
    assert study['PatientID'] == 'OTHER'


@pytest.mark.parametrize('dates, expected', [
    ('20240102', ['20240102']),
    ('2024-01-02', ['20240102']),
    ('20240101-20240102', ['20240101', '20240102']),
    ('20240102..', ['20240102', '20240103']),
    ('-20240101', ['20240101']),
    ('20250101-', []),
])
def test_study_date(trolley, web_ini, dates, expected):
    result = trolley(web_ini, 'find', 'PatientID=PHANTOM', 'StudyDate=' + dates, '--format', 'csv',
                     '--fields', 'StudyDate')
    assert result.status == 0, result.stderr
    assert sorted(row['StudyDate'] for row in result.rows()) == expected


@pytest.mark.parametrize('key, value', [
    ('PatientName', 'Phantom*'), ('00100010', 'Phantom^Shepp Logan'),
    ('0010,0020', 'PHANTOM'), ('AccessionNumber', 'ACC100?')])
def test_keys_and_wildcards(trolley, web_ini, phantoms, key, value):
    result = trolley(web_ini, 'find', f'{key}={value}', '--format', 'csv', '--fields',
                     'StudyInstanceUID,PatientID')
    assert result.status == 0, result.stderr
    found = {row['StudyInstanceUID'] for row in result.rows()}
    assert found >= set(phantoms.studies('PHANTOM'))


def test_series_and_instances(trolley, web_ini, phantoms):
    study = phantoms.studies('PHANTOM')[0]
    expected = phantoms.of_study(study)
    series = trolley(web_ini, 'find', 'StudyInstanceUID=' + study, '--level', 'series', '--format',
                     'csv', '--fields', 'StudyInstanceUID,SeriesInstanceUID,Modality,PatientID')
    assert series.status == 0, series.stderr
    assert {row['SeriesInstanceUID'] for row in series.rows()} == {i.series for i in expected}
    assert {row['StudyInstanceUID'] for row in series.rows()} == {study}
    assert {row['Modality'] for row in series.rows()} == {'CT'}
    # Upper levels' values are repeated on each row.
    assert {row['PatientID'] for row in series.rows()} == {'PHANTOM'}

    instances = trolley(web_ini, 'find', 'StudyInstanceUID=' + study, '--level', 'instance',
                        '--format', 'csv', '--fields', 'SeriesInstanceUID,SOPInstanceUID')
    assert instances.status == 0, instances.stderr
    assert sorted((row['SeriesInstanceUID'], row['SOPInstanceUID']) for row in instances.rows()) \
        == sorted((i.series, i.uid) for i in expected)


def test_relational_instances_of_a_patient(trolley, web_ini, phantoms):
    result = trolley(web_ini, 'find', 'PatientID=PHANTOM', '--level', 'instance', '--format', 'csv',
                     '--fields', 'SOPInstanceUID')
    assert result.status == 0, result.stderr
    assert sorted(row['SOPInstanceUID'] for row in result.rows()) \
        == sorted(i.uid for i in phantoms.of('PHANTOM'))


def test_include(trolley, web_ini):
    result = trolley(web_ini, 'find', 'AccessionNumber=ACC1002', '--include', 'StudyDescription',
                     '--format', 'csv', '--fields', 'StudyDescription')
    assert result.status == 0, result.stderr
    assert [row['StudyDescription'] for row in result.rows()] == ['Phantom head 2']


def test_one(trolley, web_ini):
    one = trolley(web_ini, 'find', 'AccessionNumber=ACC1002', 'PatientID=PHANTOM', '--one')
    assert one.status == 0, one.stderr
    many = trolley(web_ini, 'find', 'PatientID=PHANTOM', '--one')
    assert many.status == 1
    assert '3' in many.stderr
    none = trolley(web_ini, 'find', 'PatientID=NOBODY', '--one')
    assert none.status == 1


def test_nothing_found_is_no_failure(trolley, web_ini):
    result = trolley(web_ini, 'find', 'PatientID=NOBODY')
    assert result.status == 0
    assert result.stdout == ''
    assert result.stderr.strip(), 'an empty result is said'


def test_formats(trolley, web_ini, phantoms):
    study = phantoms.studies('OTHER')[0]
    key = 'StudyInstanceUID=' + study
    for name in ('table', 'tree', 'csv', 'json', 'jsonl', 'dicom-json'):
        result = trolley(web_ini, 'find', key, '--level', 'series', '--format', name)
        assert result.status == 0, result.stderr
        assert study in result.stdout or name in ('table', 'tree'), name
    [answer] = json.loads(trolley(web_ini, 'find', key, '--format', 'dicom-json').stdout)
    assert answer['0020000D'] == {'vr': 'UI', 'Value': [study]}
    assert answer['00100010'] == {'vr': 'PN', 'Value': [{'Alphabetic': 'Phantom^Shepp Logan'}]}


def test_key_beyond_the_usual(trolley, web_ini):
    result = trolley(web_ini, 'find', 'PatientID=PHANTOM', 'StudyDescription=Phantom head 3',
                     '--format', 'csv', '--fields', 'StudyDate')
    assert result.status == 0, result.stderr
    assert [row['StudyDate'] for row in result.rows()] == ['20240103']


def test_log_in(trolley, orthanc_locked):
    ini = ('[session pacs]\nauth = basic\nuser = reader\npassword_env = PACS_PASSWORD\n'
           f'[searcher s]\ntype = qido-rs\nurl = {orthanc_locked.dicom_web}\nsession = pacs\n'
           '[trolley t]\nsearcher = s\n')
    good = trolley(ini, 'find', 'PatientID=OTHER', environment={'PACS_PASSWORD': 'secret'})
    assert good.status == 0, good.stderr
    assert len(good.lines()) == 1
    bad = trolley(ini, 'find', 'PatientID=OTHER', environment={'PACS_PASSWORD': 'wrong-word'})
    assert bad.status == 4, bad.stderr
    assert bad.stdout == ''
    assert '401' in bad.stderr and 'wrong-word' not in bad.stderr


def test_real_files(trolley, orthanc_samples):
    """Every study of the sample files, with the patients' names in whatever character set."""
    ini = (f'[searcher s]\ntype = qido-rs\nurl = {orthanc_samples.dicom_web}\n'
           '[trolley t]\nsearcher = s\n')
    result = trolley(ini, 'find', '--level', 'instance', '--format', 'csv', '--raw', '--fields',
                     'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID')
    assert result.status == 0, result.stderr
    found = sorted(tuple(row.values()) for row in result.rows())
    stored = sorted(
        (tags['StudyInstanceUID'], tags['SeriesInstanceUID'], tags['SOPInstanceUID'])
        for identifier in json.loads(orthanc_samples.get('/instances'))
        for tags in [json.loads(orthanc_samples.get(f'/instances/{identifier}/simplified-tags'))])
    assert len(stored) > 50, 'the sample files are there'
    assert found == stored


@pytest.mark.parametrize('name', ['chrH31', 'chrGerm', 'chrGreek', 'chrArab', 'chrX1', 'chrX2'])
def test_names_in_many_scripts(trolley, orthanc_samples, name):
    source = os.path.join(os.path.dirname(pydicom.__file__), 'data', 'charset_files', name + '.dcm')
    header = pydicom.dcmread(source)
    ini = (f'[searcher s]\ntype = qido-rs\nurl = {orthanc_samples.dicom_web}\n'
           '[trolley t]\nsearcher = s\n')
    result = trolley(ini, 'find', 'StudyInstanceUID=' + header.StudyInstanceUID, '--format', 'csv',
                     '--fields', 'PatientName')
    assert result.status == 0, result.stderr
    assert [row['PatientName'] for row in result.rows()] == [str(header.PatientName).rstrip('=')]


@pytest.mark.parametrize('level', ['study', 'series', 'instance'])
@pytest.mark.parametrize('keys', [
    ['ModalitiesInStudy=CT'], ['PatientName=Phantom^Shepp Logan'],
    ['PatientName=Phantom^Shepp Logan', 'ModalitiesInStudy=CT', 'StudyDescription=Phantom head 1']])
def test_keys_of_the_study_at_every_level(trolley, web_ini, phantoms, level, keys):
    """Orthanc decodes no values and matches some keys at their own level only."""
    result = trolley(web_ini, 'find', 'PatientID=PHANTOM', *keys, '--level', level, '--format',
                     'csv', '--fields', 'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID')
    assert result.status == 0, result.stderr
    expected = phantoms.of('PHANTOM')
    if len(keys) > 1:
        expected = [i for i in expected
                    if pydicom.dcmread(i.path).StudyDescription == 'Phantom head 1']
        assert len(expected) == 8
    depth = ['study', 'series', 'instance'].index(level) + 1
    assert sorted(tuple(row.values())[:depth] for row in result.rows()) \
        == sorted({(i.study, i.series, i.uid)[:depth] for i in expected})


def test_loosened_values_let_no_other_pass(trolley, web_ini):
    """One character that a wildcard would take is not the one asked for."""
    result = trolley(web_ini, 'find', 'PatientName=Phantom^Shepp^Logan')
    assert (result.status, result.stdout) == (0, ''), result.stderr
    result = trolley(web_ini, 'find', 'StudyDescription=Phantom head 3', '--level', 'instance',
                     'limit=1', '--format', 'csv', '--fields', 'StudyDate')
    assert [row['StudyDate'] for row in result.rows()] == ['20240103'], result.stderr
