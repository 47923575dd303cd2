"""A real Orthanc with its DICOMweb plugin, on loopback. SPDX-License-Identifier: MIT"""

import base64
import json
import os
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

PLUGIN = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so'


def find_program():
    return shutil.which('Orthanc', path=os.environ.get('PATH', '') + ':/usr/sbin:/usr/local/sbin')


# Below the ports that the system gives to whoever asks for any, so that no connection gets one of them.
PORTS = range(10000, 32000)
KEPT = {}


def free_port():
    """A port of loopback that nobody listens on; it is this process's own until it ends. Tests run in
    several processes, and the server that is to listen there is yet to start: a socket named after the
    port, which the system takes back by itself, tells the others that it is taken."""
    for port in random.sample(PORTS, len(PORTS)):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f'\0trolley-tests-port-{port}')
            with socket.socket() as server:
                server.bind(('', port))
        except OSError:
            claim.close()
            continue
        KEPT[port] = claim
        return port
    raise RuntimeError('no free port')


def clean_environment():
    """The environment without what the program under test needs, for other programs."""
    return {key: value for key, value in os.environ.items()
            if key not in ('LD_LIBRARY_PATH', 'LD_PRELOAD') and not key.startswith('TROLLEY')}


class Orthanc:
    """One server with an empty store in `folder`. `users`: name to password, for basic auth."""

    def __init__(self, folder, users=None, **settings):
        self.folder = folder
        self.users = users or {}
        self.settings = settings
        self.process = None

    @property
    def root(self):
        return f'http://127.0.0.1:{self.port}'

    @property
    def dicom_web(self):
        return self.root + '/dicom-web'

    def start(self):
        """Another program may take a free port before Orthanc does, hence several attempts."""
        for _ in range(3):
            self.port, self.dicom_port = free_port(), free_port()
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / 'orthanc.json').write_text(json.dumps(self.configuration()))
            with (self.folder / 'orthanc.log').open('w') as log:
                self.process = subprocess.Popen(
                    [find_program(), str(self.folder / 'orthanc.json')], stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, cwd=self.folder, env=clean_environment())
            if self.ready():
                return self
            self.stop()
        raise RuntimeError('Orthanc did not start:\n' + (self.folder / 'orthanc.log').read_text())

    def configuration(self):
        return {
            'Name': 'trolley tests', 'DefaultEncoding': 'Utf8',
            'StorageDirectory': str(self.folder / 'store'),
            'IndexDirectory': str(self.folder / 'store'), 'SyncStorageArea': False,
            'Plugins': [PLUGIN], 'HttpPort': self.port, 'DicomPort': self.dicom_port,
            'RemoteAccessAllowed': False, 'AuthenticationEnabled': bool(self.users),
            'RegisteredUsers': self.users, 'DicomAet': 'ORTHANC', 'DicomCheckCalledAet': False,
            'UnknownSopClassAccepted': True, 'OverwriteInstances': True,
            'DicomWeb': {'Enable': True, 'Root': '/dicom-web/', 'EnableWado': True,
                         'WadoRoot': '/wado', 'Ssl': False},
            **self.settings,
        }

    def ready(self):
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.get('/dicom-web/studies?limit=1', accept='application/dicom+json')
                return True
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        return False

    def stop(self):
        if self.process is None:
            return
        self.process.kill()  # its store is thrown away
        self.process.wait()
        self.process = None

    def request(self, path, data=None, method=None, accept=None):
        request = urllib.request.Request(self.root + path, data=data, method=method)
        if accept:
            request.add_header('Accept', accept)
        for user, password in list(self.users.items())[:1]:
            token = base64.b64encode(f'{user}:{password}'.encode()).decode()
            request.add_header('Authorization', 'Basic ' + token)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers, answer.read()

    def get(self, path, accept=None):
        return self.request(path, accept=accept)[1]

    def upload(self, files):
        """Stores DICOM files by Orthanc's REST interface; returns how many it took as new."""
        new = 0
        for file in files:
            answer = json.loads(self.request('/instances', data=file.read_bytes())[1])
            new += answer['Status'] == 'Success'
        return new

    def instance(self, study, series, instance):
        """The bytes of one instance as WADO-RS sends them."""
        headers, body = self.request(
            f'/dicom-web/studies/{study}/series/{series}/instances/{instance}',
            accept='multipart/related; type="application/dicom"; transfer-syntax=*')
        return only_part(headers['Content-Type'], body)


def only_part(content_type, body):
    """The payload of a multipart message of one part. Written for what Orthanc sends."""
    boundary = content_type.partition('boundary=')[2].split(';')[0].strip('"').encode()
    head, separator, rest = body.partition(b'\r\n\r\n')
    end = rest.rindex(b'\r\n--' + boundary + b'--')
    assert head.lstrip().startswith(b'--' + boundary) and separator
    assert b'\r\n--' + boundary + b'\r\n' not in rest[:end], 'one part was asked for'
    return rest[:end]
