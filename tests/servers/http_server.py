#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An HTTP/1.1 server that misbehaves on demand: what it does is in the path.

    /echo                      the request as JSON: method, path, headers, body, connection, nth
    /status/N                  that status; ?type= &body= &header=Name:value (repeatable)
    /bytes/N /chunked/N /until-close/N    N bytes of pattern(N), framed so
    /gzip/N /deflate/N /deflate-raw/N /gzip-members/N    the same, encoded
    /gzip-cut/N                a gzip body whose stream ends early
    /gzip-bomb/N               N zero bytes, encoded
    /endless /endless-error    zero bytes until the client has had enough, with 200 or 500
    /large-head                2 MB of header fields; /latin1 one that is not UTF-8
    /short/N?send=M            Content-Length N, M bytes, then the connection is closed
    /reset/N?send=M            the same, but reset
    /chunk-cut/N               N bytes in chunks, the last one cut off
    /no-last-chunk/N           N bytes in whole chunks, but no closing one
    /drip/N?every=S            N bytes, one every S seconds
    /silence?send=M            head and M bytes, then nothing; /silence-head not even a head
    /stale                     an answer, then the connection is closed when the next request comes
    /drop                      the connection is closed without an answer
    /redirect?to=URL&code=N    a Location; /redirects/N a chain of N within this server
    /basic /digest             ?user= &password= : JSON of the request when they fit, else 401
    /revoked/N                 as /basic, but from the N+1st request on everybody is refused, slowly
    /forgotten/N               as /basic, but the N+1st request is refused
    /login /token /expire      POST /login gives a token, /token wants it in X-Token, /expire ends it
    /page-login                as /token, but asks with an HTML page and status 200
    /set-cookie                sets cookie trolley=1
    /html                      an HTML page with status 200
    /counters                  how often each path was asked for, as JSON

Importable: `with HttpServer() as server: server.url`. As a program it prints its ports as JSON and
serves until its standard input ends.
"""
import argparse
import base64
import collections
import gzip
import hashlib
import http.server
import json
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import zlib

PIECE = 64 * 1024


def pattern(length):
    """The bytes that /bytes and its kin send."""
    unit = bytes((i * 31 + (i >> 8)) & 0xFF for i in range(65536))
    return (unit * (length // len(unit) + 1))[:length]


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.nth = 0
        with self.server.state.lock:
            self.server.state.connections += 1
            self.number = self.server.state.connections

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            pass

    def dispatch(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = urllib.parse.parse_qs(url.query, keep_blank_values=True, errors="surrogateescape")
        words = url.path.strip("/").split("/")
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        self.nth += 1
        self.server.state.count(url.path)
        action = getattr(self, "do_" + words[0].replace("-", "_").replace(".", "_"), None)
        if action is None:
            self.answer(404, b"no such path here\n", "text/plain")
            return
        action(*words[1:])

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = dispatch

    # ---- how answers are written

    def option(self, name, fallback=None):
        return self.query.get(name, [fallback])[0]

    def head(self, code, fields):
        self.send_response(code)
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()

    def answer(self, code, body, kind, fields=()):
        fields = [*fields, ("Content-Type", kind)]
        if code not in (204, 304):
            fields.append(("Content-Length", str(len(body))))
        self.head(code, fields)
        if self.command != "HEAD" and code not in (204, 304):
            self.wfile.write(body)

    def close(self, reset=False):
        self.close_connection = True
        self.wfile.flush()
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def request_json(self):
        return json.dumps({
            "method": self.command, "path": self.path, "headers": list(self.headers.items()),
            "body": self.body.decode("latin-1"), "connection": self.number, "nth": self.nth,
        }).encode()

    # ---- what paths do

    def do_echo(self, *_):
        self.answer(200, self.request_json(), "application/json")

    def do_status(self, code):
        fields = [tuple(text.split(":", 1)) for text in self.query.get("header", [])]
        body = self.option("body", "").encode(errors="surrogateescape")
        self.answer(int(code), body, self.option("type", "text/plain"), fields)

    def do_latin1(self):
        self.answer(200, b"", "text/plain", [("X-Place", "Z\xfcrich")])

    def do_large_head(self):
        self.answer(200, b"", "text/plain", [(f"X-{i}", "x" * 1000) for i in range(2000)])

    def do_bytes(self, length):
        self.answer(200, pattern(int(length)), "application/octet-stream")

    def do_chunked(self, length, last=True):
        self.head(200, [("Transfer-Encoding", "chunked"), ("Content-Type", "application/dicom")])
        data = pattern(int(length))
        for start in range(0, len(data), PIECE):
            self.chunk(data[start:start + PIECE])
        if last:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close()

    def do_no_last_chunk(self, length):
        self.do_chunked(length, last=False)

    def do_chunk_cut(self, length):
        self.head(200, [("Transfer-Encoding", "chunked"), ("Content-Type", "application/dicom")])
        data = pattern(int(length))
        self.wfile.write(b"%x\r\n%s" % (len(data), data[:len(data) // 2]))
        self.close()

    def do_until_close(self, length):
        self.head(200, [("Connection", "close")])
        self.wfile.write(pattern(int(length)))
        self.close()

    def encoded(self, body, encoding):
        self.answer(200, body, "application/json", [("Content-Encoding", encoding)])

    def do_gzip(self, length):
        self.encoded(gzip.compress(pattern(int(length))), "gzip")

    def do_deflate(self, length):
        self.encoded(zlib.compress(pattern(int(length))), "deflate")

    def do_deflate_raw(self, length):
        coder = zlib.compressobj(wbits=-15)
        self.encoded(coder.compress(pattern(int(length))) + coder.flush(), "deflate")

    def do_gzip_members(self, length):
        data, half = pattern(int(length)), int(length) // 2
        self.encoded(gzip.compress(data[:half]) + gzip.compress(data[half:]), "gzip")

    def do_gzip_cut(self, length):
        body = gzip.compress(pattern(int(length)))
        self.encoded(body[:len(body) // 2], "gzip")

    def do_gzip_bomb(self, length):
        self.encoded(gzip.compress(bytes(int(length))), "gzip")

    def do_endless_error(self):
        self.do_endless(500)

    def do_endless(self, code=200):
        self.head(code, [("Connection", "close"), ("Content-Type", "application/json")])
        while True:
            self.wfile.write(bytes(PIECE))

    def do_short(self, length, reset=False):
        self.head(200, [("Content-Length", length), ("Content-Type", "application/dicom")])
        self.wfile.write(pattern(int(length))[:int(self.option("send", "0"))])
        if reset:
            time.sleep(0.2)  # what was sent is to arrive before the reset
        self.close(reset)

    def do_reset(self, length):
        self.do_short(length, reset=True)

    def do_drip(self, length):
        self.head(200, [("Content-Length", length), ("Content-Type", "application/dicom")])
        for byte in pattern(int(length)):
            self.wfile.write(bytes([byte]))
            time.sleep(float(self.option("every", "0.1")))

    def do_silence(self):
        self.head(200, [("Content-Length", "1000000"), ("Content-Type", "application/dicom")])
        self.wfile.write(pattern(int(self.option("send", "0"))))
        self.server.state.stopped.wait(60)
        self.close()

    def do_silence_head(self):
        self.server.state.stopped.wait(60)
        self.close()

    def do_stale(self):
        self.do_echo()
        self.wfile.flush()
        self.connection.recv(1)
        self.close()

    def do_drop(self):
        self.close()

    def do_redirect(self, *_):
        body = b"moved"
        self.answer(int(self.option("code", "302")), body, "text/plain",
                    [("Location", self.option("to"))])

    def do_redirects(self, left):
        if int(left) == 0:
            self.do_echo()
            return
        self.answer(302, b"moved", "text/plain", [("Location", f"/redirects/{int(left) - 1}")])

    def refuse(self, scheme):
        self.answer(401, b"who are you?\n", "text/plain", [("WWW-Authenticate", scheme)])

    def do_basic(self):
        pair = f"{self.option('user')}:{self.option('password')}".encode()
        wanted = "Basic " + base64.b64encode(pair).decode()
        if self.headers.get("Authorization") == wanted:
            self.do_echo()
        else:
            self.refuse('Basic realm="pacs"')

    def do_revoked(self, after):
        if self.server.state.counts[urllib.parse.urlsplit(self.path).path] > int(after):
            time.sleep(0.2)  # long enough for other requests to be on their way meanwhile
            self.refuse('Basic realm="pacs"')
        else:
            self.do_basic()

    def do_forgotten(self, after):
        if self.server.state.counts[urllib.parse.urlsplit(self.path).path] == int(after) + 1:
            self.refuse('Basic realm="pacs"')
        else:
            self.do_basic()

    def do_digest(self):
        given = self.headers.get("Authorization", "")
        if not given.startswith("Digest "):
            self.refuse('Digest realm="pacs", qop="auth", nonce="n0nce", algorithm=MD5')
            return
        parts = parse_digest(given[7:])
        one = md5(f"{self.option('user')}:pacs:{self.option('password')}")
        two = md5(f"{self.command}:{parts['uri']}")
        wanted = md5(":".join([one, "n0nce", parts["nc"], parts["cnonce"], "auth", two]))
        if parts["response"] == wanted:
            self.do_echo()
        else:
            self.refuse('Digest realm="pacs", qop="auth", nonce="n0nce", algorithm=MD5')

    def do_login(self, outcome="ok"):
        state = self.server.state
        if outcome != "ok":
            self.answer(401, b"unknown user", "text/plain")
            return
        with state.lock:
            state.token += 1
            token = f"token-{state.token}"
        time.sleep(0.1)  # long enough for other requests to be refused meanwhile
        self.answer(200, token.encode(), "text/plain", [("Set-Cookie", "login=yes; Path=/")])

    def has_token(self):
        state = self.server.state
        with state.lock:
            return state.token and self.headers.get("X-Token") == f"token-{state.token}"

    def do_token(self):
        if self.has_token():
            self.do_echo()
        else:
            self.refuse("Token")

    def do_page_login(self):
        if self.has_token():
            self.do_echo()
        else:
            self.answer(200, b"<html><title>Please log in</title></html>log in", "text/html")

    def do_expire(self):
        with self.server.state.lock:
            self.server.state.token += 1
        self.do_echo()

    def do_set_cookie(self):
        self.answer(200, b"{}", "application/json", [("Set-Cookie", "trolley=1; Path=/")])

    def do_html(self):
        page = b"<!DOCTYPE html>\n<html><head><title>Maintenance\n till noon</title></head></html>"
        self.answer(200, page, "text/html; charset=utf-8")

    def do_counters(self):
        with self.server.state.lock:
            body = json.dumps(self.server.state.counts).encode()
        self.answer(200, body, "application/json")


def parse_digest(text):
    """name=value pairs of an Authorization field, quoted or not."""
    parts = {}
    for item in text.split(", "):
        name, value = item.strip().split("=", 1)
        parts[name] = value.strip('"')
    return parts


class State:
    """What the listeners of one server share."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.connections = 0
        self.token = 0
        self.stopped = threading.Event()

    def count(self, path):
        with self.lock:
            self.counts[path] += 1


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, state, handler, context=None):
        super().__init__(("127.0.0.1", 0), handler)
        self.state = state
        self.context = context

    def finish_request(self, request, client_address):
        if self.context:  # in the connection's own thread, so that a bad handshake holds up nobody
            try:
                request = self.context.wrap_socket(request, server_side=True,
                                                   do_handshake_on_connect=False)
                request.do_handshake()
            except (OSError, ssl.SSLError):
                self.part(request)
                return
        super().finish_request(request, client_address)

    @staticmethod
    def part(request):
        """Reads what still comes: a reset would overtake the alert that says why."""
        try:
            with socket.socket(fileno=request.detach()) as raw:
                raw.settimeout(5)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(PIECE):
                    pass
        except OSError:
            pass

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ValueError, OSError)):
            super().handle_error(request, client_address)


class HttpServer:
    """Two listeners, for redirects between them, and one with TLS when given a certificate.

    `handler` may be a subclass of Handler with more paths."""

    def __init__(self, certificate=None, key=None, client_ca=None, handler=Handler):
        self.state = State()
        self.listeners = [Listener(self.state, handler), Listener(self.state, handler)]
        self.url, self.other_url = (
            f"http://127.0.0.1:{one.server_address[1]}" for one in self.listeners)
        self.tls_url = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            if client_ca:
                context.load_verify_locations(client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            self.listeners.append(Listener(self.state, handler, context))
            self.tls_url = f"https://localhost:{self.listeners[2].server_address[1]}"

    @property
    def counts(self):
        with self.state.lock:
            return dict(self.state.counts)

    @property
    def connections(self):
        with self.state.lock:
            return self.state.connections

    def __enter__(self):
        for listener in self.listeners:
            threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.state.stopped.set()
        for listener in self.listeners:
            listener.shutdown()
            listener.server_close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--client-ca")
    arguments = parser.parse_args()
    with HttpServer(arguments.certificate, arguments.key, arguments.client_ca) as server:
        print(json.dumps({"url": server.url, "other": server.other_url, "tls": server.tls_url}),
              flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
