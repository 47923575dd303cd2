"""wado-uri and a real Orthanc. SPDX-License-Identifier: MIT"""

import pathlib
import sys

import pydicom
import pytest

from program import files_below, outcomes

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))
import http_server  # noqa: E402

INI = """
[searcher search]
type = qido-rs
url = {root}/dicom-web

[downloader fetch]
type = wado-uri
url = {root}/wado
{keys}

[storage home]
type = tree
path = home
min_free = 0

[trolley uri]
searcher = search
downloader = fetch
storage = home
"""


def uri_ini(server, *keys):
    return INI.format(root=server.root, keys='\n'.join(keys))


def test_U1_instances_bit_for_bit(trolley, orthanc, phantoms, home, tmp_path):
    expected = phantoms.of('PHANTOM')
    result = trolley(uri_ini(orthanc), 'download', 'PatientID=PHANTOM', '--report', 'report.jsonl')
    assert result.status == 0, result.stderr
    assert result.verdict().startswith('complete: 24 of 24 instances (24 stored, ')
    assert files_below(home) == sorted(i.in_tree for i in expected)
    for instance in expected:
        assert (home / instance.in_tree).read_bytes() == instance.path.read_bytes()
    again = trolley(uri_ini(orthanc), 'download', 'PatientID=PHANTOM')
    assert '(0 stored, 24 skipped, ' in again.verdict()


def test_U2_transfer_syntax(trolley, orthanc, phantoms, home):
    """Orthanc 1.10.1 takes the parameter; what it cannot make of it is an error of its own."""
    result = trolley(uri_ini(orthanc, 'transfer_syntax = 1.2.840.10008.1.2.1'), 'download',
                     'PatientID=OTHER')
    assert result.status == 0, result.stderr
    for path in files_below(home):
        assert pydicom.dcmread(home / path).file_meta.TransferSyntaxUID == '1.2.840.10008.1.2.1'


def test_U3_one_failure_does_not_stop_the_rest(trolley, orthanc, phantoms, home, tmp_path):
    known = phantoms.of('OTHER')
    lines = ['StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID']
    lines += [','.join((i.study, i.series, uid)) for i in known for uid in (i.uid + '.9', i.uid)]
    result = trolley(uri_ini(orthanc), 'download', '--from', '-', '--report', 'report.jsonl',
                     stdin='\n'.join(lines) + '\n')
    assert result.status == 3, result.stderr
    fates = {line['instance']: line['outcome'] for line in outcomes(tmp_path / 'report.jsonl')}
    assert fates == {i.uid: 'stored' for i in known} | {i.uid + '.9': 'missing' for i in known}
    assert files_below(home) == sorted(i.in_tree for i in known)


@pytest.mark.parametrize('kind, suffix, magic', [
    ('jpeg', '.jpg', b'\xff\xd8\xff'), ('png', '.png', b'\x89PNG\r\n')])
def test_U4_rendered(trolley, orthanc, phantoms, home, tmp_path, kind, suffix, magic):
    ini = uri_ini(orthanc, 'content_type = image/' + kind)
    expected = sorted(i.in_tree.with_name(i.uid + '.rendered' + suffix)
                      for i in phantoms.of('OTHER'))
    result = trolley(ini, 'download', 'PatientID=OTHER', '--report', 'report.jsonl')
    assert result.status == 0, result.stderr
    assert result.verdict().startswith('complete: 2 of 2 instances (2 stored, 0 skipped, ')
    assert files_below(home) == expected
    for path in expected:
        assert (home / path).read_bytes().startswith(magic)
    assert {line['variant'] for line in outcomes(tmp_path / 'report.jsonl')} == {'rendered'}
    times = {path: (home / path).stat().st_mtime_ns for path in expected}
    again = trolley(ini, 'download', 'PatientID=OTHER', '--report', 'report.jsonl')
    assert again.verdict().startswith('complete: 2 of 2 instances (0 stored, 2 skipped, '), \
        again.stderr
    assert {line['outcome'] for line in outcomes(tmp_path / 'report.jsonl')} == {'skipped'}
    assert {path: (home / path).stat().st_mtime_ns for path in expected} == times


class Recorder(http_server.Handler):
    """Keeps what it is asked for, and has nothing."""

    def dispatch(self):
        self.server.state.count(self.path)
        self.answer(404, b'not here', 'text/plain')

    do_GET = dispatch


UIDS = 'studyUID=1.2&seriesUID=1.2.3&objectUID=1.2.3.4'


@pytest.mark.parametrize('base, keys, query', [
    ('/wado', [], f'requestType=WADO&{UIDS}&contentType=application/dicom'),
    ('/w?site=7&x=', [], f'site=7&x=&requestType=WADO&{UIDS}&contentType=application/dicom'),
    ('/wado', ['transfer_syntax = 1.2.840.10008.1.2.1', 'anonymize = yes'],
     f'requestType=WADO&{UIDS}&contentType=application/dicom'
     '&transferSyntax=1.2.840.10008.1.2.1&anonymize=yes'),
    ('/wado', ['content_type = image/jpeg', 'frame = 2', 'rows = 100', 'columns = 200',
               'region = 0,0.25,0.5,1', 'window_center = -40.5', 'window_width = 400',
               'image_quality = 90'],
     f'requestType=WADO&{UIDS}&contentType=image/jpeg&frameNumber=2&rows=100&columns=200'
     '&region=0,0.25,0.5,1&windowCenter=-40.5&windowWidth=400&imageQuality=90'),
])
def test_U1_U2_U4_U5_request_as_sent(trolley, base, keys, query):
    """Each parameter once and by its name; slashes and commas as they are."""
    with http_server.HttpServer(handler=Recorder) as server:
        text = '\n'.join(['[downloader d]', 'type = wado-uri', f'url = {server.url}{base}', *keys,
                          'max_retries = 0', '[storage h]', 'type = tree', 'path = home',
                          '[trolley t]', 'downloader = d', 'storage = h', ''])
        result = trolley(text, 'download', '--study', '1.2', '--series', '1.2.3', '--instance',
                         '1.2.3.4')
        [(path, count)] = server.counts.items()
    assert result.status == 1, result.stderr
    assert count == 1
    assert path.split('?', 1) == [base.split('?')[0], query]


def test_U4_variants_beside_each_other(trolley, orthanc, phantoms, home):
    """Neither an instance nor another frame stands for a rendered frame that is not there."""
    names = []
    for keys, name in [((), '{}.dcm'), (('content_type = image/png',), '{}.rendered.png'),
                       (('content_type = image/png', 'frame = 1'), '{}.frame1.rendered.png'),
                       (('content_type = image/jpeg', 'frame = 1'), '{}.frame1.rendered.jpg')]:
        result = trolley(uri_ini(orthanc, *keys), 'download', 'PatientID=OTHER')
        assert result.status == 0, result.stderr
        assert '(2 stored, 0 skipped, ' in result.verdict(), keys
        names += [i.in_tree.with_name(name.format(i.uid)) for i in phantoms.of('OTHER')]
        assert files_below(home) == sorted(names)


@pytest.mark.parametrize('keys, wrong', [
    (['frame = 1'], 'frame'), (['rows = 100'], 'rows'), (['region = 0,0,1,1'], 'region'),
    (['content_type = image/jpeg', 'transfer_syntax = 1.2'], 'transfer_syntax'),
    (['content_type = image/jpeg', 'anonymize = yes'], 'anonymize'),
    (['content_type = image/jpeg', 'window_center = 40'], 'window_center'),
    (['content_type = image/jpeg', 'window_center = x', 'window_width = 1'], 'window_center'),
    (['content_type = image/jpeg', 'window_center = 4', 'window_width = 0'], 'window_width'),
    (['content_type = image/jpeg', 'region = 0,0,1'], 'region'),
    (['content_type = image/jpeg', 'region = 0.5,0,0.4,1'], 'region'),
    (['content_type = image/jpeg', 'image_quality = 101'], 'image_quality'),
    (['content_type = image/gif'], 'content_type'), (['transfer_syntax = big'], 'transfer_syntax')])
def test_U4_keys_that_do_not_go_together(trolley, orthanc, home, keys, wrong):
    result = trolley(uri_ini(orthanc, *keys), 'download', '--study', '1.2.3')
    assert result.status == 2, result.stderr
    assert wrong in result.stderr
    assert not home.exists()


def test_U3_ping(trolley, orthanc):
    ini = uri_ini(orthanc)
    assert trolley(ini, 'ping').status == 0
    result = trolley(ini.replace('/wado\n', ':1/wado\n'), 'ping')
    assert result.status != 0


def original_files(sample_files):
    """The files by SOPInstanceUID, as the server got them: the first of each."""
    files = {}
    for path in sample_files:
        files.setdefault(pydicom.dcmread(path, stop_before_pixels=True).get('SOPInstanceUID'), path)
    return files


@pytest.mark.parametrize('downloader', ['type = wado-uri\nurl = {}/wado',
                                        'type = wado-rs\nurl = {}/dicom-web'])
def test_U1_real_files(trolley, orthanc_samples, sample_files, home, downloader):
    """Compressed, big endian, deflated, multi-frame, without pixels: what went in comes out."""
    ini = uri_ini(orthanc_samples).replace('type = wado-uri\nurl = ' + orthanc_samples.root + '/wado',
                                           downloader.format(orthanc_samples.root))
    found = trolley(ini, 'find', '--format', 'jsonl')
    result = trolley(ini, 'download', '--from', '-', stdin=found.stdout)
    assert result.status == 0, result.stderr
    originals = original_files(sample_files)
    paths = files_below(home)
    assert len(paths) > 50
    for path in paths:
        assert (home / path).read_bytes() == originals[pathlib.Path(path).stem].read_bytes(), path
