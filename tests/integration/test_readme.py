"""What README.md shows works as it stands there. SPDX-License-Identifier: MIT"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

README = pathlib.Path(__file__).resolve().parents[2] / 'README.md'
SERVERS = README.parent / 'tests/servers'


def blocks(language, readme=README):
    return re.findall(rf'^```{language}\n(.*?)^```$', readme.read_text(encoding='utf-8'),
                      re.MULTILINE | re.DOTALL)


def test_plugin(trolley, tmp_path):
    [source] = blocks('c')
    (tmp_path / 'hello.c').write_text(source)
    plugins = tmp_path / 'plugins'
    plugins.mkdir(mode=0o755)
    subprocess.run([*shlex.split(os.environ['CC']), '-std=c11', '-Wall', '-Werror', '-shared',
                    '-fPIC', '-I', os.environ['INCLUDEDIR'], '-o', plugins / 'hello.so',
                    tmp_path / 'hello.c'], check=True)
    ini = (f'[settings]\nplugin_path = {plugins}\n[searcher s]\ntype = hello\n'
           '[trolley t]\nsearcher = s\n')
    found = trolley(ini, 'find', 'PatientID=P1')
    assert found.status == 0, found.stderr
    [study] = found.lines()
    assert study['StudyInstanceUID'] == '1.2.3'
    # The searcher ignores its keys: what does not match is dropped by the host.
    other = trolley(ini, 'find', 'PatientID=P2')
    assert other.status == 0, other.stderr
    assert other.stdout == ''


@pytest.mark.parametrize('password', ['', 'secret'])
def test_ini(trolley, password):
    ini = blocks('ini')[0]
    result = trolley(ini, 'config', 'check', environment={'PACS_PASSWORD': password})
    assert result.status == 0, result.stderr


def five_minutes():
    """The commands of steps 2 and 3, as they stand there."""
    text = README.read_text(encoding='utf-8')
    steps = text[text.index('**2. Ask.**'):text.index('**4. Swap')]
    commands = '\n'.join(re.findall(r'^```sh\n(.*?)^```$', steps, re.MULTILINE | re.DOTALL))
    return [line for line in commands.replace('\\\n', ' ').splitlines() if line.strip()]


@pytest.fixture
def newcomer(tmp_path, orthanc_locked):
    """newcomer(command, ini): a shell with `trolley` in its path and the README's INI file where
    the README says, its server and its folder being those of this test."""
    ini = blocks('ini')[0]
    ini = ini.replace('http://localhost:8042', orthanc_locked.root)
    ini = re.sub(r'path = /data/dicom\s*;[^\n]*', f'path = {tmp_path}/dicom\nmin_free = 0', ini)
    place = tmp_path / '.config' / 'trolley' / 'trolley.ini'
    place.parent.mkdir(parents=True)

    def call(command, ini=ini, password='secret'):
        place.write_text(ini, encoding='utf-8')
        place.chmod(0o600)
        program = pathlib.Path(os.environ['TROLLEY']).parent
        env = {**os.environ, 'HOME': str(tmp_path), 'PACS_PASSWORD': password, 'LC_ALL': 'C.UTF-8',
               'PATH': f'{program}:{os.environ["PATH"]}'}
        env.pop('XDG_CONFIG_HOME', None)
        return subprocess.run(['sh', '-c', command], cwd=tmp_path, env=env, capture_output=True,
                              text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
    call.ini = ini
    return call


@pytest.mark.parametrize('command', five_minutes())
def test_five_minutes(newcomer, tmp_path, phantoms, command):
    """Every command works; those for the study that this server has bring it."""
    assert command.startswith('trolley ')
    done = newcomer(command.replace('/tmp/', f'{tmp_path}/'))
    assert done.returncode == 0, done.stderr
    if 'ACC1001' in command and ' download ' in command:
        expected = phantoms.of('OTHER')
        assert 'complete: 2 of 2 instances' in done.stderr
        for i in expected:
            assert (tmp_path / 'dicom' / i.in_tree).read_bytes() == i.path.read_bytes()
    elif 'ACC1001' in command:
        assert phantoms.of('OTHER')[0].series in done.stdout


def test_five_minutes_the_second_run_and_the_wrong_password(newcomer):
    fetch = [command for command in five_minutes() if command.startswith('trolley download')][0]
    refused = newcomer(fetch, password='wrong')
    assert refused.returncode == 4 and '401' in refused.stderr
    assert newcomer(fetch).returncode == 0
    assert '(0 stored, 2 skipped, ' in newcomer(fetch).stderr


def test_five_minutes_swap_the_backend(newcomer, tmp_path, phantoms):
    """Step 4: `type = folder` and `path` in place of type, url and session."""
    head, rest = newcomer.ini.split('[downloader pacs]\n')
    web, rest = rest.split('\n\n', 1)
    assert 'type = wado-rs' in web and 'url = ' in web and 'session = ' in web
    ini = f'{head}[downloader pacs]\ntype = folder\npath = {phantoms.folder}\n\n{rest}'
    done = newcomer('trolley download AccessionNumber=ACC1001', ini)
    assert done.returncode == 0, done.stderr
    for i in phantoms.of('OTHER'):
        assert (tmp_path / 'dicom' / i.in_tree).read_bytes() == i.path.read_bytes()


def test_downloader_against_faults(phantoms, tmp_path):
    """What tests/servers/README.md shows to authors of plugins, with wado-rs in the place of theirs."""
    [source] = blocks('python', SERVERS / 'README.md')
    (tmp_path / 'test_mine.py').write_text(
        source.replace('type = mine', 'type = wado-rs').replace('/home/me/plugins', str(tmp_path)))
    study = phantoms.studies('PHANTOM')[0]
    for number, instance in enumerate(phantoms.of_study(study) + phantoms.of('OTHER')):
        path = tmp_path / 'files' / f'{number:02}.dcm'
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(instance.path.read_bytes())
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '--rootdir', tmp_path,
         '--basetemp', tmp_path / 'runs', 'test_mine.py'], cwd=tmp_path, capture_output=True,
        text=True, check=False,
        env={**os.environ, 'HOME': str(tmp_path), 'XDG_CONFIG_HOME': str(tmp_path / 'none'),
             'PYTHONPATH': str(SERVERS),
             'PATH': f'{pathlib.Path(os.environ["TROLLEY"]).parent}:{os.environ["PATH"]}'})
    assert done.returncode == 0, done.stdout + done.stderr
    assert '6 passed' in done.stdout
