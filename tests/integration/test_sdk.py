"""The installed SDK: what sdk/README.md and the template say works against a staged install, with
pkg-config, make and a compiler alone. SPDX-License-Identifier: MIT"""

import base64
import contextlib
import http.server
import os
import pathlib
import re
import shlex
import threading
import urllib.parse

import pytest

import sdk_build
from program import outcomes, run as run_program
from sdk_build import SDK

README = (SDK / 'README.md').read_text(encoding='utf-8')


def blocks(language):
    return re.findall(rf'^```{language}\n(.*?)^```$', README, re.MULTILINE | re.DOTALL)


# ---- the template ----

@pytest.fixture(scope='module')
def template(tmp_path_factory):
    folder = sdk_build.copy('template', tmp_path_factory.mktemp('sdk') / 'template')
    sdk_build.make(folder)
    return folder


@pytest.mark.parametrize('name', ['sample', 'sample-cxx'])
def test_template(trolley, template, name):
    assert sdk_build.exported(template / f'{name}.so') == ['trolley_plugin_v1']
    ini = (f'[settings]\nplugin_path = {template}\n[searcher s]\ntype = {name}\n'
           'study = 1.2.3\npatient = P7\n[trolley t]\nsearcher = s\n')
    check = trolley(ini, 'config', 'check')
    assert check.status == 0, check.stderr
    found = trolley(ini, 'find', 'PatientID=P*', '--format', 'jsonl')
    assert found.status == 0, found.stderr
    [row] = found.lines()
    assert (row['StudyInstanceUID'], row['PatientID']) == ('1.2.3', 'P7')
    other = trolley(ini, 'find', 'PatientID=Q*')
    assert (other.status, other.stdout) == (0, '')
    refused = trolley(ini, 'find', 'PatientName=X')
    assert refused.status == 2
    assert 'PatientName' in refused.stderr and name in refused.stderr


def test_template_is_installed_where_the_host_looks(template, tmp_path):
    stage = tmp_path / 'root'
    sdk_build.make(template, 'install', f'DESTDIR={stage}')
    [plugindir] = sdk_build.pkg_config(tmp_path, '--variable=plugindir', 'trolley-sdk')
    assert pathlib.Path(f'{stage}{plugindir}/sample.so').is_file()
    listed = run_program(['plugins'], tmp_path, {'TROLLEY_PLUGINDIR': f'{stage}{plugindir}'})
    assert listed.status == 0, listed.stderr
    assert re.search(r'^sample +1\.0 +searcher', listed.stdout, re.MULTILINE)


def test_template_passes_the_validator(template):
    """`make check`, as the guide says."""
    said = sdk_build.make(template, 'check')
    assert len(re.findall(r'^passed +searcher +create-repeated', said, re.MULTILINE)) == 2
    assert not re.search(r'^failed', said, re.MULTILINE)


# ---- the kit ----

def test_kit_needs_no_library(tmp_path):
    """The whole kit linked into a plugin asks for nothing but the C library, and shows nothing."""
    (tmp_path / 'empty.c').write_text('int empty;\n')
    output = tmp_path / 'whole.so'
    flags = sdk_build.pkg_config(tmp_path, '--cflags', '--libs', 'trolley-sdk')
    sdk_build.compile_plugin(tmp_path / 'empty.c', output, '-Wl,--whole-archive', *flags,
                             '-Wl,--no-whole-archive', '-Wl,-z,defs')
    libraries = [name for name in sdk_build.needed(output)
                 if not re.match(r'(libc|ld-linux.*|libasan|libubsan|libtsan)\.so', name)]
    assert libraries == []
    assert [name for name in sdk_build.exported(output) if name.startswith('kit_')] == []


def run_with_kit(folder, package, text):
    """What a program of C source `text`, linked as `package` says, prints."""
    (folder / 'program.c').write_text(text)
    flags = sdk_build.pkg_config(folder, '--cflags', '--libs', package)
    compiler = [*shlex.split(os.environ['CC']), *shlex.split(sdk_build.SANITIZERS)]
    sdk_build.run([*compiler, '-o', folder / 'program', folder / 'program.c', *flags], folder)
    return sdk_build.run([folder / 'program'], folder)


def test_dicom_json_of_the_kit(tmp_path):
    """`pkg-config --libs trolley-sdk-json` is all that dicom_json.h needs."""
    assert run_with_kit(tmp_path, 'trolley-sdk-json', r'''
        #include <kit/dicom_json.h>
        #include <stdio.h>
        #include <string.h>
        int main(void)
        {
            const char *text = "{\"00100020\":{\"vr\":\"LO\",\"Value\":[\"P1\"]}}", *problem;
            struct kit_dicom_json *set;
            if (kit_dicom_json_parse(text, strlen(text), NULL, &set, &problem) < 0) return 1;
            puts(kit_dicom_json_text(set, 0x00100020));
            kit_dicom_json_free(set);
            return 0;
        }
    ''') == 'P1\n'


def test_xml_of_the_kit(tmp_path):
    """`pkg-config --libs trolley-sdk-xml` is all that xml.h needs."""
    assert run_with_kit(tmp_path, 'trolley-sdk-xml', r'''
        #include <kit/xml.h>
        #include <stdio.h>
        static int start(void *ctx, const struct kit_xml_element *element)
        {
            (void)ctx;
            return puts(kit_xml_value(element, "id")) < 0;
        }
        int main(void)
        {
            const struct kit_xml_handler handler = {.start = start};
            struct kit_xml *xml;
            int r = kit_xml_new(NULL, &handler, NULL, &xml);
            if (r == 0) r = kit_xml_push(xml, "<study id='P1'/>", 16);
            if (r == 0) r = kit_xml_finish(xml);
            kit_xml_free(xml);
            return r != 0;
        }
    ''') == 'P1\n'


# ---- the guide ----

class Acme(http.server.BaseHTTPRequestHandler):
    """The server that the guide describes, behind a log-in, as its INI file has it."""
    studies = [('1.2.3.1', 'P1', '20240105', 'Head'), ('1.2.3.2', 'P1', '20240301', 'Thorax'),
               ('1.2.3.3', 'P2', '20240105', 'Hand')]

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        self.server.asked.append(asked)
        wanted = 'Basic ' + base64.b64encode(b'reader:secret').decode()
        if self.headers['Authorization'] != wanted:
            self.answer(401, '', ('WWW-Authenticate', 'Basic realm="acme"'))
        elif url.path != '/list':
            self.answer(404, '')
        else:
            self.answer(200, self.server.broken or '\n'.join(
                '\t'.join(study) for study in self.studies
                if study[1] == asked.get('patient', study[1])
                and study[0] == asked.get('uid', study[0])
                and asked.get('from', '0') <= study[2] <= asked.get('to', '9')))

    def answer(self, status, text, *headers):
        self.send_response(status)
        self.send_header('Content-Type', 'text/plain')
        self.send_header('Content-Length', str(len(text)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def acme_server():
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Acme) as server:
        server.asked, server.broken = [], None
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope='module')
def acme_plugins(tmp_path_factory):
    """acme.so, made of the guide's C blocks by the guide's own command."""
    folder = tmp_path_factory.mktemp('acme')
    (folder / 'acme.c').write_text('\n'.join(blocks('c')))
    [command] = blocks('sh')
    flags = f'-Werror {sdk_build.SANITIZERS}'
    script = f'cc() {{ {os.environ["CC"]} "$@" {flags}; }}\n{command}'
    sdk_build.run(['sh', '-e', '-c', script], folder, env=sdk_build.environment(folder))
    plugins = sdk_build.site(folder / 'plugins')
    (folder / 'acme.so').rename(plugins / 'acme.so')
    return plugins


@pytest.fixture
def acme(acme_plugins):
    """(server, the guide's INI text with the places of this test, environment)."""
    with acme_server() as server:
        [ini] = blocks('ini')
        for old, new in (('/opt/site/trolley-plugins', str(acme_plugins)),
                         ('http://archive.example', f'http://127.0.0.1:{server.server_port}')):
            assert old in ini
            ini = ini.replace(old, new)
        yield server, ini, {'ACME_PASSWORD': 'secret'}


def test_guide_searcher(trolley, acme, acme_plugins):
    server, ini, environment = acme
    assert sdk_build.exported(acme_plugins / 'acme.so') == ['trolley_plugin_v1']
    found = trolley(ini, 'find', 'PatientID=P1', '--format', 'jsonl', environment=environment)
    assert found.status == 0, found.stderr
    rows = [(row['StudyInstanceUID'], row['PatientID'], row['StudyDate'], row['StudyDescription'])
            for row in found.lines()]
    assert rows == [study for study in Acme.studies if study[1] == 'P1']
    assert server.asked[-1] == {'patient': 'P1'}
    march = trolley(ini, 'find', 'PatientID=P1', 'StudyDate=2024-03-01..', '--format', 'csv',
                    environment=environment)
    assert march.status == 0, march.stderr
    [row] = march.rows()
    assert row['StudyInstanceUID'] == '1.2.3.2'
    assert server.asked[-1] == {'patient': 'P1', 'from': '20240301'}


def test_guide_searcher_passes_the_validator(trolley, acme_plugins):
    checked = trolley(None, 'check-plugin', acme_plugins / 'acme.so')
    assert checked.status == 0, checked.stdout + checked.stderr
    assert re.search(r'^passed +searcher +cancelled-waiting', checked.stdout, re.MULTILINE)


def test_guide_searcher_is_shown(trolley, acme):
    _, ini, environment = acme
    shown = trolley(ini, 'plugins', 'acme', environment=environment)
    assert shown.status == 0, shown.stderr
    for word in ('department', 'only studies of this department', 'required', 'PatientID'):
        assert word in shown.stdout
    example = trolley(ini, 'config', 'example', 'acme', environment=environment)
    assert re.search(r'^type = acme$.*^url = ', example.stdout, re.MULTILINE | re.DOTALL)
    assert re.search(r'^[;#] *department = ', example.stdout, re.MULTILINE)
    assert trolley(ini, 'config', 'check', environment=environment).status == 0


def test_guide_searcher_refuses(trolley, acme):
    server, ini, environment = acme
    for words, reason in ((['PatientID=P*'], 'one value without wildcards'),
                          (['PatientName=X'], 'PatientName')):
        refused = trolley(ini, 'find', *words, environment=environment)
        assert refused.status == 2, refused.stderr
        assert reason in refused.stderr
    assert server.asked == []
    wrong = trolley(ini.replace('url =', 'ulr ='), 'config', 'check', environment=environment)
    assert wrong.status == 1
    assert 'did you mean `url`' in wrong.stderr


def test_guide_searcher_fails(trolley, acme):
    server, ini, environment = acme
    server.broken = '1.2.3.1\tP1\n'
    broken = trolley(ini, 'find', 'PatientID=P1', environment=environment)
    assert broken.status == 1
    assert 'has not 4 fields' in broken.stderr
    server.broken = 'x' * 5000
    long = trolley(ini, 'find', 'PatientID=P1', environment=environment)
    assert long.status == 1
    assert 'too long' in long.stderr
    locked = trolley(ini, 'find', 'PatientID=P1', environment={'ACME_PASSWORD': 'wrong'})
    assert locked.status == 4, locked.stderr


# ---- a plugin of the first release ----

def test_first_release(trolley, phantoms, tmp_path):
    """Built against the headers of 1.0: it searches, downloads and stores with this host."""
    tests = pathlib.Path(__file__).resolve().parents[1]
    plugins = sdk_build.site(tmp_path / 'plugins')
    environment = dict(os.environ, INCLUDEDIR=str(tests / 'abi' / 'frozen-1.0'))
    compiler = shlex.split(os.environ['CC'])
    sdk_build.run([*compiler, '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC',
                   *shlex.split(sdk_build.SANITIZERS), '-I', environment['INCLUDEDIR'],
                   '-o', plugins / 'first.so', tests / 'abi' / 'first.c'], tmp_path)
    instance = phantoms.of('OTHER')[0]
    pacs, home = tmp_path / 'pacs', tmp_path / 'home'
    pacs.mkdir()
    home.mkdir()
    (pacs / f'{instance.uid}.dcm').write_bytes(instance.path.read_bytes())
    ini = (f'[settings]\nplugin_path = {plugins}\n[searcher s]\ntype = first\n'
           f'study = {instance.study}\nseries = {instance.series}\ninstance = {instance.uid}\n'
           f'[downloader d]\ntype = first\npath = {pacs}\n[storage h]\ntype = first\npath = {home}\n'
           '[trolley t]\nsearcher = s\ndownloader = d\nstorage = h\n')
    found = sdk_build.find_studies(trolley, ini, f'StudyInstanceUID={instance.study}')
    assert found == [instance.study]
    for outcome in ('stored', 'skipped'):
        result = trolley(ini, 'download', '--study', instance.study, '--report', 'report.jsonl')
        assert result.status == 0, result.stderr
        [line] = outcomes(tmp_path / 'report.jsonl')
        assert (line['instance'], line['outcome']) == (instance.uid, outcome)
    assert [path.name for path in home.iterdir()] == [instance.uid]
    assert (home / instance.uid).read_bytes() == instance.path.read_bytes()
