"""The validator: each broken plugin is found out by the check made for its fault, and by no other;
the plugins of the tree pass. SPDX-License-Identifier: MIT"""

import concurrent.futures
import json
import os
import pathlib
import shutil

import pytest

import program

MOCKS = pathlib.Path(os.environ['BUILDDIR']) / 'tests' / 'plugins'
BROKEN = MOCKS / 'broken'
LIBTOOL = MOCKS / '.libs'

# plugin -> (the check that must fail, a word of its message)
FAULTS = {
    'crash-in-create': ('create-defaults', 'signal 11'),
    'hang-in-create': ('create-defaults', 'did not end'),
    'leak': ('create-repeated', 'bytes are left behind'),
    'leaves-file-open': ('create-repeated', 'left open'),
    'second-symbol': ('one-symbol', 'broken_helper'),
    'slow-entry': ('entry-quick', 'took'),
    'thread-in-entry': ('entry-pure', 'thread'),
    'no-version': ('descriptor', 'version'),
    'default-out-of-range': ('options', 'number'),
    'unknown-keyword': ('query-types', 'PatientNam'),
    'crash-at-extreme': ('create-extremes', 'signal'),
    'crash-at-some-text': ('create-random', 'signal'),
    'crash-in-destroy-null': ('destroy-null', 'signal'),
    'knows-every-interface': ('unknown-interface', 'trolley.nowhere/1'),
    'needs-a-service': ('bare-host', 'signal'),
    'reads-too-far': ('first-structs', 'signal'),
    'fails-without-a-reason': ('clear-failure', 'without saying why'),
    'works-when-cancelled': ('cancelled-first', 'cancelled'),
    'ignores-cancel': ('cancelled-waiting', 'find'),
    'ignores-sink': ('failing-sink', 'again after it refused'),
    'changes-refusal': ('failing-sink', 'returns -21'),
    'goes-on-when-cancelled': ('failing-sink', 'begins another item'),
    'ends-twice': ('items-ended', '2 times'),
    'never-ends': ('items-ended', '0 times'),
    'keeps-query': ('arguments-borrowed', 'signal'),
    'keeps-task': ('arguments-borrowed', 'signal'),
    'indexes-by-sizeof': ('wider-structs', 'signal'),
    'aborts-badly': ('storage-round-trip', 'abort'),
    'overwrites': ('storage-conflicts', 'flags'),
}
LIBTOOL_FAULTS = {
    'nosymbol': ('one-symbol', 'does not export'),
    'undefined': ('binds-now', 'the_function_that_is_nowhere'),
    'misnamed': ('descriptor', 'another'),
    'twice': ('descriptor', 'two components'),
}


def check(path, folder, *options):
    done = program.run(['check-plugin', path, '--format', 'json', *options], folder)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


# Built with sanitizers, a fault ends the process with a report before the signal, and one that reads
# what is gone is found by every check that lets it.
SANITIZED = b'__asan_init' in pathlib.Path(os.environ['TROLLEY']).read_bytes()


def installed():
    return sorted(pathlib.Path(os.environ['TROLLEY_PLUGINDIR']).glob('*.so'))


@pytest.fixture(scope='module')
def checked(tmp_path_factory):
    """Every plugin checked, some at a time: path -> (result, lines)."""
    folder = tmp_path_factory.mktemp('check')
    limits = {'hang-in-create': ('--time-limit', '1')}
    paths = [BROKEN / f'{name}.so' for name in FAULTS]
    paths += [LIBTOOL / f'{name}.so' for name in [*LIBTOOL_FAULTS, 'good']]
    paths += installed()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        runs = {path: pool.submit(check, path, folder, *limits.get(path.stem, ()))
                for path in paths}
    return {path: run.result() for path, run in runs.items()}


def failed(lines):
    return [line for line in lines if line['outcome'] == 'failed']


@pytest.mark.parametrize('name', [*FAULTS, *LIBTOOL_FAULTS])
def test_fault_is_found_by_its_check_alone(checked, name):
    fault, words = {**FAULTS, **LIBTOOL_FAULTS}[name]
    folder = BROKEN if name in FAULTS else LIBTOOL
    done, lines = checked[folder / f'{name}.so']
    found = {line['check']: line['message'] for line in failed(lines)}
    assert done.status == 1
    assert fault in found, found
    if SANITIZED:
        assert (words if 'signal' not in words else 'ended') in found[fault]
        return
    assert list(found) == [fault], found
    assert words in found[fault]


def test_every_check_has_found_a_fault(tmp_path):
    """A check that no plugin fails would prove nothing; `file` has a test of its own."""
    done = program.run(['check-plugin', '--list'], tmp_path)
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert listed == {fault for fault, _ in {**FAULTS, **LIBTOOL_FAULTS}.values()} | {'file'}


def test_good_plugin_passes(checked):
    done, lines = checked[LIBTOOL / 'good.so']
    assert failed(lines) == []
    assert done.status == 0


@pytest.mark.parametrize('path', installed(), ids=lambda path: path.stem)
def test_plugins_of_the_tree_pass(checked, path):
    done, lines = checked[path]
    assert failed(lines) == []
    assert done.status == 0
    # Nothing of what needs no server may be left out; `command` wants a program, and none is made up.
    if path.stem == 'command':
        assert {line['outcome'] for line in lines[:6]} == {'passed'}
        return
    skipped = {line['check'] for line in lines if line['outcome'] == 'skipped'}
    assert skipped <= {'cancelled-waiting', 'failing-sink', 'items-ended'}


def test_folder_and_tree_are_exercised_whole(checked):
    """They need no server: what is skipped with the others is done with them."""
    lines = {path.stem: lines for path, (_, lines) in checked.items()}
    for name, check_name in (('folder', 'failing-sink'), ('folder', 'items-ended'),
                             ('qido-rs', 'cancelled-waiting'), ('wado-rs', 'cancelled-waiting'),
                             ('tree', 'storage-conflicts'), ('flat', 'storage-conflicts'),
                             ('template', 'storage-conflicts')):
        outcomes = {line['outcome'] for line in lines[name] if line['check'] == check_name}
        assert outcomes == {'passed'}, (name, check_name)


def test_file_that_others_may_write(tmp_path):
    path = tmp_path / 'good.so'
    shutil.copy(LIBTOOL / 'good.so', path)
    path.chmod(0o666)
    done, lines = check(path, tmp_path)
    assert [line['check'] for line in failed(lines)] == ['file']
    assert 'written by others' in failed(lines)[0]['message']
    assert done.status == 1


def test_only_one_check(tmp_path):
    _, lines = check(LIBTOOL / 'good.so', tmp_path, '--only', 'create-repeated')
    assert [(line['check'], line['outcome']) for line in lines] == [('create-repeated', 'passed')]


def test_one_line_a_check_as_text(tmp_path):
    done = program.run(['check-plugin', LIBTOOL / 'twice.so'], tmp_path)
    assert 'failed' in done.stdout and 'two components of kind searcher' in done.stdout
    assert 'seed 1' in done.stdout.splitlines()[-1]


@pytest.mark.parametrize('arguments, word', [
    (['absent.so'], 'absent.so'),
    ([], 'one file'),
    ([LIBTOOL / 'good.so', '--only', 'nothing'], 'no such check'),
    ([LIBTOOL / 'good.so', '--seed', '-1'], '--seed'),
])
def test_usage_errors(tmp_path, arguments, word):
    done = program.run(['check-plugin', *arguments], tmp_path)
    assert done.status == 2
    assert word in done.stderr


def test_nothing_is_left_behind(tmp_path):
    program.run(['check-plugin', BROKEN / 'crash-in-create.so'], tmp_path,
                environment={'TMPDIR': str(tmp_path)})
    assert list(tmp_path.glob('trolley-check-*')) == []
