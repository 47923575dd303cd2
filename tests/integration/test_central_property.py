"""The central property: one study, every searcher and every downloader of the tree, one line of the
INI file changed at a time. Downloaders over HTTP and from disk give the files bit for bit; C-GET and
C-MOVE the same elements, group lengths, padding and the encoding of lengths aside; metadata the same
attributes without bulk data. SPDX-License-Identifier: MIT"""

import json
import pathlib
import shutil
import sys
from dataclasses import dataclass

import pydicom
import pytest

from conftest import read_instance, started
from orthanc import free_port
from program import files_below, scratch_files
from test_dimse_get import compare
from test_metadata import differences

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))
import mint_server  # noqa: E402  pylint: disable=wrong-import-position
import rad69_server  # noqa: E402  pylint: disable=wrong-import-position

# Every section that a run may need; a run differs from another in one line of [trolley t].
INI = """
[searcher folder]
type = folder
path = {files}

[searcher qido-rs]
type = qido-rs
url = {web}

[searcher dicom-qr]
type = dicom-qr
host = 127.0.0.1
port = {dicom}
called_ae = ORTHANC

[searcher dicom-qr-qrscp]
type = dicom-qr
host = 127.0.0.1
port = {qrscp}
called_ae = PACS

[searcher mint]
type = mint
url = {mint}/vitrea

[searcher cached]
type = cached
searcher = qido-rs

[downloader folder]
type = folder
path = {files}

[downloader wado-rs]
type = wado-rs
url = {web}

[downloader wado-uri]
type = wado-uri
url = {wado}

[downloader rad69]
type = rad69
url = {rad69}/ok

[downloader wado-rs-metadata]
type = wado-rs-metadata
url = {web}

[downloader c-get]
type = c-get
host = 127.0.0.1
port = {dicom}
called_ae = ORTHANC

[downloader c-move]
type = c-move
host = 127.0.0.1
port = {dicom}
called_ae = ORTHANC
listen_address = 127.0.0.1
listen_port = {listen}

[downloader c-get-qrscp]
type = c-get
host = 127.0.0.1
port = {qrscp}
called_ae = PACS

[downloader c-move-qrscp]
type = c-move
host = 127.0.0.1
port = {qrscp}
called_ae = PACS
listen_address = 127.0.0.1
listen_port = {listen}

[storage home]
type = tree
path = home
min_free = 0

[trolley t]
searcher = qido-rs
downloader = wado-rs
storage = home
"""

# What comes of a downloader: `bytes`, `elements` or `attributes`.
DOWNLOADERS = {'folder': 'bytes', 'wado-rs': 'bytes', 'wado-uri': 'bytes', 'rad69': 'bytes',
               'c-get': 'elements', 'c-move': 'elements', 'c-get-qrscp': 'elements',
               'c-move-qrscp': 'elements', 'wado-rs-metadata': 'attributes'}
SEARCHERS = ['folder', 'qido-rs', 'dicom-qr', 'dicom-qr-qrscp', 'mint', 'cached']

# Real files of python3-pydicom: CT and MR, compressed, deflated, big endian, multi-frame, RT, a
# report, text in other scripts.
REAL = ['CT_small.dcm', 'MR_small.dcm', 'MR_small_bigendian.dcm', 'JPEG2000.dcm', 'JPEG-lossy.dcm',
        'image_dfl.dcm', 'rtplan.dcm', 'rtdose.dcm', 'reportsi.dcm', 'color3d_jpeg_baseline.dcm',
        'chrH31.dcm', 'chrGreek.dcm', 'chrRuss.dcm']


@dataclass(frozen=True)
class World:
    """The same files at every server."""
    ini: str
    orthanc: object
    files: dict  # SOP Instance UID to Instance

    def with_line(self, key, name):
        """The INI text with another value of one key of [trolley t]."""
        lines = self.ini.splitlines()
        start = lines.index('[trolley t]')
        at = next(i for i in range(start, len(lines)) if lines[i].startswith(key + ' = '))
        lines[at] = f'{key} = {name}'
        return '\n'.join(lines) + '\n'


def mint_archive(instances):
    """The same studies as MINT tells them."""
    studies, series = {}, {}
    for instance in instances:
        header = pydicom.dcmread(instance.path, stop_before_pixels=True)
        if instance.study not in studies:
            values = {word: str(header.get(word) or '') for word in (
                'StudyInstanceUID', 'PatientID', 'PatientName', 'AccessionNumber', 'StudyDate')}
            studies[instance.study] = mint_server.Node(
                values, [], f'00000000-0000-0000-0000-{len(studies):012}',
                '2026-11-01T00:00:00.000Z')
        if instance.series not in series:
            series[instance.series] = mint_server.Node(
                {'SeriesInstanceUID': instance.series, 'Modality': str(header.get('Modality', '')),
                 'SeriesDescription': str(header.get('SeriesDescription') or '')})
            studies[instance.study].children.append(series[instance.series])
        series[instance.series].children.append(mint_server.Node(
            {'SOPInstanceUID': instance.uid, 'SOPClassUID': str(header.SOPClassUID),
             'TransferSyntaxUID': str(header.file_meta.TransferSyntaxUID),
             'InstanceNumber': str(header.get('InstanceNumber') or '')}))
    return list(studies.values())


def real_files(sample_files):
    """Those of REAL that are there, one an instance UID."""
    by_name = {path.name: path for path in sample_files}
    found = {}
    for name in REAL:
        if name in by_name:
            instance = read_instance(by_name[name])
            found.setdefault(instance.uid, instance)
    return list(found.values())


@pytest.fixture(scope='module')
def world(tmp_path_factory, phantoms, sample_files, qrscp, listen_port):
    """dcmqrscp holds the phantoms alone: as it is configured, it takes nothing compressed."""
    instances = phantoms.of('PHANTOM') + real_files(sample_files)
    folder = tmp_path_factory.mktemp('world')
    files = folder / 'files'
    files.mkdir()
    for number, instance in enumerate(instances):
        shutil.copy(instance.path, files / f'{number:03}.dcm')
    server = started(folder / 'orthanc', DicomModalities={
        'trolley': {'AET': 'TROLLEY', 'Host': '127.0.0.1', 'Port': listen_port, 'AllowGet': True}})
    try:
        server.upload([instance.path for instance in instances])
        with mint_server.MintServer(mint_archive(instances)) as mint, \
                rad69_server.Rad69Server([instance.path for instance in instances]) as rad69:
            yield World(INI.format(files=files, web=server.dicom_web, wado=server.root + '/wado',
                                   dicom=server.dicom_port, qrscp=qrscp.port, mint=mint.url,
                                   rad69=rad69.url, listen=listen_port),
                        server, {instance.uid: instance for instance in instances})
    finally:
        server.stop()


def check_bytes(world, folder, path, instance):
    assert path == instance.in_tree
    assert (folder / path).read_bytes() == instance.path.read_bytes()


def check_elements(world, folder, path, instance):
    assert path == instance.in_tree
    assert compare(pydicom.dcmread(folder / path), pydicom.dcmread(instance.path)), path


def check_attributes(world, folder, path, instance):
    assert path == instance.in_tree.with_name(instance.uid + '.metadata.dcm')
    sent = json.loads(world.orthanc.get(
        f'/dicom-web/studies/{instance.study}/series/{instance.series}/instances/{instance.uid}'
        '/metadata', accept='application/dicom+json'))
    metadata = pydicom.dcmread(folder / path)
    assert differences(pydicom.dcmread(instance.path), metadata, sent[0]) == []
    assert 'PixelData' not in metadata


CHECKS = {'bytes': check_bytes, 'elements': check_elements, 'attributes': check_attributes}


def check(world, folder, kind, instances):
    """Exactly these instances, each as the downloader's kind promises."""
    paths = files_below(folder)
    assert len(paths) == len(instances)
    expected = {instance.in_tree.parent / instance.uid: instance for instance in instances}
    for path in paths:
        uid = path.name.removesuffix('.dcm').removesuffix('.metadata')
        CHECKS[kind](world, folder, path, expected[path.parent / uid])
    assert scratch_files(folder) == []


def test_one_line_is_all_that_differs(world):
    for key, names in (('searcher', SEARCHERS), ('downloader', DOWNLOADERS)):
        for name in names:
            old, new = world.ini.splitlines(), world.with_line(key, name).splitlines()
            assert len(old) == len(new)
            assert sum(a != b for a, b in zip(old, new)) <= 1


@pytest.mark.parametrize('downloader', DOWNLOADERS)
@pytest.mark.parametrize('searcher', SEARCHERS)
def test_one_study(trolley, world, phantoms, home, searcher, downloader):
    """Every pair. The study's instances are named by the searcher, whose word is the verdict's."""
    study = phantoms.studies('PHANTOM')[0]
    expected = phantoms.of_study(study)
    ini = World(world.with_line('searcher', searcher), world.orthanc, world.files).with_line(
        'downloader', downloader)
    result = trolley(ini, 'download', '--study', study)
    assert result.status == 0, result.stderr
    assert result.verdict().startswith(
        f'complete: {len(expected)} of {len(expected)} instances ({len(expected)} stored, ')
    check(world, home, DOWNLOADERS[downloader], expected)


@pytest.mark.parametrize('downloader', [
    name for name in DOWNLOADERS if not name.endswith('qrscp')])
def test_real_files(trolley, world, home, downloader):
    """Any transfer syntax, any kind of object, by every downloader whose server holds them."""
    expected = [i for i in world.files.values() if not i.patient == 'PHANTOM']
    assert len(expected) > 8
    if downloader == 'wado-rs-metadata':
        expected = [i for i in expected if 'H31' not in i.path.name]  # a set that Orthanc lacks
    studies = 'StudyInstanceUID\n' + '\n'.join(sorted({i.study for i in expected})) + '\n'
    result = trolley(world.with_line('downloader', downloader), 'download', '--from', '-',
                     stdin=studies)
    assert result.status == 0, result.stderr
    check(world, home, DOWNLOADERS[downloader], expected)


@pytest.mark.parametrize('level, count', [('study', 3), ('series', 6), ('instance', 24)])
def test_same_answers(trolley, world, level, count):
    """Every searcher names the same objects with the same values."""
    fields = {'study': ['StudyInstanceUID', 'StudyDate', 'PatientID', 'AccessionNumber'],
              'series': ['StudyInstanceUID', 'SeriesInstanceUID', 'Modality'],
              'instance': ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID',
                           'InstanceNumber']}[level]
    answers = {}
    for searcher in SEARCHERS:
        result = trolley(world.with_line('searcher', searcher), 'find', 'PatientID=PHANTOM',
                         '--level', level, '--format', 'csv', '--fields', ','.join(fields),
                         '--include', ','.join(f for f in fields if not f.endswith('UID')))
        assert result.status == 0, result.stderr
        answers[searcher] = sorted(tuple(row[field] for field in fields) for row in result.rows())
        assert len(answers[searcher]) == count
    for searcher in SEARCHERS:
        assert answers[searcher] == answers['folder'], searcher


def test_gaps_are_filled_by_any_other(trolley, world, phantoms, home):
    """A list of downloaders, the first of which gives nothing: still one line."""
    ini = world.with_line('downloader', 'c-get, wado-rs').replace(
        f'port = {world.orthanc.dicom_port}\ncalled_ae = ORTHANC', f'port = {free_port()}\n'
        'called_ae = ORTHANC\nmax_retries = 0')
    study = phantoms.studies('PHANTOM')[1]
    result = trolley(ini, 'download', '--study', study)
    assert result.status == 0, result.stderr
    check(world, home, 'bytes', phantoms.of_study(study))
