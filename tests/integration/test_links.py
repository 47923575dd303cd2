"""download over bad lines: far away, slow, and cut again and again.
SPDX-License-Identifier: MIT"""

import time
import urllib.parse

import pytest

from link_server import Link
from program import outcomes
from test_faults import check_disk, check_report
from test_resume import ini_of


def line_to(server, **kinds):
    return Link(urllib.parse.urlsplit(server.dicom_web).port, **kinds)


def ini_through(link, server, workers, downloader=''):
    return link.url(ini_of(server, workers, downloader))


def test_workers_make_up_for_distance(trolley, fault_server, tmp_path):
    """Of 24 requests over a line of 50 ms eight workers have three each: eight times as fast. How
    many are on their way at once is no matter of how busy the machine is."""
    server, took, most = fault_server('none'), {}, {}
    for workers in 1, 8:
        with line_to(server, delay=0.05) as link:
            result = trolley(ini_through(link, server, workers), 'download', 'PatientID=PHANTOM',
                             '--output', f'home{workers}')
            assert result.status == 0, result.stderr
            times = [when for when, path, _ in server.requests
                     if len(path.split('?')[0].split('/')) == 8]
            took[workers] = times[-1] - times[-24] + 0.05
            most[workers] = link.most
    print(f'one worker {took[1]:.2f} s, eight {took[8]:.2f} s')
    assert took[1] > 24 * 0.05
    # One more is the searcher, which is a study ahead.
    assert most[1] <= 2 and 5 <= most[8] <= 9, most


@pytest.mark.parametrize('workers', [1, 8])
@pytest.mark.parametrize('request_level', ['instance', 'series'])
def test_every_second_connection_is_cut(trolley, fault_server, home, tmp_path, workers,
                                       request_level):
    server = fault_server('none')
    with line_to(server, cut_every=2, after=12000) as link:
        ini = ini_through(link, server, workers, 'retry_delay = 20ms\nmax_retries = 20')
        ini = ini.replace('request = instance', f'request = {request_level}')
        ini = ini.replace('[searcher search]', '[searcher search]\nretry_delay = 20ms')
        result = trolley(ini, 'download', 'PatientID=PHANTOM', '--report', 'report.jsonl')
        assert result.status == 0, result.stderr
        assert result.verdict().startswith('complete: 24 of 24 instances (24 stored, ')
    assert len(check_disk(home, server.state.held)) == 24
    check_report(outcomes(tmp_path / 'report.jsonl'), home)
    assert link.cuts


def test_slow_line_is_not_given_up(trolley, fault_server, phantoms, home):
    """Far below idle_timeout between two bytes, far above it for the whole."""
    server = fault_server('none')
    study = phantoms.studies('PHANTOM')[0]
    with line_to(server, rate=40000) as link:
        ini = ini_through(link, server, 1, 'session = slow\nmax_retries = 0')
        ini = ini.replace('request = instance', 'request = study')
        began = time.monotonic()
        result = trolley(ini + '\n[session slow]\nidle_timeout = 1s\n', 'download', '--study', study)
        assert result.status == 0, result.stderr
        assert time.monotonic() - began > 1.5
    assert len(check_disk(home, server.of_study(study))) == 8
