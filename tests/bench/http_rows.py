"""How long and how much memory it takes over HTTP: trolley beside curl, which only writes the same
answers to files. Orthanc is the server. SPDX-License-Identifier: MIT

make bench, with the variables of harness.py; BENCH_SCALE: the last rows that many times smaller.
"""

import os
import pathlib
import sys
import tempfile

import harness
from generating_server import Generating
from harness import wanted

INI = """[searcher s]
type = qido-rs
url = {url}
[downloader d]
type = {type}
url = {url}
{downloader}
[storage t]
type = tree
path = home
min_free = 0
durability = {durability}
[trolley bench]
{searcher}
expected = {expected}
downloader = d
storage = t
"""
ACCEPT = 'Accept: multipart/related; type="application/dicom"; transfer-syntax=*'
JSON = 'Accept: application/dicom+json'
SCALE = int(os.environ.get('BENCH_SCALE', 1))


def ini_of(url, expected='instances', durability='none', kind='wado-rs', downloader=''):
    """What comes is held against the searcher's names (instances) or counts; with `expected` None
    the same answers are fetched as by curl, and nothing is verified."""
    return INI.format(url=url, type=kind, durability=durability, downloader=downloader,
                      expected=expected or 'instances', searcher='searcher = s' if expected else '')


class Rows:
    def __init__(self, folder, server):
        self.folder, self.server, self.studies = folder, server, {}
        self.table = harness.Table('HTTP beside curl')

    def study(self, instances, kib, series=1):
        """The UID of such a study, made when it is first asked for."""
        key = instances, kib, series
        if key not in self.studies:
            self.studies[key] = harness.make_study(self.folder, self.server, *key)
        return self.studies[key]

    def study_row(self, instances, kib, aim, series=1, sync=False, listed=False, **options):
        """A whole study by WADO-RS, beside one stream into one file; `listed`: and the list of its
        instances into another, at the same time."""
        name = f'WADO-RS {instances} x {kib} KiB'
        if series > 1:
            name += f' in {series} series'
        name += ', batch' if sync else ''
        expected = options.setdefault('expected', 'instances')
        name += {None: '', 'instances': ', named', 'counts': ', counted'}[expected] + ' / curl'
        name += ' of study and list' if listed else ' and sync -f' if sync else ''
        if not wanted(name):
            return
        study, url = self.study(instances, kib, series), self.server.dicom_web
        ini = ini_of(url, durability='batch' if sync else 'none', **options)
        other = ['curl', '-sf', '-o', 'out/answer', '-H', ACCEPT, f'{url}/studies/{study}']
        if listed:
            other += ['--parallel', '--parallel-immediate', '--next', '-sf', '-o', 'out/list', '-H',
                      JSON, f'{url}/studies/{study}/instances']
        self.table.compare(
            name,
            lambda: harness.trolley_once(self.folder, ini, 'download', '--study', study,
                                         files=instances),
            lambda: harness.other_once(self.folder, *other, sync=sync), aim)

    def wado_uri_row(self, instances, kib, aim, workers=8):
        name = f'WADO-URI {instances} x {kib} KiB, {workers} workers / curl --parallel'
        if not wanted(name):
            return
        study = self.study(instances, kib)
        rows = harness.references(self.server, study)
        (self.folder / 'refs.csv').write_text(
            'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n'
            + ''.join(f'{study},{series},{instance}\n' for series, instance in rows))
        url = self.server.root + '/wado'
        (self.folder / 'urls').write_text(''.join(
            f'url="{url}?requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={instance}'
            f'&contentType=application/dicom"\noutput="out/{instance}.dcm"\n'
            for series, instance in rows))
        ini = ini_of(url, expected=None, kind='wado-uri', downloader=f'max_parallel = {workers}')
        self.table.compare(
            name,
            lambda: harness.trolley_once(self.folder, ini, 'download', '--from', 'refs.csv',
                                         files=instances),
            lambda: harness.other_once(self.folder, 'curl', '-sf', '--parallel', '--parallel-max',
                                       str(workers), '-K', 'urls'), aim)

    def find_row(self, instances, kib):
        name = f'QIDO-RS {instances} instances / curl'
        if not wanted(name):
            return
        study, url = self.study(instances, kib), self.server.dicom_web
        self.table.compare(
            name,
            lambda: harness.trolley_once(self.folder, ini_of(url), 'find',
                                         f'StudyInstanceUID={study}', '--level', 'instance'),
            lambda: harness.other_once(self.folder, 'curl', '-sf', '-o', 'out/answer', '-H', JSON,
                                       f'{url}/studies/{study}/instances'))

    def start_rows(self, times=50):
        """A short find is one request of the server's own time."""
        environment, url = dict(os.environ), self.server.dicom_web
        if wanted('start: --version / /bin/true'):
            self.table.compare(
                'start: --version / /bin/true',
                lambda: harness.timed([harness.TROLLEY, '--version'], self.folder, environment,
                                      times),
                lambda: harness.timed(['/bin/true'], self.folder, environment, times), 3.0)
        if wanted('start: find of one study / curl'):
            study, path = self.study(2000, 33), self.folder / 'start.ini'
            path.write_text(ini_of(url))
            path.chmod(0o600)
            self.table.compare(
                'start: find of one study / curl',
                lambda: harness.timed([harness.TROLLEY, '--config', path, 'find',
                                       f'StudyInstanceUID={study}'], self.folder, environment,
                                      times),
                lambda: harness.timed(['curl', '-sf', '-H', JSON,
                                       f'{url}/studies?StudyInstanceUID={study}'], self.folder,
                                      harness.clean_environment(), times))

    def instance_row(self, gib=6):
        """One instance of that many GiB."""
        name = f'one instance of {gib / SCALE:g} GiB, named / curl'
        if not wanted(name):
            return
        with Generating(1, 1, (gib << 30) // SCALE) as server:
            ini = ini_of(server.dicom_web)
            runs, harness.RUNS = harness.RUNS, 1
            self.table.compare(
                name,
                lambda: harness.trolley_once(self.folder, ini, 'download', '--study', '1.2',
                                             files=1),
                lambda: harness.other_once(self.folder, 'curl', '-sf', '-o', 'out/answer',
                                           f'{server.dicom_web}/studies/1.2/series/1.2.1'))
            harness.RUNS = runs

    def references_row(self, count=1000000):
        """A list of references whose instances the storage holds already."""
        name = f'--from of {count // SCALE} references, all there'
        if not wanted(name):
            return
        for study in range(100):
            home = self.folder / f'home/1.{study}/1.{study}.1'
            home.mkdir(parents=True)
            for instance in range(100):
                (home / f'1.{study}.1.{instance}.dcm').write_bytes(b'there')
        with (self.folder / 'list.csv').open('w') as out:
            out.write('StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n')
            for i in range(count // SCALE):
                study, instance = i // 100 % 100, i % 100
                out.write(f'1.{study},1.{study}.1,1.{study}.1.{instance}\n')
        ini = ini_of(self.server.dicom_web, expected=None)
        self.table.alone(name, lambda: harness.trolley_once(
            self.folder, ini, 'download', '--from', 'list.csv'), 32)
        (self.folder / 'list.csv').unlink()


def main():
    with tempfile.TemporaryDirectory(dir=harness.BELOW) as name:
        folder = pathlib.Path(name)
        server = harness.orthanc.Orthanc(folder / 'orthanc').start()
        try:
            rows = Rows(folder, server)
            for instances, kib, aim in (1000, 512, 1.15), (2000, 33, 1.5):
                rows.study_row(instances, kib, aim, expected=None)
                rows.study_row(instances, kib, aim, expected='counts')
                rows.study_row(instances, kib, aim)
                rows.study_row(instances, kib, aim, listed=True)
            rows.study_row(1000, 512, 1.15, sync=True)
            rows.study_row(1000, 512, 0.8, series=4, expected='counts')
            rows.study_row(1000, 512, 0.8, series=4)
            rows.wado_uri_row(1000, 512, 1.15)
            rows.find_row(2000, 33)
            rows.start_rows()
            rows.instance_row()
            rows.references_row()
        finally:
            server.stop()
    return 0


if __name__ == '__main__':
    sys.exit(main())
