"""Studies of 100,000 instances, lists of a million references, an instance of 6 GiB: only with
TROLLEY_SCALE=yes in the environment. Each prints its figures. SPDX-License-Identifier: MIT"""

import os
import subprocess
import sys

import pytest

from generating_server import Generating
from program import files_below

pytestmark = pytest.mark.skipif(not os.environ.get('TROLLEY_SCALE'), reason='TROLLEY_SCALE')

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
    took = {}
    for series in 10, 100:
        with Generating(series, 1000, 200) as server:
            folder = tmp_path / str(series)
            folder.mkdir()
            status, seconds, resident, verdict = measured(INI.format(url=server.dicom_web), folder,
                                                          'download', '--study', '1.2')
        assert status == 0, verdict
        assert verdict.startswith(f'complete: {series}000 of {series}000 instances')
        took[series] = seconds
        assert resident < 20 + series * 1000 * 200 / 2**20
        subprocess.run(['rm', '-rf', folder], check=True)
    assert took[100] < 15 * took[10]


def test_million_references_that_are_there(tmp_path):
    """Constant memory, whatever the length of the list; the storage holds them all."""
    resident = {}
    with Generating(1, 1000, 200) as server:
        ini = INI.format(url=server.dicom_web).replace('searcher = search\n', '')
        assert measured(INI.format(url=server.dicom_web), tmp_path, 'download', '--study',
                        '1.2')[0] == 0
        assert len(files_below(tmp_path / 'home')) == 1000
        for thousands in 10, 1000:
            source = tmp_path / 'list.csv'
            with source.open('w') as out:
                out.write('StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n')
                for i in range(thousands * 1000):
                    # Another study behind each: what is in hand is one study.
                    out.write(f'1.2,1.2.1,1.2.1.{i % 1000 + 1}\n')
                    if i % 1000 == 999:
                        out.write('1.2.99,1.2.99.1,1.2.99.1.1\n')
            there = tmp_path / 'home/1.2.99/1.2.99.1'
            there.mkdir(parents=True, exist_ok=True)
            (there / '1.2.99.1.1.dcm').write_bytes(b'there')
            status, _, resident[thousands], verdict = measured(ini, tmp_path, 'download', '--from',
                                                               'list.csv')
            assert status == 0, verdict
    assert resident[1000] < resident[10] + 4


def test_instance_of_6_gib(tmp_path):
    size = 6 << 30
    with Generating(1, 1, size) as server:
        status, _, resident, verdict = measured(INI.format(url=server.dicom_web), tmp_path,
                                                'download', '--study', '1.2')
    stored = sum((tmp_path / 'home' / path).stat().st_size
                 for path in files_below(tmp_path / 'home'))
    subprocess.run(['rm', '-rf', tmp_path / 'home'], check=True)
    assert status == 0, verdict
    assert stored > size
    assert resident < 32
