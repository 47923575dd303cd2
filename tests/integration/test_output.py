"""What find and download print at 80 and 200 columns, piped and on a terminal. The expectations are
written by hand from what the formats promise. SPDX-License-Identifier: MIT"""

import datetime
import json
import re

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

import program
from terminal import SGR, on_terminal, screen, width

LONG = 'abcdefghij' * 10    # longer than 80 columns have room for

INI = """
[searcher s]
type = folder
path = {path}
[downloader d]
type = folder
path = {path}
[storage home]
type = tree
path = home
min_free = 0
[trolley t]
searcher = s
downloader = d
storage = home
"""


def write(folder, uid, **values):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = '1.2.840.10008.5.1.4.1.1.2'
    data.file_meta.MediaStorageSOPInstanceUID = uid
    data.is_little_endian, data.is_implicit_VR = True, False
    data.SpecificCharacterSet = 'ISO_IR 192'
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = uid
    for keyword, value in values.items():
        setattr(data, keyword, value)
    pydicom.dcmwrite(folder / f'{uid}.dcm', data, write_like_original=False)


@pytest.fixture
def ini(tmp_path):
    """Two studies: 1.2.1 with two series, of 1 and 2 instances; 1.2.2 with one of one."""
    folder = tmp_path / 'files'
    folder.mkdir()
    head = {'StudyInstanceUID': '1.2.1', 'PatientID': '1234', 'PatientName': '山田^太郎',
            'StudyDate': '20260301', 'StudyDescription': 'Head', 'AccessionNumber': 'A1'}
    other = {'StudyInstanceUID': '1.2.2', 'PatientID': '=1+1', 'PatientName': 'Doe^Jane',
             'StudyDate': datetime.date.today().strftime('%Y%m%d'),
             'StudyDescription': 'say "hi", ok', 'AccessionNumber': ''}
    write(folder, '1.2.1.1.1', SeriesInstanceUID='1.2.1.1', Modality='CT', SeriesNumber='1',
          SeriesDescription='Scout', InstanceNumber='1', **head)
    write(folder, '1.2.1.2.1', SeriesInstanceUID='1.2.1.2', Modality='CT', SeriesNumber='2',
          SeriesDescription=LONG[:64], InstanceNumber='1', **head)
    write(folder, '1.2.1.2.2', SeriesInstanceUID='1.2.1.2', Modality='CT', SeriesNumber='2',
          SeriesDescription=LONG[:64], InstanceNumber='2', **head)
    write(folder, '1.2.2.1.1', SeriesInstanceUID='1.2.2.1', Modality='MR', SeriesNumber='1',
          SeriesDescription='T1', InstanceNumber='1', **other)
    path = tmp_path / 'trolley.ini'
    path.write_text(INI.format(path=folder), encoding='utf-8')
    path.chmod(0o600)
    return path


@pytest.fixture
def find(trolley, ini):
    def call(*arguments):
        result = trolley(ini.read_text(encoding='utf-8'), 'find', *arguments)
        assert (result.status, result.stderr) == (0, '')
        return result.stdout
    return call


def lines_of(text):
    return [line for line in screen(text.replace('\r\n', '\n').replace('\n', '\r\n')) if line]


# ---- find: tables ----

@pytest.mark.parametrize('columns', [80, 200])
def test_table_of_fields(ini, columns):
    status, text = on_terminal(ini, columns, 'find', '--fields',
                               'PatientID,PatientName,StudyDate,StudyInstanceUID', 'PatientID=1234')
    assert status == 0
    assert lines_of(text) == ['PatientID  PatientName  StudyDate  StudyInstanceUID',
                              '1234       山田^太郎    20260301   1.2.1']


def test_long_values_are_cut_with_an_ellipsis(ini):
    arguments = ('find', 'PatientID=1234', '--level', 'series', '--fields',
                 'Modality,SeriesInstanceUID,SeriesDescription')
    status, text = on_terminal(ini, 80, *arguments)
    assert status == 0
    # Headers give way to values first; 8 + 2 + 8 + 2 leave 60 columns.
    assert lines_of(text) == ['Modality  SeriesI…  SeriesDescription',
                              'CT        1.2.1.1   Scout',
                              'CT        1.2.1.2   ' + LONG[:59] + '…']
    status, text = on_terminal(ini, 200, *arguments)
    assert lines_of(text)[2] == 'CT        1.2.1.2            ' + LONG[:64]


@pytest.mark.parametrize('columns', [80, 200])
@pytest.mark.parametrize('level', ['study', 'series', 'instance'])
def test_telling_columns_first(ini, columns, level):
    status, text = on_terminal(ini, columns, 'find', 'StudyInstanceUID=1.2.1', '--level', level)
    assert status == 0
    head, *rows = [line for line in lines_of(text) if 'columns do not fit' not in line]
    assert re.match(r'Patient(ID|…) +PatientN(ame|…) +StudyDa(te|…) ', head)
    assert len(rows) == {'study': 1, 'series': 2, 'instance': 3}[level]
    for row in rows:
        assert width(row) <= columns
        assert row.startswith('1234')
    if columns == 200:
        uid = {'study': '1.2.1', 'series': '1.2.1.1', 'instance': '1.2.1.1.1'}[level]
        assert rows[0].endswith(uid)


def test_a_narrow_terminal_says_what_it_leaves_out(ini):
    status, text = on_terminal(ini, 30, 'find', 'PatientID=1234')
    assert status == 0
    assert re.search(r'^\d+ more columns do not fit; choose with --fields', SGR.sub('', text),
                     re.MULTILINE)


def test_table_in_a_pipe_is_not_cut(find):
    assert find('--format', 'table', 'PatientID=1234', '--level', 'series', '--fields',
                'SeriesDescription,Modality').splitlines() == \
        [f'{"SeriesDescription":64}  Modality', f'{"Scout":64}  CT', f'{LONG[:64]}  CT']


def test_colour_is_for_terminals(ini, find):
    for arguments in (['--format', 'table'], []):
        assert '\x1b' not in find(*arguments)
    assert '\x1b[1m' in on_terminal(ini, 80, 'find')[1]
    assert '\x1b' not in on_terminal(ini, 80, 'find', NO_COLOR='1')[1]
    assert '\x1b' not in on_terminal(ini, 80, 'find', TERM='dumb')[1]
    assert '\x1b[1m' in on_terminal(ini, 80, 'find', NO_COLOR='')[1]


# ---- find: the other formats ----

def test_csv(find):
    fields = ('--format', 'csv', '--fields', 'PatientID,StudyDescription,AccessionNumber')
    assert find(*fields, 'StudyInstanceUID=1.2.2').splitlines() == \
        ['PatientID,StudyDescription,AccessionNumber', '\'=1+1,"say ""hi"", ok",']
    assert find(*fields, '--raw', 'StudyInstanceUID=1.2.2').splitlines()[1] == \
        '=1+1,"say ""hi"", ok",'


def test_csv_lines_end_as_rfc_4180_says(ini):
    status, text = on_terminal(ini, 80, 'find', '--format', 'csv', '--fields', 'PatientID',
                               'PatientID=1234')
    assert status == 0
    assert text.replace('\r\r\n', '\r\n') == 'PatientID\r\n1234\r\n'


def test_jsonl(find):
    assert find('StudyInstanceUID=1.2.2', '--fields', 'PatientName,StudyDescription,Modality') == \
        '{"PatientName":"Doe^Jane","StudyDescription":"say \\"hi\\", ok","Modality":null}\n'


def test_json_is_the_study_tree(find):
    tree = json.loads(find('--format', 'json', '--level', 'instance', '--fields',
                           'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID',
                           'StudyInstanceUID=1.2.1'))
    assert tree == [{'StudyInstanceUID': '1.2.1', 'series': [
        {'SeriesInstanceUID': '1.2.1.1', 'instances': [{'SOPInstanceUID': '1.2.1.1.1'}]},
        {'SeriesInstanceUID': '1.2.1.2', 'instances': [{'SOPInstanceUID': '1.2.1.2.1'},
                                                       {'SOPInstanceUID': '1.2.1.2.2'}]}]}]


def test_dicom_json(find):
    assert json.loads(find('--format', 'dicom-json', '--fields', 'PatientName,StudyInstanceUID',
                           'StudyInstanceUID=1.2.1')) == \
        [{'00100010': {'vr': 'PN', 'Value': [{'Alphabetic': '山田^太郎'}]},
          '0020000D': {'vr': 'UI', 'Value': ['1.2.1']}}]


def test_tree(find):
    text = find('--format', 'tree', '--level', 'instance', 'StudyInstanceUID=1.2.1').splitlines()
    assert [line.rstrip() for line in text[1:]] == \
        ['├─ 1.2.1.1  1  CT  Scout', '│  └─ 1.2.1.1.1  1',
         f'└─ 1.2.1.2  2  CT  {LONG[:64]}', '   ├─ 1.2.1.2.1  1', '   └─ 1.2.1.2.2  2']
    assert text[0].startswith('1.2.1  20260301  1234  山田^太郎')


# ---- find: keys ----

def found(find, *keys):
    return sorted(json.loads(line)['StudyInstanceUID'] for line in find(*keys).splitlines())


@pytest.mark.parametrize('key', ['PatientID=1234', '00100020=1234', '0010,0020=1234'])
def test_keys_by_keyword_and_tag(find, key):
    assert found(find, key) == ['1.2.1']


TODAY = datetime.date.today()


@pytest.mark.parametrize('date, studies', [
    ('20260301', ['1.2.1']), ('2026-03-01', ['1.2.1']), ('20260301-20260302', ['1.2.1']),
    ('2026-02-01..2026-03-01', ['1.2.1']), ('-20260301', ['1.2.1']), ('..2026-03-01', ['1.2.1']),
    ('20260302-20260303', []), ('today', ['1.2.2']), ('today-7d..today', ['1.2.2']),
    ('today-7d..', ['1.2.2']), ('20260302..', ['1.2.2']), ('20260301..', ['1.2.1', '1.2.2'])])
def test_dates(trolley, ini, date, studies):
    # Where "today" is another day than the one the fixture was made on, it is asked again.
    if datetime.date.today() != TODAY:
        pytest.fail('midnight passed while the tests were running')
    result = trolley(ini.read_text(encoding='utf-8'), 'find', f'StudyDate={date}')
    assert result.status == 0, result.stderr
    assert sorted(row['StudyInstanceUID'] for row in result.lines()) == studies


def test_several_values(find):
    assert found(find, 'StudyInstanceUID=1.2.1,1.2.2') == ['1.2.1', '1.2.2']
    assert found(find, 'StudyInstanceUID=1.2.1\\1.2.2') == ['1.2.1', '1.2.2']


def test_limit(trolley, web_ini):
    result = trolley(web_ini, 'find', 'PatientID=PHANTOM', 'limit=2')
    assert result.status == 0, result.stderr
    assert len(result.lines()) == 2


# ---- download ----

SLOW = INI.replace('type = folder\npath = {path}\n[storage', 'type = wado-rs\nurl = {url}\n'
                   'request = instance\nmax_parallel = 2\n[storage')


def slow_ini(tmp_path, phantoms, fault_server):
    """Every answer takes 50 ms longer, so that there is something to see."""
    path = tmp_path / 'trolley.ini'
    path.write_text(SLOW.format(path=phantoms.folder, url=fault_server('far-away').dicom_web))
    path.chmod(0o600)
    return path


def frames(text):
    """What stood on the lines of the bar, one time after the other."""
    return [part for part in re.split(r'\r\x1b\[K(?:\x1b\[A\x1b\[K)*', text) if part.strip()]


@pytest.mark.parametrize('columns', [80, 200])
def test_download_on_a_terminal(tmp_path, phantoms, fault_server, home, columns):
    path = slow_ini(tmp_path, phantoms, fault_server)
    status, text = on_terminal(path, columns, 'download', 'PatientID=PHANTOM')
    assert status == 0
    [last] = [line for line in screen(text) if line]        # the bar is gone
    assert re.fullmatch(r'complete: 24 of 24 instances \(24 stored, 0 skipped, 0 missing, '
                        r'0 failed\), \d+ KiB in \d+\.\d s', last)
    bars = [frame for frame in frames(text) if frame.startswith('[')]
    assert bars
    for bar in bars:
        match = re.fullmatch(r'\[#*-*\] (\d+) of (\d+) instances, [\d.]+ (B|KiB), [\d.]+ \w+/s'
                             r'(, .+ left)?', bar)
        assert match, bar
        assert int(match[1]) <= int(match[2]) <= 24
        assert width(bar) < columns
    assert len(program.files_below(home)) == 24


def test_a_line_a_worker_with_v(tmp_path, phantoms, fault_server):
    path = slow_ini(tmp_path, phantoms, fault_server)
    status, text = on_terminal(path, 80, '-v', 'download', 'PatientID=PHANTOM')
    assert status == 0
    workers = {line for frame in frames(text) for line in frame.split('\r\n')
               if line.startswith('  ')}
    assert any(re.match(r'  1 wado-rs d: instance \d', line) for line in workers), text
    assert any(line.startswith('  2 ') for line in workers)
    assert all(width(line) < 80 for line in workers)
    lines = [line for line in screen(text) if line]
    assert lines[-1].startswith('complete: 24 of 24')
    assert not any(line.startswith('  ') for line in lines)     # their lines are gone, too
    # Not on a terminal they are lines of the log.
    piped = program.run(['--config', path, '-v', 'download', 'PatientID=PHANTOM', '--overwrite'],
                        tmp_path)
    assert re.search(r'^\S+ info trolley\.wado-rs d: instance \d', piped.stderr, re.MULTILINE)


def test_no_bar_where_none_is_wanted(tmp_path, phantoms, fault_server):
    path = slow_ini(tmp_path, phantoms, fault_server)
    for options, extra in ((['-q'], {}), (['--log-format', 'json'], {}), ([], {'TERM': 'dumb'})):
        status, text = on_terminal(path, 80, *options, 'download', 'PatientID=OTHER', '--overwrite',
                                   **extra)
        assert status == 0
        assert '\x1b' not in text and '#' not in text
    piped = program.run(['--config', path, 'download', 'PatientID=OTHER', '--overwrite'], tmp_path)
    assert piped.stdout == '' and len(piped.stderr.splitlines()) == 1


def test_a_line_in_between_does_not_break_the_bar(tmp_path, phantoms, fault_server):
    """Notes and log lines stand whole above the bar."""
    path = slow_ini(tmp_path, phantoms, fault_server)
    status, text = on_terminal(path, 200, '-vv', 'download', 'PatientID=OTHER')
    assert status == 0
    for line in filter(None, screen(text)):
        assert re.match(r'\d{4}-\d\d-\d\dT\S+Z (debug|info|warning) trolley[.:]|complete: ', line), line


def test_dry_run_tells_its_requests(tmp_path, phantoms, fault_server, home):
    path = slow_ini(tmp_path, phantoms, fault_server)
    study = phantoms.studies('OTHER')[0]
    result = program.run(['--config', path, 'download', '--study', study, '--dry-run'], tmp_path)
    assert result.status == 0
    assert result.verdict() == 'dry run: nothing was fetched'
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    for instance, line in zip(sorted(phantoms.of('OTHER'), key=lambda one: one.uid), sorted(lines)):
        assert line.startswith('wado-rs d: would request ')
        assert f'study {study} series {instance.series} instance {instance.uid}' in line
    assert program.files_below(home) == []


def test_downloader_by_name(tmp_path, phantoms, folder_ini, trolley):
    ini = folder_ini.replace('downloader = fetch', 'downloader = fetch, second') + \
        f'[downloader second]\ntype = folder\npath = {phantoms.folder}\n'
    for name in ('second', 'fetch'):
        assert trolley(ini, 'download', 'PatientID=OTHER', '--downloader', name, '--output', name,
                       '--report', name + '.jsonl').status == 0
        assert {line['downloader'] for line in program.outcomes(tmp_path / (name + '.jsonl'))} == \
            {name}


# ---- lists ----

def forms(phantoms):
    study = phantoms.studies('OTHER')[0]
    one, two = phantoms.of('OTHER')
    both = [one.uid, two.uid]
    return study, one, {
        'study': ('StudyInstanceUID\n' + study + '\n', both),
        'crlf and quotes': (f'"StudyInstanceUID"\r\n"{study}"\r\n', both),
        'a mark and other columns':
            (f'\ufeffPatientName,StudyInstanceUID,Note\n"Doe, ""J""\nJane",{study},"a,b"\n', both),
        'no last newline': (f'StudyInstanceUID\n{study}', both),
        'series': (f'SeriesInstanceUID,StudyInstanceUID\n{one.series},{study}\n', both),
        'instance': ('StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n'
                     f'{study},{one.series},{one.uid}\n', [one.uid]),
        'empty cells': ('StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n'
                        f'{study},,\n', both),
        'jsonl': (json.dumps({'StudyInstanceUID': study, 'Other': [1]}) + '\r\n\n', both),
        'jsonl of an instance': ('\ufeff' + json.dumps(
            {'SOPInstanceUID': one.uid, 'SeriesInstanceUID': one.series,
             'StudyInstanceUID': study}), [one.uid]),
    }


@pytest.mark.parametrize('name', ['study', 'crlf and quotes', 'a mark and other columns',
                                  'no last newline', 'series', 'instance', 'empty cells', 'jsonl',
                                  'jsonl of an instance'])
def test_lists(trolley, folder_ini, home, phantoms, tmp_path, name):
    text, uids = forms(phantoms)[2][name]
    (tmp_path / 'list').write_bytes(text.encode())
    result = trolley(folder_ini, 'download', '--from', 'list')
    assert result.status == 0, result.stderr
    assert sorted(path.stem for path in program.files_below(home)) == sorted(uids)


@pytest.mark.parametrize('text, line', [
    ('StudyInstanceUID\n1.2\n1.2.x\n', 3), ('StudyInstanceUID\n1.2,3\n', 2),
    ('PatientID\n1\n', 1), ('StudyInstanceUID,SeriesInstanceUID\n,1.2\n', 2),
    ('{"StudyInstanceUID":"1.2"}\n{"StudyInstanceUID":7}\n', 2), ('{"StudyInstanceUID":"1.2"}\n{\n', 2),
    ('"PatientName","StudyInstanceUID"\n"a\nb",1.2\n"c",x\n', 4)])
def test_a_bad_line_is_named(trolley, folder_ini, text, line):
    result = trolley(folder_ini, 'download', '--from', '-', stdin=text)
    assert result.status == 2
    assert f'standard input, line {line}: ' in result.stderr


@pytest.mark.parametrize('form', ['json', 'dicom-json'])
def test_lists_of_other_forms_say_which_to_take(trolley, folder_ini, form):
    listed = trolley(folder_ini, 'find', 'PatientID=OTHER', '--format', form).stdout
    result = trolley(folder_ini, 'download', '--from', '-', stdin=listed)
    assert result.status == 2
    assert '--format jsonl' in result.stderr
