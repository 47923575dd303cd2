"""Plugins that break the contract, or know less than others. SPDX-License-Identifier: MIT"""

import os
import pathlib
import shutil

import pytest

from program import files_below, outcomes

INI = """
[settings]
plugin_path = {plugins}

[searcher names]
type = qido-rs
url = {url}

[searcher counts]
type = contrary
study = {study}
count = {count}

[downloader cancels]
type = contrary

[downloader fetch]
type = wado-rs
url = {url}
retry_delay = 10ms
max_retries = 2

[storage home]
type = tree
path = home
min_free = 0

[trolley hospital]
searcher = {searcher}
downloader = {downloaders}
storage = home
"""


@pytest.fixture(scope='session')
def plugins(tmp_path_factory):
    """A folder that holds the plugin; its parents are nobody else's to write."""
    folder = tmp_path_factory.mktemp('contrary')
    folder.chmod(0o755)
    shutil.copy(pathlib.Path(os.environ['BUILDDIR']) / 'tests/plugins/.libs/contrary.so', folder)
    return folder


@pytest.fixture
def study(phantoms):
    return phantoms.studies('PHANTOM')[0]


def ini_of(server, plugins, study, searcher, downloaders, count=8):
    return INI.format(url=server.dicom_web, plugins=plugins, study=study, searcher=searcher,
                      downloaders=downloaders, count=count)


def test_cancelled_by_nobody(trolley, fault_server, plugins, study):
    """It ends, and says who is to blame."""
    server = fault_server('none')
    result = trolley(ini_of(server, plugins, study, 'names', 'cancels'), 'download', '--study',
                     study, timeout=30)
    assert result.status == 1, result.stderr
    assert result.verdict().startswith('failed: 0 of 8 instances (0 stored, 0 skipped, 8 missing')
    assert 'cancels says that it was cancelled' in result.stderr


def test_next_downloader_fills_the_gap(trolley, fault_server, plugins, study, home):
    server = fault_server('none')
    result = trolley(ini_of(server, plugins, study, 'names', 'cancels, fetch'), 'download',
                     '--study', study)
    assert result.status == 0, result.stderr
    assert len(files_below(home)) == 8


def test_counted_and_all_there(trolley, fault_server, plugins, study, home):
    server = fault_server('none')
    result = trolley(ini_of(server, plugins, study, 'counts', 'fetch'), 'download', '--study',
                     study, '--require-verified')
    assert result.status == 0, result.stderr
    assert result.verdict().startswith('complete: 8 of 8 instances (8 stored, ')
    assert len(files_below(home)) == 8


def test_counted_and_not_all_there(trolley, fault_server, plugins, study, home, tmp_path):
    server = fault_server('none')
    result = trolley(ini_of(server, plugins, study, 'counts', 'fetch', 10), 'download', '--study',
                     study, '--report', 'report.jsonl')
    assert result.status == 3, result.stderr
    assert result.verdict().startswith('partial: 8 of 10 instances (8 stored, 0 skipped, 2 missing')
    missing = [line for line in outcomes(tmp_path / 'report.jsonl')
               if line['outcome'] == 'missing']
    assert [(line['study'], line['instances']) for line in missing] == [(study, 2)]
    assert '8 of its instances came, and the server counts 10' in missing[0]['message']
    assert len(files_below(home)) == 8


def test_counted_too_few(trolley, fault_server, plugins, study, home):
    """What comes beyond the count is kept."""
    server = fault_server('none')
    result = trolley(ini_of(server, plugins, study, 'counts', 'fetch', 5), 'download', '--study',
                     study)
    assert result.status == 0, result.stderr
    assert result.verdict().startswith('complete: 8 of 8 instances (8 stored, ')
    assert '3 instances came beyond' in result.stderr
    assert len(files_below(home)) == 8
