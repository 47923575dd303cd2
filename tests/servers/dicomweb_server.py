# SPDX-License-Identifier: MIT
"""A DICOMweb service that behaves as servers in the wild do. The first word of the path says how; what
follows is the resource: /capped/studies, /unclosed/studies/1.2/series/1.2.3.

Searching (every other mode searches as /good does):
    /good                      pages as the standard has them
    /capped /capped-warning /capped-206    100 objects an answer at most: silently, with Warning 299, with 206
    /blind                     100 objects, and offset is ignored
    /doubled                   every object twice
    /empty /no-content         200 without a body; 204
    /refuses/CODE/...          relational resources refused with that status
    /wild                      JSON as servers write it
    /cut /not-json /html /error-page    half an answer; not JSON at all; HTML with 200; JSON of an error with 200

Retrieving:
    /single                    application/dicom, no multipart
    /typed/N/...               the N-th spelling of SPELLINGS
    /picky/N/...               only the N-th of ACCEPTS will do, 406 else; /picky-400 with 400
    /half                      206 with half of a series; single instances are all there
    /unclosed /unclosed-length /unclosed-always    no closing delimiter, parts without or with Content-Length;
                               instances asked for singly are whole, but with the last
    /foreign                   a part of another study too
    /twice                     every part twice
    /framed                    preamble and epilogue, parts without header fields
    /bare                      data sets without preamble and file meta information
    /lost/CODE/...             every second instance is answered with that status
    /mixed                     a part of another media type beside the instances
"""
import json

from http_server import Handler, HttpServer

BOUNDARY = "b0undary"
CAP = 100
SPELLINGS = [
    'multipart/related; type="application/dicom"; boundary=%s',
    'Multipart/Related;boundary="%s";TYPE=application/dicom',
    'multipart/related; boundary=%s; type="application/dicom; transfer-syntax=1.2.840.10008.1.2.1"',
    'multipart/related; start="<x>"; type="application/dicom" ; boundary="%s"',
    'multipart/mixed; boundary=%s',
    'multipart/related; type=application/dicom;transfer-syntax=*; boundary=%s',
]
ACCEPTS = [
    'multipart/related; type="application/dicom"; transfer-syntax=*',
    'multipart/related; type="application/dicom"',
    'application/dicom',
    '*/*',
]
LEVELS = ["studies", "series", "instances"]
UIDS = {"studies": "0020000D", "series": "0020000E", "instances": "00080018"}
KEYWORDS = {"StudyInstanceUID": "0020000D", "SeriesInstanceUID": "0020000E",
            "SOPInstanceUID": "00080018", "PatientID": "00100020"}


def attribute(vr, *values):
    return {"vr": vr, "Value": list(values)}


class DicomWebHandler(Handler):
    """`server.state.archive` holds instances with study, series, uid, patient and data."""

    # ---- searching

    def scope(self, path):
        """The instances that the path means."""
        uids = [path[i + 1] for i in range(0, len(path) - 1, 2)]
        return [i for i in self.server.state.archive
                if [i.study, i.series, i.uid][:len(uids)] == uids]

    def objects(self, path):
        level = path[-1]
        depth = LEVELS.index(level) + 1
        if level == "studies" and self.server.state.many:
            return [{"0020000D": attribute("UI", f"1.2.{n}"), "00100020": attribute("LO", "MANY")}
                    for n in range(self.server.state.many)]
        found = {}
        for i in self.scope(path[:-1]):
            uids = dict(zip(UIDS.values(), (i.study, i.series, i.uid)[:depth]))
            found[tuple(uids.values())] = {
                **{tag: attribute("UI", uid) for tag, uid in uids.items()},
                "00100020": attribute("LO", i.patient)}
        return [o for o in found.values() if self.matches(o)]

    def matches(self, found):
        for name, tag in KEYWORDS.items():
            asked = self.option(name)
            if asked and tag in found and found[tag]["Value"][0] not in asked.split(","):
                return False
        return True

    def page(self, objects, cap=None, blind=False):
        start = 0 if blind else int(self.option("offset", "0"))
        limit = min(int(self.option("limit", "1000000")), cap or 1000000)
        return objects[start:start + limit], len(objects) > start + limit

    def send_json(self, objects, code=200, fields=()):
        self.answer(code, json.dumps(objects).encode(), "application/dicom+json", fields)

    def search(self, path):
        self.send_json(self.page(self.objects(path))[0])

    def do_good(self, *path):
        if path[-1] in LEVELS:
            self.search(path)
        elif path[-1] == "metadata":
            self.send_json([i.metadata for i in self.scope(path[:-1])])
        else:
            self.send_parts(self.scope(path))

    def do_capped(self, *path):
        self.send_json(self.page(self.objects(path), CAP)[0])

    def do_capped_warning(self, *path):
        objects, more = self.page(self.objects(path), CAP)
        text = '299 pacs "There are additional results that can be requested"'
        self.send_json(objects, 200, [("Warning", text)] if more else [])

    def do_capped_206(self, *path):
        objects, more = self.page(self.objects(path), CAP)
        self.send_json(objects, 206 if more else 200)

    def do_blind(self, *path):
        self.send_json(self.page(self.objects(path), CAP, blind=True)[0])

    def do_doubled(self, *path):
        self.send_json([o for o in self.objects(path) for _ in range(2)])

    def do_empty(self, *_):
        self.answer(200, b"", "application/dicom+json")

    def do_no_content(self, *_):
        self.answer(204, b"", "application/dicom+json")

    def do_refuses(self, code, *path):
        relational = len(path) != 2 * LEVELS.index(path[-1]) + 1
        if relational:
            self.answer(int(code), b"no such resource", "text/plain")
        else:
            self.search(path)

    def do_wild(self, *path):
        self.answer(200, self.server.state.wild, "application/json; charset=utf-8")

    def do_cut(self, *path):
        body = json.dumps(self.objects(path)).encode()
        self.answer(200, body[:len(body) - 20], "application/dicom+json")

    def do_not_json(self, *_):
        self.answer(200, b"Results: none", "application/dicom+json")

    def do_html(self, *_):
        super().do_html()

    def do_error_page(self, *_):
        self.answer(200, b'{"error": "no such study"}', "application/json")

    # ---- retrieving

    def part(self, data, fields=("Content-Type: application/dicom",), length=False):
        fields = [*fields, *([f"Content-Length: {len(data)}"] if length else [])]
        head = "".join(field + "\r\n" for field in fields)
        return f"--{BOUNDARY}\r\n{head}\r\n".encode() + data + b"\r\n"

    def send_body(self, parts, code=200, kind=SPELLINGS[0], end=None):
        end = f"--{BOUNDARY}--\r\n".encode() if end is None else end
        self.answer(code, b"".join(parts) + end, kind.replace("%s", BOUNDARY))

    def send_parts(self, instances, **options):
        if not instances:
            self.answer(404, b"unknown", "text/plain")
            return
        self.send_body([self.part(i.data) for i in instances], **options)

    def do_single(self, *path):
        [instance] = self.scope(path)
        self.answer(200, instance.data, "application/dicom")

    def do_typed(self, number, *path):
        self.send_parts(self.scope(path), kind=SPELLINGS[int(number)])

    def do_picky(self, number, *path, code=406):
        if self.headers["Accept"] != ACCEPTS[int(number)]:
            self.answer(code, b"not that one", "text/plain")
        elif int(number) < 2:
            self.send_parts(self.scope(path))
        else:
            self.do_single(*path)

    def do_picky_400(self, number, *path):
        self.do_picky(number, *path, code=400)

    def do_half(self, *path):
        instances = self.scope(path)
        if len(path) == 6:
            self.send_parts(instances)
        else:
            self.send_parts(instances[:len(instances) // 2], code=206)

    def do_unclosed(self, *path, length=False, always=False):
        instances = self.scope(path)
        last = always and instances[-1].uid == self.server.state.archive[-1].uid
        if len(path) == 6 and not last:
            self.send_parts(instances)
            return
        parts = [self.part(i.data, length=length) for i in instances]
        self.send_body(parts, end=b"")

    def do_unclosed_length(self, *path):
        self.do_unclosed(*path, length=True)

    def do_unclosed_always(self, *path):
        self.do_unclosed(*path, always=True)

    def do_foreign(self, *path):
        instances = self.scope(path)
        other = [i for i in self.server.state.archive if i.study != instances[0].study]
        self.send_parts([other[0], *instances])

    def do_twice(self, *path):
        self.send_parts([i for i in self.scope(path) for _ in range(2)])

    def do_framed(self, *path):
        parts = [self.part(i.data, fields=()) for i in self.scope(path)]
        end = f"--{BOUNDARY}--\r\nthat was all\r\n--{BOUNDARY}\r\n".encode()
        self.send_body([b"please read on\r\n", *parts], end=end)

    def do_bare(self, *path):
        self.send_body([self.part(i.data_set) for i in self.scope(path)])

    def do_lost(self, code, *path):
        instances = self.scope(path)
        position = self.server.state.archive.index(instances[0]) if instances else 0
        if len(path) == 6 and position % 2:
            self.answer(int(code), b"it is not here", "text/plain")
        elif len(path) == 6:
            self.send_parts(instances)
        else:
            self.answer(400, b"instances only", "text/plain")

    def do_mixed(self, *path):
        text = self.part(b"a report", fields=("Content-Type: text/plain",))
        self.send_body([text, *(self.part(i.data) for i in self.scope(path)), text])


class DicomWebServer(HttpServer):
    """`instances`: see DicomWebHandler; `many`: so many studies in place of theirs."""

    def __init__(self, instances=(), many=0, wild=b"[]"):
        super().__init__(handler=DicomWebHandler)
        self.state.archive = list(instances)
        self.state.many = many
        self.state.wild = wild
