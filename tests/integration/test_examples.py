"""The library's examples, as they are installed, built by pkg-config and run against a real Orthanc.
SPDX-License-Identifier: MIT"""

import re

import pydicom
import pytest

import installed
import mint_server
import sdk_build
from installed import EXAMPLES
from program import files_below
from test_rad69 import source  # noqa: F401  pylint: disable=unused-import

LIBRARY = EXAMPLES / 'library'


@pytest.fixture(scope='session')
def examples(tmp_path_factory):
    """The folder of the programs, all of them built as the README says: by make."""
    folder = tmp_path_factory.mktemp('examples')
    sdk_build.run(['make', '-f', LIBRARY / 'Makefile', f'CC={installed.os.environ["CC"]}',
                   f'CFLAGS=-O1 -g {sdk_build.WARNINGS} {sdk_build.SANITIZERS}'], folder,
                  env=sdk_build.environment(folder))
    return folder


@pytest.fixture
def example(examples, tmp_path):
    """example(name, ini, *arguments): runs it with an INI file of that text."""
    def call(name, ini, *arguments, status=0, **more):
        path = tmp_path / 'trolley.ini'
        path.write_text(ini, encoding='utf-8')
        path.chmod(0o600)
        result = installed.run(examples / name, path, *arguments, folder=tmp_path, **more)
        assert result.status == status, result.stderr
        return result
    return call


def check_tree(folder, expected):
    assert files_below(folder) == sorted(instance.in_tree for instance in expected)
    for instance in expected:
        assert (folder / instance.in_tree).read_bytes() == instance.path.read_bytes()


def test_every_example_is_in_the_table(examples):
    table = set(re.findall(r'^\| `(\w+\.c)` \|', (LIBRARY / 'README.md').read_text(), re.MULTILINE))
    assert table == {path.name for path in LIBRARY.glob('*.c')}
    assert {path.name + '.c' for path in examples.iterdir() if path.is_file()} == table


def test_basic(example, web_ini, phantoms, tmp_path):
    said = example('basic', web_ini, 'Phantom*', 'out')
    [study] = {path.parts[0] for path in files_below(tmp_path / 'out')}
    expected = phantoms.of_study(study)
    assert said.stdout == f'{len(expected)} of {len(expected)} instances\n'
    check_tree(tmp_path / 'out', expected)
    assert example('basic', web_ini, 'Nobody*', 'none').stdout == 'nothing found\n'


def test_basic_says_what_is_wrong(example, web_ini):
    said = example('basic', web_ini.replace('type = qido-rs', 'type = quido-rs'), 'P*', 'out',
                   status=1)
    assert 'qido-rs' in said.stderr and said.stdout == ''


def test_find_studies(example, web_ini, phantoms):
    days = {pydicom.dcmread(i.path, stop_before_pixels=True).StudyDate: i.study
            for i in phantoms.of('PHANTOM')}
    first, last = sorted(days)[0], sorted(days)[1]
    said = example('find_studies', web_ini, f'{first}..{last}')
    wanted = {i.study: pydicom.dcmread(i.path, stop_before_pixels=True)
              for i in phantoms.instances}
    wanted = {uid: header for uid, header in wanted.items() if first <= header.StudyDate <= last}
    lines = dict(line.split(' ', 1) for line in said.stdout.splitlines())
    assert lines.keys() == wanted.keys()
    for uid, header in wanted.items():
        day = header.StudyDate
        assert lines[uid].startswith(f'{day[:4]}-{day[4:6]}-{day[6:]} family='
                                     f'{header.PatientName.family_name} '
                                     f'born={header.get("PatientBirthDate") or "?"} ')


def test_find_instances(example, web_ini, phantoms):
    study = phantoms.studies('PHANTOM')[0]
    said = example('find_instances', web_ini, study).stdout.splitlines()
    assert said[0] == '1 studies, 2 series, 8 instances'
    uid, rows = re.fullmatch(r'Rows of (\S+): (\d+)', said[1]).groups()
    [instance] = [i for i in phantoms.of_study(study) if i.uid == uid]
    assert int(rows) == pydicom.dcmread(instance.path, stop_before_pixels=True).Rows
    assert said[2:] == ['PatientID: PHANTOM', 'back to the study: ' + study]


def test_download_objects(example, web_ini, phantoms, tmp_path):
    (tmp_path / 'out').mkdir()
    said = example('download_objects', web_ini, 'PHANTOM', 'out')
    assert said.stdout.splitlines() == ['studies: 24 instances', 'study: 8 instances',
                                        'series: 4 instances', 'instances: 3 instances']
    check_tree(tmp_path / 'out' / 'studies', phantoms.of('PHANTOM'))
    for name, count in (('study', 8), ('series', 4), ('instances', 3)):
        paths = files_below(tmp_path / 'out' / name)
        assert len(paths) == count
        check_tree(tmp_path / 'out' / name, [i for i in phantoms.instances if i.in_tree in paths])


@pytest.mark.parametrize('depth, count', [(1, 8), (2, 4), (3, 1)])
def test_download_references(example, web_ini, phantoms, tmp_path, depth, count):
    one = phantoms.of('PHANTOM')[0]
    uids = (one.study, one.series, one.uid)[:depth]
    said = example('download_references', web_ini[:web_ini.index('[trolley')], 'fetch', 'out',
                   *uids)
    expected = [i for i in phantoms.instances if (i.study, i.series, i.uid)[:depth] == uids]
    assert len(expected) == count
    # One instance by its own UID is all that there can be; of the others nobody knows.
    assert said.stdout.startswith(f'{count} instances, ')
    check_tree(tmp_path / 'out', expected)


def test_download_references_refuses_what_is_no_uid(example, web_ini, tmp_path):
    said = example('download_references', web_ini, 'fetch', 'out', '../../etc', status=1)
    assert '../../etc' in said.stderr
    assert not (tmp_path / 'out').exists()


def test_fetch_instances(example, web_ini, phantoms, tmp_path):
    ini = web_ini.replace('storage = home\n', '')
    (tmp_path / 'out').mkdir()
    said = example('fetch_instances', ini, 'PHANTOM', 'out')
    expected = phantoms.of('PHANTOM')
    total = sum(i.path.stat().st_size for i in expected)
    assert said.stdout == f'24 instances, {total} bytes\n'
    assert {path.name for path in (tmp_path / 'out').iterdir()} == {i.uid + '.dcm' for i in expected}
    for i in expected:
        assert (tmp_path / 'out' / (i.uid + '.dcm')).read_bytes() == i.path.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out', 'trolley.ini']


@pytest.mark.parametrize('fault', ['cut-body', 'cut-every-third-connection', 'wrong-uid',
                                   'boundary-in-pixels', 'stranger', 'duplicate', 'cut-inside'])
def test_fetch_instances_from_a_bad_server(example, web_ini, orthanc, fault_server, tmp_path,
                                           fault):
    """What breaks is begun again, what was not asked for thrown away: every file is whole."""
    (tmp_path / 'out').mkdir()
    server = fault_server(fault)
    ini = web_ini.replace(orthanc.dicom_web, server.dicom_web).replace(
        'type = wado-rs\n', 'type = wado-rs\nretry_delay = 10ms\n')
    example('fetch_instances', ini, 'PHANTOM', 'out')
    held = {instance.uid: instance.data for instance in server.state.held}
    got = {path.stem: path.read_bytes() for path in (tmp_path / 'out').iterdir()}
    assert len(got) >= 24
    for uid, data in got.items():
        assert uid not in held or data == held[uid]


def test_fetch_instances_that_cannot_be_saved(example, web_ini, tmp_path):
    """The first callback that fails ends the fetch, with its own status."""
    said = example('fetch_instances', web_ini, 'PHANTOM', 'nowhere', status=1)
    assert 'the caller wanted no more' in said.stderr
    assert said.stdout.startswith('0 instances, ')


def test_compose(example, web_ini, phantoms, tmp_path):
    ini = web_ini[:web_ini.index('[trolley')] + '[storage flat]\ntype = flat\npath = flat\n' \
        'min_free = 0\n'
    said = example('compose', ini, 'search', 'fetch', 'flat', 'OTHER')
    assert said.stdout == '2 of 2 instances\n'
    expected = phantoms.of('OTHER')
    assert sorted(map(str, files_below(tmp_path / 'flat'))) == sorted(
        i.uid + '.dcm' for i in expected)
    wrong = example('compose', ini, 'search', 'fech', 'flat', 'OTHER', status=1)
    assert '[downloader fech]' in wrong.stderr


def test_custom_storage(example, web_ini, phantoms, tmp_path):
    (tmp_path / 'out').mkdir()
    said = example('custom_storage', web_ini, 'OTHER', 'out')
    paths = dict(line.split() for line in said.stdout.splitlines())
    assert paths.keys() == {i.uid for i in phantoms.of('OTHER')}
    assert sorted(paths.values()) == ['out/000001.dcm', 'out/000002.dcm']
    for i in phantoms.of('OTHER'):
        assert (tmp_path / paths[i.uid]).read_bytes() == i.path.read_bytes()
    again = example('custom_storage', web_ini, 'OTHER', 'out', status=1)  # numbers taken: wbx
    assert 'it cannot be made' in again.stderr
    assert len(files_below(tmp_path / 'out')) == 2


def test_search_alone(example, web_ini):
    ini = web_ini[:web_ini.index('[downloader')]
    assert example('search_alone', ini, 'search', 'PHANTOM').stdout == '3 studies\n3 studies\n'


def test_search_alone_cached(example):
    """The searcher that the INI file puts in front remembers: the server is asked once."""
    with mint_server.MintServer() as server:
        ini = (f'[searcher vitrea]\ntype = mint\nurl = {server.url}/vitrea\n'
               '[searcher remembered]\ntype = cached\nsearcher = vitrea\n')
        assert example('search_alone', ini, 'remembered', 'MINT1').stdout == '1 studies\n1 studies\n'
        assert len(server.requests) == 1
        assert example('search_alone', ini, 'vitrea', 'MINT1').stdout == '1 studies\n1 studies\n'
        assert len(server.requests) == 3


def test_logging(example, web_ini):
    said = example('logging', web_ini, 'PHANTOM')
    assert re.search(r'^\d\d:\d\d:\d\d \w+ trolley\.\S', said.stderr, re.MULTILINE), said.stderr
    other = example('logging', web_ini.replace('http://127', 'http://user@127'), 'PHANTOM',
                    status=1)
    assert other.stderr


OUTCOMES = """
[searcher search]
type = folder
path = {path}
[downloader fetch]
type = rad69
url = {url}/partial
{more}
[trolley t]
searcher = search
downloader = fetch
"""


@pytest.mark.parametrize('more, fate, status', [
    ('errors_to_ignore = XDSMissingDocument', 'ignored', 0), ('', 'missing', 1)])
def test_outcomes(example, phantoms, source, tmp_path, more, fate, status):  # noqa: F811
    source.reset()
    study = phantoms.studies('OTHER')[0]
    said = example('outcomes', OUTCOMES.format(path=phantoms.folder, url=source.url, more=more),
                   study, 'out', status=status)
    fates = dict(line.split()[1::-1] for line in said.stdout.splitlines()[:-1])
    assert sorted(fates.values()) == sorted(['stored', fate])
    [there] = files_below(tmp_path / 'out')
    assert fates[there.stem] == 'stored'


@pytest.mark.parametrize('password, status, word', [('secret', 0, 'well'), ('wrong', 4, 'auth')])
def test_login(example, web_ini, orthanc, orthanc_locked, password, status, word):
    ini = web_ini.replace(orthanc.dicom_web, orthanc_locked.dicom_web).replace(
        'type = qido-rs', 'type = qido-rs\nsession = s').replace(
        'type = wado-rs', 'type = wado-rs\nsession = s')
    ini += '[session s]\nauth = basic\nuser = reader\npassword_env = PACS_PASSWORD\n'
    said = example('login', ini, status=status, environment={'PACS_PASSWORD': password})
    [search, fetch] = said.stdout.splitlines()
    assert search.startswith('qido-rs search: ' + word), said.stdout
    assert fetch.startswith('wado-rs fetch: ' + word)
    assert password not in said.stdout + said.stderr or password == 'secret'


@pytest.mark.parametrize('ini', ['web_ini', 'folder_ini', 'qr_ini'])
def test_two_threads(example, request, ini, phantoms):
    """One setup, two handles, a find and a fetch at the same time. Under --enable-sanitizers=thread
    ThreadSanitizer looks on."""
    rounds = 5
    said = example('two_threads', request.getfixturevalue(ini), 'PHANTOM', rounds)
    total = sum(i.path.stat().st_size for i in phantoms.of('PHANTOM'))
    counts = re.fullmatch(r'found (\d+), fetched (\d+) instances, (\d+) bytes\n', said.stdout)
    assert counts, said.stdout
    assert tuple(map(int, counts.groups()[:2])) == (24 * rounds, 24 * rounds)
    if ini != 'qr_ini':
        assert int(counts[3]) == total * rounds
