"""How long and how much memory a study takes by WADO-RS: trolley beside curl, which only writes the
same answer to one file. Orthanc is the server. The sides alternate; medians of five.
SPDX-License-Identifier: MIT

make bench, with BENCH_INSTANCES, BENCH_KIB, BENCH_SERIES, BENCH_RUNS and BENCH_DIR in the
environment.
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

INSTANCES = int(os.environ.get('BENCH_INSTANCES', 1000))
SERIES = int(os.environ.get('BENCH_SERIES', 1))
KIB = int(os.environ.get('BENCH_KIB', 512))
RUNS = int(os.environ.get('BENCH_RUNS', 5))

INI = """[searcher s]
type = qido-rs
url = {url}
[downloader d]
type = wado-rs
url = {url}
[storage t]
type = tree
path = home
durability = {durability}
[trolley bench]
{searcher}
downloader = d
storage = t
"""


def timed(arguments, folder, environment):
    """Seconds, and MiB resident at most, of one command."""
    log = folder / 'time'
    subprocess.run(['/usr/bin/time', '-v', '-o', log, *arguments], cwd=folder, env=environment,
                   check=True, capture_output=True)
    figures = dict(line.strip().rsplit(': ', 1) for line in log.read_text().splitlines()
                   if ': ' in line)
    clock = figures['Elapsed (wall clock) time (h:mm:ss or m:ss)'].split(':')
    seconds = sum(float(part) * 60 ** power for power, part in enumerate(reversed(clock)))
    return seconds, int(figures['Maximum resident set size (kbytes)']) / 1024


def trolley_once(folder, study, durability, search, url):
    """Without a searcher the same one answer is fetched as by curl; with one it is verified too."""
    (folder / 'bench.ini').write_text(INI.format(
        url=url, durability=durability, searcher='searcher = s' if search else ''))
    (folder / 'bench.ini').chmod(0o600)
    result = timed([os.environ['TROLLEY'], '--config', 'bench.ini', 'download', '--study', study],
                   folder, dict(os.environ))
    files = sum(1 for _ in (folder / 'home').glob('*/*/*.dcm'))
    assert files == INSTANCES, f'{files} of {INSTANCES} files'
    shutil.rmtree(folder / 'home')
    return result


def curl_once(folder, study, sync, url):
    fetch = ['curl', '-sf', '-o', 'answer', '-H',
             'Accept: multipart/related; type="application/dicom"; transfer-syntax=*',
             f'{url}/studies/{study}']
    if sync:
        fetch = ['sh', '-c', '"$@" && sync -f answer', 'sh', *fetch]
    result = timed(fetch, folder, orthanc.clean_environment())
    (folder / 'answer').unlink()
    return result


def make_study(folder, server):
    subprocess.run([os.path.join(os.environ['BUILDDIR'], 'phantom'), '--out', folder / 'study',
                    '--series', str(SERIES), '--instances', str(INSTANCES // SERIES),
                    '--bytes', str(KIB * 1024)], check=True)
    server.upload(sorted((folder / 'study').rglob('*.dcm')))
    shutil.rmtree(folder / 'study')
    [study] = [entry['0020000D']['Value'][0] for entry in orthanc.json.loads(
        server.get('/dicom-web/studies', accept='application/dicom+json'))]
    return study


def row(name, sides):
    """sides: for trolley and curl, a list of (seconds, MiB)."""
    (ours, our_size), (theirs, their_size) = (
        (statistics.median(run[0] for run in side), statistics.median(run[1] for run in side))
        for side in sides)
    print(f'{name:<36} {ours:9.2f} {theirs:9.2f} {ours / theirs:7.2f} {our_size:12.1f} '
          f'{their_size:9.1f}', flush=True)


def main():
    # BENCH_DIR: ext4 creates files slowly for minutes after many were deleted; a tmpfs does not.
    below = os.environ.get('BENCH_DIR', os.environ['BUILDDIR'])
    with tempfile.TemporaryDirectory(dir=below) as name:
        folder = pathlib.Path(name)
        server = orthanc.Orthanc(folder / 'orthanc').start()
        try:
            study = make_study(folder, server)
            print(f'WADO-RS, one study of {INSTANCES} x {KIB} KiB in {SERIES} series, '
                  f'medians of {RUNS} alternating runs\n'
                  f'{"durability / beside":<36} {"trolley s":>9} {"curl s":>9} {"ratio":>7} '
                  f'{"trolley MiB":>12} {"curl MiB":>9}')
            for durability, search, sync in (('none', False, False), ('none', True, False),
                                             ('batch', True, True)):
                sides = [], []
                for _ in range(RUNS):
                    sides[0].append(trolley_once(
                        folder, study, durability, search, server.dicom_web))
                    sides[1].append(curl_once(folder, study, sync, server.dicom_web))
                row(f'{durability}{", verified" if search else ""} / '
                    f'curl -o{" and sync -f" if sync else ""}', sides)
        finally:
            server.stop()


if __name__ == '__main__':
    main()
