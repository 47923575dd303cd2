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

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'integration'), str(HERE.parent / 'servers')]

import rad69_server  # noqa: E402  pylint: disable=wrong-import-position
from orthanc import clean_environment  # noqa: E402  pylint: disable=wrong-import-position
from wado_rs_study import INSTANCES, KIB, RUNS, row, timed  # noqa: E402  pylint: disable=wrong-import-position

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


def trolley_once(folder, durability, url):
    (folder / 'bench.ini').write_text(INI.format(url=url, durability=durability))
    (folder / 'bench.ini').chmod(0o600)
    result = timed([os.environ['TROLLEY'], '--config', 'bench.ini', 'download', '--from',
                    'refs.csv'], folder, dict(os.environ))
    files = sum(1 for _ in (folder / 'home').glob('*/*/*.dcm'))
    assert files == INSTANCES, f'{files} of {INSTANCES} files'
    shutil.rmtree(folder / 'home')
    return result


def curl_once(folder, sync, url):
    fetch = ['curl', '-sf', '-o', 'answer', '--data-binary', '@refs.csv', url]
    if sync:
        fetch = ['sh', '-c', '"$@" && sync -f answer', 'sh', *fetch]
    result = timed(fetch, folder, clean_environment())
    (folder / 'answer').unlink()
    return result


def main():
    with tempfile.TemporaryDirectory(dir=os.environ['BUILDDIR']) as name:
        folder = pathlib.Path(name)
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        server.daemon_threads = True
        server.answer, server.content_type = folder / 'answer.mime', make_series(folder)
        url = f'http://127.0.0.1:{server.server_address[1]}/'
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            print(f'RAD-69, one series of {INSTANCES} x {KIB} KiB, medians of {RUNS} alternating '
                  f'runs\n{"durability / beside":<36} {"trolley s":>9} {"curl s":>9} {"ratio":>7} '
                  f'{"trolley MiB":>12} {"curl MiB":>9}')
            for durability, sync in (('none', False), ('batch', True)):
                sides = [], []
                for _ in range(RUNS):
                    sides[0].append(trolley_once(folder, durability, url))
                    sides[1].append(curl_once(folder, sync, url))
                row(f'{durability} / curl -o{" and sync -f" if sync else ""}', sides)
        finally:
            server.shutdown()


if __name__ == '__main__':
    main()
