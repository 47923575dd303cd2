"""trolley config and ping: what they say of a configuration. SPDX-License-Identifier: MIT"""

import re

import pytest

import orthanc as orthanc_server

SECRETS = """
[session pacs]
auth = basic
user = reader
password = s3cr3t
proxy = http://joe:pr0xy@proxy.example:3128
header = X-Api-Key: k3y

[session vault]
auth = basic
user = reader
password_command = secret-tool lookup t0ken

[searcher search]
type = qido-rs
url = http://127.0.0.1:1/dicom-web
session = pacs

[searcher dimse]
type = dicom-qr
host = 127.0.0.1
user = reader
password = d1mse

[trolley web]
searcher = search
"""


def filled(text, folder):
    """A sample with its required keys filled in, and nothing else changed."""
    assert re.search(r'^; .*required', text, re.MULTILINE)
    for key, value in (('host', '127.0.0.1'), ('path', folder), ('url', 'http://127.0.0.1:1/x'),
                       ('command', '/bin/cat'), ('searcher', 'my-qido-rs')):
        text = re.sub(rf'^{key} = .*$', f'{key} = {value}', text, flags=re.MULTILINE)
    return text


def test_the_whole_example_passes_its_check(trolley, tmp_path):
    text = filled(trolley(None, 'config', 'example').stdout, tmp_path)
    result = trolley(text, 'config', 'check', environment={'VARIABLE': 'word'})
    assert (result.status, result.stderr) == (0, '')
    assert result.stdout.endswith('trolley.ini: ok\n')


def test_every_commented_key_of_the_example_is_legal(trolley, tmp_path):
    """Live, too, no key is misspelt. Names of other sections stay out."""
    names = {'trolley', 'session', 'searcher', 'downloader', 'storage', 'expander', 'plugin_path'}
    done = 0

    def live(match):
        nonlocal done
        done += match[1] not in names
        return match[0] if match[1] in names else match[0][1:]

    for name in re.findall(r'^([\w-]+)  .*$', trolley(None, 'plugins').stdout, re.MULTILINE)[1:]:
        text = filled(trolley(None, 'config', 'example', name).stdout, tmp_path)
        text = re.sub(r'^;([a-z0-9_]+) = ', live, text, flags=re.MULTILINE)
        if '[searcher my-qido-rs]' not in text:  # what others refer to
            text = '[searcher my-qido-rs]\ntype = qido-rs\nurl = http://127.0.0.1:1\n' + text
        for planted in '', 'mispelt = 1\n':  # behind all others: it is found, whatever they are
            told = trolley(text + planted, 'config', 'check', environment={'VARIABLE': 'word'})
            wrong = re.findall(r'key `(\w+)`[^\n]*(?:did you mean|unknown)', told.stderr)
            assert wrong == planted.split()[:1], (name, told.stderr)
            if not planted:
                assert 'did you mean' not in told.stderr and 'unknown' not in told.stderr, \
                    (name, told.stderr)
    assert done > 50


def test_check_names_every_fault(trolley, tmp_path):
    result = trolley('[searcher a]\ntype = qido-rs\nulr = http://127.0.0.1:1\n'
                     '[searcher b]\ntype = no-such\n'
                     '[storage c]\ntype = tree\n'
                     '[trolley t]\nsearcher = gone\n', 'config', 'check')
    assert result.status == 1
    assert result.stdout == ''
    for part in ('trolley.ini:3: [searcher a] key `ulr`', 'did you mean `url`?', 'no-such',
                 '[storage c]', '`path`', 'gone'):
        assert part in result.stderr, part
    assert trolley('[searcher a\n', 'config', 'check').status == 1
    assert trolley(None, '--config', tmp_path / 'none.ini', 'config', 'check').status == 1


def test_show_masks_secrets(trolley):
    result = trolley(SECRETS, 'config', 'show')
    assert result.status == 0, result.stderr
    for secret in ('s3cr3t', 'pr0xy', 'k3y', 't0ken', 'd1mse'):
        assert secret not in result.stdout + result.stderr
    assert 'password = ***\n' in result.stdout
    assert 'proxy = http://***@proxy.example:3128\n' in result.stdout
    assert 'header = X-Api-Key: ***\n' in result.stdout
    assert 'password_command = secret-tool ***\n' in result.stdout
    assert 'max_retries = 4 ; default\n' in result.stdout


def test_show_reads_back(trolley, folder_ini):
    """What is shown is an INI file that means the same."""
    shown = trolley(folder_ini, 'config', 'show').stdout
    again = trolley(shown, 'config', 'show').stdout
    assert again.replace(' ; default', '') == shown.replace(' ; default', '')
    assert len(trolley(shown, 'find', 'PatientID=OTHER').lines()) == 1


PING = """
[searcher web]
type = qido-rs
url = {url}

[downloader wire]
type = c-get
host = 127.0.0.1
port = {port}
called_ae = {ae}

[downloader disk]
type = folder
path = {path}

[storage home]
type = tree
path = home

[trolley t]
searcher = web
downloader = wire, disk
storage = home
"""


def test_ping_is_a_line_a_backend(trolley, orthanc, qrscp, phantoms, home):
    text = PING.format(url=orthanc.dicom_web, port=qrscp.port, ae='PACS', path=phantoms.folder)
    result = trolley(text, 'ping')
    assert (result.status, result.stderr) == (0, '')
    lines = result.stdout.splitlines()
    assert [re.sub(r' \(\d+ ms\).*', '', line) for line in lines] == \
        ['qido-rs web: ok', 'c-get wire: ok', 'folder disk: ok']
    assert not home.exists()    # storages are no backends


@pytest.mark.parametrize('broken', ['http', 'dimse', 'folder'])
def test_ping_names_who_does_not_answer(trolley, orthanc, qrscp, phantoms, broken):
    nobody = orthanc_server.free_port()
    url = f'http://127.0.0.1:{nobody}/dicom-web' if broken == 'http' else orthanc.dicom_web
    text = PING.format(url=url, port=nobody if broken == 'dimse' else qrscp.port, ae='PACS',
                       path='/nonexistent' if broken == 'folder' else phantoms.folder)
    result = trolley(text.replace('[downloader wire]', '[downloader wire]\nmax_retries = 0'), 'ping')
    assert result.status == 1
    lines = result.stdout.splitlines()
    good = [': ok' in line for line in lines]
    assert good == [broken != 'http', broken != 'dimse', broken != 'folder'], result.stdout


def test_ping_of_a_refused_log_in(trolley, orthanc_locked):
    text = ('[session s]\nauth = basic\nuser = reader\npassword = wr0ng\n'
            f'[searcher web]\ntype = qido-rs\nsession = s\nurl = {orthanc_locked.dicom_web}\n'
            '[trolley t]\nsearcher = web\n')
    result = trolley(text, 'ping')
    assert result.status == 1
    assert 'check user and password of [session s]' in result.stdout
    assert 'wr0ng' not in result.stdout + result.stderr
