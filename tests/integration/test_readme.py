"""What README.md shows works as it stands there. SPDX-License-Identifier: MIT"""

import os
import pathlib
import re
import shlex
import subprocess

import pytest

README = pathlib.Path(__file__).resolve().parents[2] / 'README.md'


def blocks(language):
    return re.findall(rf'^```{language}\n(.*?)^```$', README.read_text(encoding='utf-8'),
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
