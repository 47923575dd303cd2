"""What DIMSE does with its TCP connections: options of the sockets, how many there are, how long
they stay. SPDX-License-Identifier: MIT"""

import os
import pathlib
import re
import subprocess
import threading

import pytest

from dimse_servers import CT, Peer, ct
from program import files_below, run
from test_dimse_move import Sender, by_move, originator

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope='module')
def recorder(tmp_path_factory):
    library = tmp_path_factory.mktemp('recorder') / 'recorder.so'
    subprocess.run([*os.environ['CC'].split(), '-shared', '-fPIC', '-Wall', '-Werror', '-o',
                    library, HERE / 'socket_recorder.c', '-ldl'], check=True, timeout=120)
    return library


class Socket:
    """One connection in a record, from its connect or accept on."""

    def __init__(self, kind, port):
        self.kind, self.port, self.events = kind, port, ''


def read_record(path):
    sockets, current = [], {}
    for line in path.read_text().splitlines():
        kind, fd, number = line.split()
        if kind in 'ca':
            current[fd] = Socket(kind, int(number))
            sockets.append(current[fd])
        elif kind == 'x':
            current.pop(fd, None)
        elif fd in current and int(number) != 0:
            current[fd].events += kind
    return sockets


def recorded(ini, tmp_path, recorder, *arguments):
    (tmp_path / 'trolley.ini').write_text(ini)
    (tmp_path / 'trolley.ini').chmod(0o600)
    result = run(['--config', 'trolley.ini', *arguments], tmp_path,
                 {'LD_PRELOAD': str(recorder), 'SOCKET_RECORD': str(tmp_path / 'record'),
                  'ASAN_OPTIONS': 'verify_asan_link_order=0:' + os.environ.get('ASAN_OPTIONS', '')})
    assert result.status == 0, result.stderr
    return read_record(tmp_path / 'record')


def check_options(sockets):
    for socket in sockets:
        assert 'n' in socket.events, 'TCP_NODELAY'
        assert socket.events.index('n') < socket.events.index('s'), 'before the first byte is sent'
        assert not re.search('[^qp]p', socket.events), 'TCP_QUICKACK before every wait'
    # Where the bytes are always there already nobody waits; on all of them that is not so.
    assert any('p' in socket.events for socket in sockets)


@pytest.mark.parametrize('downloader', ['c-get', 'c-move'])
def test_G8_nodelay_and_quickack(qr_ini, qrscp, listen_port, phantoms, home, tmp_path, recorder,
                                 downloader):
    """Both options, on associations out (search, C-GET, C-MOVE) and in (the storage SCP): seen by a
    preloaded library that writes down each setsockopt, send, recv and poll. The kernel forgets the
    second with each answer; what was read before a wait is acknowledged with it."""
    ini = by_move(qr_ini) if downloader == 'c-move' else qr_ini
    sockets = recorded(ini, tmp_path, recorder, 'download', 'PatientID=PHANTOM')
    assert len(files_below(home)) == len(phantoms.of('PHANTOM'))
    out = [socket for socket in sockets if (socket.kind, socket.port) == ('c', qrscp.port)]
    come = [socket for socket in sockets if (socket.kind, socket.port) == ('a', listen_port)]
    assert len(out) >= 2 and bool(come) == (downloader == 'c-move')
    check_options(out + come)


# ---- associations ----

SERIES_LIST = 'StudyInstanceUID,SeriesInstanceUID\n' + ''.join(
    f'1.2.3,1.2.3.{i}\n' for i in range(1, 7))


class Counting:
    """A script's memory: who asks, and how many at once. Three requests must be there together
    before one is answered."""

    def __init__(self, answer):
        self.answer, self.together = answer, threading.Barrier(3, timeout=60)
        self.lock, self.requests, self.at_once, self.most = threading.Lock(), {}, 0, 0

    def __call__(self, association, message):
        with self.lock:
            self.requests[id(association)] = self.requests.get(id(association), 0) + 1
            self.keep = getattr(self, 'keep', []) + [association]
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        try:
            self.together.wait()
        finally:
            with self.lock:
                self.at_once -= 1
        self.answer(association, message)


def series_of(identifier):
    return next(f'1.2.3.{i}' for i in range(1, 7) if f'1.2.3.{i}'.encode() + b'\0' in identifier
                or identifier.endswith(f'1.2.3.{i}'.encode()))


def stores(association, message):
    number, request, identifier = message
    series = series_of(identifier)
    for i in range(2):
        assert association.store(f'{series}.{i}', ct('1.2.3', series, f'{series}.{i}')) == 0
    association.respond(number, request, 0, completed=2, failed=0)


def moves(listen_port):
    def answer(association, message):
        number, request, identifier = message
        series = series_of(identifier)
        sender = Sender(listen_port)
        for i in range(2):
            sender.send(1, {0x00000002: CT, 0x00000100: 1, 0x00000110: 5,
                            0x00000700: 0, 0x00001000: f'{series}.{i}', **originator(request)},
                        ct('1.2.3', series, f'{series}.{i}'))
            assert sender.read_message()[1][0x00000900] == b'\0\0'
        sender.release()
        association.respond(number, request, 0, completed=2, failed=0)
    return answer


@pytest.mark.parametrize('downloader', ['c-get', 'c-move'])
def test_G9_several_associations_kept_open(trolley, peer_ini, listen_port, home, downloader):
    """max_parallel = 3: three associations at once, and the same three for the next chunks."""
    script = Counting(stores if downloader == 'c-get' else moves(listen_port))
    with Peer(script) as peer:
        ini = peer_ini(peer).replace('searcher = search\n', '').replace('= 3s', '= 60s')
        ini = ini.replace(f'type = {downloader}', f'type = {downloader}\nmax_parallel = 3')
        ini = by_move(ini) if downloader == 'c-move' else ini
        result = trolley(ini, 'download', '--from', '-', stdin=SERIES_LIST)
    assert result.status == 0, result.stderr
    assert len(files_below(home)) == 12
    assert script.most == 3
    assert sorted(script.requests.values()) == [2, 2, 2]


def test_G4_several_moves_without_originator(trolley, peer_ini, listen_port, home):
    """The server tells no Move Originator, and C-MOVEs run at once: nothing is lost, nothing lands
    with the wrong one."""
    def script(association, message):
        number, request, identifier = message
        series = series_of(identifier)
        sender = Sender(listen_port)
        got = []
        for i in range(2):
            sender.send(1, {0x00000002: CT, 0x00000100: 1, 0x00000110: 5,
                            0x00000700: 0, 0x00001000: f'{series}.{i}'},
                        ct('1.2.3', series, f'{series}.{i}'))
            got.append(sender.read_message()[1][0x00000900])
        sender.release()
        failed = sum(status != b'\0\0' for status in got)
        association.respond(number, request, 0xb000 if failed else 0, completed=2 - failed,
                            failed=failed)
    with Peer(script) as peer:
        ini = by_move(peer_ini(peer)).replace('searcher = search\n', '').replace('= 3s', '= 60s')
        ini = ini.replace('max_retries = 0', 'max_retries = 9\nretry_delay = 50ms')
        ini = ini.replace('type = c-move', 'type = c-move\nmax_parallel = 3')
        result = trolley(ini, 'download', '--from', '-', stdin=SERIES_LIST)
    assert result.status == 0, result.stderr
    assert len(files_below(home)) == 12
