"""Keys of [session NAME] as the program reads them from an INI file, each by what the server sees
or by what becomes of the command. TLS keys and http_version: test_nginx_tls.py; log-in plugins:
test_auth.py. SPDX-License-Identifier: MIT"""

import os
import pathlib
import shutil
import socket
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))
import http_server  # noqa: E402
from proxy_server import ProxyServer  # noqa: E402

INI = """
[session pacs]
{keys}

[searcher search]
type = qido-rs
url = {url}
session = pacs
max_retries = 0

[trolley web]
searcher = search
"""
DICOM_JSON = 'application/dicom+json'
EMPTY = b'[' + b' ' * 199990 + b']'


class Handler(http_server.Handler):
    """Every path answers with an empty list of studies where the fixture's own would echo."""

    def dispatch(self):
        self.server.state.fields.append({name.lower(): value
                                         for name, value in self.headers.items()})
        super().dispatch()

    do_GET = do_HEAD = dispatch

    def do_echo(self, *_):
        self.answer(200, b'[]', DICOM_JSON)

    def do_basic(self, *_):
        super().do_basic()

    def do_digest(self, *_):
        super().do_digest()

    def do_refused(self, *_):
        self.refuse(self.option('scheme'))

    def do_redirect(self, *_):
        super().do_redirect()

    def do_padded(self, *_):
        self.answer(200, EMPTY, DICOM_JSON)

    def do_slow(self, *_):
        """Two seconds and more, never silent for long."""
        self.head(200, [('Content-Length', '24'), ('Content-Type', DICOM_JSON)])
        for byte in b'[' + b' ' * 22 + b']':
            self.wfile.write(bytes([byte]))
            time.sleep(0.1)

    def do_silent(self, *_):
        self.do_silence()


@pytest.fixture
def server():
    with http_server.HttpServer(handler=Handler) as one:
        one.state.fields = []
        yield one


@pytest.fixture
def find(trolley, server):
    """find(path, keys): asks the server with these session keys."""
    def call(path='/echo', keys='', **options):
        # Its own proxies are no part of the tests' environment.
        for name in ('http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY',
                     'NO_PROXY', 'all_proxy', 'ALL_PROXY'):
            os.environ.pop(name, None)
        return trolley(INI.format(url=path if path.startswith('http') else server.url + path, keys=keys),
                       'find', **options)
    return call


def test_header_may_be_repeated(find, server):
    done = find(keys='header = X-Api-Key: k1\nheader = X-Site: Ward 7')
    assert done.status == 0, done.stderr
    assert (server.state.fields[0]['x-api-key'], server.state.fields[0]['x-site']) == (
        'k1', 'Ward 7')


def test_header_without_colon_is_a_configuration_error(find, server):
    done = find(keys='header = X-Api-Key k1')
    assert done.status == 2, done.stderr
    assert not server.counts
    assert 'k1' not in done.stderr


def test_user_agent(find, server):
    assert find().status == 0
    assert find(keys='user_agent = ward/7').status == 0
    agents = [fields['user-agent'] for fields in server.state.fields]
    assert agents[0].startswith('trolley/') and agents[1] == 'ward/7'


@pytest.mark.parametrize('auth', ['basic', 'digest'])
def test_auth_user_and_password(find, server, auth):
    path = f'/{auth}?user=reader&password=s3cret'
    keys = f'auth = {auth}\nuser = reader\npassword = '
    assert find(path, keys + 's3cret').status == 0
    done = find(path, keys + 'wr0ng')
    assert done.status == 4
    assert 'check user and password of [session pacs]' in done.stderr
    assert 'wr0ng' not in done.stderr
    assert find(path).status == 4


@pytest.mark.parametrize('source', ['env', 'file', 'command'])
def test_password_from(find, tmp_path, source):
    (tmp_path / 'password').write_text('s3cret\n')
    value = {'env': 'TROLLEY_TEST_PASSWORD', 'file': 'password',
             'command': f'cat {tmp_path}/password'}[source]
    done = find('/basic?user=reader&password=s3cret',
                f'auth = basic\nuser = reader\npassword_{source} = {value}',
                environment={'TROLLEY_TEST_PASSWORD': 's3cret'})
    assert done.status == 0, done.stderr


def test_auth_netrc(find, tmp_path):
    path = '/basic?user=reader&password=s3cret'
    (tmp_path / '.netrc').write_text('machine 127.0.0.1 login reader password s3cret\n')
    assert find(path, 'auth = netrc').status == 0
    (tmp_path / '.netrc').write_text('machine 127.0.0.1 login reader password wr0ng\n')
    assert find(path, 'auth = netrc').status == 4


def test_auth_negotiate_asks_for_a_ticket(find, server):
    """Without a ticket nothing can be proved; the refusal names what to check."""
    done = find('/refused?scheme=Negotiate', 'auth = negotiate')
    assert done.status == 4, done.stderr
    assert 'check the Kerberos ticket' in done.stderr


def test_auth_unknown_is_a_configuration_error(find, server):
    done = find(keys='auth = basik')
    assert done.status == 2, done.stderr
    assert 'basik' in done.stderr
    assert not server.counts


def test_max_document(find):
    assert find('/padded').status == 0
    done = find('/padded', 'max_document = 100KiB')
    assert done.status == 1
    assert 'max_document of [session pacs]' in done.stderr


def test_max_rate(find):
    started = time.monotonic()
    assert find('/padded', 'max_rate = 100KiB').status == 0
    assert time.monotonic() - started >= 1.5


def test_idle_timeout(find):
    done = find('/silent', 'idle_timeout = 500ms')
    assert done.status == 1
    assert 'idle_timeout of [session pacs]' in done.stderr
    assert find('/slow', 'idle_timeout = 1500ms').status == 0


def test_total_timeout(find):
    done = find('/slow', 'total_timeout = 500ms')
    assert done.status == 1
    assert 'total_timeout of [session pacs]' in done.stderr


def test_connect_timeout(find):
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen(0)
        clients = [socket.socket() for _ in range(3)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        time.sleep(0.1)
        started = time.monotonic()
        done = find(f'http://127.0.0.1:{listener.getsockname()[1]}/x', 'connect_timeout = 500ms')
        assert time.monotonic() - started < 9  # the default is 10 s
        for client in clients:
            client.close()
    assert done.status == 1
    assert 'connect_timeout of [session pacs]' in done.stderr


# ---- proxy

def test_proxy(find, server):
    with ProxyServer() as proxy:
        done = find(keys=f'proxy = {proxy.url}\nauth = basic\nuser = u\npassword = p')
    assert done.status == 0, done.stderr
    (method, target, fields), = proxy.seen
    assert method == 'GET' and target.startswith(server.url + '/echo/studies')
    assert 'proxy-authorization' not in fields


def test_proxy_with_a_user(find):
    with ProxyServer(user='me:s3cret') as proxy:
        done = find(keys=f'proxy = http://me:s3cret@{proxy.address}')
        assert done.status == 0, done.stderr
        done = find(keys=f'proxy = http://me:wr0ng@{proxy.address}')
    assert done.status == 2
    assert 'check proxy of [session pacs]' in done.stderr
    assert 'wr0ng' not in done.stderr


def test_proxy_of_the_environment_and_none(find):
    with ProxyServer() as proxy:
        environment = {'http_proxy': proxy.url}
        assert find(environment=environment).status == 0
        assert len(proxy.seen) == 1
        assert find(keys='proxy = none', environment=environment).status == 0
        assert len(proxy.seen) == 1


def test_proxy_that_is_gone(find, server):
    with ProxyServer() as proxy:
        address = proxy.url
    done = find(keys=f'proxy = {address}')
    assert done.status == 1
    assert not server.counts


def test_other_servers_get_no_credentials(find, server):
    """By redirect: neither log-in, nor header, nor cookie."""
    path = f'/redirect?to={server.other_url}/echo'
    done = find(path, 'auth = basic\nuser = u\npassword = p\nheader = X-Api-Key: k1')
    assert done.status == 0, done.stderr
    first, second = server.state.fields
    assert {'authorization', 'x-api-key'} <= set(first)
    assert not {'authorization', 'x-api-key', 'cookie'} & set(second)


@pytest.mark.parametrize('elsewhere, told', [('{other}/echo', False), ('{own}/echo', True)])
def test_only_the_section_s_own_server_gets_credentials(trolley, server, tmp_path, elsewhere, told):
    """A plugin may follow an address that a server's answer named; the session does not."""
    plugins = tmp_path / 'plugins'
    plugins.mkdir(mode=0o755)
    shutil.copy(pathlib.Path(os.environ['BUILDDIR']) / 'tests/plugins/.libs/stray.so', plugins)
    elsewhere = elsewhere.format(own=server.url, other=server.other_url)
    keys = 'auth = basic\nuser = u\npassword = p\nheader = X-Api-Key: k1'
    text = f'[settings]\nplugin_path = {plugins}\n' + INI.format(
        url=f'{server.url}/echo\nelsewhere = {elsewhere}', keys=keys)
    done = trolley(text.replace('qido-rs', 'stray'), 'find')
    assert done.status == 0, done.stderr
    first, second = server.state.fields
    assert {'authorization', 'x-api-key'} <= set(first)
    assert ({'authorization', 'x-api-key'} & set(second) != set()) == told
