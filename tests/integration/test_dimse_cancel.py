"""Cancelled in every phase: the program gives up in about a second, whatever the peer does, and the
peer is told by C-CANCEL, then A-ABORT. SPDX-License-Identifier: MIT"""

import contextlib
import itertools
import os
import select
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
import types

import pytest

from dimse_servers import CT, EXPLICIT, Peer, ct, data_set, explicit_ui, hold, pdu
from nginx import Authority
from program import files_below, scratch_files
from test_dimse_get import SERIES, STUDY
from test_dimse_move import Sender, by_move, originator

C_CANCEL, A_ABORT = 'C-CANCEL', 'A-ABORT'
# A second on an idle machine. Every time-out is a minute, so a wait that nobody breaks off shows.
SOON = 5

ALL = pytest.mark.parametrize('what', ['find', 'c-get', 'c-move'])


class Watched(Peer):
    """Plays act(watched, association, request's context, request) once; keeps what comes from the
    program, and when. `running` is set by what it plays."""

    def __init__(self, act, **more):
        super().__init__(self.play, **more)
        self.act, self.seen, self.times = act, [], {}
        self.running, self.over = threading.Event(), threading.Event()

    def play(self, association, message):
        try:
            self.act(self, association, *message[:2])
        except (EOFError, OSError):
            pass  # it left
        while not self.over.is_set():
            self.read(association)
        raise EOFError

    def look(self, association, seconds=0):
        """Reads what is there; whether that was the end."""
        connection = association.connection
        if getattr(connection, 'pending', int)() or select.select([connection], [], [], seconds)[0]:
            self.read(association)
        return self.over.is_set()

    def read(self, association):
        try:
            message = association.read_message()
            self.note('A-RELEASE' if message is None else
                      C_CANCEL if message[1][0x00000100] == b'\xff\x0f' else 'more')
            if message is None:
                self.over.set()
        except (EOFError, OSError) as error:
            self.note(A_ABORT if association.aborted else repr(error))
            self.over.set()

    def note(self, what):
        self.seen.append(what)
        self.times[what] = time.monotonic()


# ---- what a peer does once it has the request ----

def store(sender, instance, more):
    """The status that a small instance is answered with; None for a C-CANCEL, which comes first."""
    context = 1 if isinstance(sender, Sender) else sender.context(CT, EXPLICIT)
    sender.send(context, {0x00000002: CT, 0x00000100: 1, 0x00000110: 5, 0x00000700: 0,
                          0x00001000: instance, **more}, ct(STUDY, SERIES, instance))
    answer = sender.read_message()[1]
    return struct.unpack('<H', answer[0x00000900])[0] if 0x00000900 in answer else None


def first_answer(association, number, request, listen_port):
    """One answer or one instance, so that it is in the middle of things."""
    what = struct.unpack('<H', request[0x00000100])[0]
    if what == 0x20:
        association.respond(number, request, 0xff00, data_set({0x0020000d: '1.2.3'}))
        return
    if what == 0x10:
        store(association, '1.2.3.4.0', {})
    else:
        sender = Sender(listen_port)
        store(sender, '1.2.3.4.0', originator(request))
        sender.release()
    association.respond(number, request, 0xff00, completed=1, failed=0)


def silent(listen_port):
    """Nothing more."""
    def act(watched, association, number, request):
        first_answer(association, number, request, listen_port)
        watched.running.set()
    return act


def within_a_pdu(listen_port):
    """The head of a PDU, and nothing more."""
    def act(watched, association, number, request):
        first_answer(association, number, request, listen_port)
        association.connection.sendall(pdu(4, bytes(1000))[:20])
        watched.running.set()
    return act


def dripping(listen_port):
    """A PDU of a byte every 20 ms."""
    def act(watched, association, number, request):
        first_answer(association, number, request, listen_port)
        watched.running.set()
        for byte in pdu(4, struct.pack('>IBB', 15998, number, 1) + bytes(15996)):
            if watched.look(association, 0.02):
                return
            association.connection.sendall(bytes([byte]))
    return act


def flowing(listen_port, instance='1.2.3.4.1'):
    """Answers, or fragments of one instance, as fast as they go."""
    def act(watched, association, number, request):
        first_answer(association, number, request, listen_port)
        what = struct.unpack('<H', request[0x00000100])[0]
        if what == 0x20:
            numbers = itertools.count()
            send = lambda: association.respond(  # noqa: E731
                number, request, 0xff00, data_set({0x0020000d: f'1.2.3.{next(numbers)}'}))
        else:
            store = {0x00000002: CT, 0x00000100: 1, 0x00000110: 6, 0x00000700: 0,
                     0x00001000: instance}
            sender, context = association, association.context(CT, EXPLICIT) if what == 0x10 else 1
            if what == 0x21:
                sender = Sender(listen_port)
                store.update(originator(request))
            sender.send(context, store, b'')
            sender.connection.sendall(sender.fragment(context, 0, (
                explicit_ui(0x00080016, CT) + explicit_ui(0x00080018, instance)
                + explicit_ui(0x0020000d, STUDY) + explicit_ui(0x0020000e, SERIES)
                + struct.pack('<HH2sHI', 0x7fe0, 0x0010, b'OW', 0, 0xfffffff0))))
            piece = sender.fragment(context, 0, bytes(16000))
            send = lambda: sender.connection.sendall(piece)  # noqa: E731
        watched.running.set()
        while not watched.look(association):
            send()
    return act


# ---- interrupting ----

def ini_of(what, ini, patience='60s'):
    ini = ini.replace('= 3s', f'= {patience}\nconnect_timeout = 60s', 1).replace('= 3s', f'= {patience}')
    if what != 'find':
        ini = ini.replace('searcher = search\n', '')
    return by_move(ini) if what == 'c-move' else ini


class Interrupted:
    """The program, interrupted once `running` is there; `status` and `seconds` from then on."""

    def __init__(self, what, ini, folder, running, *source):
        source = source or ('--study', STUDY, '--series', SERIES)
        arguments = ('find',) if what == 'find' else ('download', *source)
        (folder / 'trolley.ini').write_text(ini)
        (folder / 'trolley.ini').chmod(0o600)
        process = subprocess.Popen(
            [os.environ['TROLLEY'], '--config', 'trolley.ini', *arguments], cwd=folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert running(60)
            time.sleep(0.3)
            self.began = time.monotonic()
            process.send_signal(signal.SIGINT)
            self.status = process.wait(60)
            self.seconds = time.monotonic() - self.began
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('authority')).issue('peer', 'localhost')


def secured(ini):
    return ini.replace('host = 127.0.0.1', 'host = 127.0.0.1\ntls = yes\nverify = no')


@pytest.mark.parametrize('tls', [False, True], ids=['plain', 'tls'])
@pytest.mark.parametrize('act', [silent, within_a_pdu, dripping, flowing])
@ALL
def test_G3_cancel(peer_ini, listen_port, home, tmp_path, certificate, what, act, tls):
    """Within an operation: C-CANCEL, then A-ABORT; what came stays, and it ends soon."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    with Watched(act(listen_port), tls=context) as peer:
        ini = ini_of(what, peer_ini(peer))
        run = Interrupted(what, secured(ini) if tls else ini, tmp_path, peer.running.wait)
        assert peer.over.wait(60)
    assert run.status == 130
    assert peer.seen == [C_CANCEL, A_ABORT]
    assert run.seconds < SOON and peer.times[A_ABORT] - run.began < SOON
    if what != 'find':
        assert [path.name for path in files_below(home)] == ['1.2.3.4.0.dcm']
        assert scratch_files(home) == []


@pytest.mark.parametrize('tls', [False, True], ids=['plain', 'tls'])
@ALL
def test_G3_cancel_before_the_association(peer_ini, home, tmp_path, what, tls):
    """The peer has accepted the connection, but neither the association nor the handshake."""
    running = threading.Event()

    def read(connection):
        connection.recv(65536)
        running.set()
        hold(connection)
    with Peer(raw=read) as peer:
        ini = ini_of(what, peer_ini(peer))
        run = Interrupted(what, secured(ini) if tls else ini, tmp_path, running.wait)
    assert run.status == 130
    assert run.seconds < SOON


def until(there):
    """wait(seconds), for what must be looked at time and again."""
    def wait(seconds):
        end = time.monotonic() + seconds
        while not there() and time.monotonic() < end:
            time.sleep(0.02)
        return there()
    return wait


def connections_to(port):
    """How many on this machine wait for that port to take their connection."""
    with open('/proc/net/tcp', encoding='ascii') as table:
        return sum(line.split()[2].endswith(f':{port:04X}') and line.split()[3] == '02'
                   for line in table)


@ALL
def test_G3_cancel_while_connecting(peer_ini, tmp_path, what):
    """Nobody takes the connection: the queue of the listening socket is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(('127.0.0.1', 0), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(('127.0.0.1', port))
        time.sleep(0.2)
        others = connections_to(port)
        ini = ini_of(what, peer_ini(types.SimpleNamespace(port=port)))
        run = Interrupted(what, ini, tmp_path, until(lambda: connections_to(port) > others))
    assert run.status == 130
    assert run.seconds < SOON


def test_G3_cancel_while_stores_are_missing(peer_ini, listen_port, home, tmp_path):
    """The C-MOVE is over, two stores are not there yet."""
    def act(watched, association, number, request):
        first_answer(association, number, request, listen_port)
        association.respond(number, request, 0, completed=3, failed=0)
        watched.running.set()
    with Watched(act) as peer:
        ini = ini_of('c-move', peer_ini(peer)).replace('type = c-move',
                                                       'type = c-move\nstore_wait = 60s')
        run = Interrupted('c-move', ini, tmp_path, peer.running.wait)
        assert peer.over.wait(60)
    assert run.status == 130 and run.seconds < SOON
    assert peer.seen == ['A-RELEASE']
    assert [path.name for path in files_below(home)] == ['1.2.3.4.0.dcm']


def test_G3_cancel_with_idle_associations(peer_ini, listen_port, home, tmp_path):
    """Three of four associations have nothing to do, and their peers answer no release."""
    running, idle = threading.Event(), []
    all_are_there = until(lambda: len(idle) == 3)

    def script(association, message):
        number, request, identifier = message
        if b'1.2.3.4.9' in identifier:
            if all_are_there(60):
                running.set()
        else:
            idle.append(association)
            all_are_there(60)  # so that none of them gets another series
            association.respond(number, request, 0, completed=0, failed=0)
        hold(association.connection)
    lines = 'StudyInstanceUID,SeriesInstanceUID\n' + ''.join(
        f'{STUDY},1.2.3.4.{i}\n' for i in (1, 2, 3, 9))
    (tmp_path / 'list.csv').write_text(lines)
    with Peer(script) as peer:
        ini = ini_of('c-get', peer_ini(peer)).replace('type = c-get',
                                                      'type = c-get\nmax_parallel = 4')
        run = Interrupted('c-get', ini, tmp_path, running.wait, '--from', 'list.csv')
    assert run.status == 130
    assert run.seconds < SOON


# ---- cancelled by ourselves ----

@pytest.mark.parametrize('what', ['c-get', 'c-move'])
def test_G3_instance_without_end(trolley, peer_ini, listen_port, home, what):
    """max_instance is passed: C-CANCEL and A-ABORT, though the peer would go on for ever."""
    with Watched(flowing(listen_port)) as peer:
        ini = ini_of(what, peer_ini(peer)).replace(f'type = {what}',
                                                   f'type = {what}\nmax_instance = 1MiB')
        result = trolley(ini, 'download', '--study', STUDY, '--series', SERIES, timeout=60)
        assert peer.over.wait(60)
    assert result.status == 3 and 'larger than max_instance' in result.stderr, result.stderr
    assert peer.seen == [C_CANCEL, A_ABORT]
    assert [path.name for path in files_below(home)] == ['1.2.3.4.0.dcm']
    assert scratch_files(home) == []


@pytest.mark.parametrize('what', ['c-get', 'c-move'])
def test_G3_refused_instance_without_end(trolley, peer_ini, listen_port, home, what):
    """Its UID is none, so that it is nobody's; it is read for a while, and then no more."""
    with Watched(flowing(listen_port, '1.2.x')) as peer:
        result = trolley(ini_of(what, peer_ini(peer), '3500ms'), 'download', '--study', STUDY,
                         '--series', SERIES, timeout=120)
        assert peer.over.wait(60), result
    assert result.status == 3 and 'invalid UID' in result.stderr, result.stderr
    assert A_ABORT in peer.seen
    assert [path.name for path in files_below(home)] == ['1.2.3.4.0.dcm']
    assert scratch_files(home) == []


@pytest.mark.parametrize('what', ['c-get', 'c-move'])
def test_G3_peer_that_goes_on_after_a_full_disk(trolley, peer_ini, listen_port, home, what):
    """A C-CANCEL for what nothing can follow; the peer has a second to heed it."""
    refused = []

    def act(watched, association, number, request):
        sender = Sender(listen_port) if what == 'c-move' else association
        more = originator(request) if what == 'c-move' else {}
        while not watched.over.wait(0.02):
            answer = store(sender, f'1.2.3.4.{len(refused)}', more)
            if answer is None:
                watched.note(C_CANCEL)
            else:
                refused.append(answer)
            if what == 'c-move':
                watched.look(association)
    with Watched(act) as peer:
        ini = ini_of(what, peer_ini(peer)).replace('min_free = 0', 'min_free = 1000000GB')
        result = trolley(ini, 'download', '--study', STUDY, '--series', SERIES, timeout=60)
        assert peer.over.wait(60)
    assert result.status == 1 and 'min_free' in result.stderr, result.stderr
    assert refused[0] >> 8 == 0xa7 and all(refused), refused
    assert peer.seen == [C_CANCEL, A_ABORT]
    assert files_below(home) == [] and scratch_files(home) == []


def test_F5_peer_that_goes_on_after_the_limit(trolley, peer_ini):
    """What was wanted is there: no error."""
    with Watched(flowing(None)) as peer:
        result = trolley(ini_of('find', peer_ini(peer)), 'find', 'limit=3', '--format', 'csv',
                         timeout=60)
        assert peer.over.wait(60)
    assert result.status == 0, result.stderr
    assert len(result.rows()) == 3
    assert peer.seen == [C_CANCEL, A_ABORT]
