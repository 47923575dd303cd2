"""TLS, client certificates and HTTP/2 against a real nginx in front of a real Orthanc that wants a
password. SPDX-License-Identifier: MIT"""

import pathlib
import sys

import pytest

import nginx as nginx_server
import program
from nginx import Authority, Nginx, Site

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))
from proxy_server import ProxyServer  # noqa: E402

INI = """
[session pacs]
auth = basic
user = reader
password = {password}
{tls}

[searcher search]
type = qido-rs
url = {url}/dicom-web
session = pacs
max_retries = 0

[downloader fetch]
type = wado-rs
url = {url}/dicom-web
session = pacs
max_retries = 0

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


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('authority'))


@pytest.fixture(scope='module')
def stranger(tmp_path_factory):
    """An authority that nobody here trusts."""
    return Authority(tmp_path_factory.mktemp('stranger'))


@pytest.fixture(scope='module')
def proxy(tmp_path_factory, authority, orthanc_locked):
    if nginx_server.find_program() is None:
        pytest.fail('nginx is needed: apt-get install nginx')
    good = authority.issue('good', 'localhost')
    server = Nginx(tmp_path_factory.mktemp('nginx'), orthanc_locked.root, [
        Site('guarded', good, client_ca=authority.certificate),
        Site('open', good),
        Site('old', good, http2=False),
        Site('wrong', authority.issue('wrong', 'elsewhere.example')),
        Site('expired', authority.issue('expired', 'localhost', expired=True)),
    ])
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def ask(proxy, authority, trolley):
    """ask(site, tls, *arguments): runs the program against a site."""
    def call(site, tls='', *arguments, password='secret', ca=True, without=''):
        if ca:
            tls += f'\nca_file = {authority.certificate}'
        text = INI.format(url=proxy.sites[site].url, password=password, tls=tls)
        return trolley(text.replace(without, ''), *(arguments or ('find',)))
    return call


def client_keys(pair):
    return f'client_cert = {pair[0]}\nclient_key = {pair[1]}'


def test_download_over_http2_with_a_client_certificate(ask, proxy, authority, home, phantoms):
    done = ask('guarded', client_keys(authority.issue('client')), 'download', 'PatientID=OTHER')
    assert done.status == 0, done.stderr
    expected = phantoms.of('OTHER')
    assert program.files_below(home) == sorted(one.in_tree for one in expected)
    assert all((home / one.in_tree).read_bytes() == one.path.read_bytes() for one in expected)
    requests = proxy.requests('guarded', 2)
    assert {(one['protocol'], one['client']) for one in requests} == {('HTTP/2.0', 'SUCCESS')}
    assert {one['status'] for one in requests} == {200}


def test_client_certificate_and_key_in_one_file(ask, authority, tmp_path):
    certificate, key = authority.issue('both')
    both = tmp_path / 'both.pem'
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    assert ask('guarded', f'client_cert = {both}').status == 0


def test_without_client_certificate(ask):
    """nginx says so with 400; it is a refused log-in all the same."""
    done = ask('guarded')
    assert done.status == 4, done.stderr
    assert 'No required SSL certificate was sent' in done.stderr
    assert 'set client_cert of [session pacs]' in done.stderr


@pytest.mark.parametrize('searcher', ['searcher = search\n', ''])
def test_without_client_certificate_nobody_asks_twice(ask, proxy, home, phantoms, searcher):
    """qido-rs takes other 400s for a refused relational query, wado-rs for a refused Accept."""
    before = len(proxy.requests('guarded'))
    done = ask('guarded', '', 'download', '--study', phantoms.of('OTHER')[0].study,
               without='' if searcher else 'searcher = search\n')
    assert done.status == 4, done.stderr
    assert 'set client_cert of [session pacs]' in done.stderr
    assert not home.exists() or program.files_below(home) == []
    assert {one['status'] for one in proxy.requests('guarded', before + 1)[before:]} == {400}
    assert len(proxy.requests('guarded')) == before + 1


def test_client_certificate_of_a_stranger(ask, stranger):
    done = ask('guarded', client_keys(stranger.issue('client')))
    assert done.status == 4, done.stderr
    assert 'SSL certificate error' in done.stderr
    assert 'check client_cert of [session pacs]' in done.stderr


def test_client_key_of_another_certificate(ask, authority):
    certificate, _ = authority.issue('one')
    _, key = authority.issue('two')
    done = ask('guarded', client_keys((certificate, key)))
    assert done.status == 2, done.stderr
    assert 'client_cert' in done.stderr


def test_without_ca_file_the_server_is_a_stranger(ask):
    done = ask('open', ca=False)
    assert done.status == 1, done.stderr
    assert 'check ca_file of [session pacs]' in done.stderr


def test_ca_file_replaces_the_system_s(ask, stranger):
    done = ask('open', f'ca_file = {stranger.certificate}', ca=False)
    assert done.status == 1, done.stderr
    assert 'check ca_file of [session pacs]' in done.stderr


def test_ca_file_that_is_none(ask, tmp_path):
    (tmp_path / 'none.pem').write_text('nothing\n')
    done = ask('open', 'ca_file = none.pem', ca=False)
    assert done.status == 2, done.stderr
    assert 'ca_file' in done.stderr


@pytest.mark.parametrize('site', ['wrong', 'expired'])
def test_bad_certificates_are_refused_before_any_request(ask, proxy, site):
    before = len(proxy.requests(site))
    done = ask(site)
    assert done.status == 1, done.stderr
    assert 'check ca_file of [session pacs]' in done.stderr
    assert len(proxy.requests(site)) == before


@pytest.mark.parametrize('site', ['wrong', 'expired', 'open'])
def test_verify_no_takes_any_certificate_and_says_so(ask, site):
    done = ask(site, 'verify = no', ca=False)
    assert done.status == 0, done.stderr
    assert 'verify = no: any server may pose as the right one' in done.stderr


@pytest.mark.parametrize('site, keys, protocol', [
    ('open', '', 'HTTP/2.0'), ('open', 'http_version = 1.1', 'HTTP/1.1'),
    ('open', 'http_version = 2', 'HTTP/2.0'), ('old', '', 'HTTP/1.1'),
    ('old', 'http_version = 2', 'HTTP/1.1')])
def test_http_version(ask, proxy, site, keys, protocol):
    before = len(proxy.requests(site))
    done = ask(site, keys)
    assert done.status == 0, done.stderr
    assert {one['protocol'] for one in proxy.requests(site, before + 1)[before:]} == {protocol}


def test_wrong_password_is_status_4(ask, proxy, home):
    before = len(proxy.requests('open'))
    done = ask('open', '', 'download', 'PatientID=OTHER', password='wr0ng')
    assert done.status == 4, done.stderr
    assert 'check user and password of [session pacs]' in done.stderr
    assert [one['status'] for one in proxy.requests('open', before + 1)[before:]] == [401]
    assert not home.exists() or program.files_below(home) == []


def test_tunnel_through_a_proxy(ask, proxy, authority):
    """The proxy sees where the tunnel leads to and its own password, nothing of the server's."""
    with ProxyServer(user='me:pr0xy') as tunnel:
        keys = client_keys(authority.issue('tunnelled'))
        done = ask('guarded', f'{keys}\nproxy = http://me:pr0xy@{tunnel.address}')
        assert done.status == 0, done.stderr
        assert {(method, target) for method, target, _ in tunnel.seen} == {
            ('CONNECT', f'localhost:{proxy.sites["guarded"].port}')}
        assert all('authorization' not in fields for _, _, fields in tunnel.seen)
        done = ask('open', f'proxy = http://me:wr0ng@{tunnel.address}')
    assert done.status == 1, done.stderr
    assert '407' in done.stderr
    assert 'wr0ng' not in done.stderr
