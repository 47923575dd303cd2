"""dcm4chee's WADO prefetch entries, from LDIF to files and a warm cache: imported, checked, and run
against Orthanc behind nginx; frames and thumbnails against a server that tells them apart. P16 is an
acceptance test of prefetching. SPDX-License-Identifier: MIT"""

import json
import pathlib

import pytest

from prefetching import MINUTE, Prefetch
from program import files_below, run, scratch_files
from wado_proxy import wado_proxy
from wado_server import MULTIFRAME, Object, WadoServer, body

LDIF = pathlib.Path(__file__).resolve().parents[1] / 'unit/ldif/wado-prefetch.ldif'
ARCHIVE = 'http://localhost:8080/dcm4chee-arc/aets/DCM4CHEE'
BROWSER = 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8'


def imported(folder, web, rs):
    """The INI text that the entries become; the server's data folder is folder/data."""
    done = run(['prefetch', 'import-ldif', LDIF, '--searcher', 'search',
                '--set', f'jboss.server.data.url=file://{folder}/data',
                '--rewrite', f'{ARCHIVE}/rs={rs}', '--rewrite', f'{ARCHIVE}={web}'], folder)
    assert done.status == 0, done.stderr
    for section in ('[rule Forward JPEG all frames]', '[rule Forward metadata]',
                    '[exporter WADO-JPEG]', '[exporter WADO-JSON]', '[queue Export2]',
                    '[storage wado-jpeg]', '[storage wado-json]'):
        assert section in done.stdout
    # A test's disk may be nearly full.
    return '\n'.join(line + '\nmin_free = 0' if line.startswith('[storage') else line
                     for line in done.stdout.splitlines())


def test_p16_unresolved_names_are_errors(tmp_path):
    done = run(['prefetch', 'import-ldif', LDIF, '--searcher', 'search'], tmp_path)
    assert done.status == 2 and '--set' in done.stderr and done.stdout == ''


@pytest.fixture
def ready(orthanc, tmp_path):
    """The entries in front of Orthanc behind nginx, with a watch that takes all there is for new."""
    with wado_proxy(tmp_path / 'nginx', orthanc.root) as proxy:
        (tmp_path / 'data').mkdir()
        text = imported(tmp_path, proxy.url, proxy.url + '/dicom-web')
        prefetch = Prefetch(tmp_path, text + f'\n[searcher search]\ntype = qido-rs\n'
                            f'url = {orthanc.dicom_web}\n[watch all]\nsearcher = search\n'
                            'baseline = export\n')
        yield prefetch, proxy


def test_p16_entries_check_clean(ready):
    prefetch, proxy = ready
    done = prefetch.plain('check')
    assert done.status == 0, done.stdout + done.stderr
    assert 'error:' not in done.stdout
    assert f'WADO-JPEG: {proxy.url}/wado?requestType=WADO&studyUID=' in done.stdout


def test_p16_entries_run_end_to_end(ready, orthanc, phantoms, tmp_path):
    prefetch, proxy = ready
    # The watch sees every study: a task for each series in a minute, one for each study in five.
    done = prefetch('once')
    assert done.status == 0, done.stderr
    tasks = prefetch.tasks()
    series = {(i.study, i.series) for i in phantoms.instances}
    studies = {i.study for i in phantoms.instances}
    assert {(t['study'], t['series']) for t in tasks if t['exporter'] == 'WADO-JPEG'} == series
    assert {t['study'] for t in tasks if t['exporter'] == 'WADO-JSON'} == studies
    assert {t['due'] for t in tasks} == {'2026-11-28T12:01:00Z', '2026-11-28T12:05:00Z'}
    prefetch.set(5 * MINUTE)
    done = prefetch('once')
    assert done.status == 0, done.stderr + done.stdout
    assert {t['status'] for t in prefetch.tasks()} == {'COMPLETED'}

    # The files, where their path formats say, with the server's bytes.
    data = tmp_path / 'data'
    for i in phantoms.instances:
        uri = (f'/wado?requestType=WADO&studyUID={i.study}&seriesUID={i.series}&objectUID={i.uid}'
               '&frameNumber=1&contentType=image/jpeg')
        path = data / 'wado-jpeg' / i.study / i.series / i.uid / '1.jpeg'
        image = orthanc.get(uri)
        assert image[:2] == b'\xff\xd8' and path.read_bytes() == image
        # A viewer gets it, and its thumbnail, without the server.
        assert proxy.view(uri, Accept=BROWSER) == ('HIT', image)
        thumbnail = uri.replace('&contentType', '&rows=64&columns=64&contentType')
        assert proxy.view(thumbnail, Accept=BROWSER)[0] == 'HIT'
    for study in studies:
        metadata = json.loads((data / 'wado-json' / f'{study}.json').read_bytes())
        assert len(metadata) == len(phantoms.of_study(study))
        assert proxy.view(f'/dicom-web/studies/{study}/metadata',
                          Accept='application/json')[0] == 'HIT'
    assert not scratch_files(data)

    # Nothing changed: nothing is done.
    prefetch.set(MINUTE)
    assert prefetch('once').status == 0
    assert len(prefetch.tasks()) == len(tasks)
    done = prefetch.plain('storage', 'verify', 'wado-jpeg')
    assert done.status == 0, done.stderr


def test_p16_frames_and_thumbnails(tmp_path):
    objects = [Object('1.2.3', '1.2.3.1', '1.2.3.1.1'),
               Object('1.2.3', '1.2.3.1', '1.2.3.1.2', MULTIFRAME, frames=3)]
    with WadoServer(objects) as server:
        (tmp_path / 'data').mkdir()
        prefetch = Prefetch(tmp_path, imported(tmp_path, server.url, server.url + '/rs') +
                            f'\n[searcher search]\ntype = qido-rs\nurl = {server.url}/rs\n')
        prefetch.export('WADO-JPEG', '1.2.3')
        prefetch.export('WADO-JSON', '1.2.3')
        done = prefetch('once')
        assert done.status == 0, done.stderr
        assert server.twice == []
    found = {path.read_bytes() for path in map((tmp_path / 'data').joinpath,
                                               files_below(tmp_path / 'data'))
             if path.suffix == '.jpeg'}
    assert found == {body(o.uid, str(n), rows) for o in objects
                     for n in range(1, (o.frames or 1) + 1) for rows in ('full', '64')}
    images = tmp_path / 'data/wado-jpeg/1.2.3/1.2.3.1'
    assert (images / '1.2.3.1.2/3.jpeg').read_bytes() == body('1.2.3.1.2', '3', 'full')
