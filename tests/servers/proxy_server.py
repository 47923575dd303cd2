# SPDX-License-Identifier: MIT
"""An HTTP proxy: forwards requests for http URLs and opens tunnels for CONNECT. It may want a user
[RFC 9110 9.3.6, 11.7]."""
import base64
import http.client
import http.server
import select
import socket
import threading
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def admitted(self):
        user = self.server.user
        if user is None:
            return True
        wanted = "Basic " + base64.b64encode(user.encode()).decode()
        if self.headers.get("Proxy-Authorization") == wanted:
            return True
        self.send_response(407)
        self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def seen(self):
        fields = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, fields))

    def do_GET(self):
        self.seen()
        if not self.admitted():
            return
        url = urllib.parse.urlsplit(self.path)
        fields = {name: value for name, value in self.headers.items()
                  if not name.lower().startswith("proxy-")}
        upstream = http.client.HTTPConnection(url.netloc, timeout=60)
        upstream.request("GET", url.path + ("?" + url.query if url.query else ""), headers=fields)
        answer = upstream.getresponse()
        body = answer.read()
        upstream.close()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self):
        self.seen()
        if not self.admitted():
            return
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port)), timeout=60) as upstream:
            self.send_response(200)
            self.end_headers()
            self.tunnel(upstream)
        self.close_connection = True

    def tunnel(self, upstream):
        ends = {self.connection: upstream, upstream: self.connection}
        while True:
            for end in select.select(list(ends), [], [], 60)[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)


class ProxyServer(http.server.ThreadingHTTPServer):
    """`user`: "name:password" that it wants, None for anybody. `seen`: (method, target, fields)."""
    daemon_threads = True

    def __init__(self, user=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.user = user
        self.seen = []
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://{self.address}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
