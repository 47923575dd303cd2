# SPDX-License-Identifier: MIT
"""A WADO-URI server that renders a different body for each instance, frame and size, searches by
QIDO-RS, and records what it was asked. Orthanc's ignores frameNumber, rows and columns.

    /wado?requestType=WADO&...     an image of studyUID, seriesUID, objectUID, frameNumber, rows, columns
    /rs/studies...                 QIDO-RS, and /metadata of a study

What goes wrong is set from outside: `server.faults` maps an objectUID, or "*" for all of them, or
"search", to one of

    an integer       that status, (integer, fields) with fields; 206 with half of the body
    "page"           an HTML page with 200
    "cut"            a body shorter than announced, "chunk-cut" without the closing chunk
    "same"           the same body for every frame and size
    "mute"           without Content-Type; ("type", T) with that one
    "elsewhere"      a redirect to the other listener, ("to", URL) to that URL
    "large"          a mebibyte

A fault may be a list: one for each request, the last one for all that follow; None is none.
"""
import collections
import json
import threading
import urllib.parse
from dataclasses import dataclass

from http_server import Handler, HttpServer

CT, SR, SECONDARY = ('1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.88.11',
                     '1.2.840.10008.5.1.4.1.1.7')
MULTIFRAME = '1.2.840.10008.5.1.4.1.1.7.4'


@dataclass(frozen=True)
class Object:
    """What the server holds. `frames` None: it does not say; `rows` None: the same."""
    study: str
    series: str
    uid: str
    sop_class: str = CT
    frames: int = None
    rows: int = 64


def body(uid, frame, rows, version=1):
    """What is rendered; it begins as JPEG does."""
    return b'\xff\xd8\xff\xe0' + f'{uid} frame {frame} rows {rows} version {version}'.encode() * 20


def attribute(vr, *values):
    return {'vr': vr, 'Value': list(values)}


class WadoHandler(Handler):
    def fault(self, uid):
        with self.server.state.lock:
            faults = self.server.state.faults
            fault = faults.get(uid, None if uid == 'search' else faults.get('*'))
            if isinstance(fault, list):
                fault = fault.pop(0) if len(fault) > 1 else fault[0]
            return fault

    def record(self):
        with self.server.state.lock:
            self.server.state.requests.append((self.path, dict(self.headers.items())))

    # ---- WADO-URI

    def do_wado(self):
        state = self.server.state
        self.record()
        state.gate.wait(60)
        uid = self.option('objectUID') or self.option('seriesUID') or self.option('studyUID')
        if state.bearer and self.headers['Authorization'] != 'Bearer ' + state.bearer:
            self.refuse('Bearer')
            return
        fault = self.fault(uid)
        frame, rows = self.option('frameNumber', '1'), self.option('rows', 'full')
        if fault == 'same':
            frame = rows = 'any'
        image = body(uid, frame, rows, state.version)
        if not self.wrong(fault, image):
            self.answer(200, image, 'image/jpeg', state.fields)

    do_elsewhere = do_wado

    def wrong(self, fault, image):
        """Whether the fault took care of the answer."""
        code, fields = fault if isinstance(fault, tuple) and isinstance(fault[0], int) \
            else (fault, ())
        if isinstance(code, int):
            self.answer(code, image[:len(image) // 2] if code == 206 else b'so it is\n',
                        'image/jpeg' if code == 206 else 'text/plain', fields)
        elif fault == 'page':
            self.answer(200, b'<html><title>Please log in</title></html>', 'text/html; charset=x')
        elif fault in ('cut', 'chunk-cut'):
            framing = ('Content-Length', str(len(image))) if fault == 'cut' \
                else ('Transfer-Encoding', 'chunked')
            self.head(200, [('Content-Type', 'image/jpeg'), framing])
            if fault == 'cut':
                self.wfile.write(image[:len(image) // 2])
            else:
                self.chunk(image)
            self.close()
        elif fault == 'mute':
            self.head(200, [('Content-Length', str(len(image)))])
            self.wfile.write(image)
        elif fault == 'large':
            self.answer(200, image + bytes(1 << 20), 'image/jpeg')
        elif isinstance(fault, tuple) and fault[0] == 'type':
            self.answer(200, image, fault[1])
        elif fault == 'elsewhere' or isinstance(fault, tuple):
            target = fault[1] if isinstance(fault, tuple) else self.server.state.other_url
            query = urllib.parse.urlsplit(self.path).query
            self.answer(302, b'', 'text/plain', [('Location', f'{target}/elsewhere?{query}')])
        else:
            return False
        return True

    # ---- QIDO-RS and metadata

    def do_rs(self, *path):
        state = self.server.state
        self.record()
        fault = self.fault('search')
        if fault is not None and self.wrong(fault, b'[]'):
            return
        if path[-1] == 'metadata':
            answer = state.metadata or [{'0020000D': attribute('UI', path[1])}]
            self.answer(200, json.dumps(answer).encode(), 'application/dicom+json')
            return
        uids = {path[i]: path[i + 1] for i in range(0, len(path) - 1, 2)}
        for name, keyword in (('studies', 'StudyInstanceUID'), ('series', 'SeriesInstanceUID'),
                              ('instances', 'SOPInstanceUID')):
            for key in (keyword, {'studies': '0020000D', 'series': '0020000E',
                                  'instances': '00080018'}[name]):
                if self.option(key):
                    uids[name] = self.option(key)
        found = {}
        for o in state.objects:
            if uids.get('studies', o.study) != o.study or uids.get('series', o.series) != o.series \
                    or uids.get('instances', o.uid) != o.uid:
                continue
            found.setdefault(self.key(path[-1], o), self.describe(path[-1], o))
        offset, limit = int(self.option('offset', '0')), int(self.option('limit', '1000000'))
        self.answer(200, json.dumps(list(found.values())[offset:offset + limit]).encode(),
                    'application/dicom+json')

    @staticmethod
    def key(level, o):
        return {'studies': o.study, 'series': o.series, 'instances': o.uid}[level]

    @staticmethod
    def describe(level, o):
        answer = {'0020000D': attribute('UI', o.study)}
        if level != 'studies':
            answer['0020000E'] = attribute('UI', o.series)
        if level == 'instances':
            answer['00080018'] = attribute('UI', o.uid)
            if o.sop_class:
                answer['00080016'] = attribute('UI', o.sop_class)
            if o.rows is not None:
                answer['00280010'] = attribute('US', o.rows)
            if o.frames is not None:
                answer['00280008'] = attribute('IS', o.frames)
        return answer


class WadoServer(HttpServer):
    """`objects`: what it holds, in the order it names them."""

    def __init__(self, objects=()):
        super().__init__(handler=WadoHandler)
        self.state.objects = list(objects)
        self.state.requests = []
        self.state.faults = {}
        self.state.fields = []
        self.state.version = 1
        self.state.metadata = None  # data sets of any study or series
        self.state.bearer = None  # the token that WADO wants
        self.state.other_url = self.other_url
        self.state.gate = threading.Event()
        self.state.gate.set()

    @property
    def faults(self):
        return self.state.faults

    def asked(self, path='/wado'):
        """Paths with queries of requests below `path`, sorted."""
        with self.state.lock:
            return sorted(p for p, _ in self.state.requests if p.startswith(path))

    def headers(self, path='/wado'):
        """The header fields of each of these requests, names in lower case."""
        with self.state.lock:
            return [{name.lower(): value for name, value in fields.items()}
                    for p, fields in self.state.requests if p.startswith(path)]

    def forget(self):
        with self.state.lock:
            self.state.requests.clear()

    @property
    def twice(self):
        """What was asked for more than once."""
        return [p for p, n in collections.Counter(self.asked()).items() if n > 1]
