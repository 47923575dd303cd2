"""Builds plugins outside the tree against the staged install. SPDX-License-Identifier: MIT"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess

STAGE = os.environ['STAGE']
SDK = pathlib.Path(STAGE + os.environ['INSTALLED_SDK'])
SANITIZERS = os.environ.get('SAN_FLAGS', '')
WARNINGS = '-Wall -Wextra -Wshadow -Werror'


def environment(folder):
    """The caller's, with a pkg-config that finds the staged trolley: its files name the final
    prefix, so that copies of them name the stage."""
    copies = folder / 'pkgconfig'
    copies.mkdir(parents=True, exist_ok=True)
    for path in pathlib.Path(STAGE + os.environ['LIBDIR'], 'pkgconfig').glob('*.pc'):
        text = re.sub(r'^(\w+)=/', rf'\1={STAGE}/', path.read_text(), flags=re.MULTILINE)
        (copies / path.name).write_text(text)
    env = {key: value for key, value in os.environ.items()
           if key not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'DESTDIR', 'CFLAGS', 'LDFLAGS')}
    found = [str(copies), env.get('PKG_CONFIG_PATH', '')]
    return {**env, 'PKG_CONFIG_PATH': ':'.join(filter(None, found))}


def run(command, folder, **options):
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True,
                          text=True, timeout=120, check=False, **options)
    assert done.returncode == 0, f'{command}\n{done.stdout}{done.stderr}'
    return done.stdout


def pkg_config(folder, *arguments):
    return shlex.split(run(['pkg-config', *arguments], folder, env=environment(folder)))


def make(folder, *targets):
    """make, as a reader would call it, with warnings as errors."""
    flags = f'-O1 -g {WARNINGS} {SANITIZERS}'
    return run([os.environ.get('MAKE') or 'make', f'CC={os.environ["CC"]}',
                f'CXX={os.environ["CXX"]}', f'CFLAGS={flags} -Wstrict-prototypes',
                f'CXXFLAGS={flags}', f'TROLLEY={os.environ["TROLLEY"]}', *targets], folder,
               env=environment(folder))


def copy(name, folder):
    """A copy of an installed folder of the SDK: `template`, `examples/...`."""
    shutil.copytree(SDK / name, folder)
    folder.chmod(0o755)
    return folder


def site(folder):
    """A folder that plugin_path may name."""
    folder.mkdir(mode=0o755)
    return folder


def find_studies(trolley, ini, *words):
    found = trolley(ini, 'find', '--format', 'jsonl', *words)
    assert found.status == 0, found.stderr
    return [row['StudyInstanceUID'] for row in found.lines()]


def compile_plugin(source, output, *flags):
    """One source by the compiler alone, quickly."""
    run([*shlex.split(os.environ['CC']), '-w', '-shared', '-fPIC', f'-I{os.environ["INCLUDEDIR"]}',
         *flags, *shlex.split(SANITIZERS), '-o', output, source], output.parent)
    output.chmod(0o755)


def exported(path):
    """The symbols that a shared object defines for others."""
    lines = run(['nm', '-D', '--defined-only', path], path.parent).splitlines()
    return [line.split()[-1] for line in lines if not line.split()[-1].startswith('__')]


def needed(path):
    """The libraries that a shared object asks for."""
    return re.findall(r'NEEDED.*\[(.*)\]', run(['readelf', '-d', path], path.parent))
