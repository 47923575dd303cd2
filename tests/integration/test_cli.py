"""The program on a terminal, in pipes, and under signals. SPDX-License-Identifier: MIT"""

import csv
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import program
from terminal import SGR, command, environment, on_terminal


@pytest.fixture
def ini(tmp_path, folder_ini):
    path = tmp_path / 'trolley.ini'
    path.write_text(folder_ini, encoding='utf-8')
    path.chmod(0o600)
    return path


def start(ini, *arguments, **options):
    return subprocess.Popen(command(ini, *arguments), cwd=ini.parent, env=environment(ini.parent),
                            **options)


def until_it_catches(child, number):
    """It has begun: the signal has a handler [proc(5)]."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        status = pathlib.Path(f'/proc/{child.pid}/status').read_text()
        if int(re.search(r'^SigCgt:\s+(\S+)', status, re.M).group(1), 16) >> (number - 1) & 1:
            return
        time.sleep(0.02)
    pytest.fail('it never caught the signal')


@pytest.mark.parametrize('columns', [80, 200])
def test_table_fits_the_terminal(ini, phantoms, columns):
    status, text = on_terminal(ini, columns, 'find', 'PatientID=PHANTOM')
    assert status == 0
    lines = SGR.sub('', text).splitlines()
    assert lines[0].startswith('PatientID  PatientN')
    assert len(lines) == 1 + len(phantoms.studies('PHANTOM'))
    assert all(len(line) <= columns for line in lines)
    whole = all(any(uid in line for line in lines) for uid in phantoms.studies('PHANTOM'))
    assert whole == (columns == 200)
    assert ('…' in text) == (columns == 80)


def test_colour_only_where_it_is_wanted(ini):
    assert SGR.search(on_terminal(ini, 200, 'find')[1])
    assert not SGR.search(on_terminal(ini, 200, 'find', NO_COLOR='1')[1])
    assert not SGR.search(on_terminal(ini, 200, 'find', TERM='dumb')[1])


def test_progress_bar_makes_way_for_the_verdict(ini, home, phantoms):
    status, text = on_terminal(ini, 80, 'download', 'PatientID=PHANTOM')
    assert status == 0
    last = text.rstrip().splitlines()[-1].rpartition('\x1b[K')[2]
    count = len(phantoms.of('PHANTOM'))
    assert last.startswith(f'complete: {count} of {count} instances ({count} stored, ')
    assert len(program.files_below(home)) == count


def test_json_lines_when_piped(trolley, folder_ini, phantoms):
    result = trolley(folder_ini, 'find', 'PatientID=PHANTOM', '--level', 'instance')
    assert result.status == 0
    assert {line['SOPInstanceUID'] for line in result.lines()} == \
        {instance.uid for instance in phantoms.of('PHANTOM')}


def test_formats_agree(trolley, folder_ini):
    def find(form):
        result = trolley(folder_ini, 'find', '--level', 'series', '--format', form)
        assert result.status == 0 and result.stderr == ''
        return result.stdout

    flat = {row['SeriesInstanceUID'] for row in map(json.loads, find('jsonl').splitlines())}
    rows = list(csv.DictReader(io.StringIO(find('csv'))))
    tree = json.loads(find('json'))
    sets = json.loads(find('dicom-json'))
    assert len(flat) > 1
    assert {row['SeriesInstanceUID'] for row in rows} == flat
    assert {one['SeriesInstanceUID'] for study in tree for one in study['series']} == flat
    assert {one['0020000E']['Value'][0] for one in sets} == flat


@pytest.mark.parametrize('form', ['csv', 'jsonl'])
def test_find_feeds_download(trolley, folder_ini, home, phantoms, form):
    found = trolley(folder_ini, 'find', 'PatientID=OTHER', '--level', 'series', '--format', form)
    result = trolley(folder_ini, 'download', '--from', '-', stdin=found.stdout)
    assert result.status == 0, result.stderr
    assert program.files_below(home) == sorted(one.in_tree for one in phantoms.of('OTHER'))


def test_a_bad_list_names_its_line(trolley, folder_ini, phantoms):
    text = f'StudyInstanceUID\n{phantoms.studies("OTHER")[0]}\n../../etc\n'
    result = trolley(folder_ini, 'download', '--from', '-', stdin=text)
    assert result.status == 2
    assert 'standard input, line 3: StudyInstanceUID is no UID' in result.stderr


def test_usage_errors(trolley, folder_ini):
    for arguments, part in (
            (['find', 'PatientNam=x'], 'did you mean PatientName?'),
            (['find', '--formt=csv'], 'did you mean --format?'),
            (['find', '--overwrite'], 'no option of find'),
            (['find', 'PatientID'], 'KEY=VALUE'),
            (['download'], 'download wants one of'),
            (['download', 'PatientID=1', '--study', '1.2'], 'download wants one of'),
            (['download', '--series', '1.2'], '--series needs --study'),
            (['download', 'PatientID=1', '--verify', '--overwrite'], 'exclude each other'),
            (['download', 'PatientID=1', '--report', '/nonexistent/r'], '--report /nonexistent/r'),
            (['download', 'PatientID=1', '--report', '/dev/full'], '--report /dev/full'),
            (['--trolley', 'nobody', 'find'], 'nobody'),
            (['plugins', 'fodler'], 'did you mean `folder`?'),
            ([], 'trolley --help')):
        result = trolley(folder_ini, *arguments)
        assert result.status == 2, (arguments, result)
        assert part in result.stderr, (arguments, result.stderr)
        assert result.stdout == ''


def test_one_wants_exactly_one(trolley, folder_ini):
    result = trolley(folder_ini, 'find', '--one')
    assert (result.status, result.stdout) == (1, '')
    assert 'studies match, --one wants exactly one' in result.stderr
    assert len(trolley(folder_ini, 'find', '--one', 'PatientID=OTHER').lines()) == 1


def test_nothing_found(trolley, folder_ini):
    result = trolley(folder_ini, 'find', 'PatientID=NOBODY')
    assert (result.status, result.stdout, result.stderr) == (0, '', 'no study matches\n')
    result = trolley(folder_ini, 'download', 'PatientID=NOBODY')
    assert result.status == 1
    assert result.verdict().startswith('failed: 0 of 0 instances')


def test_report_tells_every_instance(trolley, folder_ini, home, tmp_path, phantoms):
    report = tmp_path / 'report.jsonl'
    result = trolley(folder_ini, 'download', 'PatientID=OTHER', '--report', report)
    assert result.status == 0
    lines = program.outcomes(report)
    assert {line['instance'] for line in lines} == {one.uid for one in phantoms.of('OTHER')}
    for line in lines:
        assert line['outcome'] == 'stored' and line['downloader'] == 'fetch'
        assert os.path.getsize(home / line['path']) == line['bytes']
        assert len(line['sha256']) == 64
    trolley(folder_ini, 'download', 'PatientID=OTHER', '--report', report)
    assert {line['outcome'] for line in program.outcomes(report)} == {'skipped'}


def test_a_full_standard_output_is_an_error(ini):
    with open('/dev/full', 'w', encoding='utf-8') as full:
        done = subprocess.run(command(ini, 'find'), stdout=full, stderr=subprocess.PIPE,
                              cwd=ini.parent, check=False, text=True, timeout=60)
    assert done.returncode == 1
    assert 'standard output: No space left on device' in done.stderr


def test_a_closed_pipe_ends_quietly(ini):
    reading, writing = os.pipe()
    os.close(reading)
    child = start(ini, 'find', stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert child.communicate(timeout=60) == (None, b'')
    assert child.returncode == 0


def test_json_log(trolley, folder_ini):
    result = trolley(folder_ini, '--log-format', 'json', '-vv', 'download', 'PatientID=OTHER')
    assert result.status == 0
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert all(set(line) - {'section'} == {'time', 'level', 'component', 'message'}
               for line in lines)
    assert lines[-1]['message'].startswith('complete: 2 of 2')


@pytest.mark.parametrize('number, status', [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_download_that_waits_for_its_list(ini, home, phantoms, number, status):
    study = phantoms.studies('OTHER')[0]
    child = start(ini, 'download', '--from', '-', stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdin.write(f'StudyInstanceUID\n{study}\n'.encode())
    child.stdin.flush()
    until_it_catches(child, number)
    time.sleep(0.3)
    child.send_signal(number)
    began = time.monotonic()
    stderr = child.communicate(timeout=30)[1].decode()
    assert time.monotonic() - began < 5
    assert child.returncode == status, stderr
    assert stderr.splitlines()[-1].startswith('cancelled: ')
    assert not program.scratch_files(home) if home.exists() else True


def test_help_names_every_command_and_option(trolley):
    text = trolley(None, '--help').stdout
    for name in ('find', 'download', 'ping', 'plugins', 'config'):
        assert f'\n  {name} ' in text
        page = trolley(None, name, '--help')
        assert page.status == 0 and page.stdout.startswith(f'Usage: trolley {name} ')
        assert '--config FILE' in page.stdout


def test_plugins_as_json(trolley):
    listed = json.loads(trolley(None, 'plugins', '--format', 'json').stdout)
    assert 'folder' in {plugin['name'] for plugin in listed}
    folder = json.loads(trolley(None, 'plugins', 'folder', '--format', 'json').stdout)
    assert {part['kind'] for part in folder['components']} == {'searcher', 'downloader'}
    assert 'path' in {option['key'] for option in folder['components'][0]['options']}
