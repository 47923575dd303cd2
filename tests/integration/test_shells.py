"""Completion in real shells, and the manual pages, as they are installed.
SPDX-License-Identifier: MIT"""

import json
import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import subprocess
import time

import pytest

SHARE = pathlib.Path(os.environ['STAGE'] + os.environ['PREFIX']) / 'share'
BASH = SHARE / 'bash-completion/completions/trolley'
ZSH = SHARE / 'zsh/site-functions/_trolley'
FISH = SHARE / 'fish/vendor_completions.d/trolley.fish'
PAGES = [SHARE / 'man/man1/trolley.1', SHARE / 'man/man5/trolley.ini.5',
         SHARE / 'man/man7/trolley-plugin.7']
PROGRAM = os.environ['TROLLEY']

INI = """
[settings]
trolley = hospital

[session pacs]
auth = basic
user = reader
password_command = touch {touched}

[searcher main search]
type = folder
path = /nonexistent

[searcher broken]
type = no-such-plugin

[downloader wire]
type = wado-rs
url = http://127.0.0.1:1/dicom-web
session = pacs

[downloader disk]
type = folder
path = /nonexistent

[trolley hospital]
searcher = main search
downloader = wire, disk

[trolley home]
searcher = broken
"""


@pytest.fixture
def ini(tmp_path):
    path = tmp_path / 'shell.ini'
    path.write_text(INI.format(touched=tmp_path / 'touched'), encoding='utf-8')
    path.chmod(0o600)
    yield path
    assert not (tmp_path / 'touched').exists()  # nobody asked for the password


def environment(folder, **extra):
    found = shutil.which('bash')
    assert found
    return {**os.environ, 'HOME': str(folder), 'XDG_CONFIG_HOME': str(folder / 'none'),
            'XDG_DATA_HOME': str(folder / 'none'), 'LC_ALL': 'C.UTF-8', 'TERM': 'dumb',
            'PATH': str(pathlib.Path(PROGRAM).parent) + ':' + os.environ['PATH'], **extra}


def needed(shell):
    if shutil.which(shell) is None:
        pytest.fail(f'{shell} is needed: apt-get install {shell}')
    return shell


def ask(folder, *words, **extra):
    """What the program says may end these words: the directive, and the candidates."""
    done = subprocess.run([PROGRAM, 'completion', 'words', '--', *words], cwd=folder,
                          env=environment(folder, **extra), capture_output=True, text=True,
                          timeout=60, check=True)
    first, *lines = done.stdout.splitlines()
    return first, [line.split('\t')[0] for line in lines]


# ---- the answer itself ----

def test_every_option_of_help_completes(trolley, tmp_path):
    """Help, manual and completion name the same options: they come from one table."""
    page = PAGES[0].read_text(encoding='utf-8').replace('\\-', '-')
    commands = re.findall(r'^  ([a-z-]+) ', trolley(None, '--help').stdout.partition('Options')[0],
                          re.MULTILINE)
    assert {'find', 'download', 'ping', 'plugins', 'config', 'check-plugin'} <= set(commands)
    assert ask(tmp_path, '')[1] == commands
    for command in commands:
        text = trolley(None, command, '--help').stdout
        options = set(re.findall(r'^  (?:-\w,|   ) (--[a-z-]+)', text, re.MULTILINE))
        assert '--config' in options
        assert set(ask(tmp_path, command, '--')[1]) == options
        for option in options:
            assert option in page, (command, option)


@pytest.mark.parametrize('words, answer', [
    (['fi'], ('words', ['find'])),
    (['find', '--format', 't'], ('words', ['table', 'tree'])),
    (['find', '--format=t'], ('words', ['--format=table', '--format=tree'])),
    (['find', '--level', ''], ('words', ['study', 'series', 'instance'])),
    (['--log-format', ''], ('words', ['text', 'json'])),
    (['find', '--one', '--o'], ('words', [])),
    (['find', '--include', 'X', '--incl'], ('words', ['--include'])),
    (['--config', ''], ('file', [])),
    (['--config='], ('file', [])),
    (['download', '--output', ''], ('directory', [])),
    (['download', '--report=x'], ('file', [])),
    (['check-plugin', './x'], ('file', [])),
    (['check-plugin', 'x.so', ''], ('words', [])),
    (['find', 'PatientBirthN'], ('nospace', ['PatientBirthName='])),
    (['find', 'PatientID=1'], ('words', [])),
    (['find', '--', 'PatientBirthN'], ('nospace', ['PatientBirthName='])),
    (['find', '--include', 'Modality,PatientBirthN'],
     ('nospace', ['Modality,PatientBirthName'])),
    (['find', '--fields=PatientBirthN'], ('nospace', ['--fields=PatientBirthName'])),
    (['config', ''], ('words', ['check', 'show', 'example'])),
    (['config', 'example', 'wado-u'], ('words', ['wado-uri'])),
    (['config', 'show', ''], ('words', [])),
    (['plugins', 'qid'], ('words', ['qido-rs'])),
    (['completion', 'f'], ('words', ['fish'])),
    (['nonsense', ''], ('words', [])),
    (['--nonsense', 'fi'], ('words', ['find'])),
])
def test_words(tmp_path, words, answer):
    assert ask(tmp_path, *words) == answer


def test_names_of_the_ini_file_in_use(tmp_path, ini):
    config = ('--config', str(ini))
    assert ask(tmp_path, *config, '--trolley', '') == ('words', ['hospital', 'home'])
    assert ask(tmp_path, f'--config={ini}', '--trolley=ho') == \
        ('words', ['--trolley=hospital', '--trolley=home'])
    assert ask(tmp_path, *config, 'download', '--downloader', '')[1] == ['wire', 'disk']
    assert ask(tmp_path, '--trolley', 'hos', TROLLEY_CONFIG=str(ini))[1] == ['hospital']
    assert ask(tmp_path, 'download', '--downloader', 'w', TROLLEY_CONFIG=str(ini))[1] == ['wire']
    assert ask(tmp_path, '--config', '~/shell.ini', '--trolley', 'hom')[1] == ['home']
    assert ask(tmp_path, '--config', '/nonexistent', '--trolley', '')[1] == []
    # Query types are known to the searcher's plugin alone; another trolley's does not load.
    assert 'extended' in ask(tmp_path, *config, 'find', '--query-type', '')[1]
    assert ask(tmp_path, *config, '--trolley', 'home', 'find', '--query-type', '')[1] == []


# ---- bash ----

def bash_replies(folder, line, *words, **extra):
    """COMPREPLY of the installed function; `words` as bash itself breaks them."""
    script = (f'source {shlex.quote(str(BASH))}\n'
              'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE=$LINE; COMP_POINT=${#LINE}\n'
              '_trolley trolley "${COMP_WORDS[COMP_CWORD]}" ""\n'
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(['bash', '--norc', '-c', script, 'bash', *words], cwd=folder,
                          env=environment(folder, LINE=line, **extra), capture_output=True,
                          text=True, timeout=60, check=True)
    assert done.stderr == ''
    return done.stdout.split('\n')[:-1]


def test_bash_function(tmp_path, ini):
    assert bash_replies(tmp_path, 'trolley ', 'trolley', '')[:2] == ['find', 'download']
    # Behind = only the value is replaced.
    assert bash_replies(tmp_path, 'trolley find --format=j', 'trolley', 'find', '--format', '=',
                        'j') == ['json', 'jsonl']
    assert bash_replies(tmp_path, 'trolley find --format=', 'trolley', 'find', '--format',
                        '=')[0] == 'table'
    assert bash_replies(tmp_path, 'trolley find --include Modality,PatientBirthN', 'trolley',
                        'find', '--include', 'Modality,PatientBirthN') == \
        ['Modality,PatientBirthName']
    (tmp_path / 'list one.csv').touch()
    assert bash_replies(tmp_path, 'trolley download --from li', 'trolley', 'download', '--from',
                        'li') == ['list one.csv']
    assert bash_replies(tmp_path, 'trolley download --from=li', 'trolley', 'download', '--from',
                        '=', 'li') == ['list one.csv']


class Terminal:
    """An interactive shell on a terminal of its own."""

    def __init__(self, arguments, folder):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(arguments[0], arguments, environment(folder))
        self.text = ''

    def wait_for(self, pattern):
        deadline = time.monotonic() + 60
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, (pattern, self.text)
            if select.select([self.fd], [], [], 0.2)[0]:
                self.text += os.read(self.fd, 65536).decode('utf-8', 'replace')
        found = re.search(pattern, self.text)
        self.text = self.text[found.end():]
        return found

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def start(*arguments):
        opened.append(Terminal(arguments, tmp_path))
        return opened[-1]
    yield start
    for one in opened:
        one.close()


LINES = [('trolley fi\t--form\ttr\t', 'trolley find --format tree '),
         ('trolley find --format=jsonl PatientBirthN\t', 'trolley find --format=jsonl PatientBirthName=')]


@pytest.mark.parametrize('typed, expected', LINES)
def test_bash_at_work(tmp_path, terminal, typed, expected):
    shell = terminal(needed('bash'), '--norc', '--noprofile', '-i')
    shell.type('bind "set bell-style none"; bind "set enable-bracketed-paste off"; PS1="" PS2=""\n')
    shell.type(f'source {shlex.quote(str(BASH))}; echo re""ady\n')
    shell.wait_for('ready')
    shell.type(typed + '\x01echo "<\x05>"\n')
    assert shell.wait_for(r'\r\n<(trolley [^>]*)>').group(1).rstrip() == expected.rstrip()


# ---- zsh and fish ----

@pytest.mark.parametrize('typed, expected', LINES)
def test_zsh_at_work(tmp_path, terminal, typed, expected):
    subprocess.run([needed('zsh'), '-n', str(ZSH)], check=True, timeout=60)
    shell = terminal('zsh', '-f', '-i')
    shell.type(f'PS1= PS2= RPS1=; fpath=({shlex.quote(str(ZSH.parent))} $fpath); '
               'autoload -U compinit; compinit -u -D; unsetopt beep prompt_cr; echo re""ady\n')
    shell.wait_for('ready')
    shell.type(typed + '\x01echo "<\x05>"\n')
    assert shell.wait_for(r'\n<(trolley [^>]*)>').group(1).rstrip() == expected.rstrip()


def fish(folder, line):
    """What fish offers at the end of a line."""
    script = f'source {shlex.quote(str(FISH))}; complete -C {shlex.quote(line)}'
    done = subprocess.run([needed('fish'), '--no-config', '-c', script], cwd=folder,
                          env=environment(folder), capture_output=True, text=True, timeout=60,
                          check=True)
    assert done.stderr == ''
    return [line.split('\t')[0] for line in done.stdout.splitlines()]


def test_fish(tmp_path, ini):
    subprocess.run([needed('fish'), '-n', str(FISH)], check=True, timeout=60)
    assert fish(tmp_path, 'trolley fi') == ['find']
    assert set(fish(tmp_path, 'trolley find --format t')) == {'table', 'tree'}
    assert set(fish(tmp_path, 'trolley find --format=t')) == {'--format=table', '--format=tree'}
    assert fish(tmp_path, 'trolley find PatientBirthN') == ['PatientBirthName=']
    assert set(fish(tmp_path, f'trolley --config {ini} --trolley ')) == {'hospital', 'home'}
    (tmp_path / 'unique.csv').touch()
    assert fish(tmp_path, 'trolley download --from uniq') == ['unique.csv']
    assert fish(tmp_path, 'trolley download --from=uniq') == ['--from=unique.csv']


# ---- manual pages ----

@pytest.mark.parametrize('page', PAGES, ids=[page.name for page in PAGES])
def test_manual_pages_are_clean(page):
    done = subprocess.run(['man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8', str(page)],
                          capture_output=True, text=True, timeout=60, check=True,
                          env={**os.environ, 'MANWIDTH': '80', 'LC_ALL': 'C.UTF-8'})
    assert done.stderr == ''
    assert max(map(len, re.sub('.\b', '', done.stdout).splitlines())) <= 80
    done = subprocess.run([needed('mandoc'), '-T', 'lint', '-W', 'warning', str(page)],
                          capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, '')


def test_the_configuration_page_has_every_key(trolley):
    page = PAGES[1].read_text(encoding='utf-8').replace('\\-', '-')
    shown = trolley(None, 'config', 'example').stdout
    keys = set(re.findall(r'^;?([a-z0-9_]+) = ', shown, re.MULTILINE))
    assert {'url', 'path', 'max_parallel', 'log_phi', 'searcher'} <= keys
    for plugin in json.loads(trolley(None, 'plugins', '--format', 'json').stdout):
        assert f'{plugin["name"]}, in [' in page
        for component in plugin['components']:
            for option in component['options']:
                assert f'\n\\fB{option["key"]}\\fR' in page, (plugin['name'], option['key'])
    for key in keys:
        name = next((key[:-len(end)] for end in ('_env', 'NAME') if key.endswith(end)), key)
        assert f'\\fB{name}\\fR' in page, key


def test_the_plugin_page_has_every_check(trolley):
    page = PAGES[2].read_text(encoding='utf-8').replace('\\-', '-')
    for line in trolley(None, 'check-plugin', '--list').stdout.splitlines():
        assert f'\\fB{line.split()[0]}\\fR' in page
