"""Peers that speak DIMSE: DCMTK's dcmqrscp, and one that plays a script for faults.
SPDX-License-Identifier: MIT"""

import os
import shutil
import socket
import struct
import subprocess
import threading
import time

import pydicom

from orthanc import clean_environment, free_port

IMPLICIT = '1.2.840.10008.1.2'
EXPLICIT = '1.2.840.10008.1.2.1'
CT = '1.2.840.10008.5.1.4.1.1.2'


def tool(name):
    path = shutil.which(name)
    assert path, f'{name} is needed: apt-get install dcmtk'
    return path


class Qrscp:
    """dcmqrscp with one storage area, AE title PACS, open to the AE titles of `peers` alone
    (title to the port where C-MOVE finds it), on a free port."""

    def __init__(self, folder, peers, options=()):
        self.folder, self.peers, self.options, self.process = folder, peers, options, None

    def start(self):
        store = self.folder / 'store'
        store.mkdir(parents=True)
        for _ in range(3):
            self.port = free_port()
            hosts = '\n'.join(f'{title.lower()} = ({title}, localhost, {port})'
                              for title, port in self.peers.items())
            self.config = self.folder / 'dcmqrscp.cfg'
            self.config.write_text(
                f'NetworkTCPPort = {self.port}\nMaxPDUSize = 65536\nMaxAssociations = 32\n'
                f'HostTable BEGIN\n{hosts}\nall = {", ".join(map(str.lower, self.peers))}\n'
                f'HostTable END\nVendorTable BEGIN\nVendorTable END\n'
                f'AETable BEGIN\nPACS {store} RW (500, 1024mb) all\nAETable END\n')
            with (self.folder / 'log').open('w') as log:
                self.process = subprocess.Popen(
                    [tool('dcmqrscp'), '-v', *self.options, '-c', str(self.config)],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env={**clean_environment(), 'TCP_NODELAY': '1'},
                    start_new_session=True)
            if self.ready():
                return self
            self.stop()
        raise RuntimeError('dcmqrscp did not start:\n' + (self.folder / 'log').read_text())

    def ready(self):
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return True
            except OSError:
                time.sleep(0.05)
        return False

    def store(self, files):
        """Sends files by storescu, those that it takes."""
        title = next(iter(self.peers))
        subprocess.run([tool('storescu'), '-R', '-aet', title, '-aec', 'PACS', '127.0.0.1',
                        str(self.port), *map(str, files)], check=True, timeout=120,
                       env={**clean_environment(), 'TCP_NODELAY': '1'}, capture_output=True)

    def offer(self, files, *options):
        """Sends files that it may refuse; returns the instance UIDs of all that it has then."""
        subprocess.run([tool('storescu'), '-R', '-nh', *options, '-aet', next(iter(self.peers)),
                        '-aec', 'PACS', '127.0.0.1', str(self.port), *map(str, files)], timeout=120,
                       env={**clean_environment(), 'TCP_NODELAY': '1'}, capture_output=True,
                       check=False)
        return {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID
                for path in (self.folder / 'store').iterdir() if path.name != 'index.dat'}

    def stop(self):
        if self.process:
            os.killpg(self.process.pid, 15)  # it serves each association in a process of its own
            self.process.wait()
            self.process = None


# ---- a peer by script ----

def pdu(kind, body):
    return struct.pack('>BBI', kind, 0, len(body)) + body


def item(kind, body):
    return struct.pack('>BBH', kind, 0, len(body)) + body


def element(tag, value):
    """Implicit VR Little Endian. Texts are padded with NUL, numbers are US."""
    if isinstance(value, int):
        value = struct.pack('<H', value)
    elif isinstance(value, str):
        value = value.encode()
        value += b'\0' * (len(value) % 2)
    return struct.pack('<HHI', tag >> 16, tag & 0xffff, len(value)) + value


def data_set(elements):
    return b''.join(element(tag, value) for tag, value in sorted(elements.items()))


def explicit_ui(tag, text):
    """One UI element, Explicit VR Little Endian."""
    value = text.encode() + b'\0' * (len(text) % 2)
    return struct.pack('<HH2sH', tag >> 16, tag & 0xffff, b'UI', len(value)) + value


class Association:
    """The peer's end of one association."""

    def __init__(self, connection, peer):
        self.connection, self.peer = connection, peer
        self.contexts, self.roles = {}, b''
        self.title, self.aborted = '', False

    def exactly(self, count):
        data = b''
        while len(data) < count:
            piece = self.connection.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def read_pdu(self):
        kind, _, length = struct.unpack('>BBI', self.exactly(6))
        return kind, self.exactly(length)

    def negotiate(self):
        kind, body = self.read_pdu()
        assert kind == 1
        self.title = body[20:36].decode().strip()
        at, answers, roles = 68, b'', b''
        while at < len(body):
            kind, _, length = struct.unpack('>BBH', body[at:at + 4])
            inner = body[at + 4:at + 4 + length]
            if kind == 0x20:
                answers += self.accept(inner)
            if kind == 0x50:
                roles = self.user_items(inner, 0x54)
                for extended in self.user_items(inner, 0x56, split=True):
                    self.peer.extended.append(extended)
                    if self.peer.answer_extended is not None:
                        size, = struct.unpack('>H', extended[4:6])
                        roles += item(0x56, extended[4:6 + size] + self.peer.answer_extended)
                self.peer.user_information.append(inner)
            at += 4 + length
        user = item(0x51, struct.pack('>I', 16384)) + item(0x52, b'1.2.3.4') + roles
        self.connection.sendall(pdu(2, body[:68] + item(0x10, b'1.2.840.10008.3.1.1.1') + answers
                                    + item(0x50, user)))

    def accept(self, body):
        number, at, found = body[0], 4, []
        while at < len(body):
            kind, _, length = struct.unpack('>BBH', body[at:at + 4])
            found.append((kind, body[at + 4:at + 4 + length].decode().rstrip('\0')))
            at += 4 + length
        abstract = next(text for kind, text in found if kind == 0x30)
        offered = [text for kind, text in found if kind == 0x40]
        syntax = IMPLICIT if IMPLICIT in offered else offered[0]
        self.contexts[number] = abstract, syntax
        return item(0x21, bytes([number, 0, 0, 0]) + item(0x40, syntax.encode()))

    @staticmethod
    def user_items(body, wanted, split=False):
        at, found = 0, []
        while at < len(body):
            kind, _, length = struct.unpack('>BBH', body[at:at + 4])
            if kind == wanted:
                found.append(body[at:at + 4 + length])
            at += 4 + length
        return found if split else b''.join(found)

    def context(self, abstract, syntax):
        return next(number for number, pair in self.contexts.items() if pair == (abstract, syntax))

    def read_message(self):
        """(context, command as tag to bytes, data set or None); None at a release."""
        command, data, wanted = b'', b'', None
        while True:
            kind, body = self.read_pdu()
            if kind == 5:
                self.connection.sendall(pdu(6, bytes(4)))
                return None
            if kind == 7:
                self.aborted = True
                raise EOFError
            at = 0
            while at < len(body):
                length, = struct.unpack('>I', body[at:at + 4])
                number, flags = body[at + 4], body[at + 5]
                piece = body[at + 6:at + 4 + length]
                at += 4 + length
                if flags & 1:
                    command += piece
                else:
                    data += piece
                if flags & 2 and flags & 1:
                    wanted = parse(command)
                    if wanted[0x00000800] == b'\x01\x01':
                        return number, wanted, None
                elif flags & 2:
                    return number, wanted, data

    def fragment(self, number, flags, body):
        return pdu(4, struct.pack('>IBB', len(body) + 2, number, flags) + body)

    def send(self, number, command, data=None, pieces=8192):
        command = {**command, 0x00000800: 0x0101 if data is None else 1}
        body = data_set(command)
        body = element(0, struct.pack('<I', len(body))) + body
        self.connection.sendall(self.fragment(number, 3, body))
        for at in range(0, len(data or b''), pieces):
            last = at + pieces >= len(data)
            self.connection.sendall(self.fragment(number, 2 if last else 0,
                                                  data[at:at + pieces]))

    def respond(self, number, request, status, data=None, **counts):
        kind, = struct.unpack('<H', request[0x00000100])
        command = {0x00000002: request[0x00000002], 0x00000100: kind | 0x8000,
                   0x00000120: request[0x00000110], 0x00000900: status}
        for name, tag in (('completed', 0x00001021), ('failed', 0x00001022),
                          ('warning', 0x00001023)):
            if name in counts:
                command[tag] = counts[name]
        if 'comment' in counts:
            command[0x00000902] = counts['comment']
        self.send(number, command, data)

    def store(self, instance, data, number=None, sop_class=CT, **more):
        """A C-STORE-RQ; returns the response's status."""
        number = number or self.context(sop_class, EXPLICIT)
        self.send(number, {0x00000002: sop_class, 0x00000100: 1, 0x00000110: 77, 0x00000700: 0,
                           0x00001000: instance, **more}, data)
        answer = self.read_message()
        return struct.unpack('<H', answer[1][0x00000900])[0]

    def abort(self, source=2, reason=1):
        self.connection.sendall(pdu(7, bytes([0, 0, source, reason])))


def parse(data):
    at, found = 0, {}
    while at < len(data):
        group, number, length = struct.unpack('<HHI', data[at:at + 8])
        found[group << 16 | number] = data[at + 8:at + 8 + length]
        at += 8 + length
    return found


def ct(study, series, instance, size=2000):
    """A data set in Explicit VR Little Endian."""
    return (explicit_ui(0x00080016, CT) + explicit_ui(0x00080018, instance)
            + explicit_ui(0x0020000d, study) + explicit_ui(0x0020000e, series)
            + struct.pack('<HH2sHI', 0x7fe0, 0x0010, b'OW', 0, size) + b'\x5a' * size)


class Peer:
    """Listens on loopback and plays `script(association, message)` for each message, or, with
    `raw`, that function on the bare connection. `tls` is an ssl.SSLContext. `answer_extended` is what
    it answers to each SOP class extended negotiation, None for nothing; those it got are in
    `extended`."""

    def __init__(self, script=None, raw=None, tls=None, answer_extended=None):
        self.script, self.raw, self.tls = script, raw, tls
        self.answer_extended = answer_extended
        self.user_information, self.requests, self.extended = [], [], []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                if self.tls:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                if self.raw:
                    self.raw(connection)
                    return
                association = Association(connection, self)
                association.negotiate()
                while message := association.read_message():
                    self.requests.append(message)
                    self.script(association, message)
            except (EOFError, OSError):
                pass


def hold(connection):
    """Reads and never answers, until the other side leaves."""
    while connection.recv(65536):
        pass


def reject(result, source, reason):
    def answer(connection):
        connection.recv(65536)
        connection.sendall(pdu(3, bytes([0, result, source, reason])))
        connection.recv(1)
    return answer
