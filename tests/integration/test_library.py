"""The installed library: its symbols, its header, its pkg-config file, and what it promises when
things go wrong. SPDX-License-Identifier: MIT"""

import os
import pathlib
import re
import shlex
import socket

import pytest

import installed
import sdk_build

HEADERS = [pathlib.Path(os.environ['INCLUDEDIR']) / name
           for name in ('trolley.h', 'trolley_prefetch.h', 'trolley_tree.h')]
HERE = pathlib.Path(__file__).resolve().parent


def headers():
    return ''.join(header.read_text(encoding='utf-8') for header in HEADERS)


def declared():
    """The functions of the library's headers."""
    text = re.sub(r'/\*.*?\*/', '', headers(), flags=re.DOTALL)
    text = re.sub(r'\{[^{}]*\}', '{}', text)
    return set(re.findall(r'\b(trolley_\w+)\s*\([^()*]', text)) | set(
        re.findall(r'\*?(trolley_\w+)\(void\)', text))


def library():
    [path] = pathlib.Path(os.environ['LD_LIBRARY_PATH']).glob('libtrolley.so.*.*.*')
    return path


def test_exported_symbols_are_those_of_the_header():
    exported = set(sdk_build.exported(library()))
    assert len(exported) > 50
    assert exported == declared()


def test_every_function_is_explained():
    """A comment stands before each function, or before a group that has one."""
    text = headers()
    bare = [name for name in declared()
            if not re.search(r'\*/\n(?:[^\n]+\n)*?[^\n]*\b' + name + r'\(', text)
            and not re.search(r'\b' + name + r'\([^;]*;\s*/\*', text)]
    assert bare == []


@pytest.mark.parametrize('language', ['c', 'c++'])
def test_header_through_pkg_config(tmp_path, language):
    """A program of one line in both languages, with the flags that pkg-config gives alone."""
    source = tmp_path / ('one.c' if language == 'c' else 'one.cc')
    source.write_text('#include <trolley.h>\nint main(void) { return !*trolley_version(); }\n')
    compiler, standard = (('CC', 'c11') if language == 'c' else ('CXX', 'c++17'))
    flags = sdk_build.pkg_config(tmp_path, '--cflags', '--libs', 'trolley')
    sdk_build.run([*shlex.split(os.environ[compiler]), f'-std={standard}', '-pedantic', '-Wall',
                   '-Wextra', '-Werror', *shlex.split(sdk_build.SANITIZERS), '-o',
                   tmp_path / 'one', source, *flags], tmp_path)
    assert installed.run(tmp_path / 'one', folder=tmp_path).status == 0


def test_pkg_config_version(tmp_path, trolley):
    said = sdk_build.run(['pkg-config', '--modversion', 'trolley'], tmp_path,
                         env=sdk_build.environment(tmp_path)).strip()
    assert said in trolley(None, '--version').stdout


def test_libcurl_is_not_loaded_with_it():
    """HTTP lives in a module of its own; who finds on disk does not wait for it."""
    assert not [name for name in sdk_build.needed(library()) if 'curl' in name]


@pytest.fixture(scope='module')
def contract(tmp_path_factory):
    return installed.compile_program(HERE / 'library_contract.c',
                                     tmp_path_factory.mktemp('contract'))


@pytest.fixture
def promise(contract, tmp_path):
    """promise(name, ini, *arguments): library_contract on an INI file of that text."""
    def call(name, ini, *arguments):
        path = tmp_path / 'trolley.ini'
        path.write_text(ini, encoding='utf-8')
        path.chmod(0o600)
        result = installed.run(contract, name, path, *arguments, folder=tmp_path)
        assert result.status == 0, result.stdout + result.stderr
        return result.stdout
    return call


def test_arguments_and_out_parameters(promise, folder_ini):
    promise('offline', folder_ini)


@pytest.mark.parametrize('ini', ['web_ini', 'folder_ini', 'qr_ini'])
@pytest.mark.parametrize('where', ['begin', 'write', 'end'])
@pytest.mark.parametrize('value', [-17, -19, 7])
def test_a_sink_that_stops(promise, request, ini, where, value):
    """Its own value comes back; nothing is asked for any more; every item had its end."""
    text = promise('stop', request.getfixturevalue(ini), where, value)
    begun, whole, broken, stored, expected = map(int, re.findall(r'\d+', text))
    assert expected >= 8 and stored == 0
    assert begun <= 8, 'workers that had one under way, and no others'
    assert {'begin': whole == broken == 0, 'write': whole == 0 and broken >= 1,
            'end': whole >= 1}[where], text


SILENT = """
[downloader fetch]
{backend}
[trolley t]
downloader = fetch
"""


@pytest.mark.parametrize('backend', [
    'type = wado-rs\nurl = http://127.0.0.1:{port}/dicom-web',
    'type = c-get\nhost = 127.0.0.1\nport = {port}'])
def test_cancelled_from_another_thread(promise, backend):
    """The server takes the connection and says nothing; time-outs are far longer than the test."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        promise('cancel', SILENT.format(backend=backend.format(port=server.getsockname()[1])))


def test_dry_run(promise, web_ini, folder_ini):
    assert promise('dry', web_ini) == '6 requests for 24 instances\n'
    assert promise('dry', folder_ini).endswith(' requests for 24 instances\n')
