# SPDX-License-Identifier: MIT
"""A DICOMweb origin whose instances exist only while they are sent: for studies larger than a disk
should hold. `Generating(series, instances, size)`: one study, 1.2, of 1.2.S and 1.2.S.I."""
import json
import struct

from http_server import Handler, HttpServer

BOUNDARY = "made-as-it-goes"
STUDY, SOP_CLASS = "1.2", "1.2.840.10008.5.1.4.1.1.7"
ZEROS = bytes(1 << 20)


def element(tag, vr, value):
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def item(low, length):
    return struct.pack("<HHI", 0xFFFE, low, length)


def head(uid):
    """A Part 10 file [PS3.10 7.1] up to its encapsulated pixel data, which knows no bounds."""
    meta = (element(0x00020002, b"UI", SOP_CLASS.encode()) + element(0x00020003, b"UI", uid.encode())
            + element(0x00020010, b"UI", b"1.2.840.10008.1.2.4.50"))
    series = uid.rsplit(".", 1)[0]
    return (bytes(128) + b"DICM" + element(0x00020000, b"UL", struct.pack("<I", len(meta))) + meta
            + element(0x00080016, b"UI", SOP_CLASS.encode()) + element(0x00080018, b"UI", uid.encode())
            + element(0x0020000D, b"UI", STUDY.encode())
            + element(0x0020000E, b"UI", series.encode())
            + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
            + item(0xE000, 0))


class Maker(Handler):
    def do_dicom_web(self, *words):
        if words[-1] == "instances":
            self.list_instances()
        elif words[-1] == "series":
            self.list_series()
        else:
            self.send_series([words[5]] if len(words) == 6 else self.server.state.of(words[3]))

    def list_instances(self):
        if int(self.option("offset", "0")):  # all of them are on the first page
            self.answer(204, b"", "application/dicom+json")
            return
        self.head(200, [("Content-Type", "application/dicom+json"), ("Connection", "close")])
        lead = b"["
        for series in range(1, self.server.state.series + 1):
            rows = [json.dumps({
                "0020000D": {"vr": "UI", "Value": [STUDY]},
                "0020000E": {"vr": "UI", "Value": [f"1.2.{series}"]},
                "00080018": {"vr": "UI", "Value": [uid]},
                "00080016": {"vr": "UI", "Value": [SOP_CLASS]}})
                for uid in self.server.state.of(f"1.2.{series}")]
            self.wfile.write(lead + ",".join(rows).encode())
            lead = b","
        self.wfile.write(b"]")
        self.close_connection = True

    def list_series(self):
        rows = [{"0020000D": {"vr": "UI", "Value": [STUDY]},
                 "0020000E": {"vr": "UI", "Value": [f"1.2.{series}"]}}
                for series in range(1, self.server.state.series + 1)]
        if int(self.option("offset", "0")):
            rows = []
        self.answer(200, json.dumps(rows).encode(), "application/dicom+json")

    def send_series(self, uids):
        size = self.server.state.size
        self.head(200, [("Content-Type", 'multipart/related; type="application/dicom"; '
                         f"boundary={BOUNDARY}"), ("Connection", "close")])
        for uid in uids:
            self.wfile.write(f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
                             + head(uid))
            for start in range(0, size, len(ZEROS)):
                fragment = ZEROS[:size - start]
                self.wfile.write(item(0xE000, len(fragment)))
                self.wfile.write(fragment)
            self.wfile.write(item(0xE0DD, 0) + b"\r\n")
        self.wfile.write(f"--{BOUNDARY}--\r\n".encode())
        self.close_connection = True


class Generating(HttpServer):
    def __init__(self, series, instances, size):
        super().__init__(handler=Maker)
        state = self.state
        state.series, state.size = series, size
        state.of = lambda uid: [f"{uid}.{i}" for i in range(1, instances + 1)]
        self.dicom_web = self.url + "/dicom-web"
