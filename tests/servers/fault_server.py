#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A DICOMweb origin with one fault a run. `with fault_server("cut-body", paths) as server:` or, as a
program, `fault_server.py FAULT FILE...`, which prints its URL and serves until its standard input
ends. `FAULTS` has them all by name; README.md in this folder says what each must lead to.
"""
import gzip
import json
import sys
import time
from dataclasses import replace

from dicomweb_origin import BOUNDARY, DicomWeb, MULTIPART, Part, record

PIXELS = bytes.fromhex("e07f1000")  # tag of Pixel Data, little endian
FAULTS = {}


class Fault:
    """What may go wrong; this one does nothing. A subclass names itself and changes some of it."""
    ignores_offset = False
    always = False  # not only in the first answer

    def prepare(self, server):
        """Called once, before anything is served."""

    def before_search(self, handler, nth):
        """Answers the nth search in its own way and returns True, or leaves it to the origin."""
        return False

    def before_retrieve(self, handler, nth):
        return False

    def records(self, handler, level, rows):
        return rows

    def parts(self, handler, parts, single, nth):
        return parts

    def send(self, handler, parts, single, nth):
        handler.send_parts(parts)


def fault(name, always=None):
    """Registers a class under a name, and another under `always` that never stops doing so."""
    def register(cls):
        FAULTS[name] = cls
        if always:
            FAULTS[always] = type(cls.__name__ + "Always", (cls,), {"always": True})
        return cls
    return register


def first_or(self, nth):
    return self.always or nth == 1


def instance_at(handler, uid):
    """The number of an instance within its study, from 0."""
    state = handler.server.state
    study = next(held.study for held in state.held if held.uid == uid)
    return [held.uid for held in state.held if held.study == study].index(uid)


fault("none")(Fault)


# ---- the stream

@fault("cut-body", "cut-body-always")
class CutBody(Fault):
    def send(self, handler, parts, single, nth):
        if first_or(self, nth):
            whole = 0 if single else len(parts[0].encode()) + len(parts[1].encode())
            handler.send_parts(parts, cut=whole + 4000)
        else:
            handler.send_parts(parts)


@fault("cut-between-parts")
class CutBetweenParts(Fault):
    """An answer that ends in order behind its second part, but for the closing delimiter."""

    def send(self, handler, parts, single, nth):
        handler.send_parts(parts[:2] if nth == 1 else parts, closing=nth != 1)


@fault("no-closing-delimiter")
class NoClosingDelimiter(Fault):
    def send(self, handler, parts, single, nth):
        handler.send_parts(parts, closing=False)


@fault("no-closing-delimiter-no-length")
class NoClosingDelimiterNoLength(Fault):
    def send(self, handler, parts, single, nth):
        handler.send_parts([replace(part, length=False) for part in parts], closing=nth != 1)


@fault("wrong-delimiter", "wrong-delimiter-always")
class WrongDelimiter(Fault):
    def send(self, handler, parts, single, nth):
        if not first_or(self, nth):
            handler.send_parts(parts)
            return
        body = b"".join(part.encode() for part in parts).replace(BOUNDARY.encode(), b"other")
        handler.answer(200, body + b"--other--\r\n", MULTIPART)


@fault("boundary-in-pixels")
class BoundaryInPixels(Fault):
    """Pixel data full of what looks like delimiters, and is none."""

    def prepare(self, server):
        bait = b"--" + BOUNDARY.encode()
        bait = b"\r\n" + bait + b"x" + bait + b"\r\n" + b"\r" + bait + b"--\r\n" + b"\r\n" + bait[:9]
        state = server.state
        state.held = [replace(held, data=held.data[:-1000] + (bait * 20)[:1000])
                      for held in state.held]

    def send(self, handler, parts, single, nth):
        handler.send_parts([replace(part, length=False) for part in parts])


@fault("partial-content")
class PartialContent(Fault):
    """206 with the first half of what was asked for."""

    def send(self, handler, parts, single, nth):
        handler.send_parts(parts if single else parts[:len(parts) // 2], code=206)


@fault("slow-drip")
class SlowDrip(Fault):
    """Alive, but slow: some bytes every 100 ms."""

    def send(self, handler, parts, single, nth):
        if nth > 1:
            handler.send_parts(parts)
            return
        body = b"".join(part.encode() for part in parts) + f"--{BOUNDARY}--\r\n".encode()
        handler.head(200, [("Content-Type", MULTIPART), ("Content-Length", str(len(body)))])
        for start in range(0, len(body), len(body) // 12 + 1):
            handler.wfile.write(body[start:start + len(body) // 12 + 1])
            time.sleep(0.1)
        for part in parts:
            handler.delivered(part.of)


@fault("far-away")
class FarAway(Fault):
    """Every retrieval takes 50 ms longer, as over a long line."""

    def before_retrieve(self, handler, nth):
        time.sleep(0.05)
        return False


@fault("silence", "silence-always")
class Silence(Fault):
    """The head and half a part, then nothing more."""

    def send(self, handler, parts, single, nth):
        if not first_or(self, nth):
            handler.send_parts(parts)
            return
        handler.head(200, [("Content-Type", MULTIPART), ("Content-Length", "1000000")])
        handler.wfile.write(parts[0].encode()[:4000])
        handler.server.state.stopped.wait(20)
        handler.close()


@fault("endless-instance")
class EndlessInstance(Fault):
    """The study's second instance never ends."""

    def send(self, handler, parts, single, nth):
        handler.head(200, [("Content-Type", MULTIPART), ("Connection", "close")])
        for part in parts:
            endless = instance_at(handler, part.of.uid) == 1
            handler.wfile.write(replace(part, length=not endless).encode())
            if not endless:
                handler.delivered(part.of)
            while endless:
                handler.wfile.write(bytes(65536))
        handler.wfile.write(f"--{BOUNDARY}--\r\n".encode())
        handler.close()


@fault("endless-garbage")
class EndlessGarbage(EndlessInstance):
    """The same, of bytes that are no DICOM at all."""

    def send(self, handler, parts, single, nth):
        super().send(handler, [replace(part, data=b"no DICOM " * 9999)
                               if instance_at(handler, part.of.uid) == 1 else part
                               for part in parts], single, nth)


@fault("cut-every-third-connection")
class CutEveryThird(Fault):
    def before_retrieve(self, handler, nth):
        if nth % 3 == 0:
            handler.close()
        return nth % 3 == 0


# ---- statuses

class Status(Fault):
    code, fields, count = 503, (), 2

    def before_retrieve(self, handler, nth):
        if nth > self.count and not self.always:
            return False
        handler.answer(self.code, b"not now\n", "text/plain", self.fields)
        return True


@fault("429-retry-after")
class TooMany(Status):
    code, fields, count = 429, (("Retry-After", "1"),), 2


@fault("503", "503-always")
class Unavailable(Status):
    pass


@fault("408")
class RequestTimeout(Status):
    code = 408


@fault("500-always")
class Broken(Status):
    code, always = 500, True


@fault("403-always")
class Forbidden(Status):
    code, always = 403, True


@fault("401-always")
class Unauthorized(Status):
    code, always = 401, True


@fault("401-every-third")
class UnauthorizedEveryThird(Fault):
    """A log-in that is forgotten now and then."""

    def before_retrieve(self, handler, nth):
        if nth % 3 and handler.headers.get("Authorization"):
            return False
        handler.refuse('Basic realm="pacs"')
        return True


@fault("series-501")
class NoSeries(Fault):
    """A server that delivers single instances only."""

    def send(self, handler, parts, single, nth):
        if single:
            handler.send_parts(parts)
        else:
            handler.answer(501, b"instances only\n", "text/plain")


@fault("html-with-200")
class Html(Fault):
    def before_retrieve(self, handler, nth):
        handler.answer(200, b"<html><title>Maintenance till noon</title></html>", "text/html")
        return True


@fault("redirect-to-another-host")
class Redirect(Fault):
    """Every retrieval leads to the other listener, which must not see the password."""

    def before_retrieve(self, handler, nth):
        state = handler.server.state
        here = f"http://127.0.0.1:{handler.server.server_address[1]}"
        if here != state.home:
            state.leaked |= "Authorization" in handler.headers
            return False
        handler.answer(307, b"moved", "text/plain", [("Location", state.elsewhere + handler.path)])
        return True

    def prepare(self, server):
        server.state.home, server.state.elsewhere = server.url, server.other_url
        server.state.leaked = False


@fault("gone")
class Gone(Fault):
    """The study's third instance: absent of wider answers, 410 by its own name."""
    code = 410

    def parts(self, handler, parts, single, nth):
        return parts if single else [p for p in parts if instance_at(handler, p.of.uid) != 2]

    def send(self, handler, parts, single, nth):
        if single and instance_at(handler, parts[0].of.uid) == 2:
            handler.answer(self.code, b"no longer here\n", "text/plain")
        else:
            handler.send_parts(parts)


@fault("not-found")
class NotFound(Gone):
    code = 404


# ---- what is in the parts

@fault("stranger")
class Stranger(Fault):
    """An instance of another study in every answer."""

    def parts(self, handler, parts, single, nth):
        other = next(held for held in handler.server.state.held
                     if held.study != parts[0].of.study)
        return [*parts[:1], Part(other, other.data), *parts[1:]]


@fault("duplicate")
class Duplicate(Fault):
    """The second part comes twice."""

    def parts(self, handler, parts, single, nth):
        return parts if nth > 1 else [*parts[:2], parts[1], *parts[2:]]


class Changed(Fault):
    """One instance of the study, number `which`, comes with other bytes."""
    which = 1

    def parts(self, handler, parts, single, nth):
        return [replace(part, data=self.change(part.data, part.of))
                if instance_at(handler, part.of.uid) == self.which and first_or(self, nth) else part
                for part in parts]


def with_uid(data, uid, other):
    """The data set with its SOP Instance UID replaced, file meta information too."""
    wanted = uid.encode() + b"\0" * (len(uid) % 2)
    return data.replace(wanted, other.encode().ljust(len(wanted), b"\0")[:len(wanted)])


@fault("wrong-uid", "wrong-uid-always")
class WrongUid(Changed):
    def change(self, data, held):
        return with_uid(data, held.uid, "1.2.3.4.5")


@fault("wicked-uid-always")
class WickedUid(Changed):
    always = True

    def change(self, data, held):
        return with_uid(data, held.uid, "../../../../etc/passwd")


@fault("not-dicom", "not-dicom-always")
class NotDicom(Changed):
    def change(self, data, held):
        return b"This is no DICOM file, whatever its media type says. " * 100


@fault("cut-inside", "cut-inside-always")
class CutInside(Changed):
    """Well delimited, with the length that comes, but the pixel data ends too early."""

    def change(self, data, held):
        return data[:data.index(PIXELS) + 1000]


@fault("empty-part")
class EmptyPart(Changed):
    def change(self, data, held):
        return b""


# ---- the searcher

class Rows(Fault):
    """Changes what is told of the instances."""

    def records(self, handler, level, rows):
        return self.change(handler, rows) if level == "instances" else rows


@fault("searcher-names-more")
class More(Rows):
    def change(self, handler, rows):
        held = next(h for h in handler.server.state.held
                    if h.uid == rows[0]["00080018"]["Value"][0])
        ghost = record(replace(held, uid="1.2.3.4.5"), "instances", handler.server.state.related)
        return rows + [ghost]


@fault("searcher-names-fewer")
class Fewer(Rows):
    def change(self, handler, rows):
        return rows[1:]


@fault("searcher-names-wicked-uids")
class Wicked(Rows):
    def change(self, handler, rows):
        wicked = {"vr": "UI", "Value": ["../../etc/passwd"]}
        return [{**rows[0], "00080018": wicked}, *rows[1:]]


@fault("searcher-ignores-offset")
class IgnoresOffset(Fault):
    ignores_offset = True


def lists_instances(handler):
    return handler.path.split("?")[0].endswith("/instances")


@fault("searcher-late")
class Late(Fault):
    """The instances of a study are told once an answer with some of them is out, or after 20 s."""
    waited = False

    def before_search(self, handler, nth):
        state = handler.server.state
        if lists_instances(handler) and not self.waited:
            self.waited = True
            until = time.monotonic() + 20
            while not state.delivered and time.monotonic() < until:
                time.sleep(0.01)
            state.early = bool(state.delivered)
        return False


@fault("searcher-late-and-cut")
class LateAndCut(Late, CutBody):
    """And that answer was cut."""


@fault("searcher-knows-series-alone")
class SeriesAlone(Fault):
    def before_search(self, handler, nth):
        if not lists_instances(handler):
            return False
        handler.answer(503, b"not now\n", "text/plain")
        return True


class SearchAnswer(Fault):
    def before_search(self, handler, nth):
        if not first_or(self, nth):
            return False
        self.reply(handler)
        return True


@fault("searcher-503", "searcher-503-always")
class SearcherUnavailable(SearchAnswer):
    def reply(self, handler):
        handler.answer(503, b"not now\n", "text/plain")


@fault("searcher-cut", "searcher-cut-always")
class SearcherCut(SearchAnswer):
    """The answer ends within an object."""

    def reply(self, handler):
        state = handler.server.state
        words = handler.path.split("?")[0].split("/")
        rows = [record(held, "instances", state.related) for held in state.held
                if held.study == words[3]]
        body = json.dumps(rows).encode()
        handler.head(200, [("Content-Type", "application/dicom+json"),
                           ("Content-Length", str(len(body)))])
        handler.wfile.write(body[:len(json.dumps(rows[:4])) + 20])
        handler.close()


@fault("json-nested-deep")
class JsonDeep(SearchAnswer):
    always = True

    def reply(self, handler):
        handler.answer(200, b"[" * 100000 + b"]" * 100000, "application/dicom+json")


@fault("gzip-bomb")
class GzipBomb(SearchAnswer):
    """16 MiB of white space in some KiB."""
    always = True

    def prepare(self, server):
        self.bomb = gzip.compress(b"[" + b" " * (16 << 20) + b"]", 1)

    def reply(self, handler):
        handler.answer(200, self.bomb, "application/dicom+json", [("Content-Encoding", "gzip")])


@fault("searcher-401")
class SearcherUnauthorized(SearchAnswer):
    always = True

    def reply(self, handler):
        handler.refuse('Basic realm="pacs"')


def fault_server(name, paths, **options):
    """A server of the files in `paths` with the fault of that name; a context manager."""
    return DicomWeb(paths, FAULTS[name](), **options)


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in FAULTS:
        sys.exit("usage: fault_server.py FAULT FILE...; faults: " + ", ".join(sorted(FAULTS)))
    with fault_server(sys.argv[1], sys.argv[2:]) as server:
        print(json.dumps({"url": server.dicom_web}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
