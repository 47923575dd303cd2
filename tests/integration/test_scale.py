"""Studies of 100,000 instances, lists of a million references, an instance of 6 GiB: that many times
smaller as TROLLEY_SCALE says; 1 is the real thing. Each prints its figures.
SPDX-License-Identifier: MIT"""

import os
import subprocess
import sys

from generating_server import Generating
from program import files_below

SCALE = int(os.environ.get('TROLLEY_SCALE', '50'))
# Sanitizers take memory of their own.
SPARE_MIB = 4096 if os.environ.get('SAN_FLAGS') else 4

INI = """
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
durability = none

[trolley hospital]
searcher = search
downloader = fetch
storage = home
"""

MEASURE = """
import resource, subprocess, sys, time
began = time.monotonic()
status = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, time.monotonic() - began, used.ru_maxrss / 1024, file=sys.stderr)
"""


def measured(ini, folder, *arguments, stdin=None):
    """Exit status, seconds, MiB resident, and the last line but one of standard error."""
    path = folder / 'trolley.ini'
    path.write_text(ini, encoding='utf-8')
    path.chmod(0o600)
    done = subprocess.run([sys.executable, '-c', MEASURE, os.environ['TROLLEY'], '--config', path,
                           *arguments], cwd=folder, capture_output=True, text=True, stdin=stdin)
    *_, verdict, figures = done.stderr.strip().split('\n')
    status, seconds, resident = figures.split()
    print(f'{" ".join(map(str, arguments))}: {float(seconds):.1f} s, {float(resident):.1f} MiB; '
          f'{verdict}')
    return int(status), float(seconds), float(resident), verdict


def test_study_of_100000_instances(tmp_path):
    """At most 120 bytes an instance, and time that grows with them."""
    took, resident, each = {}, {}, 1000 // SCALE
    for series in 10, 100:
        with Generating(series, each, 200) as server:
            folder = tmp_path / str(series)
            folder.mkdir()
            status, took[series], resident[series], verdict = measured(
                INI.format(url=server.dicom_web), folder, 'download', '--study', '1.2')
        assert status == 0, verdict
        assert verdict.startswith(f'complete: {series * each} of {series * each} instances')
        subprocess.run(['rm', '-rf', folder], check=True)
    assert resident[100] - resident[10] < 90 * each * 120 / 2**20 + SPARE_MIB
    assert took[100] < 15 * took[10] + 30


def test_million_references_that_are_there(tmp_path):
    """Constant memory, whatever the length of the list; the storage holds them all."""
    resident, each = {}, 1000 // SCALE
    with Generating(1, each, 200) as server:
        ini = INI.format(url=server.dicom_web).replace('searcher = search\n', '')
        assert measured(INI.format(url=server.dicom_web), tmp_path, 'download', '--study',
                        '1.2')[0] == 0
        assert len(files_below(tmp_path / 'home')) == each
        for times in 10, 1000:
            source = tmp_path / 'list.csv'
            with source.open('w') as out:
                out.write('StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n')
                for i in range(times * each):
                    # Another study behind each: what is in hand is one study.
                    out.write(f'1.2,1.2.1,1.2.1.{i % each + 1}\n')
                    if i % each == each - 1:
                        out.write('1.2.99,1.2.99.1,1.2.99.1.1\n')
            there = tmp_path / 'home/1.2.99/1.2.99.1'
            there.mkdir(parents=True, exist_ok=True)
            (there / '1.2.99.1.1.dcm').write_bytes(b'there')
            status, _, resident[times], verdict = measured(ini, tmp_path, 'download', '--from',
                                                           'list.csv')
            assert status == 0, verdict
            assert verdict.startswith(f'complete: {times * (each + 1)} of ')
    assert resident[1000] < resident[10] + SPARE_MIB


def test_instance_of_6_gib(tmp_path):
    size = (6 << 30) // SCALE
    with Generating(1, 1, size) as server:
        status, _, resident, verdict = measured(INI.format(url=server.dicom_web), tmp_path,
                                                'download', '--study', '1.2')
    stored = sum((tmp_path / 'home' / path).stat().st_size
                 for path in files_below(tmp_path / 'home'))
    subprocess.run(['rm', '-rf', tmp_path / 'home'], check=True)
    assert status == 0, verdict
    assert stored > size
    assert resident < 28 + SPARE_MIB
