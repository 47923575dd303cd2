"""Fixtures: a real Orthanc, studies, and the program. SPDX-License-Identifier: MIT"""

import contextlib
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

import pydicom
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))
import fault_server as faults
import dimse_servers
import orthanc as orthanc_server
import program

WEB = """
[searcher search]
type = qido-rs
url = {url}

[downloader fetch]
type = wado-rs
url = {url}

[storage home]
type = tree
path = home
min_free = 0

[trolley web]
searcher = search
downloader = fetch
storage = home
"""

FOLDER = """
[searcher search]
type = folder
path = {path}

[downloader fetch]
type = folder
path = {path}

[storage home]
type = tree
path = home
min_free = 0

[trolley disk]
searcher = search
downloader = fetch
storage = home
"""


@dataclass(frozen=True)
class Instance:
    path: pathlib.Path
    patient: str
    study: str
    series: str
    uid: str

    @property
    def in_tree(self):
        """Where the storage `tree` puts it."""
        return pathlib.Path(self.study) / self.series / (self.uid + '.dcm')


def read_instance(path):
    header = pydicom.dcmread(path, stop_before_pixels=True)
    return Instance(path, header.PatientID, header.StudyInstanceUID, header.SeriesInstanceUID,
                    header.SOPInstanceUID)


def make_phantom(folder, *options):
    """Runs `phantom`; the files are read-only afterwards."""
    subprocess.run([os.path.join(os.environ['BUILDDIR'], 'phantom'), '--out', str(folder),
                    *map(str, options)], check=True, timeout=120)
    paths = sorted(folder.rglob('*.dcm'))
    for path in paths:
        path.chmod(0o444)
    return [read_instance(path) for path in paths]


@dataclass(frozen=True)
class Phantoms:
    """Two patients: PHANTOM has 3 studies of 2 series of 4 slices, OTHER one of 1 x 2."""
    folder: pathlib.Path
    instances: list

    def of(self, patient):
        return [instance for instance in self.instances if instance.patient == patient]

    def studies(self, patient):
        return sorted({instance.study for instance in self.of(patient)})

    def of_study(self, study):
        return [instance for instance in self.instances if instance.study == study]


@pytest.fixture(scope='session')
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp('phantoms')
    first = make_phantom(folder / 'a', '--studies', 3, '--series', 2, '--instances', 4)
    other = make_phantom(folder / 'b', '--studies', 1, '--series', 1, '--instances', 2,
                         '--patient', 'OTHER', '--seed', 2)
    return Phantoms(folder, first + other)


@pytest.fixture(scope='session')
def sample_files():
    """Real DICOM files that python3-pydicom brings; nothing is fetched."""
    data = pathlib.Path(pydicom.__file__).parent / 'data'
    return sorted(path for path in data.rglob('*')
                  if path.is_file() and path.read_bytes()[128:132] == b'DICM')


def started(folder, **options):
    if orthanc_server.find_program() is None or not os.path.exists(orthanc_server.PLUGIN):
        pytest.fail('Orthanc with its DICOMweb plugin is needed: '
                    'apt-get install orthanc orthanc-dicomweb')
    return orthanc_server.Orthanc(folder, **options).start()


@pytest.fixture(scope='session')
def orthanc(tmp_path_factory, phantoms):
    """A server that holds the phantoms. Tests only read from it."""
    server = started(tmp_path_factory.mktemp('orthanc'))
    try:
        files = [instance.path for instance in phantoms.instances]
        assert server.upload(files) == len(files)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope='session')
def orthanc_samples(tmp_path_factory, sample_files, listen_port):
    """A server that holds the real files it accepts (a DICOMDIR, for one, is refused), one an
    instance UID: asked for an instance that two patients share, Orthanc answers 404. It sends to
    TROLLEY by C-MOVE."""
    server = started(tmp_path_factory.mktemp('orthanc-samples'),
                     DicomModalities={'trolley': {'AET': 'TROLLEY', 'Host': '127.0.0.1',
                                                  'Port': listen_port, 'AllowGet': True}})
    try:
        uids = {}
        for path in sample_files:
            header = pydicom.dcmread(path, stop_before_pixels=True)
            uids.setdefault(header.get('SOPInstanceUID'), path)
        for path in uids.values():
            if path.name == 'SC_rgb_jpeg.dcm':  # Orthanc thinks for ten seconds and refuses it
                continue
            try:
                server.upload([path])
            except orthanc_server.urllib.error.HTTPError:
                pass
        yield server
    finally:
        server.stop()


@pytest.fixture(scope='session')
def orthanc_locked(tmp_path_factory, phantoms):
    """A server that wants basic authentication: reader, secret."""
    server = started(tmp_path_factory.mktemp('orthanc-locked'), users={'reader': 'secret'})
    try:
        server.upload([instance.path for instance in phantoms.of('OTHER')])
        yield server
    finally:
        server.stop()


@pytest.fixture
def fault_server(phantoms):
    """fault_server(fault, files=None): a DICOMweb origin that holds the phantoms, or those files, and
    has the fault of that name; tests/servers/README.md tells them all. Stopped after the test."""
    with contextlib.ExitStack() as stack:
        def start(fault, files=None):
            paths = files or [instance.path for instance in phantoms.instances]
            return stack.enter_context(faults.fault_server(fault, paths))
        yield start


@pytest.fixture
def web_ini(orthanc):
    return WEB.format(url=orthanc.dicom_web)


@pytest.fixture
def folder_ini(phantoms):
    return FOLDER.format(path=phantoms.folder)


@pytest.fixture
def trolley(tmp_path):
    """trolley(ini, *arguments): runs the program with that INI text, None for no --config."""
    def call(ini, *arguments, **options):
        configuration = []
        if ini is not None:
            path = tmp_path / 'trolley.ini'
            path.write_text(ini, encoding='utf-8')
            path.chmod(0o600)
            configuration = ['--config', path]
        return program.run([*configuration, *arguments], tmp_path, **options)
    return call


@pytest.fixture
def home(tmp_path):
    """Where the storage of the sample INI texts lies."""
    return tmp_path / 'home'


# ---- DIMSE ----

DIMSE = """
[searcher search]
type = dicom-qr
host = 127.0.0.1
port = {port}
called_ae = {ae}

[downloader get]
type = c-get
host = 127.0.0.1
port = {port}
called_ae = {ae}

[downloader move]
type = c-move
host = 127.0.0.1
port = {port}
called_ae = {ae}
listen_address = 127.0.0.1
listen_port = {listen}

[storage home]
type = tree
path = home
min_free = 0

[trolley dimse]
searcher = search
downloader = get
storage = home
"""


@pytest.fixture(scope='session')
def listen_port():
    """Where the storage SCP of c-move is known to the servers."""
    return orthanc_server.free_port()


@pytest.fixture(scope='session')
def qrscp(tmp_path_factory, phantoms, listen_port):
    """A dcmqrscp that holds the phantoms and knows TROLLEY, and NOWHERE where nobody listens."""
    server = dimse_servers.Qrscp(tmp_path_factory.mktemp('qrscp'),
                                 {'TROLLEY': listen_port, 'NOWHERE': orthanc_server.free_port()})
    server.start()
    try:
        server.store([instance.path for instance in phantoms.instances])
        yield server
    finally:
        server.stop()


@pytest.fixture
def qr_ini(qrscp, listen_port):
    return DIMSE.format(port=qrscp.port, ae='PACS', listen=listen_port)


@pytest.fixture
def peer_ini(listen_port):
    """peer_ini(peer): the INI text for a scripted peer."""
    def text(peer):
        ini = DIMSE.format(port=peer.port, ae='PEER', listen=listen_port)
        return ini.replace('called_ae = PEER', 'called_ae = PEER\ndimse_timeout = 3s\n'
                           'acse_timeout = 3s\nmax_retries = 0')
    return text


@pytest.fixture(scope='session')
def orthanc_dimse(tmp_path_factory, phantoms, listen_port):
    """A server that holds the phantoms and sends to TROLLEY by C-GET and C-MOVE."""
    server = started(tmp_path_factory.mktemp('orthanc-dimse'),
                     DicomModalities={'trolley': {'AET': 'TROLLEY', 'Host': '127.0.0.1',
                                                  'Port': listen_port, 'AllowGet': True}})
    try:
        server.upload([instance.path for instance in phantoms.instances])
        yield server
    finally:
        server.stop()
