"""Every row of the table of exit statuses. SPDX-License-Identifier: MIT"""

import os
import signal
import socket
import subprocess

import pytest

import orthanc as orthanc_server
import program
import rad69_server
from terminal import command, environment

WEB = """
[settings]
trolley = t
[session pacs]
auth = basic
user = reader
password = {password}
[searcher search]
type = qido-rs
url = {url}
session = pacs
max_retries = 0
[downloader fetch]
type = wado-rs
url = {url}
session = pacs
max_retries = 0
[storage home]
type = tree
path = home
min_free = 0
[trolley t]
searcher = search
downloader = fetch
storage = home
[trolley blind]
downloader = fetch
storage = home
"""


FOLDER_AND_RAD69 = """
[searcher s]
type = folder
path = {path}
[downloader d]
type = rad69
url = {url}
errors_to_ignore = XDSUnknownRepositoryId, XDSMissingDocument
[storage home]
type = tree
path = home
min_free = 0
[trolley t]
searcher = s
downloader = d
storage = home
"""


def web(server, password='secret'):
    return WEB.format(url=server if isinstance(server, str) else server.dicom_web,
                      password=password)


@pytest.fixture
def nobody():
    return web(f'http://127.0.0.1:{orthanc_server.free_port()}/dicom-web')


# ---- 0 ----

def test_0_complete(trolley, web_ini, phantoms):
    assert trolley(web_ini, 'find', 'PatientID=OTHER').status == 0
    assert trolley(web_ini, 'download', 'PatientID=OTHER').status == 0
    assert trolley(web_ini, 'download', 'PatientID=OTHER').status == 0      # all skipped
    assert trolley(web_ini, 'ping').status == 0
    assert trolley(web_ini, 'config', 'check').status == 0
    assert trolley(web_ini, 'download', 'PatientID=OTHER', '--dry-run').status == 0


def test_0_an_empty_find_is_complete(trolley, web_ini):
    result = trolley(web_ini, 'find', 'PatientID=NOBODY')
    assert (result.status, result.stdout, result.stderr) == (0, '', 'no study matches\n')


def test_0_unverified_and_said(trolley, fault_server, phantoms):
    study = phantoms.studies('OTHER')[0]
    result = trolley(web(fault_server('none')), '--trolley', 'blind', 'download', '--study', study)
    assert result.status == 0
    assert result.verdict().startswith('unverified: 2 ')
    assert 'unverified: no searcher said what to expect' in result.stderr


def test_0_unexpected_or_duplicate_parts_alone(trolley, fault_server, phantoms):
    study = phantoms.studies('PHANTOM')[0]
    for fault in ('stranger', 'duplicate'):
        result = trolley(web(fault_server(fault)), 'download', '--study', study, '--overwrite')
        assert result.status == 0, result.stderr
        assert 'warning: the server sent objects that nobody asked for, or twice' in result.stderr


def test_0_a_reader_that_goes_away(tmp_path, folder_ini):
    ini = tmp_path / 'trolley.ini'
    ini.write_text(folder_ini)
    ini.chmod(0o600)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command(ini, 'find', '--level', 'instance'), stdout=writing,
                          stderr=subprocess.PIPE, check=False, timeout=60, cwd=tmp_path,
                          env=environment(tmp_path))
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b'')


# ---- 1 ----

def test_1_nothing_delivered(trolley, nobody, fault_server, phantoms):
    study = phantoms.studies('PHANTOM')[0]
    assert trolley(nobody, 'find').status == 1
    assert trolley(nobody, 'download', 'PatientID=1').status == 1
    assert trolley(nobody, 'download', '--study', study).status == 1
    assert trolley(web(fault_server('500-always')), 'download', '--study', study).status == 1


def test_1_a_download_whose_query_matches_nothing(trolley, web_ini):
    result = trolley(web_ini, 'download', 'PatientID=NOBODY')
    assert result.status == 1
    assert 'the query matches nothing' in result.stderr


def test_1_faults_that_were_looked_for(trolley, nobody, tmp_path):
    (tmp_path / 'x.so').write_bytes(b'no object')
    assert trolley(nobody, 'ping').status == 1
    assert trolley(None, 'check-plugin', tmp_path / 'x.so').status == 1
    assert trolley('[searcher a]\ntype = nothing\n', 'config', 'check').status == 1


def test_1_one_wants_one(trolley, web_ini):
    assert trolley(web_ini, 'find', '--one').status == 1


# ---- 2 ----

@pytest.mark.parametrize('arguments', [
    [], ['fnd'], ['find', '--nonsense'], ['find', 'Nonsense=1'], ['find', '--level', 'slice'],
    ['find', 'PatientID'], ['find', 'StudyDate=yesteryear'], ['find', '--query-type', 'nonsense'],
    ['download'], ['download', '--series', '1.2'], ['download', '--from', '/nonexistent'],
    ['download', '--study', '../1'], ['download', '--study', '1.2', '--downloader', 'nobody'],
    ['--trolley', 'nobody', 'find'], ['plugins', 'nonsense'], ['config'], ['ping', 'x'],
    ['check-plugin'], ['completion', 'csh'], ['manual', '2'], ['manual']])
def test_2_usage(trolley, folder_ini, arguments):
    result = trolley(folder_ini, *arguments)
    assert (result.status, result.stdout) == (2, ''), result.stderr
    assert result.stderr.startswith('trolley: ')


@pytest.mark.parametrize('ini', ['[trolley t]\nsearcher = gone\n', '[searcher s]\nurl = x\n', '[x',
                                 ''])
def test_2_configuration(trolley, ini):
    result = trolley(ini, 'find')
    assert (result.status, result.stdout) == (2, '')
    assert 'trolley.ini' in result.stderr


def test_2_outweighs_what_came(trolley, folder_ini, phantoms):
    """A malformed list is the user's affair, however much of it was fetched."""
    studies = phantoms.studies('OTHER') + phantoms.studies('PHANTOM')[:1]
    text = '\n'.join(['StudyInstanceUID', *studies, 'nonsense', ''])
    result = trolley(folder_ini, 'download', '--from', '-', stdin=text)
    assert result.status == 2
    assert 'standard input, line 4' in result.stderr
    assert '(10 stored' in result.verdict()


# ---- 3 ----

def test_3_something_is_missing(trolley, fault_server, phantoms):
    study = phantoms.studies('PHANTOM')[0]
    result = trolley(web(fault_server('gone')), 'download', '--study', study)
    assert result.status == 3
    assert result.verdict().startswith('partial: 7 of 8 instances')


def test_3_a_find_that_ends_early(trolley, fault_server, phantoms):
    study = phantoms.studies('PHANTOM')[0]
    result = trolley(web(fault_server('searcher-cut-always')), 'find', f'StudyInstanceUID={study}',
                     '--level', 'instance')
    assert result.status == 3
    assert result.lines()       # what came is printed
    assert 'cut off' in result.stderr


def test_3_required_to_be_verified(trolley, fault_server, phantoms):
    study = phantoms.studies('OTHER')[0]
    result = trolley(web(fault_server('none')), '--trolley', 'blind', 'download', '--study', study,
                     '--require-verified')
    assert result.status == 3
    assert '2 stored' in result.stderr


# ---- 4 ----

def test_4_authentication_refused(trolley, orthanc_locked, fault_server, phantoms):
    ini = web(orthanc_locked, 'wr0ng')
    for arguments in (['find'], ['download', 'PatientID=OTHER'],
                      ['download', '--study', phantoms.studies('OTHER')[0]]):
        result = trolley(ini, *arguments)
        assert result.status == 4, (arguments, result.stderr)
        assert 'check user and password of [session pacs]' in result.stderr
        assert 'wr0ng' not in result.stderr
    study = phantoms.studies('PHANTOM')[0]
    assert trolley(web(fault_server('403-always')), 'download', '--study', study).status == 4


def test_4_only_where_nothing_was_delivered(trolley, orthanc_locked, phantoms, home):
    """The storage holds one study whole; the log-in is refused for the other."""
    assert trolley(web(orthanc_locked), 'download', 'PatientID=OTHER').status == 0
    held, other = phantoms.studies('OTHER')[0], phantoms.studies('PHANTOM')[0]
    instance = phantoms.of('OTHER')[0]
    rows = (f'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n'
            f'{held},{instance.series},{instance.uid}\n{other},,\n')
    ini = web(orthanc_locked, 'wr0ng')
    result = trolley(ini, '--trolley', 'blind', 'download', '--from', '-', stdin=rows)
    assert result.status == 3, result.stderr
    assert '1 skipped' in result.stderr


# ---- errors that the INI says to ignore ----

def test_0_ignored_errors(trolley, phantoms):
    study = phantoms.studies('PHANTOM')[0]
    series = phantoms.of_study(study)[0].series
    with rad69_server.Rad69Server([one.path for one in phantoms.of_study(study)]) as server:
        ini = FOLDER_AND_RAD69.format(path=phantoms.folder,
                                      url=f'{server.url}/failure-of-series/{series}')
        result = trolley(ini, 'download', '--study', study)
    assert result.status == 0, result.stderr
    assert '4 ignored' in result.stderr


# ---- 130, 143 ----

@pytest.mark.parametrize('number, status', [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize('what', ['find', 'download'])
def test_130_143_signals(tmp_path, phantoms, home, what, number, status):
    """While a server keeps its answer to itself."""
    study = phantoms.studies('PHANTOM')[0]
    with socket.create_server(('127.0.0.1', 0)) as silent:
        ini = tmp_path / 'trolley.ini'
        ini.write_text(web(f'http://127.0.0.1:{silent.getsockname()[1]}/dicom-web'))
        ini.chmod(0o600)
        child = subprocess.Popen(command(ini, '--trolley', 'blind' if what == 'download' else 't',
                                         *([what, '--study', study] if what == 'download'
                                           else [what])), cwd=tmp_path, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=environment(tmp_path))
        silent.settimeout(60)
        connection = silent.accept()[0]
        assert connection.recv(4)
        child.send_signal(number)
        stdout, stderr = child.communicate(timeout=60)
        connection.close()
    assert (child.returncode, stdout) == (status, ''), stderr
    if what == 'find':
        assert 'cancelled' in stderr or 'interrupted' in stderr
    else:
        assert stderr.splitlines()[-1].startswith('cancelled: 0 ')
        assert 'what is stored stays; the same command goes on from there' in stderr
        assert program.files_below(home) == [] and program.scratch_files(home) == []
