"""The server profiles in conf/ as they are installed: all of them load; those whose server can run
here find and fetch with only its address replaced. SPDX-License-Identifier: MIT"""

import re

import pydicom
import pytest

from installed import EXAMPLES
from program import files_below

PROFILES = sorted(EXAMPLES.glob('*.ini'))
SECRETS = {name: 'secret' for path in PROFILES
           for name in re.findall(r'^\w+_env = (\w+)', path.read_text(), re.MULTILINE)}


def profile(name, *pairs):
    text = (EXAMPLES / f'{name}.ini').read_text(encoding='utf-8')
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def test_profiles_are_those_of_the_tree():
    assert {path.stem for path in PROFILES} >= {
        'orthanc', 'dcm4chee', 'vitrea-connection', 'google-healthcare', 'aws-healthimaging',
        'dicomweb', 'dimse', 'demo'}


@pytest.mark.parametrize('path', PROFILES, ids=lambda path: path.stem)
def test_loads(trolley, tmp_path, path):
    text = path.read_text(encoding='utf-8')
    for folder in re.findall(r'^path = (\w+)$', text, re.MULTILINE):
        (tmp_path / folder).mkdir(exist_ok=True)
    result = trolley(text, 'config', 'check', environment=SECRETS)
    assert result.status == 0, result.stderr
    assert text.startswith('; '), 'it says what it is for'


@pytest.mark.parametrize('path', PROFILES, ids=lambda path: path.stem)
def test_says_whether_it_was_tried(path):
    if path.stem != 'demo':
        said = ' '.join(path.read_text(encoding='utf-8').replace('\n;', ' ').split())
        assert re.search(r'[Tt]ested (against|with)|Not tried against one', said)


def check(trolley, ini, phantoms, folder, *arguments, whole=True):
    """A find, a download that is complete, and one more that skips everything."""
    found = trolley(ini, *arguments, 'find', 'PatientID=PHANTOM', '--format', 'csv')
    assert found.status == 0, found.stderr
    assert sorted(row['StudyInstanceUID'] for row in found.rows()) == phantoms.studies('PHANTOM')
    first = trolley(ini, *arguments, 'download', 'PatientID=PHANTOM')
    assert first.status == 0, first.stderr
    assert first.verdict().startswith('complete: 24 of 24 instances (24 stored, '), first.stderr
    second = trolley(ini, *arguments, 'download', 'PatientID=PHANTOM')
    assert '(0 stored, 24 skipped, ' in second.verdict(), second.stderr
    expected = phantoms.of('PHANTOM')
    assert files_below(folder) == sorted(i.in_tree for i in expected)
    for i in expected:
        if whole:
            assert (folder / i.in_tree).read_bytes() == i.path.read_bytes()
        else:
            assert pydicom.dcmread(folder / i.in_tree) == pydicom.dcmread(i.path)


def orthanc_profile(orthanc):
    return profile('orthanc', ('http://localhost:8042', orthanc.root),
                   ('port = 4242', f'port = {orthanc.dicom_port}'),
                   ('path = dicom', 'path = dicom\nmin_free = 0'))


def test_orthanc_web(trolley, orthanc, phantoms, tmp_path):
    check(trolley, orthanc_profile(orthanc), phantoms, tmp_path / 'dicom')


def test_orthanc_wado_uri_alone(trolley, orthanc, phantoms, tmp_path):
    ini = orthanc_profile(orthanc).replace('downloader = web, wado', 'downloader = wado')
    check(trolley, ini, phantoms, tmp_path / 'dicom')


@pytest.mark.parametrize('downloader', ['get, move', 'move'])
def test_orthanc_dimse(trolley, orthanc_dimse, phantoms, tmp_path, listen_port, downloader):
    ini = orthanc_profile(orthanc_dimse).replace('listen_port = 11112',
                                                 f'listen_port = {listen_port}')
    ini = ini.replace('downloader = get, move', 'downloader = ' + downloader)
    check(trolley, ini, phantoms, tmp_path / 'dicom', '--trolley', 'dimse', whole=False)


def test_dicomweb(trolley, orthanc_locked, phantoms, tmp_path):
    """With the log-in that the file shows."""
    ini = profile('dicomweb', ('https://pacs.example', orthanc_locked.root),
                  ('path = dicom', 'path = dicom\nmin_free = 0'))
    for password, status in (('wrong', 4), ('secret', 0)):
        result = trolley(ini, 'download', 'PatientID=OTHER',
                         environment={'PACS_PASSWORD': password})
        assert result.status == status, result.stderr
    for i in phantoms.of('OTHER'):
        assert (tmp_path / 'dicom' / i.in_tree).read_bytes() == i.path.read_bytes()


def test_dimse(trolley, qrscp, phantoms, tmp_path, listen_port):
    ini = profile('dimse', ('host = pacs.example\nport = 104',
                            f'host = 127.0.0.1\nport = {qrscp.port}'),
                  ('listen_port = 11112', f'listen_port = {listen_port}'),
                  ('path = dicom', 'path = dicom\nmin_free = 0'))
    check(trolley, ini, phantoms, tmp_path / 'dicom', whole=False)


def test_demo(trolley, phantoms, tmp_path):
    ini = profile('demo', ('path = pacs', f'path = {phantoms.folder}'),
                  ('path = home', 'path = home\nmin_free = 0'))
    check(trolley, ini, phantoms, tmp_path / 'home')
