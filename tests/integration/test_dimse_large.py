"""Large instances by DIMSE in little memory, and file systems that fill up. With TROLLEY_SCALE=yes
in the environment the instances have 2 GiB and over 4 GiB. SPDX-License-Identifier: MIT"""

import os
import shlex
import socket
import struct
import subprocess
import sys

import pytest

from dimse_servers import CT, EXPLICIT, Association, Peer, ct, explicit_ui, item, pdu
from program import outcomes
from test_dimse_get import SERIES, STUDY
from test_dimse_move import Sender, by_move, originator

JPEG = '1.2.840.10008.1.2.4.70'
PIECE = 65000  # of the 64 KiB that a PDU may have here
MIB = 1 << 20
SCALE = bool(os.environ.get('TROLLEY_SCALE'))
# AddressSanitizer keeps freed memory for a while.
RESIDENT = 32 if not os.environ.get('SAN_FLAGS') else 1000

MEASURE = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, file=sys.stderr)
sys.exit(status)
"""


def head(instance):
    return (explicit_ui(0x00080016, CT) + explicit_ui(0x00080018, instance)
            + explicit_ui(0x0020000d, STUDY) + explicit_ui(0x0020000e, SERIES))


def plain(instance, size):
    """Multi-frame pixel data of `size` bytes, in pieces made as they are asked for."""
    yield head(instance) + struct.pack('<HH2sHI', 0x7fe0, 0x0010, b'OW', 0, size)
    yield from filled(size)


def fragments(instance, size):
    """Encapsulated pixel data: fragments of 64 MiB, however many it takes."""
    yield (head(instance) + struct.pack('<HH2sHI', 0x7fe0, 0x0010, b'OB', 0, 0xffffffff)
           + struct.pack('<HHI', 0xfffe, 0xe000, 0))
    for at in range(0, size, 64 * MIB):
        length = min(64 * MIB, size - at)
        yield struct.pack('<HHI', 0xfffe, 0xe000, length)
        yield from filled(length)
    yield struct.pack('<HHI', 0xfffe, 0xe0dd, 0)


def filled(size):
    block = bytes(range(250)) * (PIECE // 250)
    for at in range(0, size, PIECE):
        yield block if size - at >= PIECE else block[:size - at]


def stream(association, number, instance, pieces, more):
    """A C-STORE whose data set is made on the way; its length and the status of the response."""
    association.send(number, {0x00000002: CT, 0x00000100: 1, 0x00000110: 9, 0x00000700: 0,
                              0x00001000: instance, **more}, b'')
    total = 0
    for piece in pieces:
        total += len(piece)
        association.connection.sendall(association.fragment(number, 0, piece))
    association.connection.sendall(association.fragment(number, 2, b''))
    answer = association.read_message()
    return total, struct.unpack('<H', answer[1][0x00000900])[0]


class LargeSender(Association):
    """An association to the storage SCP in a transfer syntax of choice."""

    def __init__(self, port, syntax):
        super().__init__(socket.create_connection(('127.0.0.1', port), 10), None)
        context = item(0x20, b'\1\0\0\0' + item(0x30, CT.encode()) + item(0x40, syntax.encode()))
        user = item(0x50, item(0x51, struct.pack('>I', 16384)) + item(0x52, b'1.2.3.4'))
        self.connection.sendall(pdu(1, struct.pack('>HH16s16s32x', 1, 0, b'TROLLEY'.ljust(16),
                                                   b'PEER'.ljust(16))
                                    + item(0x10, b'1.2.840.10008.3.1.1.1') + context + user))
        assert self.read_pdu()[0] == 2


def serve_large(downloader, listen_port, syntax, make, size, told):
    """A script that sends one large instance, whichever way."""
    def by_get(association, message):
        wanted = [key for key, pair in association.contexts.items() if pair == (CT, syntax)]
        if not wanted:
            association.respond(message[0], message[1], 0xb000, b'\x08\0\x58\0\x0a\0\0\0'
                                + b'1.2.3.4.9\0', completed=0, failed=1)
            return
        told.append(stream(association, wanted[0], '1.2.3.4.9', make('1.2.3.4.9', size), {}))
        association.respond(message[0], message[1], 0, completed=1, failed=0)

    def by_move_(association, message):
        number, request, _ = message
        caller = LargeSender(listen_port, syntax)
        told.append(stream(caller, 1, '1.2.3.4.9', make('1.2.3.4.9', size), originator(request)))
        caller.connection.close()
        association.respond(number, request, 0, completed=1, failed=0)
    return by_get if downloader == 'c-get' else by_move_


def measured(ini, folder, *arguments):
    """Exit status, MiB resident, standard error."""
    (folder / 'trolley.ini').write_text(ini)
    (folder / 'trolley.ini').chmod(0o600)
    done = subprocess.run([sys.executable, '-c', MEASURE, os.environ['TROLLEY'], '--config',
                           'trolley.ini', *arguments], cwd=folder, capture_output=True, text=True,
                          timeout=3000)
    return done.returncode, float(done.stderr.split()[-1]), done.stderr


def fetch_large(downloader, make, syntax, size, peer_ini, listen_port, tmp_path):
    told = []
    with Peer(serve_large(downloader, listen_port, syntax, make, size, told)) as peer:
        ini = peer_ini(peer).replace('searcher = search\n', '').replace('= 3s', '= 60s')
        ini = by_move(ini) if downloader == 'c-move' else ini
        ini = ini.replace('min_free = 0', 'min_free = 0\ndurability = none')
        status, resident, text = measured(ini, tmp_path, 'download', '--study', STUDY, '--series',
                                          SERIES)
    assert status == 0, text
    (sent, answer), = told
    print(f'{downloader}: {sent / MIB:.0f} MiB, {resident:.1f} MiB resident')
    path = tmp_path / 'home' / STUDY / SERIES / '1.2.3.4.9.dcm'
    with path.open('rb') as file:
        length, = struct.unpack('<I', file.read(144)[140:])
    assert answer == 0 and path.stat().st_size == 144 + length + sent
    path.unlink()
    assert resident < RESIDENT, f'{resident} MiB'


@pytest.mark.parametrize('downloader', ['c-get', 'c-move'])
def test_G10_large_instance(peer_ini, listen_port, tmp_path, downloader):
    """2 GiB of multi-frame pixel data, 200 MiB in the usual run: bounded memory."""
    fetch_large(downloader, plain, EXPLICIT, (2048 if SCALE else 200) * MIB, peer_ini, listen_port,
                tmp_path)


@pytest.mark.parametrize('downloader', ['c-get', 'c-move'])
def test_G10_data_set_above_4_gib(peer_ini, listen_port, tmp_path, downloader):
    """Encapsulated fragments, over 4 GiB together; 150 MiB in the usual run."""
    fetch_large(downloader, fragments, JPEG, (4100 if SCALE else 150) * MIB, peer_ini, listen_port,
                tmp_path)


# ---- a file system that fills up ----

def on_small_disk(ini, folder, *arguments):
    """Runs the program where `home` is a file system of 2 MiB, in a mount namespace of its own, so
    that nothing stays behind. Returns the result and the names and sizes of what was there then."""
    (folder / 'trolley.ini').write_text(ini)
    (folder / 'trolley.ini').chmod(0o600)
    (folder / 'home').mkdir()
    command = ' '.join(map(shlex.quote, (os.environ['TROLLEY'], '--config', 'trolley.ini',
                                         *arguments)))
    script = (f'mount -t tmpfs -o size=2m tmpfs home || exit 99; {command}; status=$?; '
              f'find home -type f -printf "%p %s\\n"; exit $status')
    unshare = ['unshare', '-m'] if os.getuid() == 0 else ['unshare', '-rm']
    done = subprocess.run([*unshare, 'sh', '-c', script], cwd=folder, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode != 99, done.stderr
    return done, dict(line.rsplit(' ', 1) for line in done.stdout.splitlines()
                      if line.startswith('home/'))


def move_sender(listen_port, statuses, sizes):
    def script(association, message):
        number, request, _ = message
        if request[0x00000100] == b'\xff\x0f':
            return
        caller = Sender(listen_port)
        for i, size in enumerate(sizes):
            caller.send(1, {0x00000002: CT, 0x00000100: 1, 0x00000110: 5, 0x00000700: 0,
                            0x00001000: f'1.2.3.4.{i}', **originator(request)},
                        ct(STUDY, SERIES, f'1.2.3.4.{i}', size))
            statuses.append(struct.unpack('<H', caller.read_message()[1][0x00000900])[0])
        caller.release()
        association.respond(number, request, 0xb000, completed=statuses.count(0),
                            failed=len(statuses) - statuses.count(0))
    return script


def get_sender(statuses, sizes):
    def script(association, message):
        number, request, _ = message
        if request[0x00000100] == b'\xff\x0f':
            return
        for i, size in enumerate(sizes):
            statuses.append(association.store(f'1.2.3.4.{i}',
                                              ct(STUDY, SERIES, f'1.2.3.4.{i}', size)))
            if statuses[-1]:
                # The C-CANCEL is on its way.
                assert association.read_message()[1][0x00000100] == b'\xff\x0f'
                association.respond(number, request, 0xfe00, completed=statuses.count(0), failed=1)
                return
        association.respond(number, request, 0, completed=len(sizes), failed=0)
    return script


@pytest.mark.parametrize('downloader', ['c-get', 'c-move'])
def test_G5_disk_full(peer_ini, listen_port, tmp_path, downloader):
    """The second instance is larger than the file system: A7xx to the peer, the first stays whole,
    nothing half-written, partial."""
    statuses, sizes = [], (100000, 3000000)
    script = get_sender(statuses, sizes) if downloader == 'c-get' else \
        move_sender(listen_port, statuses, sizes)
    with Peer(script) as peer:
        ini = peer_ini(peer).replace('searcher = search\n', '').replace('= 3s', '= 60s')
        ini = by_move(ini) if downloader == 'c-move' else ini
        done, files = on_small_disk(ini, tmp_path, 'download', '--study', STUDY, '--series',
                                    SERIES, '--report', 'report.jsonl')
    assert statuses[0] == 0 and statuses[1] >> 8 == 0xa7, [hex(status) for status in statuses]
    assert done.returncode == 3, done.stderr
    assert 'No space left' in done.stderr, done.stderr
    held = {name: int(size) for name, size in files.items() if int(size)}
    stored = f'home/{STUDY}/{SERIES}/1.2.3.4.0.dcm'
    assert [name for name in held if name.endswith('.dcm')] == [stored]
    assert held[stored] > 100000 and sum(held.values()) < 200000, held
    assert [line['instance'] for line in outcomes(tmp_path / 'report.jsonl')
            if line['outcome'] == 'stored'] == ['1.2.3.4.0']
