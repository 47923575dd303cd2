# SPDX-License-Identifier: MIT
"""A DICOMweb origin server [PS3.18 10.4, 10.6] over files on disk: what the fault server breaks.

It answers as the standard says, and keeps account of what it delivered. Routes below /dicom-web:

    GET /studies, /studies/{}/series, /studies/{}/instances, /studies/{}/series/{}/instances
    GET /studies/{}, /studies/{}/series/{}, /studies/{}/series/{}/instances/{}
"""
import collections
import json
import pathlib
import time
import urllib.parse
from dataclasses import dataclass, field

import pydicom

from http_server import Handler, HttpServer

BOUNDARY = "trolley-parts-0f1e2d3c"
MULTIPART = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


@dataclass(frozen=True)
class Held:
    """One instance as the server has it."""
    study: str
    series: str
    uid: str
    sop_class: str
    patient: str
    data: bytes = field(repr=False)

    @property
    def in_tree(self):
        """Where the storage `tree` puts it."""
        return pathlib.Path(self.study) / self.series / (self.uid + ".dcm")


def read_held(path):
    data = pathlib.Path(path).read_bytes()
    header = pydicom.dcmread(path, stop_before_pixels=True)
    return Held(header.StudyInstanceUID, header.SeriesInstanceUID, header.SOPInstanceUID,
                header.SOPClassUID, str(header.PatientID), data)


@dataclass
class Part:
    """One part of an answer; `of` is the instance it stands for."""
    of: Held
    data: bytes
    kind: str = "application/dicom"
    length: bool = True  # with a Content-Length of its own

    def encode(self):
        head = f"--{BOUNDARY}\r\nContent-Type: {self.kind}\r\n"
        if self.length:
            head += f"Content-Length: {len(self.data)}\r\n"
        return (head + "\r\n").encode() + self.data + b"\r\n"


def record(held, level, counts):
    """An object of a search result [PS3.18 F.2]."""
    values = {"0020000D": ("UI", held.study), "00100020": ("LO", held.patient),
              "00100010": ("PN", {"Alphabetic": held.patient})}
    if level == "studies":
        values["00201208"] = ("IS", counts[held.study])
    else:
        values["0020000E"] = ("UI", held.series)
    if level == "series":
        values["00201209"] = ("IS", counts[held.series])
        values["00080060"] = ("CS", "CT")
    if level == "instances":
        values["00080016"] = ("UI", held.sop_class)
        values["00080018"] = ("UI", held.uid)
    return {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in values.items()}


class Origin(Handler):
    """The handler. A fault is an object in server.state.fault; see fault_server.Fault."""

    def do_dicom_web(self, *words):
        state = self.server.state
        wanted = dict(zip(words[::2], words[1::2]))
        search = len(words) % 2 == 1
        with state.lock:
            state.asked["search" if search else "retrieve"] += 1
            nth = state.asked["search" if search else "retrieve"]
            state.log.append((time.monotonic(), self.path, dict(self.headers)))
        if search:
            if not state.fault.before_search(self, nth):
                self.search(words[-1], wanted)
        elif not state.fault.before_retrieve(self, nth):
            self.retrieve(wanted, nth)

    def chosen(self, wanted):
        keys = {"studies": "study", "series": "series", "instances": "uid"}
        return [held for held in self.server.state.held
                if all(getattr(held, keys[name]) == uid for name, uid in wanted.items())]

    # ---- QIDO-RS

    def matches(self, held):
        keys = {"StudyInstanceUID": held.study, "0020000D": held.study,
                "SeriesInstanceUID": held.series, "0020000E": held.series,
                "SOPInstanceUID": held.uid, "PatientID": held.patient, "00100020": held.patient}
        return all(keys[name] in values[0].split(",")
                   for name, values in self.query.items() if name in keys)

    def search(self, level, wanted):
        state = self.server.state
        found = {}
        for held in self.chosen(wanted):
            if self.matches(held):
                key = {"studies": held.study, "series": held.series, "instances": held.uid}[level]
                found.setdefault(key, record(held, level, state.related))
        rows = state.fault.records(self, level, list(found.values()))
        offset = 0 if state.fault.ignores_offset else int(self.option("offset", "0"))
        rows = rows[offset:offset + int(self.option("limit", "1000000"))]
        if rows:
            self.answer(200, json.dumps(rows).encode(), "application/dicom+json")
        else:
            self.answer(204, b"", "application/dicom+json")

    # ---- WADO-RS

    def retrieve(self, wanted, nth):
        fault = self.server.state.fault
        parts = [Part(held, held.data) for held in self.chosen(wanted)]
        single = "instances" in wanted
        parts = fault.parts(self, parts, single, nth)
        if not parts:
            self.answer(404, b"no such object\n", "text/plain")
            return
        fault.send(self, parts, single, nth)

    def send_parts(self, parts, code=200, cut=None, closing=True):
        """A multipart answer; `cut`: the connection is closed before byte `cut` of the body."""
        pieces = [part.encode() for part in parts]
        end = f"--{BOUNDARY}--\r\n".encode() if closing else b""
        total = sum(map(len, pieces)) + len(end)
        self.head(code, [("Content-Type", MULTIPART), ("Content-Length", str(total))])
        left = total if cut is None else cut
        for part, piece in zip(parts, pieces):
            self.wfile.write(piece[:max(left, 0)])
            left -= len(piece)
            # The line break behind the data belongs to the delimiter that follows.
            if left >= (0 if part.length or closing else 1) and part.data == part.of.data:
                self.delivered(part.of)
        self.wfile.write(end[:max(left, 0)])
        if cut is not None:
            self.close()

    def delivered(self, held):
        """`held` has left whole, in an answer that shows it to be whole."""
        with self.server.state.lock:
            self.server.state.delivered.setdefault(held.uid, set()).add(
                (self.number, self.nth))


class DicomWeb(HttpServer):
    """with DicomWeb(paths, fault) as server: server.dicom_web is the base URL."""

    def __init__(self, paths, fault, handler=Origin, **options):
        super().__init__(handler=handler, **options)
        state = self.state
        state.held = sorted(map(read_held, paths), key=lambda held: held.in_tree)
        state.related = collections.Counter()
        for held in state.held:
            state.related[held.study] += 1
            state.related[held.series] += 1
        state.asked = collections.Counter()
        state.delivered = {}
        state.log = []
        state.fault = fault
        fault.prepare(self)
        self.dicom_web = self.url + "/dicom-web"

    def of_study(self, study):
        return [held for held in self.state.held if held.study == study]

    @property
    def fetched_again(self):
        """Instances that were asked for again after they had been delivered whole."""
        with self.state.lock:
            return sorted(uid for uid, times in self.state.delivered.items() if len(times) > 1)

    @property
    def requests(self):
        """(time, path with query, headers) of every request, in order."""
        with self.state.lock:
            return list(self.state.log)


def path_of(target):
    return urllib.parse.urlsplit(target).path
