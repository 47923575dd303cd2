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
    [ini] = blocks('ini')
    result = trolley(ini, 'config', 'check', environment={'PACS_PASSWORD': password})
    assert result.status == 0, result.stderr


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
