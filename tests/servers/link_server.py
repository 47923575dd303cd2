# SPDX-License-Identifier: MIT
"""A bad line: a TCP relay before any server. `delay`: seconds that each piece from the client takes
longer; `cut_every`: that many connections, and the last of them is cut behind `after` bytes of what
the server sends; `rate`: bytes a second towards the client."""
import socket
import threading
import time


class Link:
    """with Link(port) as link: link.port leads to 127.0.0.1:port."""

    def __init__(self, port, delay=0.0, cut_every=0, after=3000, rate=0):
        self.target = port
        self.delay, self.cut_every, self.after, self.rate = delay, cut_every, after, rate
        self.connections = self.cuts = self.waiting = self.most = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]

    def url(self, url):
        """The same URL through the line."""
        return url.replace(f":{self.target}", f":{self.port}")

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            with self.lock:
                self.connections += 1
                cut = bool(self.cut_every) and self.connections % self.cut_every == 0
            server = socket.create_connection(("127.0.0.1", self.target))
            for end in client, server:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.up, args=(client, server), daemon=True).start()
            threading.Thread(target=self.down, args=(server, client, cut), daemon=True).start()

    def up(self, client, server):
        self.relay(client, server, self.hold)

    def hold(self, data):
        """`most` tells how many pieces were on their way at once."""
        with self.lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        time.sleep(self.delay)
        with self.lock:
            self.waiting -= 1
        return data

    def down(self, server, client, cut):
        left = self.after

        def shape(data):
            nonlocal left
            if self.rate:
                time.sleep(len(data) / self.rate)
            if cut:
                data, left = data[:left], left - len(data)
            return data

        piece = 2048 if self.rate else 65536
        if self.relay(server, client, shape, lambda: cut and left < 0, piece):
            with self.lock:
                self.cuts += 1

    @staticmethod
    def relay(source, sink, shape, ended=lambda: False, piece=65536):
        """Until one end closes or ended(); returns whether it was the latter."""
        try:
            while not ended():
                data = source.recv(piece)
                if not data:
                    return False
                sink.sendall(shape(data))
            return True
        except OSError:
            return False
        finally:
            for end in source, sink:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()
