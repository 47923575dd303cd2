# SPDX-License-Identifier: MIT
"""Faults of the searcher: what it tells of instances, when, and whether it answers at all."""
import gzip
import json
import threading
import time
from dataclasses import replace

from dicomweb_origin import record
from fault_answers import CutBody, WrongUid
from fault_base import Fault, fault, first_or

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


def await_delivery(state, seconds):
    """Until something has left whole, but no longer than that."""
    until = time.monotonic() + seconds
    while not state.delivered and time.monotonic() < until:
        time.sleep(0.01)


@fault("searcher-late")
class Late(Fault):
    """The instances of a study are told once an answer with some of them is out, or after 20 s."""
    waited = False

    def before_search(self, handler, nth):
        state = handler.server.state
        if lists_instances(handler) and not self.waited:
            self.waited = True
            await_delivery(state, 20)
            state.early = bool(state.delivered)
        return False


@fault("searcher-late-and-cut")
class LateAndCut(Late, CutBody):
    """And that answer was cut."""


@fault("wrong-uid-amid-names")
class WrongUidAmidNames(WrongUid):
    """The names come before what has another UID, the end of their list behind it."""

    def prepare(self, server):
        self.named = threading.Event()

    def before_search(self, handler, nth):
        if lists_instances(handler) and int(handler.option("offset", "0")):
            self.named.set()
            await_delivery(handler.server.state, 2)
            time.sleep(0.2)
        return False

    def before_retrieve(self, handler, nth):
        if nth == 1:
            self.named.wait(1)
        return False


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
