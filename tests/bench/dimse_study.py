"""How long and how much memory a study takes by C-GET and C-FIND: trolley beside DCMTK's getscu and
findscu with TCP_NODELAY=1, each stopped after BENCH_LIMIT seconds. Orthanc is the server. The sides
alternate; medians of BENCH_RUNS. SPDX-License-Identifier: MIT

make bench-dimse, with BENCH_LIMIT and BENCH_RUNS in the environment.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile

import wado_rs_study as bench
from wado_rs_study import orthanc

RUNS = int(os.environ.get('BENCH_RUNS', 5))
LIMIT = int(os.environ.get('BENCH_LIMIT', 20))

INI = """[searcher s]
type = dicom-qr
host = 127.0.0.1
port = {port}
[downloader d]
type = c-get
host = 127.0.0.1
port = {port}
[storage t]
type = tree
path = home
durability = none
[trolley bench]
searcher = s
downloader = d
storage = t
"""


def trolley_once(folder, port, *arguments):
    (folder / 'bench.ini').write_text(INI.format(port=port))
    (folder / 'bench.ini').chmod(0o600)
    result = bench.timed([os.environ['TROLLEY'], '--config', 'bench.ini', *arguments], folder,
                         dict(os.environ))
    shutil.rmtree(folder / 'home', ignore_errors=True)
    return result


def scu_once(folder, *arguments):
    """None when it took too long."""
    out = folder / 'out'
    out.mkdir()
    try:
        return bench.timed(['timeout', str(LIMIT), *arguments], folder,
                           {**orthanc.clean_environment(), 'TCP_NODELAY': '1'})
    except subprocess.CalledProcessError:
        return None
    finally:
        shutil.rmtree(out)


def median(runs, index):
    return statistics.median(run[index] for run in runs)


def row(name, ours, theirs):
    text = f'{name:<28} {median(ours, 0):9.2f} {median(ours, 1):12.1f} '
    if theirs:
        text += f'{median(theirs, 0):9.2f} {median(ours, 0) / median(theirs, 0):7.2f}'
    else:
        text += f'{"> " + str(LIMIT):>9} {"":>7}'
    print(text, flush=True)


def compare(name, ours, theirs):
    """Both sides in turn; the slow one is left out once it was stopped."""
    mine, others, patient = [], [], True
    for _ in range(RUNS):
        mine.append(ours())
        other = theirs() if patient else None
        patient = other is not None
        others += [other] if other else []
    row(name, mine, others if patient else [])


def measure(folder, instances, kib):
    bench.INSTANCES, bench.KIB = instances, kib
    server = orthanc.Orthanc(folder / f'orthanc-{kib}', DicomAlwaysAllowGet=True,
                             DicomAlwaysAllowFind=True).start()
    try:
        study = bench.make_study(folder, server)
        port = server.dicom_port
        keys = ['-k', 'StudyInstanceUID=' + study]
        compare(f'C-GET {instances} x {kib} KiB',
                lambda: trolley_once(folder, port, 'download', '--study', study),
                lambda: scu_once(folder, 'getscu', '-B', '-od', 'out', '-S', '-k',
                                 'QueryRetrieveLevel=STUDY', *keys, '127.0.0.1', str(port)))
        compare(f'C-FIND {instances} instances',
                lambda: trolley_once(folder, port, 'find', 'StudyInstanceUID=' + study, '--level',
                                     'instance', '--include', 'InstanceNumber'),
                lambda: scu_once(folder, 'findscu', '-S', '-k', 'QueryRetrieveLevel=IMAGE', *keys,
                                 '-k', 'SeriesInstanceUID', '-k', 'SOPInstanceUID', '-k',
                                 'InstanceNumber', '127.0.0.1', str(port)))
    finally:
        server.stop()


def main():
    print(f'DIMSE beside DCMTK with TCP_NODELAY=1, medians of {RUNS}, durability = none\n'
          f'{"":<28} {"trolley s":>9} {"trolley MiB":>12} {"DCMTK s":>9} {"ratio":>7}')
    with tempfile.TemporaryDirectory(dir=os.environ['BUILDDIR']) as name:
        for instances, kib in ((1000, 512), (2000, 33)):
            measure(pathlib.Path(name), instances, kib)


if __name__ == '__main__':
    main()
