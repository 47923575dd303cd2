"""The same studies by different protocols, byte for byte: mint and rad69, mint and wado-uri, qido-rs and
wado-rs. MINT and RAD-69 are fixtures that serve the very files which Orthanc holds.
SPDX-License-Identifier: MIT"""

import json
import pathlib
import re
import sys

import pydicom
import pytest

from program import files_below, outcomes, scratch_files

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))

import login_server  # noqa: E402  pylint: disable=wrong-import-position
import mint_server  # noqa: E402  pylint: disable=wrong-import-position
import rad69_server  # noqa: E402  pylint: disable=wrong-import-position

INI = """
[session vna]
auth = vitrea
login_url = {front}/vitrea/login
user = reader
password = "{password}"
realm = Ward 7

[searcher mint]
type = mint
url = {mint}/vitrea

[searcher mint-1]
type = mint
dialect = reference
url = {mint}/reference

[searcher mint-locked]
type = mint
url = {front}/vitrea/mint/vitrea
session = vna

[searcher qido]
type = qido-rs
url = {orthanc}/dicom-web

[downloader rad69]
type = rad69
url = {rad69}/ok

[downloader rad69-locked]
type = rad69
url = {front}/vitrea/rad69/ok
session = vna

[downloader wado-uri]
type = wado-uri
url = {orthanc}/wado

[downloader wado-rs]
type = wado-rs
url = {orthanc}/dicom-web

[storage home]
type = tree
path = home
min_free = 0
durability = none

[trolley ways]
searcher = {searcher}
downloader = {downloader}
storage = home
"""

WAYS = [('mint', 'rad69'), ('mint-1', 'rad69'), ('mint-locked', 'rad69-locked'),
        ('mint', 'wado-uri'), ('mint-locked', 'wado-uri'), ('qido', 'wado-rs')]
UID = re.compile(r'[0-9.]{1,64}')


@pytest.fixture(scope='module')
def held(orthanc_samples, tmp_path_factory):
    """The files in Orthanc that can be named by their UIDs: path by (study, series, instance)."""
    folder, found = tmp_path_factory.mktemp('held'), {}
    for name in json.loads(orthanc_samples.get('/instances')):
        path = folder / f'{name}.dcm'
        path.write_bytes(orthanc_samples.get(f'/instances/{name}/file'))
        header = pydicom.dcmread(path, stop_before_pixels=True)
        uids = tuple(str(header.get(keyword, '')) for keyword in mint_server.UIDS)
        if all(UID.fullmatch(uid) for uid in uids):
            found[uids] = path
    assert len(found) > 50
    return found


@pytest.fixture(scope='module')
def servers(held, orthanc_samples):
    """Roots of the servers for INI, and the log-in server."""
    paths = list(held.values())
    with mint_server.MintServer(mint_server.archive_of(paths)) as mint, \
            rad69_server.Rad69Server(paths) as rad69, \
            login_server.LoginServer({'mint': mint.url, 'rad69': rad69.url}) as front:
        yield {'mint': mint.url, 'rad69': rad69.url, 'front': front.url,
               'orthanc': orthanc_samples.root}, front, rad69


@pytest.mark.parametrize('searcher, downloader', WAYS)
def test_every_way_gives_the_same_bytes(trolley, servers, held, home, tmp_path, searcher, downloader):
    roots, front, rad69 = servers
    rad69.front = f'{front.url}/vitrea/rad69' if downloader == 'rad69-locked' else rad69.url
    rad69.reset()
    logins = front.logins.count
    studies = sorted({uids[0] for uids in held})
    result = trolley(INI.format(**roots, password=login_server.PASSWORD, searcher=searcher,
                                downloader=downloader), 'download', '--from', '-', '--report',
                     'report.jsonl', stdin='\n'.join(['StudyInstanceUID', *studies]) + '\n')
    assert result.status == 0, result.stderr
    assert result.verdict().startswith(f'complete: {len(held)} of {len(held)} instances')
    assert files_below(home) == sorted(
        pathlib.Path(study) / series / f'{instance}.dcm' for study, series, instance in held)
    for (study, series, instance), path in held.items():
        assert (home / study / series / f'{instance}.dcm').read_bytes() == path.read_bytes()
    assert scratch_files(home) == []
    assert {line['outcome'] for line in outcomes(tmp_path / 'report.jsonl')} == {'stored'}
    assert rad69.complaints == []
    # One session, one log-in, though searcher and all workers of the downloader use it.
    assert front.logins.count - logins == ('locked' in searcher + downloader)
