"""The README of each plugin family: its INI blocks load, its tables name the options that the plugins
have, no more and no fewer. A table's first column is headed `key of` and the plugins it is about.
SPDX-License-Identifier: MIT"""

import json
import os
import pathlib
import re

import pytest

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / 'plugins'
READMES = {path.parent.name: path.read_text(encoding='utf-8')
           for path in sorted(PLUGINS.glob('*/README.md'))}


def blocks():
    for family, text in READMES.items():
        found = re.findall(r'^```ini\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)
        for number, block in enumerate(found):
            yield pytest.param(block, id=f'{family}-{number}')


def tables():
    """(plugins, rows) of each option table; a row is its keys and its default."""
    for text in READMES.values():
        for head, body in re.findall(r'^\| key of ([^|]+?) \|[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)', text,
                                     re.MULTILINE):
            rows = []
            for line in body.splitlines():
                cells = [cell.strip() for cell in line.strip('|').split(' | ')]
                rows.append((re.findall(r'`([^`]+)`', cells[0]), cells[1]))
            yield re.findall(r'`([^`]+)`', head), rows


def documented(plugin):
    """Key to the text of its default."""
    found = {}
    for plugins, rows in tables():
        if plugin not in plugins:
            continue
        for keys, default in rows:
            for key in keys:
                key = key.removesuffix('NAME')
                assert key not in found, f'{plugin}: `{key}` twice'
                found[key] = default if len(keys) == 1 else None
    return found


def options(trolley):
    """Plugin to its options by key; those of all its components."""
    listed = trolley(None, 'plugins', '--format', 'json')
    assert listed.status == 0, listed.stderr
    return {plugin['name']: {option['key']: option for component in plugin['components']
                             for option in component['options']}
            for plugin in json.loads(listed.stdout)}


@pytest.mark.parametrize('block', blocks())
def test_ini_block_loads(trolley, tmp_path, block):
    """Options, types, names of sections; every component is made. No server is asked."""
    for path in re.findall(r'(?<== )/data\b', block):
        (tmp_path / 'data').mkdir(exist_ok=True)
        block = block.replace(f'= {path}', f'= {tmp_path}/data')
    for folder in re.findall(r'^path = (\S+/data/\S+)', block, re.MULTILINE):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    for name in re.findall(r'^\w+_file = (\w\S*)', block, re.MULTILINE):
        (tmp_path / name).write_text('secret\n')
        (tmp_path / name).chmod(0o600)
    secrets = {name: 'secret' for name in re.findall(r'^\w+_env = (\w+)', block, re.MULTILINE)}
    result = trolley(block, 'config', 'check', environment=secrets)
    assert result.status == 0, result.stderr


def test_every_plugin_is_in_a_block(trolley):
    text = '\n'.join(block.values[0] for block in blocks())
    shown = set(re.findall(r'^(?:type|auth) = (\S+)', text, re.MULTILINE))
    assert set(options(trolley)) - shown == set(), 'no README has an INI block with them'


def test_every_option_is_in_a_table(trolley):
    known = options(trolley)
    assert len(known) > 15
    for name, table in known.items():
        rows = documented(name)
        assert rows.keys() == table.keys(), f'{name}: README and `trolley plugins {name}` differ'
        for key, default in rows.items():
            option = table[key]
            if default is None:
                continue
            assert (default == 'required') == option['required'], f'{name}: {key}'
            if re.match('[`0-9]', default) and option['default']:
                said = re.sub(r'`', '', default.split(';')[0])
                assert said == option['default'] or default.startswith(f'`{option["default"]}`'), \
                    f'{name}: {key} is {option["default"]}'


def test_no_table_is_of_nothing(trolley):
    known = set(options(trolley))
    for plugins, rows in tables():
        assert rows and set(plugins) <= known, plugins


def test_installed():
    """Beside the SDK's guide, as they are here."""
    docs = pathlib.Path(os.environ['STAGE'] + os.environ['INSTALLED_SDK']).parent
    for family, text in READMES.items():
        path = docs / 'plugins' / family / 'README.md'
        assert path.is_file() and path.read_text(encoding='utf-8') == text, path
