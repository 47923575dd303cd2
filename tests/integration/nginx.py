"""A certificate authority of our own, and a real nginx with TLS in front of another server, on
loopback. SPDX-License-Identifier: MIT"""

import json
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass

from orthanc import clean_environment, free_port

AUTHORITY = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
default_days = 2
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""

MAIN = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 128; }}
http {{
    log_format told escape=json '{{"site":"$server_name","protocol":"$server_protocol",'
        '"status":$status,"client":"$ssl_client_verify","request":"$request"}}';
    access_log {folder}/access.log told;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""

SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl{http2};
        server_name {name};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        {client}
        location / {{
            proxy_pass {upstream};
            proxy_buffering off;
        }}
    }}
"""


def find_program():
    return shutil.which('nginx') or shutil.which('nginx', path='/usr/sbin:/usr/local/sbin')


class Authority:
    """Issues certificates; `certificate` is its own."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.key, self.certificate = folder / 'ca.key', folder / 'ca.pem'
        (folder / 'index.txt').write_text('')
        (folder / 'serial').write_text('01\n')
        (folder / 'ca.cnf').write_text(AUTHORITY.format(folder=folder))
        self.openssl('req', '-x509', *self.new_key(self.key), '-days', '2', '-out',
                     self.certificate, '-subj', '/CN=Tests')

    @staticmethod
    def new_key(path):
        return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path]

    @staticmethod
    def openssl(*arguments):
        subprocess.run(['openssl', *map(str, arguments)], check=True, capture_output=True,
                       env=clean_environment())

    def issue(self, name, host=None, expired=False):
        """Paths of a certificate for `host` (default: a client's) and of its key."""
        certificate, key = self.folder / f'{name}.pem', self.folder / f'{name}.key'
        request = self.folder / f'{name}.csr'
        subject = ['-addext', f'subjectAltName=DNS:{host}'] if host else []
        dates = ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'] if expired else []
        self.openssl('req', *self.new_key(key), '-out', request, '-subj', f'/CN={host or name}',
                     *subject)
        self.openssl('ca', '-batch', '-notext', '-config', self.folder / 'ca.cnf', '-cert',
                     self.certificate, '-keyfile', self.key, '-in', request, '-out', certificate,
                     *dates)
        return certificate, key


@dataclass
class Site:
    """One server of an nginx: its certificate, whose clients it wants, and what it speaks."""
    name: str
    certificate: tuple
    client_ca: object = None
    http2: bool = True
    port: int = 0

    @property
    def url(self):
        return f'https://localhost:{self.port}'

    def text(self, upstream):
        client = ''
        if self.client_ca:
            client = f'ssl_client_certificate {self.client_ca}; ssl_verify_client on;'
        return SERVER.format(port=self.port, name=self.name, certificate=self.certificate[0],
                             key=self.certificate[1], client=client, upstream=upstream,
                             http2=' http2' if self.http2 else '')


class Nginx:
    """nginx with `sites` in front of `upstream`, its files in `folder`."""

    def __init__(self, folder, upstream, sites):
        self.folder = folder
        self.upstream = upstream
        self.sites = {site.name: site for site in sites}
        self.process = None

    def start(self):
        """Another program may take a free port before nginx does, hence several attempts."""
        for _ in range(3):
            self.folder.mkdir(parents=True, exist_ok=True)
            for site in self.sites.values():
                site.port = free_port()
            servers = ''.join(site.text(self.upstream) for site in self.sites.values())
            (self.folder / 'nginx.conf').write_text(
                MAIN.format(folder=self.folder, servers=servers))
            self.process = subprocess.Popen(
                [find_program(), '-e', str(self.folder / 'error.log'), '-p', str(self.folder),
                 '-c', str(self.folder / 'nginx.conf')], stdin=subprocess.DEVNULL,
                stderr=(self.folder / 'stderr').open('w'), env=clean_environment())
            if self.ready():
                return self
            self.stop()
        raise RuntimeError('nginx did not start:\n' + (self.folder / 'stderr').read_text())

    def ready(self):
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            try:
                for site in self.sites.values():
                    socket.create_connection(('127.0.0.1', site.port), timeout=5).close()
                return True
            except OSError:
                time.sleep(0.05)
        return False

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        self.process.wait()
        self.process = None

    def requests(self, site, least=0):
        """What the access log tells of a site's requests, once it has `least` of them: a line is
        written after the answer."""
        end = time.monotonic() + 20
        while True:
            lines = (self.folder / 'access.log').read_text().splitlines()
            found = [entry for entry in map(json.loads, lines) if entry['site'] == site]
            if len(found) >= least or time.monotonic() > end:
                return found
            time.sleep(0.02)
