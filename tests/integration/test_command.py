"""The storage `command`: each instance to a program. SPDX-License-Identifier: MIT"""

import json
import os
import pathlib
import signal
import subprocess
import time

import pydicom
import pytest

from program import outcomes

INI = """
[searcher s]
type = folder
path = {pacs}
[downloader d]
type = folder
path = {pacs}
max_parallel = {workers}
max_retries = 0
[storage c]
type = command
command = {command}
spool = {spool}
{lines}
[trolley t]
searcher = s
downloader = d
storage = c
"""


@pytest.fixture
def program_of(tmp_path):
    """program_of(body): a shell script with that body."""
    def write(body):
        path = tmp_path / 'take'
        path.write_text('#!/bin/sh\n' + body)
        path.chmod(0o755)
        return path
    return write


def ini_of(phantoms, tmp_path, command, *lines, workers=4):
    return INI.format(pacs=phantoms.folder, command=command, spool=tmp_path, workers=workers,
                      lines='\n'.join(lines))


def test_arguments_and_input(trolley, phantoms, program_of, tmp_path):
    out = tmp_path / 'out'
    out.mkdir()
    command = program_of('cat > "$1/$3.dcm"; printf "%s\\n" "$@" > "$1/$3.txt"\n')
    ini = ini_of(phantoms, tmp_path, command, f'argument = {out}',
                 'argument = {PatientID,slice,0,3}-{StudyDate,date,yyyy} $(id) ; x',
                 'argument = {SOPInstanceUID}', 'argument = "{PatientName,upper}"')
    ini = ini.replace('$(id) ; x', '$(id)')
    result = trolley(ini, 'download', 'PatientID=PHANTOM', '--report', 'report.jsonl')
    assert result.status == 0, result.stderr
    for one in phantoms.of('PHANTOM'):
        assert (out / f'{one.uid}.dcm').read_bytes() == one.path.read_bytes()
        header = pydicom.dcmread(one.path, stop_before_pixels=True)
        assert (out / f'{one.uid}.txt').read_text().splitlines() == [
            str(out), f'PHA-{header.StudyDate[:4]} $(id)', one.uid, str(header.PatientName).upper()]
    lines = outcomes(tmp_path / 'report.jsonl')
    assert {line['path'] for line in lines} == {f'command:{command} {one.uid}'
                                                for one in phantoms.of('PHANTOM')}
    assert not list(tmp_path.glob('trolley-*'))


def test_value_is_never_an_option(trolley, phantoms, program_of, tmp_path):
    pacs, seen = tmp_path / 'pacs', tmp_path / 'seen'
    pacs.mkdir()
    dataset = pydicom.dcmread(phantoms.of('OTHER')[0].path)
    dataset.StudyID = '-rf'
    dataset.save_as(pacs / 'one.dcm')
    command = program_of(f'printf "%s\\n" "$@" > {seen}\n')
    ini = ini_of(phantoms, tmp_path, command, 'argument = {StudyID}', 'argument = --id={StudyID}')
    result = trolley(ini.replace(str(phantoms.folder), str(pacs)), 'download', 'PatientID=OTHER')
    assert result.status == 0, result.stderr
    assert seen.read_text() == '_rf\n--id=-rf\n'


@pytest.mark.parametrize('body, words', [
    ('echo "no room for it" >&2; exit 3', 'ended with exit status 3: no room for it'),
    ('echo out; exit 1', 'ended with exit status 1: out'),
    ('kill -KILL $$', 'was ended by signal 9'),
    ('printf "\\033[2J\\n"; exit 1', '\\x1b[2J'),
    ('head -c 100000 /dev/zero | tr "\\0" x; exit 1', 'xxxxxxxx'),
])
def test_failure_is_quoted(trolley, phantoms, program_of, tmp_path, body, words):
    ini = ini_of(phantoms, tmp_path, program_of(body))
    result = trolley(ini, 'download', 'PatientID=OTHER', '--report', 'report.jsonl')
    assert result.status == 1, result.stderr
    lines = outcomes(tmp_path / 'report.jsonl')
    assert [line['outcome'] for line in lines] == ['failed', 'failed']
    assert all(words in json.dumps(line, ensure_ascii=False).replace('\\\\', '\\')
               and len(line['message']) < 1100 for line in lines), lines


def test_program_that_reads_nothing(trolley, phantoms, program_of, tmp_path):
    """Its input is a file: not to read it breaks nothing."""
    result = trolley(ini_of(phantoms, tmp_path, program_of('exit 0\n')), 'download',
                     'PatientID=PHANTOM')
    assert result.status == 0, result.stderr


def test_environment_without_secrets(trolley, phantoms, program_of, tmp_path):
    seen = tmp_path / 'seen'
    command = program_of(f'env > {seen}\n')
    ini = ini_of(phantoms, tmp_path, command, 'environment = WANTED', 'environment = MODE=fast',
                 'environment = ABSENT', 'environment = TZ=Mars')
    result = trolley(ini, 'download', 'PatientID=OTHER',
                     environment={'PACS_PASSWORD': 'geheim', 'WANTED': 'yes', 'TZ': 'UTC'})
    assert result.status == 0, result.stderr
    variables = dict(line.split('=', 1) for line in seen.read_text().splitlines())
    assert variables['WANTED'] == 'yes' and variables['MODE'] == 'fast' and variables['TZ'] == 'Mars'
    assert 'PATH' in variables and 'ABSENT' not in variables
    assert 'geheim' not in seen.read_text() and 'TROLLEY' not in seen.read_text()


def test_several_at_once(trolley, phantoms, program_of, tmp_path):
    """Two that wait for each other end, which one after the other would not."""
    gate = tmp_path / 'gate'
    gate.mkdir()
    command = program_of(f'touch {gate}/$1; i=0\nwhile [ $(ls {gate} | wc -l) -lt 2 ]; do\n'
                         '  i=$((i + 1)); [ $i -gt 600 ] && exit 1; sleep 0.1\ndone\n')
    ini = ini_of(phantoms, tmp_path, command, 'argument = {SOPInstanceUID}', workers=8)
    result = trolley(ini, 'download', 'PatientID=PHANTOM')
    assert result.status == 0, result.stderr


def test_time_is_bounded(trolley, phantoms, program_of, tmp_path):
    ini = ini_of(phantoms, tmp_path, program_of('sleep 600\n'), 'timeout = 300ms')
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status == 1
    assert 'has not ended within 300 ms' in result.stderr


def test_cancel_kills_it_and_what_it_started(phantoms, program_of, tmp_path):
    pids = tmp_path / 'pids'
    command = program_of(f'sleep 600 & echo $$ $! >> {pids}; wait\n')
    (tmp_path / 'trolley.ini').write_text(ini_of(phantoms, tmp_path, command))
    (tmp_path / 'trolley.ini').chmod(0o600)
    env = {**os.environ, 'HOME': str(tmp_path)}
    process = subprocess.Popen([os.environ['TROLLEY'], '--config', tmp_path / 'trolley.ini',
                                'download', 'PatientID=OTHER'], env=env, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (pids.exists() and pids.read_text().endswith('\n')) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    for pid in pids.read_text().split():
        stat = pathlib.Path(f'/proc/{pid}/stat')
        until = time.monotonic() + 30
        while stat.exists() and stat.read_text().split()[2] != 'Z' and time.monotonic() < until:
            time.sleep(0.02)
        assert not stat.exists() or stat.read_text().split()[2] == 'Z'


def test_everything_is_handed_over_again_but_for_an_index(trolley, phantoms, program_of, tmp_path):
    log = tmp_path / 'log'
    command = program_of(f'echo "$1" >> {log}; [ ! -e {tmp_path}/refuse ]\n')
    plain = ini_of(phantoms, tmp_path, command, 'argument = {SOPInstanceUID}')
    for _ in range(2):
        assert trolley(plain, 'download', 'PatientID=OTHER').status == 0
    assert len(log.read_text().splitlines()) == 4
    log.unlink()
    indexed = ini_of(phantoms, tmp_path, command, 'argument = {SOPInstanceUID}',
                     'index = taken.sqlite')
    (tmp_path / 'refuse').touch()
    assert trolley(indexed, 'download', 'PatientID=OTHER').status == 1
    (tmp_path / 'refuse').unlink()
    for verdict in ('(2 stored, 0 skipped', '(0 stored, 2 skipped'):
        result = trolley(indexed, 'download', 'PatientID=OTHER')
        assert result.status == 0, result.stderr
        assert verdict in result.verdict()
    assert len(log.read_text().splitlines()) == 4
    again = trolley(indexed, 'download', 'PatientID=OTHER', '--overwrite')
    assert '(2 stored, 0 skipped' in again.verdict()


def test_S3_spool_that_cannot_be_written(trolley, phantoms, program_of, tmp_path):
    ini = ini_of(phantoms, tmp_path / 'nowhere', program_of('exit 0\n'))
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status == 1
    assert 'nowhere: No such file or directory' in result.stderr


@pytest.mark.parametrize('line, reason', [
    ('argument = {PatientsID}', 'argument at 1: `{PatientsID}`: unknown keyword or tag'),
    ('environment = =x', 'is neither NAME nor NAME=VALUE'),
    ('arguments = x', 'did you mean `argument`'),
])
def test_configuration(trolley, phantoms, program_of, tmp_path, line, reason):
    result = trolley(ini_of(phantoms, tmp_path, program_of(''), line), 'download', 'PatientID=OTHER')
    assert result.status == 2
    assert reason in result.stderr


def test_program_that_is_none(trolley, phantoms, tmp_path):
    for path in (tmp_path, tmp_path / 'absent'):
        result = trolley(ini_of(phantoms, tmp_path, path), 'download', 'PatientID=OTHER')
        assert result.status == 2
        assert 'is no program that can be run' in result.stderr
