# SPDX-License-Identifier: MIT
"""Faults of retrieval: the stream, the status, and what is in the parts."""
import time
from dataclasses import replace

from dicomweb_origin import BOUNDARY, MULTIPART, Part
from fault_base import Fault, fault, first_or, instance_at

PIXELS = bytes.fromhex("e07f1000")  # tag of Pixel Data, little endian


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


@fault("no-answer")
class NoAnswer(Fault):
    """The first request is taken, and that is all."""

    def before_retrieve(self, handler, nth):
        if nth == 1:
            handler.server.state.stopped.wait(20)
            handler.close()
        return nth == 1


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
