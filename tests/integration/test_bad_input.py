"""Wrong input and wrong surroundings: a clear error, its exit status, nothing half-written.
SPDX-License-Identifier: MIT"""

import pytest

from orthanc import free_port
from program import files_below, scratch_files

USAGE, FAILED = 2, 1


def refused(result, status, *words):
    assert result.status == status, result.stderr
    assert result.stdout == ''
    for word in words:
        assert word in result.stderr, result.stderr


def test_missing_ini(trolley):
    refused(trolley(None, '--config', 'absent.ini', 'find'), USAGE, 'absent.ini', 'No such file')


def test_no_ini_at_all(trolley):
    result = trolley(None, 'find', 'PatientID=X', environment={'TROLLEY_CONFIG': ''})
    refused(result, USAGE, 'trolley.ini')


def test_ini_that_others_may_write(trolley, web_ini, tmp_path):
    path = tmp_path / 'open.ini'
    path.write_text(web_ini)
    path.chmod(0o666)
    refused(trolley(None, '--config', path, 'find', 'PatientID=X'), USAGE, 'open.ini', 'writ')


@pytest.mark.parametrize('old, new, words', [
    ('[trolley web]', '[troley web]', ['troley', 'trolley']),
    ('[searcher search]', '[serveur search]', ['serveur']),
    ('type = wado-rs', 'type = wado-rz', ['wado-rz', 'wado-rs']),
    ('type = tree', 'type = ../../tmp/evil', ['../../tmp/evil']),
    ('type = qido-rs\n', '', ['type']),
    ('min_free = 0', 'min_free = plenty', ['min_free', 'plenty']),
    ('min_free = 0', 'min_free = 0\nmin_free = 1', ['min_free']),
    ('searcher = search', 'searcher = serch', ['serch', 'search']),
    ('downloader = fetch', 'downloader = fetch, fetsch', ['fetsch', 'fetch']),
    ('path = home\n', '', ['path']),
    ('type = tree\n', 'type = tree\njust words\n', ['neither']),
])
def test_bad_ini(trolley, web_ini, home, old, new, words):
    """The message names the file and the line; the check comes before any I/O."""
    assert old in web_ini
    ini = web_ini.replace(old, new, 1)
    result = trolley(ini, 'download', 'PatientID=OTHER')
    refused(result, USAGE, 'trolley.ini:', *words)
    assert not home.exists()


def test_misspelt_key_names_the_line(trolley, web_ini):
    ini = web_ini.replace('type = qido-rs', 'type = qido-rs\nmax_retires = 3')
    line = ini.splitlines().index('max_retires = 3') + 1
    refused(trolley(ini, 'find', 'PatientID=X'), USAGE, f'trolley.ini:{line}', 'max_retires',
            'max_retries')


def test_unknown_trolley(trolley, web_ini):
    refused(trolley(web_ini, '--trolley', 'wep', 'find', 'PatientID=X'), USAGE, 'wep')


# Values may name a patient: messages name the key alone.
@pytest.mark.parametrize('arguments, words', [
    (['find', 'PatientNam=X'], ['PatientNam', 'PatientName']),
    (['find', 'PatientID'], ['PatientID']),
    (['find', 'PatientID=A', 'PatientID=B'], ['PatientID']),
    (['find', 'StudyDate=20241301'], ['StudyDate: not a date']),
    (['find', 'StudyDate=yesterdya'], ['StudyDate: not a date']),
    (['find', 'StudyDate=20240201-20240101'], ['StudyDate', 'backwards']),
    (['find', 'StudyInstanceUID=1.2.x'], ['StudyInstanceUID: not a UID']),
    (['find', '--level', 'patient'], ['patient', 'study']),
    (['find', '--fields', 'PatientNmae'], ['PatientNmae', 'PatientName']),
    (['find', '--formt', 'csv'], ['--formt', '--format']),
    (['find', '--query-type', 'nonsense', 'PatientID=X'], ['nonsense']),
    (['fnd'], ['fnd', 'find']),
    (['download'], ['--study']),
    (['download', '--study', '../../etc/passwd'], ['../../etc/passwd']),
    (['download', '--series', '1.2.3'], ['--study']),
    (['download', '--study', '1.2.3', 'PatientID=X'], ['--study']),
    (['download', '--study', '1.2.3', '--downloader', 'nobody'], ['nobody']),
    (['download', '--from', 'absent.csv'], ['absent.csv']),
    ([], []),
])
def test_bad_command_line(trolley, web_ini, home, arguments, words):
    refused(trolley(web_ini, *arguments), USAGE, *words)
    assert not home.exists()


def test_key_that_no_query_type_takes(trolley, folder_ini, web_ini):
    """No key is silently dropped: the message names it and the query types."""
    result = trolley(web_ini, 'find', 'limit=5', 'PatientSex=O', '--query-type', 'query')
    refused(result, USAGE, 'limit', 'query')


@pytest.mark.parametrize('command', ['find', 'download'])
def test_no_server(trolley, web_ini, orthanc, home, command):
    url = f'http://127.0.0.1:{free_port()}/dicom-web'
    ini = web_ini.replace(orthanc.dicom_web, url)
    ini = ini.replace('url =', 'max_retries = 1\nretry_delay = 10ms\nurl =')
    result = trolley(ini, command, 'PatientID=X')
    refused(result, FAILED, '127.0.0.1', 'qido-rs')
    assert not home.exists() or files_below(home) == []


def test_not_a_dicom_server(trolley, web_ini, orthanc):
    """Orthanc's own web page, with status 200, where JSON is due."""
    ini = web_ini.replace(orthanc.dicom_web, orthanc.root + '/app/explorer.html?x=')
    ini = ini.replace('url =', 'max_retries = 0\nurl =')
    result = trolley(ini, 'find', 'PatientID=X')
    assert result.status == FAILED, result.stderr
    assert result.stdout == ''


@pytest.mark.parametrize('place', ['/proc/trolley', '/dev/null/x', 'plain-file'])
def test_directory_that_cannot_be_written(trolley, web_ini, tmp_path, place):
    (tmp_path / 'plain-file').write_text('not a directory')
    result = trolley(web_ini, 'download', 'PatientID=OTHER', '--output', place)
    assert result.status in (FAILED, USAGE), result.stderr
    assert place in result.stderr
    assert 'complete' not in result.stderr
    assert (tmp_path / 'plain-file').read_text() == 'not a directory'


def test_report_that_cannot_be_written(trolley, web_ini, home):
    result = trolley(web_ini, 'download', 'PatientID=OTHER', '--report', 'absent/report.jsonl')
    assert result.status in (FAILED, USAGE), result.stderr
    assert 'absent/report.jsonl' in result.stderr
    assert not home.exists(), 'nothing is fetched when its report cannot be written'


def test_disk_without_room(trolley, web_ini, home):
    result = trolley(web_ini.replace('min_free = 0', 'min_free = 8000000GB'), 'download',
                     'PatientID=OTHER')
    assert result.status == FAILED, result.stderr
    assert 'min_free' in result.stderr or 'free' in result.stderr
    assert not home.exists() or files_below(home) == [] and scratch_files(home) == []


def test_folder_that_is_absent(trolley, folder_ini, phantoms):
    result = trolley(folder_ini.replace(str(phantoms.folder), 'nowhere'), 'find', 'PatientID=X')
    assert result.status in (FAILED, USAGE), result.stderr
    assert 'nowhere' in result.stderr and 'No such file' in result.stderr


def test_library_files_are_no_plugins(trolley, web_ini, tmp_path):
    """A file that is no plugin says so by name."""
    plugins = tmp_path / 'plugins'
    plugins.mkdir(mode=0o755)
    (plugins / 'toy.so').write_text('no shared object')
    ini = f'[settings]\nplugin_path = {plugins}\n' + web_ini.replace('type = tree', 'type = toy')
    refused(trolley(ini, 'download', 'PatientID=OTHER'), USAGE, 'toy.so')
