"""Log-ins by plugin: a real Orthanc behind the log-in of each kind. H8, H9 and H10 of plugins that
speak HTTP. SPDX-License-Identifier: MIT"""

import base64
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import pytest

import program

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))
import login_server  # noqa: E402
from login_server import LoginServer  # noqa: E402

SESSION = """
[session pacs]
user = reader
password = "{password}"
{keys}
"""

WEB = """
[searcher search]
type = qido-rs
url = {url}
session = pacs
max_retries = {retries}

[downloader fetch]
type = wado-rs
url = {url}
session = pacs
max_retries = {retries}
request = instance
max_parallel = {workers}

[storage home]
type = tree
path = home
min_free = 0
durability = none

[trolley web]
searcher = search
downloader = fetch
storage = home
"""

KEYS = {
    'vitrea': 'auth = vitrea\nlogin_url = {url}/vitrea/login\nrealm = Ward 7',
    'impax': 'auth = impax\nwado_url = {url}/impax/wado',
}
OAUTH2 = """
[session pacs]
auth = oauth2
token_url = {url}/oauth2/token
client_id = reader
client_secret = "{password}"
{keys}
"""
BEARER = '\n[session pacs]\nauth = bearer\n{keys}\n'


def ini(server, kind, password=login_server.PASSWORD, keys='', workers=8, retries=2):
    if kind == 'oauth2':
        session = OAUTH2.format(url=server.url, password=password, keys=keys)
    elif kind == 'bearer':
        session = BEARER.format(keys=keys or f'token = "{password}"')
    else:
        own = KEYS.get(kind, KEYS['impax']).format(url=server.url)
        session = SESSION.format(password=password, keys=own + '\n' + keys)
    return session + WEB.format(url=f'{server.url}/{kind}/dicom-web', workers=workers,
                                retries=retries)


@pytest.fixture
def behind(orthanc):
    """behind(**options): a log-in server in front of Orthanc."""
    servers = []

    def make(**options):
        server = LoginServer(orthanc.root, **options)
        servers.append(server.__enter__())
        return server
    yield make
    for server in servers:
        server.__exit__()


def assert_stored(home, expected):
    """Each instance is there once, whole, and nothing else."""
    assert program.files_below(home) == sorted(one.in_tree for one in expected)
    for one in expected:
        assert (home / one.in_tree).read_bytes() == one.path.read_bytes()
    assert program.scratch_files(home) == []


def assert_fetched_once(server):
    again = {path: count for path, count in server.served.items()
             if '/instances/' in path and count != 1}
    assert not again


KINDS = ['vitrea', 'impax', 'moved', 'elsewhere', 'oauth2']


@pytest.mark.parametrize('kind', KINDS)
def test_one_log_in_serves_all_workers(behind, trolley, home, phantoms, kind):
    server = behind()
    done = trolley(ini(server, kind), 'download', 'PatientID=PHANTOM')
    assert (done.status, server.logins.count, server.logins.refused) == (0, 1, 0), done.stderr
    assert_stored(home, phantoms.of('PHANTOM'))
    assert_fetched_once(server)


@pytest.mark.parametrize('kind', ['vitrea', 'oauth2'])
def test_one_log_in_for_each_expiry(behind, trolley, home, phantoms, kind):
    server = behind(uses=8)
    done = trolley(ini(server, kind, workers=4), 'download', 'PatientID=PHANTOM')
    assert done.status == 0, done.stderr
    assert_stored(home, phantoms.of('PHANTOM'))
    assert_fetched_once(server)
    requests = sum(server.served.values())
    assert requests >= 24
    assert server.logins.count == -(-requests // 8)


@pytest.mark.parametrize('kind', ['impax', 'moved', 'elsewhere'])
@pytest.mark.parametrize('workers', [1, 4])
def test_form_in_mid_download(behind, trolley, home, phantoms, kind, workers):
    server = behind(uses=15)
    done = trolley(ini(server, kind, workers=workers), 'download', 'PatientID=PHANTOM')
    assert done.status == 0, done.stderr
    assert_stored(home, phantoms.of('PHANTOM'))
    assert_fetched_once(server)
    needed = -(-sum(server.served.values()) // 15)
    assert needed >= 2
    # A form that comes late brings a new cookie with it, which ends the log-in once more: at most
    # one form for each request that was under way.
    assert needed <= server.logins.count <= needed * workers


@pytest.mark.parametrize('kind', ['vitrea', 'impax', 'oauth2', 'bearer'])
@pytest.mark.parametrize('searcher', [True, False])
def test_refused_log_in_is_status_4_and_tried_once(behind, trolley, home, phantoms, kind, searcher):
    server = behind()
    text = ini(server, kind, password='wr0ng')
    study = phantoms.studies('PHANTOM')[0]
    if not searcher:
        text = text.replace('searcher = search\n', '')
    done = trolley(text, 'download', '--study', study)
    assert done.status == 4, done.stderr
    assert 'refused' in done.stderr or '401' in done.stderr
    assert 'wr0ng' not in done.stderr
    assert not server.served
    assert server.logins.refused == (0 if kind == 'bearer' else 1)
    assert not home.exists() or (program.files_below(home), program.scratch_files(home)) == ([], [])


def test_log_in_refused_in_mid_download_keeps_what_came(behind, trolley, home, phantoms):
    server = behind(uses=8)
    secret = home.parent / 'secret'
    secret.write_text(login_server.PASSWORD)
    granted = server.logins.grant

    def grant_once(name):
        granted(name)
        secret.write_text('wr0ng')

    server.logins.grant = grant_once
    text = ini(server, 'oauth2', workers=2).replace(
        f'client_secret = "{login_server.PASSWORD}"', f'client_secret_file = {secret}')
    done = trolley(text, 'download', 'PatientID=PHANTOM', '--report', 'report.jsonl')
    assert done.status == 3, done.stderr
    by_path = {one.in_tree: one for one in phantoms.of('PHANTOM')}
    stored = program.files_below(home)
    assert 0 < len(stored) < len(by_path)
    assert all((home / path).read_bytes() == by_path[path].path.read_bytes() for path in stored)
    assert program.scratch_files(home) == []
    lines = program.outcomes(home.parent / 'report.jsonl')
    assert sum(line['outcome'] == 'stored' for line in lines) == len(stored)
    # What is not there is told by itself or, where the searcher could not list it, by its study.
    lost = {line.get('instance') or line['study'] for line in lines if line['outcome'] != 'stored'}
    assert all({one.uid, one.study} & lost for path, one in by_path.items() if path not in stored)
    assert (server.logins.count, server.logins.refused) == (1, 1)


def test_another_realm_is_refused(behind, trolley):
    server = behind()
    done = trolley(ini(server, 'vitrea').replace('Ward 7', 'Ward 8'), 'find')
    assert done.status == 4
    assert 'check user, password and realm' in done.stderr


# ---- tokens

def test_bearer_token_is_read_again_once_refused(behind, trolley, home, phantoms):
    server = behind()
    server.state.bearer = 'token-new'
    state = home.parent / 'state'
    state.write_text('token-old')
    script = home.parent / 'token'
    script.write_text(f'#!/bin/sh\ncat {state}\necho run >>{state}.runs\necho token-new >{state}\n')
    script.chmod(0o755)
    done = trolley(ini(server, 'bearer', keys=f'token_command = {script}'), 'download',
                   'PatientID=PHANTOM')
    assert done.status == 0, done.stderr
    assert_stored(home, phantoms.of('PHANTOM'))
    assert (home.parent / 'state.runs').read_text() == 'run\nrun\n'


@pytest.mark.parametrize('source', ['env', 'file', 'command'])
def test_bearer_token_from(behind, trolley, tmp_path, source):
    server = behind()
    server.state.bearer = 'token-1'
    (tmp_path / 'token').write_text('token-1\n')
    keys = {'env': 'token_env = TROLLEY_TEST_TOKEN', 'file': 'token_file = token',
            'command': f'token_command = cat {tmp_path}/token'}[source]
    done = trolley(ini(server, 'bearer', keys=keys), 'find',
                   environment={'TROLLEY_TEST_TOKEN': 'token-1'})
    assert done.status == 0, done.stderr
    assert len(done.lines()) == 4


@pytest.mark.parametrize('how', ['header', 'body'])
def test_oauth2_credentials_scope_and_audience(behind, trolley, how):
    server = behind()
    keys = f'credentials = {how}\nscope = dicom.read dicom&more\naudience = https://pacs'
    done = trolley(ini(server, 'oauth2', keys=keys), 'find')
    assert done.status == 0, done.stderr
    assert server.state.token_requests == [(how, {
        'grant_type': 'client_credentials', 'scope': 'dicom.read dicom&more',
        'audience': 'https://pacs'})]


def test_oauth2_renews_before_expiry(behind, trolley, home, phantoms):
    # The endpoint announces a short life, the tokens live longer: a 401 would mean being late.
    server = behind(delay=0.08, expires_in=1)
    done = trolley(ini(server, 'oauth2', workers=2), 'download', 'PatientID=PHANTOM')
    assert done.status == 0, done.stderr
    assert_stored(home, phantoms.of('PHANTOM'))
    assert server.logins.count >= 2
    assert server.logins.locked_out == 0


@pytest.mark.parametrize('answer, status, words', [
    ((400, 'application/json', b'{"error":"invalid_scope","error_description":"no x"}'), 4,
     '400 invalid_scope: "no x"'),
    ((200, 'application/json', b'{"token_type":"bearer"}'), 1, 'no access_token'),
    ((200, 'text/html', b'<html>hello</html>'), 1, 'no access_token'),
    ((200, 'application/json', b'{"access_token":"a","token_type":"mac"}'), 1, 'type Bearer'),
    ((200, 'application/json', b'{"access_token":"a\\r\\nX-Evil: 1"}'), 1, 'more than one line'),
    ((200, 'application/json', b'[' * 100000), 1, 'no access_token'),
    ((404, 'text/plain', b'not here'), 1, 'check token_url'),
    ((302, 'text/plain', b''), 1, '302'),
    ((500, 'text/plain', b'oops'), 1, '500'),
])
def test_oauth2_token_endpoint_errors_are_named(behind, trolley, answer, status, words):
    server = behind()
    server.state.token_answer = answer
    done = trolley(ini(server, 'oauth2', retries=0), 'find')
    assert done.status == status, done.stderr
    assert words in done.stderr
    assert 'oauth2 of [session pacs]: ' in done.stderr
    assert not server.served


def test_oauth2_words_of_the_endpoint_are_escaped(behind, trolley):
    done = trolley(ini(behind(), 'oauth2', password='wr0ng'), 'find')
    assert done.status == 4
    assert 'invalid_client: "no such client\\x1b[31m"' in done.stderr


def test_token_endpoint_that_is_gone_is_a_network_error(behind, trolley):
    server = behind()
    with socket.socket() as closed:
        closed.bind(('127.0.0.1', 0))
        gone = f'token_url = http://127.0.0.1:{closed.getsockname()[1]}/token'
        text = ini(server, 'oauth2', retries=0).replace(
            f'token_url = {server.url}/oauth2/token', gone)
        done = trolley(text, 'find')
    assert done.status == 1, done.stderr
    assert gone.removeprefix('token_url = ') in done.stderr
    assert not server.counts


# ---- pages where data is due

def test_page_that_is_no_form_is_an_error_and_no_log_in(behind, trolley):
    server = behind()
    done = trolley(ini(server, 'closed', retries=0), 'find')
    assert done.status == 1, done.stderr
    assert 'text/html' in done.stderr
    assert server.logins.count == 1


def test_form_that_stays_after_the_log_in_is_a_refusal(behind, trolley):
    server = behind()
    done = trolley(ini(server, 'stuck'), 'find')
    assert done.status == 4, done.stderr
    assert 'still answers with an HTML page' in done.stderr
    assert server.logins.count == 3  # before the first request, and twice for it


# ---- secrets

def derived(secret):
    """Forms in which a secret may show up."""
    pair = f'reader:{secret}'.encode()
    return [secret, base64.b64encode(pair).decode(), 's3cret', 'token-s3cret']


@pytest.mark.parametrize('kind', ['vitrea', 'impax', 'oauth2', 'bearer'])
def test_secrets_are_told_nowhere(behind, orthanc, tmp_path, kind):
    """Not on stdout, stderr at -vv with log_phi, in the report, `config show`, nor in the process'
    arguments."""
    server = behind(delay=0.02)
    server.state.bearer = login_server.PASSWORD.encode().decode('latin-1')
    path = tmp_path / 'trolley.ini'
    path.write_text('[settings]\nlog_phi = yes\n' + ini(server, kind))
    path.chmod(0o600)
    shown = program.run(['--config', path, 'config', 'show'], tmp_path)
    assert '***' in shown.stdout
    arguments, environments = set(), set()
    process = subprocess.Popen(
        [os.environ['TROLLEY'], '--config', path, '-vv', 'download', 'PatientID=PHANTOM',
         '--report', 'report.jsonl'], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**os.environ, 'HOME': str(tmp_path)})
    while process.poll() is None:
        for entry in ('cmdline', 'environ'):
            try:
                text = pathlib.Path(f'/proc/{process.pid}/{entry}').read_bytes()
            except OSError:
                continue
            (arguments if entry == 'cmdline' else environments).add(text)
        time.sleep(0.02)
    output = process.stdout.read().decode()
    process.stdout.close()
    assert process.returncode == 0, output
    assert f'{kind}/dicom-web/studies' in output
    assert arguments
    report = (tmp_path / 'report.jsonl').read_text()
    everything = '\n'.join([shown.stdout, shown.stderr, output, report,
                            *map(os.fsdecode, arguments | environments)])
    for secret in derived(login_server.PASSWORD):
        assert secret not in everything


@pytest.mark.parametrize('kind', ['vitrea', 'impax', 'oauth2'])
def test_secrets_are_in_no_error(behind, trolley, kind):
    server = behind()
    text = '[settings]\nlog_phi = yes\n' + ini(server, kind, password='wr0ng-s3cret')
    done = trolley(text, '-vv', 'find')
    assert done.status == 4
    assert 's3cret' not in done.stdout + done.stderr


# ---- configuration

@pytest.mark.parametrize('kind, missing', [
    ('vitrea', 'login_url'), ('impax', 'wado_url'), ('oauth2', 'token_url'),
    ('oauth2', 'client_id'), ('oauth2', 'client_secret'), ('bearer', 'token')])
def test_missing_keys_are_named_before_anything_is_sent(behind, trolley, kind, missing):
    server = behind()
    lines = [line for line in ini(server, kind).splitlines()
             if not line.startswith(missing + ' ')]
    done = trolley('\n'.join(lines), 'find')
    assert done.status == 2, done.stderr
    assert missing in done.stderr
    assert not server.counts


@pytest.mark.parametrize('kind', ['vitrea', 'impax'])
def test_user_is_needed(behind, trolley, kind):
    server = behind()
    done = trolley(ini(server, kind).replace('user = reader\n', ''), 'find')
    assert done.status == 2
    assert 'needs' in done.stderr and 'user' in done.stderr
    assert not server.counts


@pytest.mark.parametrize('name', ['bearer', 'oauth2', 'vitrea', 'impax'])
def test_sample_section_names_the_plugin_and_passes_the_check(trolley, name):
    sample = trolley(None, 'config', 'example', name).stdout
    assert f'[session my-{name}]' in sample and f'\nauth = {name}\n' in sample
    sample = sample.replace(';user = TEXT', 'user = TEXT')
    text = sample + f'[searcher s]\ntype = qido-rs\nurl = https://x\nsession = my-{name}\n'
    done = trolley(text, 'config', 'check')
    assert done.status == 0, done.stderr


def test_sample_of_everything_repeats_no_section(trolley):
    sample = trolley(None, 'config', 'example').stdout
    heads = [line for line in sample.splitlines() if line.startswith('[')]
    assert len(set(heads)) == len(heads)


def test_manual_s_blocks_pass_the_check(trolley):
    readme = pathlib.Path(__file__).resolve().parents[2] / 'plugins' / 'auth' / 'README.md'
    blocks = re.findall(r'^```ini\n(.*?)^```$', readme.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        done = trolley(block, 'config', 'check')
        assert done.status == 0, done.stderr
