"""trolley prefetch: the daemon and its commands, against a WADO server that counts what it is asked.
P4 to P17 are acceptance tests of prefetching. SPDX-License-Identifier: MIT"""

import csv
import io
import os
import pathlib
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

import program
from prefetching import HOUR, MINUTE, NOON, SECOND, Prefetch, stop, wait_for
from program import files_below, scratch_files
from wado_server import Object, WadoServer, body

STUDY = '1.2.3'
OBJECTS = [Object(STUDY, '1.2.3.1', f'1.2.3.1.{n}') for n in (1, 2, 3)]
WADO = '/wado?requestType=WADO&studyUID=[0]&seriesUID=[1]&objectUID=[2]'


@pytest.fixture
def server():
    with WadoServer(OBJECTS) as started:
        yield started


def ini(url, *keys, queue='', more=''):
    lines = '\n'.join(keys)
    return (f'[searcher search]\ntype = qido-rs\nurl = {url}/rs\nmax_retries = 0\n'
            f'[exporter e]\nuri = {url}{WADO}\nsearcher = search\nqueue = q\nstorage = home\n'
            f'parallel_requests = 1\n{lines}\n'
            f'[queue q]\nmax_parallel = 2\n{queue}\n'
            '[storage home]\ntype = template\npath = home\nmin_free = 0\n'
            f'path_format = {{0020000D}}/{{00080018}}.jpeg\n{more}\n')


RULE = '[rule r]\nentity = Study\nexporter = e\ndelay = PT1M\n'


@pytest.fixture
def prefetch(server, tmp_path):
    return Prefetch(tmp_path, ini(server.url))


def whole(tmp_path):
    """Every object of the study is there, with its bytes, and nothing else."""
    home = tmp_path / 'home'
    names = [str(path) for path in files_below(home) if path.suffix == '.jpeg']
    return (names == [f'{STUDY}/{o.uid}.jpeg' for o in OBJECTS] and not scratch_files(home) and
            all((home / STUDY / f'{o.uid}.jpeg').read_bytes() == body(o.uid, '1', 'full')
                for o in OBJECTS))


# ---- once, export, exit statuses ----

def test_order_is_carried_out_once(server, prefetch, tmp_path):
    prefetch.export('e', STUDY, '--batch', 'B')
    done = prefetch('once')
    assert done.status == 0, done.stderr
    assert done.verdict().startswith('completed: 1 tasks completed, 0 with warnings, 0 failed')
    assert whole(tmp_path) and server.twice == []
    task, = prefetch.tasks('--batch', 'B')
    assert (task['status'], task['requested'], task['succeeded']) == ('COMPLETED', 3, 3)
    server.forget()
    assert prefetch('once').status == 0
    assert server.asked() == []


@pytest.mark.parametrize('faults, status, state', [
    ({}, 0, 'COMPLETED'), ({'1.2.3.1.2': 500}, 3, 'WARNING'), ({'*': 500}, 1, 'FAILED')])
def test_exit_status_is_the_outcome(server, prefetch, faults, status, state):
    server.faults.update(faults)
    prefetch.export('e', STUDY)
    done = prefetch('once')
    assert done.status == status, done.stderr
    assert [task['status'] for task in prefetch.tasks()] == [state]


@pytest.mark.parametrize('words, told', [
    (['export', '--study', STUDY], '--exporter'),
    (['export', '--exporter', 'e'], 'one of: --study UID, --query'),
    (['export', '--exporter', 'x', '--study', STUDY], 'no section [exporter x]'),
    (['export', '--exporter', 'e', '--study', '../x'], 'no Study Instance UID'),
    (['export', '--exporter', 'e', '--study', STUDY, '--at', 'soon'], 'no time'),
    (['tasks', 'delete'], 'which ones?'),
    (['tasks', 'cancel', 'x'], 'no number of a task'),
    (['tasks', 'list', '--status', 'lost'], '--status lost'),
    (['tasks', 'lisst'], 'did you mean list?'),
    (['queue', 'pause', 'x'], 'no section [queue x]'),
    (['run', '--at', 'now'], 'no option of prefetch run'),
    (['tasks'], 'what?'),
])
def test_usage(prefetch, words, told):
    done = prefetch(*words)
    assert done.status == 2 and told in done.stderr, done.stderr
    assert prefetch.tasks() == []


def test_dry_run_prints_urls_and_asks_for_none(server, prefetch):
    done = prefetch('export', '--exporter', 'e', '--study', STUDY, '--dry-run')
    assert done.status == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3 and server.asked() == []
    assert prefetch.tasks() == []


def test_query_exports_every_study(server, prefetch):
    server.state.objects += [Object('1.2.9', '1.2.9.1', '1.2.9.1.1')]
    done = prefetch('export', '--exporter', 'e', '--query', 'StudyInstanceUID=1.2.9')
    assert done.status == 0, done.stderr
    assert [task['study'] for task in prefetch.tasks()] == ['1.2.9']


def test_at_waits_for_its_time(server, prefetch):
    prefetch.export('e', STUDY, '--at', '2026-11-28T13:00')
    prefetch.set(HOUR - 1)
    assert prefetch('once').status == 0 and server.asked() == []
    prefetch.set(1)
    assert prefetch('once').status == 0 and len(server.asked()) == 3


# ---- administration ----

def test_10_administration(server, prefetch):
    for study, batch in (('1.2.1', 'B'), (STUDY, 'A'), ('1.2.9', 'B')):
        prefetch.export('e', study, '--batch', batch)
    assert len(prefetch.tasks('--batch', 'B')) == 2
    rows = list(csv.DictReader(io.StringIO(prefetch('tasks', 'list', '--format', 'csv').stdout)))
    assert [row['study'] for row in rows] == ['1.2.1', STUDY, '1.2.9']
    assert STUDY in prefetch('tasks', 'show', '2').stdout
    assert prefetch('tasks', 'show', '9').status == 1
    assert prefetch('tasks', 'cancel', '--batch', 'B').stdout == '2 tasks canceled\n'
    assert prefetch('tasks', 'cancel', '1').status == 1
    assert 'CANCELED' in prefetch('tasks', 'count').stdout
    assert prefetch('tasks', 'reschedule', '1').status == 0
    assert prefetch('tasks', 'delete', '--status', 'canceled', '--dry-run').status == 0
    assert prefetch('tasks', 'delete', '--status', 'canceled').stdout == '1 tasks deleted\n'
    assert [task['status'] for task in prefetch.tasks()] == ['SCHEDULED'] * 2
    assert prefetch('queue', 'pause', 'q').status == 0
    assert prefetch('once').status == 0 and server.asked() == []
    assert prefetch('queue', 'resume', 'q').status == 0
    assert prefetch('once').status in (0, 3)
    assert len(server.asked()) == 3


def test_10_cancel_while_it_runs(server, prefetch):
    server.state.gate.clear()
    prefetch.export('e', STUDY)
    with prefetch.daemon() as process:
        wait_for(lambda: server.asked())
        assert prefetch('tasks', 'cancel', '1').status == 0
        wait_for(lambda: prefetch.tasks()[0]['status'] == 'CANCELED')
        # The request in hand goes on until the daemon has seen it.
        time.sleep(3)
        server.state.gate.set()
        assert stop(process) == 0, prefetch.log()
    assert prefetch.tasks()[0]['status'] == 'CANCELED'
    assert len(server.asked()) < 3


# ---- arrivals ----

def test_4_downloads_arrive(server, prefetch, phantoms, tmp_path):
    """[prefetch] on_download: what `download` stores is exported once it is quiet."""
    study = phantoms.instances[0].study
    prefetch.write('on_download = yes\n' + ini(server.url, more=RULE) +
                   f'[searcher disk]\ntype = folder\npath = {phantoms.folder}\n'
                   f'[downloader disk]\ntype = folder\npath = {phantoms.folder}\n'
                   '[storage archive]\ntype = tree\npath = archive\nmin_free = 0\n'
                   '[trolley t]\nsearcher = disk\ndownloader = disk\nstorage = archive\n')
    done = program.run(['--config', tmp_path / 'prefetch.ini', 'download', '--study', study],
                       tmp_path)
    assert done.status == 0, done.stderr
    with sqlite3.connect(prefetch.state / 'tasks.sqlite') as store:
        assert store.execute('SELECT DISTINCT study FROM news').fetchall() == [(study,)]
        store.execute('UPDATE news SET at_ms = ?', (NOON,))
    store.close()
    assert prefetch('once').status == 0
    task, = prefetch.tasks()
    assert (task['study'], task['series'], task['due']) == (study, None, '2026-11-28T12:01:00Z')


def test_15_watch_sees_a_study_grow(server, prefetch):
    prefetch.write(ini(server.url, more=RULE + '[watch w]\nsearcher = search\ninterval = PT1M\n'))
    with prefetch.daemon() as process:
        wait_for(lambda: 'recorded' in prefetch.log())
        server.state.objects.append(Object(STUDY, '1.2.3.2', '1.2.3.2.1'))
        prefetch.set(MINUTE)
        wait_for(lambda: prefetch.tasks())
        assert [task['status'] for task in prefetch.tasks()] == ['SCHEDULED']
        prefetch.set(MINUTE)
        wait_for(lambda: prefetch.tasks('--status', 'completed'))
        assert stop(process) == 0, prefetch.log()
    assert len(server.asked()) == 4 and server.twice == []


# ---- what goes wrong ----

def test_9_kill_while_it_waits(server, prefetch, tmp_path):
    prefetch.export('e', STUDY, '--at', '+1h')
    with prefetch.daemon() as process:
        wait_for(lambda: (prefetch.state / 'daemon.lock').exists())
        stop(process, signal.SIGKILL)
    prefetch.set(HOUR)
    assert prefetch('once').status == 0
    assert whole(tmp_path) and server.twice == []


def test_9_kill_in_the_middle(server, prefetch, tmp_path):
    server.state.gate.clear()
    prefetch.export('e', STUDY)
    with prefetch.daemon() as process:
        wait_for(lambda: server.asked())
        assert prefetch.tasks()[0]['status'] == 'IN PROCESS'
        stop(process, signal.SIGKILL)
    server.state.gate.set()
    done = prefetch('once')
    assert done.status == 0, done.stderr
    assert [task['status'] for task in prefetch.tasks()] == ['COMPLETED']
    assert whole(tmp_path)


def test_9_only_one_runs_tasks(prefetch):
    with prefetch.daemon() as process:
        wait_for(lambda: (prefetch.state / 'daemon.lock').exists() and
                 (prefetch.state / 'daemon.lock').read_text() == f'{process.pid}\n')
        assert prefetch('once').status == 1
        assert f'process {process.pid}' in prefetch('once').stderr
        prefetch.export('e', STUDY)
        stop(process, signal.SIGKILL)
    assert prefetch('once').status == 0


def test_sigterm_finishes_the_request_in_hand(server, prefetch, tmp_path):
    server.state.gate.clear()
    prefetch.export('e', STUDY)
    with prefetch.daemon() as process:
        wait_for(lambda: server.asked())
        process.send_signal(signal.SIGTERM)
        time.sleep(3)  # it knows long before
        assert process.poll() is None and len(server.asked()) == 1
        server.state.gate.set()
        assert process.wait(120) == 0, prefetch.log()
    stored = [path for path in files_below(tmp_path / 'home') if path.suffix == '.jpeg']
    assert len(stored) == 1 and not scratch_files(tmp_path / 'home')
    assert prefetch.tasks()[0]['status'] == 'SCHEDULED'
    assert prefetch('once').status == 0 and whole(tmp_path)


def test_8_origin_down_for_an_hour(server, prefetch, tmp_path):
    retries = 'max_retries = 20\nretry_delay = PT30S\nretry_multiplier = 200\nmax_retry_delay = PT10M'
    text = ini(server.url, queue=retries)
    prefetch.write(text.replace(f'uri = {server.url}', 'uri = http://127.0.0.1:9'))
    prefetch.export('e', STUDY)
    due = []
    while prefetch.wall < NOON + HOUR:
        assert prefetch('once').status == 1
        task, = prefetch.tasks()
        assert task['status'] == 'SCHEDULED FOR RETRY', task
        due.append(task['due'][11:19])
        minute = int(due[-1][:2]) * 60 + int(due[-1][3:5])
        target = NOON + (minute - 720) * MINUTE + int(due[-1][6:]) * SECOND
        prefetch.set(target - prefetch.wall)
    assert due[:6] == ['12:00:30', '12:01:30', '12:03:30', '12:07:30', '12:15:30', '12:25:30']
    prefetch.write(text)
    assert prefetch('once').status == 0
    assert whole(tmp_path) and [task['status'] for task in prefetch.tasks()] == ['COMPLETED']


def test_8_too_many_requests(server, prefetch):
    prefetch.write(ini(server.url, queue='max_retries = 3\nretry_delay = PT10S'))
    prefetch.export('e', STUDY)
    server.faults['*'] = (429, [('Retry-After', '120')])
    prefetch('once')
    assert prefetch.tasks()[0]['due'] == '2026-11-28T12:02:00Z'
    server.faults.clear()
    prefetch.set(2 * MINUTE - 1)
    server.forget()
    prefetch('once')
    assert server.asked() == []
    prefetch.set(1)
    assert prefetch('once').status == 0


def test_clock_set_back_and_forth(server, prefetch):
    """A delay goes on for as long as it would have, wherever the clock is set to."""
    retries = 'max_retries = 3\nretry_delay = PT10M'
    prefetch.write(ini(server.url, queue=retries))
    server.faults['*'] = 500
    prefetch.export('e', STUDY)
    with prefetch.daemon() as process:
        wait_for(lambda: prefetch.tasks('--status', 'retry'))
        server.faults.clear()
        server.forget()
        prefetch.set(SECOND, jump=-3 * HOUR)
        wait_for(lambda: prefetch.tasks()[0]['due'] == '2026-11-28T09:10:00Z')
        prefetch.set(SECOND, jump=5 * HOUR)
        wait_for(lambda: prefetch.tasks()[0]['due'] == '2026-11-28T14:10:00Z')
        assert server.asked() == []
        prefetch.set(10 * MINUTE)
        wait_for(lambda: prefetch.tasks('--status', 'completed'))
        assert stop(process) == 0


FULL = 8 << 10  # no file gets larger: as far as the store goes, the disk is full


def may_be_full():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def full():
    may_be_full()
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, resource.RLIM_INFINITY))


def test_12_order_that_cannot_be_kept_is_refused(server, prefetch, tmp_path):
    prefetch.export('e', '1.2.1')
    env = {**os.environ, 'HOME': str(tmp_path), 'LC_ALL': 'C.UTF-8'}
    words = prefetch.arguments('export', '--exporter', 'e', '--study', STUDY)
    done = subprocess.run([os.environ['TROLLEY'], *map(str, words)], env=env, cwd=tmp_path,
                          preexec_fn=full, capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 1 and 'task store' in done.stderr, done.stderr
    assert done.stdout == ''
    # What was kept is there, and the next one is taken.
    assert [task['study'] for task in prefetch.tasks()] == ['1.2.1']
    prefetch.export('e', STUDY)
    assert prefetch('tasks', 'count').status == 0


def test_12_daemon_waits_for_room(server, prefetch):
    """Full while nothing runs, and full when a task has ended: both wait, nothing is lost. Nothing
    is stored here, since its storage would be full, too."""
    prefetch.write(ini(server.url).replace('storage = home', ''))
    with prefetch.daemon(before=may_be_full) as process:
        def room(size):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        wait_for(lambda: (prefetch.state / 'daemon.lock').exists())
        time.sleep(1)
        room(FULL)
        prefetch.export('e', STUDY)
        wait_for(lambda: 'no task can be taken up' in prefetch.log())
        assert server.asked() == []
        server.state.gate.clear()
        room(resource.RLIM_INFINITY)
        wait_for(lambda: server.asked())
        room(FULL)
        server.state.gate.set()
        wait_for(lambda: 'cannot be written down' in prefetch.log())
        assert prefetch.tasks()[0]['status'] == 'IN PROCESS'
        room(resource.RLIM_INFINITY)
        wait_for(lambda: prefetch.tasks()[0]['status'] == 'COMPLETED')
        assert stop(process) == 0
    assert len(server.asked()) == 3 and server.twice == []


# ---- scale ----

def fill(prefetch, count):
    """So many ended tasks and as many pending ones of a later day, written past the program."""
    prefetch.export('e', '9.9')
    with sqlite3.connect(prefetch.state / 'tasks.sqlite') as store:
        store.executemany(
            'INSERT INTO task (exporter, study, state, created_ms, changed_ms, first_ms, due_ms)'
            ' VALUES (?, ?, ?, ?, ?, ?, ?)',
            (('e', f'1.9.{n}', 3 if n % 2 else 1, NOON, NOON + n, NOON, NOON + 24 * HOUR)
             for n in range(count)))
    store.close()


def cpu(call):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_17_hundred_thousand_tasks(server, tmp_path):
    """Listing grows with the tasks and no faster; a filter, an order and the daemon hardly do."""
    times = {}
    for count in (10000, 100000):
        folder = tmp_path / str(count)
        folder.mkdir()
        prefetch = Prefetch(folder, ini(server.url))
        fill(prefetch, count)
        assert len(prefetch.tasks()) == count + 1
        times[count] = [
            cpu(lambda: prefetch('tasks', 'list', '--format', 'csv')),
            cpu(lambda: prefetch('tasks', 'list', '--study', '1.9.77')),
            cpu(lambda: prefetch.export('e', STUDY)),
        ]
        with prefetch.daemon() as process:
            wait_for(lambda: len(prefetch.tasks('--study', STUDY, '--status', 'completed')) == 1)
            status = pathlib.Path(f'/proc/{process.pid}/status').read_text()
            peak = int(re.search(r'VmHWM:\s+(\d+) kB', status).group(1))
            assert stop(process) == 0
        if 'ASAN' not in os.environ.get('SAN_FLAGS', '') and '-fsanitize' not in \
                os.environ.get('SAN_FLAGS', ''):
            assert peak < 64 << 10, f'{peak} KiB'
        print(count, times[count], peak)
    small, large = times[10000], times[100000]
    assert large[0] < 25 * small[0] + 1
    assert large[1] < 5 * small[1] + 1 and large[2] < 5 * small[2] + 1


# ---- the unit ----

def test_unit_is_sound(tmp_path):
    unit = pathlib.Path(__file__).resolve().parents[2] / 'conf' / 'trolley-prefetch.service'
    text = unit.read_text()
    sections, keys = [], {}
    for line in text.splitlines():
        if not line or line.startswith('#'):
            continue
        if line.startswith('['):
            sections.append(line)
            continue
        key, equals, value = line.partition('=')
        assert equals and key.isalpha() and key[0].isupper(), line
        keys.setdefault(key, []).append(value)
    assert sections == ['[Unit]', '[Service]', '[Install]']
    program_path, *words = keys['ExecStart'][0].split()
    assert program_path.startswith('/') and words[-2:] == ['prefetch', 'run']
    for key in ('NoNewPrivileges', 'ProtectSystem', 'PrivateTmp', 'RestrictAddressFamilies'):
        assert keys[key]
    if shutil.which('systemd-analyze'):
        (tmp_path / unit.name).write_text(text.replace(program_path, '/bin/true'))
        done = subprocess.run(['systemd-analyze', 'verify', tmp_path / unit.name],
                              capture_output=True, text=True, check=False)
        assert 'Unknown' not in done.stderr and 'Failed to parse' not in done.stderr, done.stderr
