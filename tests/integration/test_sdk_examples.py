"""The examples of the installed SDK: built outside the tree and used. SPDX-License-Identifier: MIT"""

import csv
import re

import pytest

import sdk_build
from program import outcomes


# ---- example: a searcher over a CSV file ----

WORKLIST = """StudyInstanceUID,PatientID,PatientName,Remark,StudyDate,ModalitiesInStudy
1.2.3.1,P1,"Müller^Anna, Dr.",first,20240105,CT\\SR
1.2.3.2,P1,"Müller^Anna, Dr.","two
lines",20240301,MR

1.2.3.3,P2,"O""Brien^Pat",,20240105,
"""


@pytest.fixture(scope='module')
def examples(tmp_path_factory):
    """A folder with both examples' plugins."""
    folder = tmp_path_factory.mktemp('examples')
    plugins = sdk_build.site(folder / 'plugins')
    for name in ('csv-worklist', 'pipe'):
        built = sdk_build.copy(f'examples/{name}', folder / name)
        sdk_build.make(built)
        (built / f'{name}.so').rename(plugins / f'{name}.so')
        assert sdk_build.exported(plugins / f'{name}.so') == ['trolley_plugin_v1']
    return plugins


def worklist_ini(plugins, more=''):
    return (f'[settings]\nplugin_path = {plugins}\n[searcher list]\ntype = csv-worklist\n'
            f'path = list.csv\n{more}[trolley t]\nsearcher = list\n')


@pytest.mark.parametrize('words, studies', [
    (['PatientID=P1'], ['1.2.3.1', '1.2.3.2']),
    (['PatientName=müller*'], ['1.2.3.1', '1.2.3.2']),
    (['PatientName=O"Brien^Pat'], ['1.2.3.3']),
    (['ModalitiesInStudy=SR'], ['1.2.3.1']),
    (['StudyDate=20240101-20240131'], ['1.2.3.1', '1.2.3.3']),
    (['StudyDate=20240105', 'PatientID=P2'], ['1.2.3.3']),
    (['StudyInstanceUID=1.2.3.2'], ['1.2.3.2']),
    (['PatientID=P9'], []),
])
def test_worklist(trolley, examples, tmp_path, words, studies):
    (tmp_path / 'list.csv').write_text(WORKLIST, encoding='utf-8-sig')
    assert sdk_build.find_studies(trolley, worklist_ini(examples), *words) == studies


def test_worklist_of_another_form(trolley, examples, tmp_path):
    """Semicolons and CRLF, as spreadsheets in Europe write it."""
    rows = list(csv.reader(WORKLIST.splitlines(keepends=True)))
    with open(tmp_path / 'list.csv', 'w', newline='', encoding='utf-8') as file:
        csv.writer(file, delimiter=';').writerows(row for row in rows if row)
    ini = worklist_ini(examples, 'separator = semicolon\n')
    assert sdk_build.find_studies(trolley, ini, 'PatientID=P1') == ['1.2.3.1', '1.2.3.2']


def test_worklist_knows_its_columns(trolley, examples, tmp_path):
    (tmp_path / 'list.csv').write_text(WORKLIST, encoding='utf-8')
    refused = trolley(worklist_ini(examples), 'find', 'AccessionNumber=1')
    assert refused.status == 2
    assert 'AccessionNumber' in refused.stderr


@pytest.mark.parametrize('text, reason', [
    ('PatientID\nP1\n', 'no column StudyInstanceUID'),
    ('StudyInstanceUID,PatientID,PatientID\n1.2,a,b\n', 'a column twice'),
    ('', 'no column StudyInstanceUID'),
])
def test_worklist_without_columns(trolley, examples, tmp_path, text, reason):
    (tmp_path / 'list.csv').write_text(text)
    refused = trolley(worklist_ini(examples), 'config', 'check')
    assert refused.status == 1
    assert reason in refused.stderr and 'list.csv:1' in refused.stderr


@pytest.mark.parametrize('row, reason', [
    (b'1.2.9,"open', 'a quote is not closed'),
    (b'1.2.9,"a"b', 'text behind a closing quote'),
    (b'1.2.9,\xff', 'not UTF-8'),
    (b'1.2.9,a\0b', 'a NUL byte'),
    (b'1.2.9,b,c', 'more fields than columns'),
    (b'1.2.9,' + b'x' * 300000, 'a row is too long'),
    (b'1.2.9,' + b',' * 200, 'too many fields'),
], ids=lambda value: value if isinstance(value, str) else '')
def test_worklist_broken_row(trolley, examples, tmp_path, row, reason):
    """What came before is told, what is wrong is named with its line, and the answer is partial."""
    (tmp_path / 'list.csv').write_bytes(b'StudyInstanceUID,PatientID\n1.2.1,P1\n' + row + b'\n')
    found = trolley(worklist_ini(examples), 'find', '--format', 'jsonl')
    assert found.status == 3, found.stderr
    assert [line['StudyInstanceUID'] for line in found.lines()] == ['1.2.1']
    assert 'list.csv:3: ' + reason in found.stderr


# ---- example: a storage that runs a command ----

def pipe_ini(plugins, pacs, command, *lines):
    return (f'[settings]\nplugin_path = {plugins}\n'
            f'[searcher s]\ntype = folder\npath = {pacs}\n'
            f'[downloader d]\ntype = folder\npath = {pacs}\nmax_retries = 0\nmax_parallel = 3\n'
            f'[storage router]\ntype = pipe\ncommand = {command}\n'
            + ''.join(f'{line}\n' for line in lines)
            + '[trolley t]\nsearcher = s\ndownloader = d\nstorage = router\n')


def script(path, text):
    path.write_text(f'#!/bin/sh\n{text}\n')
    path.chmod(0o755)
    return path


def test_pipe(trolley, examples, phantoms, tmp_path):
    """Each instance comes to the command whole, with the words that the INI file says."""
    out = tmp_path / 'out with spaces; and $(more)'
    out.mkdir()
    command = script(tmp_path / 'keep', 'cat >"$1/$3.dcm" && printf "%s" "$2" >"$1/$3.study"')
    ini = pipe_ini(examples, phantoms.folder, command, f'argument = "{out}"',
                   'argument = {study}', 'argument = {instance}')
    result = trolley(ini, 'download', 'PatientID=PHANTOM', '--report', 'report.jsonl')
    assert result.status == 0, result.stderr
    wanted = phantoms.of('PHANTOM')
    assert len(list(out.glob('*.dcm'))) == len(wanted)
    for instance in wanted:
        assert (out / f'{instance.uid}.dcm').read_bytes() == instance.path.read_bytes()
        assert (out / f'{instance.uid}.study').read_text() == instance.study
    lines = outcomes(tmp_path / 'report.jsonl')
    assert {line['outcome'] for line in lines} == {'stored'}
    assert all(line['path'] == f'pipe:{command} {line["instance"]}' for line in lines)


def test_pipe_failure_is_quoted(trolley, examples, phantoms, tmp_path):
    """One instance is refused: that one fails, with the command's own words; the others are kept."""
    bad = phantoms.of('OTHER')[0]
    command = script(tmp_path / 'refuse',
                     f'test "$1" = {bad.uid} || exit 0\n'
                     'printf "quota \\033[31mexceeded\\n" >&2; head -c 100000 /dev/zero >&2; exit 3')
    ini = pipe_ini(examples, phantoms.folder, command, 'argument = {instance}')
    result = trolley(ini, 'download', 'PatientID=OTHER', '--report', 'report.jsonl')
    assert result.status == 3, result.stderr
    told = {line['instance']: line for line in outcomes(tmp_path / 'report.jsonl')}
    assert len(told) == len(phantoms.of('OTHER'))
    assert told.pop(bad.uid)['outcome'] == 'failed'
    assert {line['outcome'] for line in told.values()} == {'stored'}
    text = (tmp_path / 'report.jsonl').read_text() + result.stderr
    assert 'ended with exit status 3: quota ' in text
    assert '\033' not in text


@pytest.mark.parametrize('body, lines, reason', [
    ('kill -9 $$', [], 'was ended by signal 9'),
    ('sleep 600', ['timeout = 200ms'], 'has not ended within 200 ms'),
    ('exec 2>&-; sleep 600', ['timeout = 200ms'], 'has not ended within 200 ms'),
])
def test_pipe_command_that_does_not_end_well(trolley, examples, phantoms, tmp_path, body, lines,
                                             reason):
    instance = phantoms.of('OTHER')[0]
    command = script(tmp_path / 'command', body)
    ini = pipe_ini(examples, phantoms.folder, command, *lines)
    result = trolley(ini, 'download', '--study', instance.study, '--series', instance.series,
                     '--instance', instance.uid, '--report', 'report.jsonl')
    assert result.status == 1, result.stderr
    assert reason in (tmp_path / 'report.jsonl').read_text()


def test_pipe_never_shows_a_broken_instance(trolley, examples, phantoms, tmp_path):
    """A file that is cut off ends before the command is started."""
    instance = phantoms.of('OTHER')[0]
    pacs = tmp_path / 'pacs'
    pacs.mkdir()
    (pacs / 'cut.dcm').write_bytes(b'')
    (pacs / 'cut.dcm').write_bytes(instance.path.read_bytes()[:-100])
    command = script(tmp_path / 'touch', f'touch {tmp_path}/started')
    ini = pipe_ini(examples, pacs, command)
    reference = f'{instance.study},{instance.series},{instance.uid[:-1]}0'
    (tmp_path / 'refs.csv').write_text('StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n'
                                       + reference + '\n')
    result = trolley(ini, 'download', '--from', 'refs.csv')
    assert result.status != 0
    assert not (tmp_path / 'started').exists()


@pytest.mark.parametrize('lines, reason', [
    (['argument = {patient}'], 'between { and } stands study, series or instance'),
    (['argument = {study'], 'between { and } stands study, series or instance'),
    (['timeout = 0ms'], 'timeout'),
])
def test_pipe_configuration(trolley, examples, phantoms, tmp_path, lines, reason):
    command = script(tmp_path / 'command', 'exit 0')
    refused = trolley(pipe_ini(examples, phantoms.folder, command, *lines), 'config', 'check')
    assert refused.status == 1
    assert reason in refused.stderr
    missing = trolley(pipe_ini(examples, phantoms.folder, tmp_path / 'no'), 'config', 'check')
    assert missing.status == 1
    assert 'No such file' in missing.stderr


@pytest.mark.parametrize('name', ['csv-worklist', 'pipe'])
def test_examples_pass_the_validator(trolley, examples, name):
    """What it can check without a list or a command that exists."""
    checked = trolley(None, 'check-plugin', examples / f'{name}.so')
    assert checked.status == 0, checked.stdout + checked.stderr
    assert re.search(r'^passed +(searcher|storage) +options', checked.stdout, re.MULTILINE)
