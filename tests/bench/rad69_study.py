"""How long and how much memory a series takes by RAD-69: trolley beside curl, which only writes the
same answer to one file. The server sends a file made beforehand, so that it costs next to nothing.
The sides alternate; medians of five. SPDX-License-Identifier: MIT

make bench-rad69, with BENCH_INSTANCES, BENCH_KIB and BENCH_RUNS in the environment.
"""

import http.server
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

import pydicom

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402  pylint: disable=wrong-import-position
import rad69_server  # noqa: E402  pylint: disable=wrong-import-position
from harness import INSTANCES, KIB  # noqa: E402  pylint: disable=wrong-import-position

INI = """[downloader d]
type = rad69
url = {url}
[storage t]
type = tree
path = home
durability = {durability}
[trolley bench]
downloader = d
storage = t
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        with self.server.answer.open('rb') as answer:
            self.send_response(200)
            self.send_header('Content-Type', self.server.content_type)
            self.send_header('Content-Length', str(os.fstat(answer.fileno()).st_size))
            self.end_headers()
            self.wfile.flush()
            self.connection.sendfile(answer)


def make_series(folder):
    """References of the instances as csv, and the answer as a file; returns its Content-Type."""
    subprocess.run([os.path.join(os.environ['BUILDDIR'], 'phantom'), '--out', folder / 'study',
                    '--series', '1', '--instances', str(INSTANCES), '--bytes', str(KIB * 1024)],
                   check=True)
    documents, rows = [], ['StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID']
    for number, path in enumerate(sorted((folder / 'study').rglob('*.dcm'))):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        rows.append(f'{header.StudyInstanceUID},{header.SeriesInstanceUID},{header.SOPInstanceUID}')
        documents.append((header.SOPInstanceUID, f'{number}@trolley', path.read_bytes()))
    shutil.rmtree(folder / 'study')
    (folder / 'refs.csv').write_text('\n'.join(rows) + '\n')
    answer = rad69_server.Answer(documents)
    (folder / 'answer.mime').write_bytes(answer.body())
    return answer.content_type


def main():
    with tempfile.TemporaryDirectory(dir=harness.BELOW) as name:
        folder = pathlib.Path(name)
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        server.daemon_threads = True
        server.answer, server.content_type = folder / 'answer.mime', make_series(folder)
        url = f'http://127.0.0.1:{server.server_address[1]}/'
        threading.Thread(target=server.serve_forever, daemon=True).start()
        curl = ['curl', '-sf', '-o', 'out/answer', '--data-binary', '@refs.csv', url]
        try:
            table = harness.Table(f'RAD-69, one series of {INSTANCES} x {KIB} KiB')
            for durability, sync, aim in (('none', False, 1.15), ('batch', True, None)):
                ini = INI.format(url=url, durability=durability)
                table.compare(f'{durability} / curl -o{" and sync -f" if sync else ""}',
                              lambda ini=ini: harness.trolley_once(
                                  folder, ini, 'download', '--from', 'refs.csv', files=INSTANCES),
                              lambda sync=sync: harness.other_once(folder, *curl, sync=sync), aim)
        finally:
            server.shutdown()


if __name__ == '__main__':
    main()
