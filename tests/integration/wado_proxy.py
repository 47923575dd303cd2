"""conf/nginx-wado-cache.conf in a real nginx, on loopback. SPDX-License-Identifier: MIT"""

import contextlib
import pathlib
import urllib.request
from dataclasses import dataclass

import nginx

CONF = pathlib.Path(__file__).resolve().parents[2] / 'conf/nginx-wado-cache.conf'


@dataclass
class WadoSite:
    """What the sample file says, with its addresses and folder replaced. `edits` are pairs of what
    stands in the file and what is to stand there."""
    folder: pathlib.Path
    edits: tuple = ()
    name: str = 'wado'
    port: int = 0

    @property
    def url(self):
        return f'http://127.0.0.1:{self.port}'

    def text(self, upstream):
        text = CONF.read_text(encoding='utf-8')
        own = [('listen 8080;', f'listen 127.0.0.1:{self.port};'),
               ('server 127.0.0.1:8042;', f'server {upstream.split("://")[1]};'),
               ('/var/cache/nginx/wado', str(self.folder / 'cache'))]
        for there, instead in [*own, *self.edits]:
            assert text.count(there) == 1, there
            text = text.replace(there, instead)
        return text

    def view(self, path, **fields):
        """GET as a viewer does: what the cache says, and the body."""
        request = urllib.request.Request(self.url + path, headers={
            name.replace('_', '-'): value for name, value in fields.items()})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers['X-Cache-Status'], answer.read()


@contextlib.contextmanager
def wado_proxy(folder, upstream, *edits):
    """A running proxy in front of an HTTP server."""
    assert nginx.find_program(), 'nginx is needed: apt-get install nginx-light'
    site = WadoSite(folder, edits)
    server = nginx.Nginx(folder, upstream, [site]).start()
    try:
        yield site
    finally:
        server.stop()
