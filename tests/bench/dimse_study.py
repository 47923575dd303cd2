"""How long and how much memory a study takes by C-GET, C-MOVE and C-FIND over one association:
trolley beside DCMTK's getscu, movescu and findscu with TCP_NODELAY=1, as they are and with quick
acknowledgements forced upon them, which is the floor; and C-MOVE beside C-GET. Orthanc is the server.
Verified rows search for the study's instances first, as the others do not.
SPDX-License-Identifier: MIT

make bench or bench-dimse, with the variables of harness.py.
"""

import os
import pathlib
import shlex
import subprocess
import tempfile

import harness
from harness import wanted

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
min_free = 0
durability = none
[trolley bench]
{searcher}
downloader = get, move
storage = t
"""


class Bench:
    """One study on one server, and a folder to fetch it into."""

    def __init__(self, folder, instances, kib):
        self.folder, self.instances = folder, instances
        self.listen = harness.orthanc.free_port()
        self.server = harness.orthanc.Orthanc(
            folder / f'orthanc-{kib}', DicomAlwaysAllowGet=True, DicomAlwaysAllowFind=True,
            DicomModalities={'trolley': {'AET': 'TROLLEY', 'Host': '127.0.0.1',
                                         'Port': self.listen, 'AllowGet': True}}).start()
        self.quick_ack = folder / 'quick_ack.so'
        subprocess.run([*shlex.split(os.environ.get('CC', 'cc')), '-O2', '-shared', '-fPIC', '-o',
                        self.quick_ack, harness.HERE / 'quick_ack.c'], check=True)
        try:
            self.study = harness.make_study(folder, self.server, instances, kib)
        except BaseException:
            self.server.stop()
            raise

    def trolley(self, *arguments, files=None, search=True):
        ini = INI.format(port=self.server.dicom_port, listen=self.listen,
                         searcher='searcher = s' if search else '')
        return harness.trolley_once(self.folder, ini, *arguments, files=files)

    def get(self, search=False):
        return self.trolley('download', '--study', self.study, '--downloader', 'get',
                            files=self.instances, search=search)

    def move(self, search=False):
        return self.trolley('download', '--study', self.study, '--downloader', 'move',
                            files=self.instances, search=search)

    def find(self):
        return self.trolley('find', 'StudyInstanceUID=' + self.study, '--level', 'instance',
                            '--include', 'InstanceNumber')

    def dcmtk(self, program, *arguments, quick=False):
        preload = {'LD_PRELOAD': str(self.quick_ack)} if quick else {}
        return harness.other_once(
            self.folder, program, *arguments, '-S', '-k', 'StudyInstanceUID=' + self.study,
            '127.0.0.1', self.server.dicom_port, limited=True, TCP_NODELAY='1', **preload)

    def getscu(self, quick=False):
        return self.dcmtk('getscu', '-B', '-od', 'out', '-k', 'QueryRetrieveLevel=STUDY',
                          quick=quick)

    def movescu(self, quick=False):
        return self.dcmtk('movescu', '-aet', 'TROLLEY', '-aem', 'TROLLEY', '+P', self.listen, '+B',
                          '-od', 'out', '-k', 'QueryRetrieveLevel=STUDY', quick=quick)

    def findscu(self):
        return self.dcmtk('findscu', '-k', 'QueryRetrieveLevel=IMAGE', '-k', 'SeriesInstanceUID',
                          '-k', 'SOPInstanceUID', '-k', 'InstanceNumber')


def measure(table, folder, instances, kib, aim):
    size = f'{instances} x {kib} KiB'
    rows = (
        (f'C-GET {size} / getscu, quick ACKs forced', Bench.get, lambda at: at.getscu(quick=True),
         1.2),
        (f'C-GET {size} / getscu', Bench.get, Bench.getscu, aim),
        (f'C-GET {size}, verified / getscu', lambda at: at.get(search=True), Bench.getscu, aim),
        (f'C-MOVE {size} / movescu, quick ACKs forced', Bench.move,
         lambda at: at.movescu(quick=True), None),
        (f'C-MOVE {size} / movescu', Bench.move, Bench.movescu, aim),
        (f'C-MOVE {size} / our C-GET', Bench.move, Bench.get, 1.5),
        (f'C-FIND {instances} instances / findscu', Bench.find, Bench.findscu, 1.2))
    rows = [row for row in rows if wanted(row[0])]
    if not rows:
        return
    at = Bench(folder, instances, kib)
    try:
        for name, ours, theirs, wish in rows:
            table.compare(name, lambda ours=ours: ours(at), lambda theirs=theirs: theirs(at), wish)
    finally:
        at.server.stop()


def main():
    table = harness.Table('DIMSE over one association, beside DCMTK with TCP_NODELAY=1')
    with tempfile.TemporaryDirectory(dir=harness.BELOW) as name:
        for instances, kib, aim in ((1000, 512, 1 / 3), (2000, 33, 1 / 40)):
            measure(table, pathlib.Path(name), instances, kib, aim)


if __name__ == '__main__':
    main()
