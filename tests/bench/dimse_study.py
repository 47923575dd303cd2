"""How long and how much memory a study takes by C-GET, C-MOVE and C-FIND over one association:
trolley beside DCMTK's getscu, movescu and findscu with TCP_NODELAY=1, each stopped after
BENCH_LIMIT seconds, and C-MOVE beside C-GET. Orthanc is the server. The sides alternate; medians
of BENCH_RUNS. SPDX-License-Identifier: MIT

make bench-dimse, with BENCH_LIMIT, BENCH_RUNS and BENCH_DIR in the environment.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'integration'))

import orthanc  # noqa: E402  pylint: disable=wrong-import-position

RUNS = int(os.environ.get('BENCH_RUNS', 5))
LIMIT = int(os.environ.get('BENCH_LIMIT', 60))

INI = """[searcher s]
type = dicom-qr
host = 127.0.0.1
port = {port}
[downloader get]
type = c-get
host = 127.0.0.1
port = {port}
max_parallel = 1
[downloader move]
type = c-move
host = 127.0.0.1
port = {port}
listen_address = 127.0.0.1
listen_port = {listen}
max_parallel = 1
[storage t]
type = tree
path = home
durability = none
[trolley bench]
searcher = s
downloader = get, move
storage = t
"""


def timed(arguments, folder, environment):
    """Seconds, and MiB resident at most, of one command."""
    log = folder / 'time'
    subprocess.run(['/usr/bin/time', '-f', '%e %M', '-o', log, *arguments], cwd=folder,
                   env=environment, check=True, capture_output=True)
    seconds, kib = log.read_text().split()[-2:]
    return float(seconds), int(kib) / 1024


class Bench:
    """One study on one server, and a folder to fetch it into."""

    def __init__(self, folder, instances, kib):
        self.folder, self.instances, self.kib = folder, instances, kib
        self.listen = orthanc.free_port()
        self.server = orthanc.Orthanc(
            folder / f'orthanc-{kib}', DicomAlwaysAllowGet=True, DicomAlwaysAllowFind=True,
            DicomModalities={'trolley': {'AET': 'TROLLEY', 'Host': '127.0.0.1',
                                         'Port': self.listen, 'AllowGet': True}})

    def make_study(self):
        made = self.folder / 'study'
        subprocess.run([os.path.join(os.environ['BUILDDIR'], 'phantom'), '--out', made, '--series',
                        '1', '--instances', str(self.instances), '--bytes', str(self.kib * 1024)],
                       check=True)
        self.server.upload(sorted(made.rglob('*.dcm')))
        shutil.rmtree(made)
        [self.study] = [entry['0020000D']['Value'][0] for entry in orthanc.json.loads(
            self.server.get('/dicom-web/studies', accept='application/dicom+json'))]

    def trolley(self, *arguments):
        (self.folder / 'bench.ini').write_text(INI.format(port=self.server.dicom_port,
                                                          listen=self.listen))
        (self.folder / 'bench.ini').chmod(0o600)
        return timed([os.environ['TROLLEY'], '--config', 'bench.ini', *arguments], self.folder,
                     dict(os.environ))

    def download(self, downloader):
        result = self.trolley('download', '--study', self.study, '--downloader', downloader)
        files = sum(1 for _ in (self.folder / 'home').glob('*/*/*.dcm'))
        assert files == self.instances, f'{files} of {self.instances} files'
        shutil.rmtree(self.folder / 'home')
        return result

    def dcmtk(self, program, *arguments):
        """None when it took too long."""
        (self.folder / 'out').mkdir()
        try:
            return timed(['timeout', str(LIMIT), program, *arguments, '-S', '-k',
                                'StudyInstanceUID=' + self.study, '127.0.0.1',
                                str(self.server.dicom_port)], self.folder,
                               {**orthanc.clean_environment(), 'TCP_NODELAY': '1'})
        except subprocess.CalledProcessError:
            return None
        finally:
            shutil.rmtree(self.folder / 'out')

    def getscu(self):
        return self.dcmtk('getscu', '-B', '-od', 'out', '-k', 'QueryRetrieveLevel=STUDY')

    def movescu(self):
        return self.dcmtk('movescu', '-aet', 'TROLLEY', '-aem', 'TROLLEY', '+P', str(self.listen),
                          '+B', '-od', 'out', '-k', 'QueryRetrieveLevel=STUDY')

    def findscu(self):
        return self.dcmtk('findscu', '-k', 'QueryRetrieveLevel=IMAGE', '-k', 'SeriesInstanceUID',
                          '-k', 'SOPInstanceUID', '-k', 'InstanceNumber')

    def find(self):
        return self.trolley('find', 'StudyInstanceUID=' + self.study, '--level', 'instance',
                            '--include', 'InstanceNumber')


def median(runs, index):
    return statistics.median(run[index] for run in runs)


def row(name, ours, theirs, aim):
    """Without theirs, which was stopped, the ratio is at most that of the limit."""
    mine = median(ours, 0)
    other = f'{median(theirs, 0):9.2f}' if theirs else f'{"> " + str(LIMIT):>9}'
    ratio = mine / (median(theirs, 0) if theirs else LIMIT)
    sign = '' if theirs else '< '
    missed = '' if ratio <= aim else ' missed' if theirs else ' not shown'
    print(f'{name:<34} {mine:9.2f} {median(ours, 1):7.1f} {other} {sign + f"{ratio:.3f}":>9} '
          f'{aim:6.3f}{missed}', flush=True)


def compare(name, ours, theirs, aim):
    """Both sides in turn; the slow one is left out once it was stopped."""
    mine, others, patient = [], [], True
    for _ in range(RUNS):
        mine.append(ours())
        other = theirs() if patient else None
        patient = other is not None
        others += [other] if other else []
    row(name, mine, others if patient else [], aim)


def measure(folder, instances, kib, aim):
    at = Bench(folder, instances, kib)
    at.server.start()
    try:
        at.make_study()
        size = f'{instances} x {kib} KiB'
        compare(f'C-GET {size} / getscu', lambda: at.download('get'), at.getscu, aim)
        compare(f'C-MOVE {size} / movescu', lambda: at.download('move'), at.movescu, aim)
        compare(f'C-MOVE {size} / our C-GET', lambda: at.download('move'),
                lambda: at.download('get'), 1.5)
        compare(f'C-FIND {instances} / findscu', at.find, at.findscu, 1.2)
    finally:
        at.server.stop()


def main():
    print(f'DIMSE, one association, medians of {RUNS}, durability = none; DCMTK with '
          f'TCP_NODELAY=1; load {os.getloadavg()[0]:.1f}\n'
          f'{"trolley / beside":<34} {"trolley s":>9} {"MiB":>7} {"beside s":>9} {"ratio":>9} '
          f'{"aim":>6}')
    # BENCH_DIR: a tmpfs leaves the disk, and who else writes to it, out.
    below = os.environ.get('BENCH_DIR', os.environ['BUILDDIR'])
    with tempfile.TemporaryDirectory(dir=below) as name:
        for instances, kib, aim in ((1000, 512, 1 / 3), (2000, 33, 1 / 40)):
            measure(pathlib.Path(name), instances, kib, aim)


if __name__ == '__main__':
    main()
