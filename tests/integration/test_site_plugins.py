"""A site's own plugins, named by the INI file: used by name, checked, listed; and what the host says
of each kind of plugin that it cannot load. SPDX-License-Identifier: MIT"""

import os
import pathlib
import re
import shutil
import struct
import time

import pytest

import sdk_build
from program import files_below, run as run_program

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE / 'broken_plugin.c'
BUILTIN = pathlib.Path(os.environ['TROLLEY_PLUGINDIR'])

# What is wrong with the plugin NAME.so, and what the host must say of it.
FAULTS = {
    'too-small': (['-DBROKEN_SIZE'], 'its descriptor is absent or smaller than contract 1.0 wants'),
    'no-plugin': (['-DBROKEN_NULL'], 'its descriptor is absent or smaller than contract 1.0 wants'),
    'no-component': (['-DBROKEN_EMPTY'], 'has no component'),
    'small-part': (['-DBROKEN_COMPONENT_SIZE'], 'component 1 is smaller than contract 1.0 wants'),
    'strange-kind': (['-DBROKEN_KIND=9'], r'component 1 is of an unknown kind \(9\)'),
    'two-of-a-kind': (['-DBROKEN_TWICE'], 'has two components of kind searcher, one is allowed'),
    'no-create': (['-DBROKEN_CREATE'], 'its searcher lacks create or destroy'),
    'no-level': (['-DBROKEN_LEVELS'], 'its searcher declares no level'),
    'no-type': (['-DBROKEN_TYPES'], 'its searcher declares no query type'),
    'no-find': (['-DBROKEN_FIND'], 'its searcher lacks the required operation: find'),
    'small-ops': (['-DBROKEN_OPS_SIZE'], 'its searcher lacks the required operation: find'),
    'no-fetch': (['-DBROKEN_DOWNLOADER'], 'its downloader lacks the required operation: fetch'),
    'no-write': (['-DBROKEN_STORAGE'], 'its storage lacks the required operation: open, write'),
    'no-prepare': (['-DBROKEN_AUTH'], 'its auth lacks the required operation: prepare or challenge'),
    'host-key': (['-DBROKEN_OPTION="max_retries"'], 'its searcher: option `max_retries`: belongs to '
                                                    'the host'),
    'odd-key': (['-DBROKEN_OPTION="Depth!"'], 'its searcher: option `Depth!`: a key is made of'),
    'misnamed': (['-DPLUGIN_NAME="another"'], 'calls itself `another`: file name and plugin name must '
                                              'be the same'),
    'no-symbol': (['-Dtrolley_plugin_v1=trolley_plugin_v9'], 'no symbol trolley_plugin_v1'),
}


def build(folder, name, *flags):
    output = folder / f'{name}.so'
    sdk_build.compile_plugin(SOURCE, output, '-O0', f'-DPLUGIN_NAME="{name}"', *flags)
    return output


def patch(path, offset, data):
    with open(path, 'r+b') as file:
        file.seek(offset)
        file.write(data)


@pytest.fixture(scope='module')
def good(tmp_path_factory):
    """A folder with one plugin that works: `site-search`."""
    folder = tmp_path_factory.mktemp('good')
    folder.chmod(0o755)
    build(folder, 'site-search')
    return folder


@pytest.fixture(scope='module')
def broken(tmp_path_factory, good):
    """(folder with a plugin for each fault and the one that works, {name: what is said of it})."""
    folder = tmp_path_factory.mktemp('broken')
    folder.chmod(0o755)
    said = {}
    for name, (flags, reason) in FAULTS.items():
        named = [f'-DPLUGIN_NAME="{name}"'] if not flags[0].startswith('-DPLUGIN_NAME') else []
        sdk_build.compile_plugin(SOURCE, folder / f'{name}.so', '-O0', *named, *flags)
        said[name] = reason
    whole = (good / 'site-search.so').read_bytes()
    for name, content, reason in (
            ('text', b'this is no program, whatever its name says' * 10, 'not a shared object'),
            ('nothing', b'', 'not a shared object'),
            ('cut-off', whole[:3000], 'the file is cut short'),
            ('of-32-bits', whole, r'wrong ELF class.*built for another machine'),
            ('of-sparc', whole, 'built for another machine|cannot open shared object file'),
            ('lent', whole, r'can be written by others: code is not loaded from there \(chmod go-w')):
        (folder / f'{name}.so').write_bytes(content)
        said[name] = reason
    patch(folder / 'of-32-bits.so', 4, b'\x01')
    patch(folder / 'of-sparc.so', 18, struct.pack('<H', 2))
    (folder / 'lent.so').chmod(0o666)
    (folder / 'folder-not-file.so').mkdir()
    said['folder-not-file'] = 'not a regular file'
    source = folder / 'undefined.c'
    source.write_text('void nobody_has_this(void);\n'
                      'const void *trolley_plugin_v1(void) { nobody_has_this(); return 0; }\n')
    sdk_build.compile_plugin(source, folder / 'unresolved.so')
    said['unresolved'] = 'undefined symbol: nobody_has_this.*link the plugin with the library'
    shutil.copy(good / 'site-search.so', folder)
    return folder, said


def searcher_ini(folder, kind='site-search', more=''):
    return (f'[settings]\nplugin_path = {folder}\n[searcher s]\ntype = {kind}\n{more}'
            '[trolley t]\nsearcher = s\n')


# ---- one that works ----

def test_used_by_name(trolley, good):
    found = trolley(searcher_ini(good), 'find', '--format', 'jsonl')
    assert found.status == 0, found.stderr
    assert [row['StudyInstanceUID'] for row in found.lines()] == ['1.2.3']


def test_options_are_checked(trolley, good):
    for line, reason in (('depht = 3', 'did you mean `depth`'), ('depth = 12', '1 to 9|at most 9|9'),
                         ('depth = deep', 'depth')):
        ini = searcher_ini(good, more=line + '\n')
        refused = trolley(ini, 'find')
        assert refused.status == 2, refused.stderr
        assert re.search(reason, refused.stderr)
        assert 'trolley.ini:5' in refused.stderr


def test_options_are_shown(trolley, good):
    ini = searcher_ini(good, more='depth = 3\n')
    shown = trolley(ini, 'plugins', 'site-search')
    assert shown.status == 0, shown.stderr
    assert re.search(r'depth +\(int, default 7, 1 to 9\)\s+how deep it looks', shown.stdout)
    assert str(good) in shown.stdout
    example = trolley(ini, 'config', 'example', 'site-search')
    assert '[searcher my-site-search]' in example.stdout
    assert re.search(r'^[;#] *depth = 7', example.stdout, re.MULTILINE)
    whole = trolley(ini, 'config', 'example')
    assert 'type = site-search' in whole.stdout and 'type = folder' in whole.stdout
    assert re.search(r'^depth = 3$', trolley(ini, 'config', 'show').stdout, re.MULTILINE)


def test_site_plugin_takes_the_place_of_a_builtin(trolley, tmp_path):
    """plugin_path comes first, and the list says what is shadowed."""
    site = tmp_path / 'plugins'
    site.mkdir(mode=0o755)
    build(site, 'folder')
    ini = searcher_ini(site, 'folder')
    found = trolley(ini, 'find', '--format', 'jsonl')
    assert [row['StudyInstanceUID'] for row in found.lines()] == ['1.2.3'], found.stderr
    listed = trolley(ini, 'plugins')
    assert listed.status == 0, listed.stderr
    assert re.search(rf'folder.*shadowed by {re.escape(str(site))}/folder\.so', listed.stdout)


def test_downloader_swapped_by_one_line(trolley, phantoms, home, tmp_path):
    """The line `type =` of a downloader is all that changes; the files are the same."""
    site, pacs = tmp_path / 'plugins', tmp_path / 'pacs'
    site.mkdir(mode=0o755)
    pacs.mkdir()
    sdk_build.compile_plugin(HERE.parent / 'abi' / 'first.c', site / 'first.so')
    for instance in phantoms.of('OTHER'):
        shutil.copy(instance.path, pacs / f'{instance.uid}.dcm')
    ini = (f'[settings]\nplugin_path = {site}\n[searcher s]\ntype = folder\npath = {pacs}\n'
           f'[downloader d]\ntype = folder\npath = {pacs}\n'
           '[storage h]\ntype = tree\npath = home\nmin_free = 0\n'
           '[trolley t]\nsearcher = s\ndownloader = d\nstorage = h\n')
    contents = []
    for text in (ini, ini.replace('[downloader d]\ntype = folder', '[downloader d]\ntype = first')):
        result = trolley(text, 'download', 'PatientID=OTHER')
        assert result.status == 0, result.stderr
        contents.append({path: (home / path).read_bytes() for path in files_below(home)})
        shutil.rmtree(home)
    assert contents[0] == contents[1]
    assert contents[0] == {instance.in_tree: instance.path.read_bytes()
                           for instance in phantoms.of('OTHER')}


# ---- those that do not load ----

NAMES = [*FAULTS, 'text', 'nothing', 'cut-off', 'of-32-bits', 'of-sparc', 'lent', 'folder-not-file',
         'unresolved']


@pytest.mark.parametrize('name', NAMES)
def test_fault_is_named(trolley, broken, name):
    """A command whose INI file names the plugin ends with its file, line, path and reason."""
    folder, said = broken
    refused = trolley(searcher_ini(folder, name), 'find')
    assert refused.status == 2, refused.stderr
    assert refused.stdout == ''
    assert re.search(said[name], refused.stderr), refused.stderr
    assert 'trolley.ini:3: [searcher s]' in refused.stderr
    assert f'{name}.so' in refused.stderr
    alone = trolley(searcher_ini(folder, name), 'plugins', name)
    assert alone.status != 0
    assert re.search(said[name], alone.stderr), alone.stderr


def test_faults_stop_nobody_else(trolley, broken):
    """Beside all of them, a plugin that works is found, used and shown."""
    folder, said = broken
    found = trolley(searcher_ini(folder), 'find', '--format', 'jsonl')
    assert found.status == 0, found.stderr
    assert [row['StudyInstanceUID'] for row in found.lines()] == ['1.2.3']
    assert found.stderr == ''
    listed = trolley(searcher_ini(folder), 'plugins', '--format', 'json')
    assert listed.status == 0, listed.stderr
    [plugins] = listed.lines()
    problems = {plugin['name']: plugin['problem'] for plugin in plugins if plugin.get('problem')}
    assert sorted(problems) == sorted(said)
    for name, problem in problems.items():
        assert re.search(said[name], problem), (name, problem)
    assert 'tree' in {plugin['name'] for plugin in plugins} - set(problems)
    example = trolley(searcher_ini(folder), 'config', 'example')
    assert example.status == 0, example.stderr
    assert 'type = site-search' in example.stdout


@pytest.mark.parametrize('flag, status, reason', [
    ('-DBROKEN_OPEN', 1, 'the licence server of s is asleep'),
    ('-DBROKEN_MAKE', 2, 'depth and width do not go together'),
])
def test_open_or_create_fails(trolley, tmp_path, flag, status, reason):
    site = tmp_path / 'plugins'
    site.mkdir(mode=0o755)
    build(site, 'tired', flag)
    failed = trolley(searcher_ini(site, 'tired'), 'find')
    assert (failed.status, failed.stdout) == (status, ''), failed.stderr
    assert reason in failed.stderr and 'tired' in failed.stderr
    check = trolley(searcher_ini(site, 'tired'), 'config', 'check')
    assert check.status == 1
    assert reason in check.stderr


@pytest.fixture
def peers(tmp_path):
    """peers(flag...): an INI text with a searcher that has a peer of its own plugin or, where flags
    break that, of another."""
    def text(kind, *flags):
        site = tmp_path / 'plugins'
        site.mkdir(mode=0o755)
        build(site, kind, '-DWITH_PEER', *flags)
        if flags:
            build(site, 'asked', '-DWITH_PEER')
        return searcher_ini(site, kind, 'peer = other\n[searcher other]\n'
                                        f'type = {"asked" if flags else kind}\n')
    return text


def test_peer_is_closed_last(trolley, peers):
    found = trolley(peers('asks'), 'find')
    assert found.status == 0, found.stderr
    closed = [line for line in found.stderr.splitlines() if line.endswith(' is closed')]
    assert closed == ['s is closed', 'other is closed']


def test_open_fails_once_a_peer_is_open(trolley, peers):
    """The peer is closed all the same, and no trace of the other is left."""
    failed = trolley(peers('tired', '-DBROKEN_OPEN'), 'find')
    assert (failed.status, failed.stdout) == (1, ''), failed.stderr
    assert 'the licence server of s is asleep' in failed.stderr
    assert 'other is closed' in failed.stderr and 's is closed' not in failed.stderr


def test_missing(trolley, good):
    refused = trolley(searcher_ini(good, 'site-serch'), 'find')
    assert refused.status == 2
    assert 'no plugin `site-serch`' in refused.stderr
    assert 'did you mean `site-search`?' in refused.stderr
    assert str(good) in refused.stderr and str(BUILTIN) in refused.stderr


@pytest.mark.parametrize('name', ['../site-search', '.hidden', 'a/b'])
def test_type_is_a_name(trolley, good, name):
    refused = trolley(searcher_ini(good, name), 'find')
    assert refused.status == 2
    assert f'`{name}` is no plugin\'s name' in refused.stderr


# ---- where code may come from ----

@pytest.mark.parametrize('mode, named', [(0o777, 'site'), (0o1777, 'site')])
def test_folder_that_others_can_write(trolley, good, tmp_path, mode, named):
    """A sticky folder will do for a parent, not for the folder of the plugins itself."""
    site = tmp_path / named
    shutil.copytree(good, site)
    site.chmod(mode)
    refused = trolley(searcher_ini(site), 'find')
    if mode & 0o1000:
        assert refused.status == 0, refused.stderr
    else:
        assert refused.status == 2
        assert f'{site} can be written by others' in refused.stderr


def test_parent_that_others_can_write(trolley, good, tmp_path):
    site = tmp_path / 'open' / 'site'
    shutil.copytree(good, site)
    site.parent.chmod(0o777)
    refused = trolley(searcher_ini(site), 'find')
    assert refused.status == 2
    assert f'{site.parent} can be written by others' in refused.stderr


def test_link_is_followed_to_what_it_names(trolley, good, tmp_path):
    """A link in a trusted folder does not make its target trusted."""
    site, lent = tmp_path / 'site', tmp_path / 'lent'
    site.mkdir(mode=0o755)
    shutil.copytree(good, lent)
    lent.chmod(0o777)
    (site / 'site-search.so').symlink_to(lent / 'site-search.so')
    refused = trolley(searcher_ini(site), 'find')
    assert refused.status == 2
    assert f'{lent} can be written by others' in refused.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can give files away')
def test_owned_by_another(trolley, good, tmp_path):
    site = tmp_path / 'site'
    shutil.copytree(good, site)
    os.chown(site / 'site-search.so', 12345, 0)
    refused = trolley(searcher_ini(site), 'find')
    assert refused.status == 2
    assert 'site-search.so is owned by user 12345' in refused.stderr


def test_plugin_path_is_absolute(trolley, good, tmp_path):
    shutil.copytree(good, tmp_path / 'site')
    refused = trolley(searcher_ini('site'), 'find')
    assert refused.status == 2
    assert 'absolute' in refused.stderr


# ---- cost ----

def opened(tmp_path, ini, *arguments):
    """The files below the plugin folders that a command maps, as the dynamic linker logs them."""
    (tmp_path / 'trolley.ini').write_text(ini)
    (tmp_path / 'trolley.ini').chmod(0o600)
    result = run_program(['--config', tmp_path / 'trolley.ini', *arguments], tmp_path,
                         {'LD_DEBUG': 'files', 'LD_DEBUG_OUTPUT': str(tmp_path / 'ld')})
    logs = list(tmp_path.glob('ld.*'))
    assert logs, 'the dynamic linker wrote no log'
    text = ''.join(path.read_text() for path in logs)
    for path in logs:
        path.unlink()
    found = set(re.findall(r'calling init: (\S+)', text))
    assert any('libtrolley' in path for path in found)
    return result, {pathlib.Path(path).name for path in found if path.endswith('.so')
                    and (path.startswith(str(BUILTIN.parent)) or '/site/' in path)}


def test_command_opens_what_its_ini_names(good, phantoms, tmp_path):
    site = tmp_path / 'site'
    shutil.copytree(good, site)
    ini = (f'[settings]\nplugin_path = {site}\ntrolley = t\n'
           f'[searcher s]\ntype = folder\npath = {phantoms.folder}\n'
           f'[searcher other]\ntype = site-search\n'
           f'[downloader d]\ntype = folder\npath = {phantoms.folder}\n'
           f'[downloader web]\ntype = wado-rs\nurl = http://127.0.0.1:1/\n'
           '[storage h]\ntype = tree\npath = home\nmin_free = 0\n'
           '[trolley t]\nsearcher = s\ndownloader = d\nstorage = h\n'
           '[trolley u]\nsearcher = other\n')
    found, names = opened(tmp_path, ini, 'find', 'PatientID=OTHER')
    assert found.status == 0, found.stderr
    assert 'folder.so' in names
    assert not names & {'wado-rs.so', 'qido-rs.so', 'site-search.so', 'transfer.so', 'flat.so'}
    done, names = opened(tmp_path, ini, 'download', 'PatientID=OTHER')
    assert done.status == 0, done.stderr
    assert names == {'folder.so', 'tree.so'}
    site_only, names = opened(tmp_path, ini, '--trolley', 'u', 'find')
    assert site_only.status == 0, site_only.stderr
    assert names == {'site-search.so'}
    version, names = opened(tmp_path, ini, '--version')
    assert (version.status, names) == (0, set())


@pytest.mark.skipif(bool(sdk_build.SANITIZERS), reason='sanitizers are slow')
def test_listing_is_quick(trolley):
    """All plugins opened and described: well under a second of the processor, whatever else runs."""
    spent = []
    for _ in range(3):
        before, begin = os.times(), time.monotonic()
        assert trolley('', 'plugins').status == 0
        after = os.times()
        used = after.children_user + after.children_system \
            - before.children_user - before.children_system
        spent.append(min(used, time.monotonic() - begin))
    assert min(spent) < 0.5
