# SPDX-License-Identifier: MIT
"""What each fault of fault_server.py must lead to, for a study of eight instances in two series. The
table in README.md is this one. Verdicts follow from the rules of `trolley download`: what came whole
is kept, what may come later is asked again, and what did not come is told."""
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Case:
    fault: str
    what: str
    status: int = 0
    word: str = "complete"  # of the verdict
    expected: int = 8
    stored: int = 8
    missing: int = 0
    failed: int = 0
    unexpected: int = 0
    duplicate: int = 0
    lacks: tuple = ()  # instances of the study that are not on disk, by number
    says: str = ""     # on standard error
    again: int = 0     # instances that are fetched again although they came whole
    searcher: bool = True
    session: str = ""
    downloader: str = field(default="", repr=False)
    search: str = ""
    slow: float = 0  # seconds that it must take at least

    @property
    def name(self):
        return self.fault if self.searcher else self.fault + ", no searcher"

    @property
    def verdict(self):
        """The last line on standard error, up to bytes and seconds."""
        line = f"{self.word}: {self.stored}"
        if self.expected or self.word == "complete":
            line += f" of {self.expected}"
        line += (f" instances ({self.stored} stored, 0 skipped, {self.missing} missing, "
                 f"{self.failed} failed")
        for count, word in (self.unexpected, "unexpected"), (self.duplicate, "duplicate"):
            if count:
                line += f", {count} {word}"
        return line + "), "

    @property
    def outcomes(self):
        """Report lines by outcome."""
        counts = {"stored": self.stored, "missing": self.missing, "failed": self.failed,
                  "unexpected": self.unexpected, "duplicate": self.duplicate}
        return {outcome: count for outcome, count in counts.items() if count}

    @property
    def row(self):
        """The row of README.md."""
        report = ", ".join(f"{n} {outcome}" for outcome, n in self.outcomes.items())
        disk = f"{8 - len(self.lacks)} of 8"
        if self.stored > 8 - len(self.lacks):
            disk += f" and {self.stored - 8 + len(self.lacks)} more"
        return (f"| {self.name} | {self.what} | `{self.verdict.rstrip(', ')}` "
                f"| {self.status} | {report} | {disk} |")


ALL = tuple(range(8))
LOGIN = "auth = basic\nuser = reader\npassword = secret\n"


def nothing(fault, what, says, status=1, **more):
    """Nothing comes of it, and nothing is on disk."""
    return Case(fault, what, status, "failed", stored=0, missing=8, lacks=ALL, says=says, **more)


def unnamed(fault, what, says, status=1, **more):
    """The searcher does not say what there is: the study itself is missing."""
    return Case(fault, what, status, "failed", expected=0, stored=0, missing=1, lacks=ALL,
                says=says, **more)


CASES = [
    Case("none", "nothing is wrong"),
    # the stream
    Case("cut-body", "the first answer is cut within its third part"),
    Case("cut-body-always", "every answer is cut, wide ones within their third part", 3, "partial",
         stored=4, failed=4, lacks=(2, 3, 6, 7), says="cut off"),
    Case("cut-between-parts", "the first answer ends behind two parts without closing delimiter"),
    Case("no-closing-delimiter", "no answer has a closing delimiter; parts tell their length"),
    Case("no-closing-delimiter-no-length",
         "the first answer has no closing delimiter, parts tell no length"),
    Case("wrong-delimiter", "the first answer has another delimiter than its head says"),
    nothing("wrong-delimiter-always", "every answer has", "without its closing delimiter"),
    Case("boundary-in-pixels", "pixel data is full of what looks like delimiters"),
    Case("partial-content", "206 with half of each series; single instances come whole",
         says="206"),
    Case("slow-drip", "the first answer comes in small pieces 100 ms apart, idle_timeout is 1 s",
         session="idle_timeout = 1s\n", slow=1.1),
    Case("far-away", "every answer takes 50 ms longer"),
    Case("no-answer", "the first request gets no answer; idle_timeout is 300 ms",
         session="idle_timeout = 300ms\n", slow=0.3),
    Case("silence", "the first answer stops within a part; idle_timeout is 300 ms",
         session="idle_timeout = 300ms\n"),
    Case("silence-always", "every answer stops within its first part; idle_timeout is 200 ms", 1,
         "failed", stored=0, missing=6, failed=2, lacks=ALL, says="idle_timeout",
         session="idle_timeout = 200ms\n", downloader="max_retries = 0\n"),
    Case("endless-instance", "one instance never ends; max_instance is 1 MiB", 3, "partial",
         stored=7, failed=1, lacks=(1,), downloader="max_instance = 1MiB\n",
         says="larger than max_instance"),
    Case("endless-garbage", "one part is no DICOM and never ends; max_instance is 1 MiB", 3,
         "partial", stored=7, failed=1, lacks=(1,), downloader="max_instance = 1MiB\n",
         says="no readable DICOM"),
    Case("cut-every-third-connection", "every third request is answered by closing the connection",
         downloader="request = instance\n"),
    # statuses
    Case("429-retry-after", "429 twice, with Retry-After of a second", slow=1.0),
    Case("503", "503 twice, then all is well"),
    nothing("503-always", "503 for ever", "503"),
    Case("408", "408 twice, then all is well"),
    nothing("500-always", "500 for ever", "500"),
    nothing("403-always", "403 for every retrieval", "Forbidden", 4),
    nothing("401-always", "every log-in is refused", "Unauthorized", 4, session=LOGIN),
    Case("401-every-third", "the server forgets the log-in at every third request", session=LOGIN,
         downloader="request = instance\n"),
    Case("series-501", "501 but for single instances"),
    nothing("html-with-200", "an HTML page with status 200", "Maintenance till noon"),
    Case("redirect-to-another-host", "every retrieval is redirected to another origin",
         session=LOGIN),
    Case("gone", "one instance is absent of wider answers, and 410 by its own name", 3, "partial",
         stored=7, missing=1, lacks=(2,), says="410"),
    Case("not-found", "the same with 404", 3, "partial", stored=7, missing=1, lacks=(2,),
         says="404"),
    # what is in the parts
    Case("stranger", "each series comes with an instance of another study", unexpected=2,
         says="nobody asked for"),
    Case("duplicate", "one instance comes twice in an answer", duplicate=1, says="twice"),
    Case("wrong-uid", "one instance comes under the UID of none, in the first answer", stored=9,
         expected=9, says="beyond what the searcher named"),
    Case("wrong-uid-amid-names", "the same, while the searcher's list of instances has not ended",
         stored=9, expected=9, says="beyond what the searcher named", search="page_size = 8\n"),
    Case("wrong-uid-always", "it always does", 3, "partial", stored=8, expected=9, missing=1,
         unexpected=1, lacks=(1,)),
    Case("wicked-uid-always", "one instance says that its UID is ../../../../etc/passwd", 3,
         "partial", stored=7, missing=1, unexpected=2, lacks=(1,)),
    Case("not-dicom", "one part of the first answer is no DICOM"),
    Case("not-dicom-always", "it never is", 3, "partial", stored=7, failed=1, lacks=(1,),
         says="no readable DICOM"),
    Case("empty-part", "one part of the first answer is empty"),
    Case("cut-inside", "one part of the first answer, well delimited, ends within its pixel data"),
    Case("cut-inside-always", "it always does", 3, "partial", stored=7, failed=1, lacks=(1,),
         says="ends within"),
    # the searcher
    Case("searcher-names-more", "the searcher names an instance that is not there", 3, "partial",
         expected=9, missing=1, says="404"),
    Case("searcher-names-fewer", "the searcher leaves one out that the series holds",
         says="beyond what the searcher named"),
    Case("searcher-names-wicked-uids", "the searcher names ../../etc/passwd in place of a UID", 3,
         "partial", expected=8, missing=2, says="valid UID"),
    Case("searcher-ignores-offset", "the searcher shows the first four instances again and again",
         0, "unverified", search="page_size = 4\n", says="ignore offset"),
    Case("searcher-late", "the searcher names the instances when half of them have come"),
    Case("searcher-late-and-cut", "the same, and the answer that brought them was cut"),
    Case("searcher-knows-series-alone", "the searcher names the series, and answers 503 when asked "
         "for their instances", 3, "partial", missing=2, says="503"),
    Case("searcher-503", "the first search is answered by 503"),
    unnamed("searcher-503-always", "every search is", "503"),
    Case("searcher-cut", "the first search's answer is cut"),
    Case("searcher-cut-always", "every search's answer is cut within the fifth object", 3,
         "partial", expected=4, stored=4, missing=1, lacks=(4, 5, 6, 7), says="cut off"),
    unnamed("json-nested-deep", "the searcher answers JSON nested 100,000 deep", "not a JSON array of objects"),
    unnamed("gzip-bomb", "the searcher answers 16 MiB in some KiB; max_document is 1 MiB",
            "max_document", session="max_document = 1MiB\n"),
    unnamed("searcher-401", "the searcher's log-in is refused", "check user and password", 4,
            session=LOGIN),
    # nobody says what to expect
    Case("none", "nothing is wrong, and nobody says what to expect", word="unverified",
         searcher=False),
    Case("cut-body-always", "every answer is cut within its third part", 3, "partial", 3, stored=2,
         missing=1, failed=1, lacks=(2, 3, 4, 5, 6, 7), searcher=False, again=2, says="cut off"),
    Case("not-dicom", "one part of the first answer is no DICOM", word="unverified", searcher=False,
         again=7),
    Case("not-dicom-always", "it never is", 3, "partial", 7, stored=7, failed=1, lacks=(1,),
         searcher=False, again=7, says="no readable DICOM"),
]

# With `expected = counts`, where that is another story: an object under another's UID is counted as
# well, and a searcher whose counts are met is not asked for names, be they wrong or not to be had.
MET = {"status": 0, "word": "complete", "expected": 8, "stored": 8, "missing": 0, "says": ""}
COUNTED = {
    "wrong-uid": {**MET, "lacks": (1,)},
    "wrong-uid-amid-names": {**MET, "lacks": (1,)},
    "wrong-uid-always": {**MET, "unexpected": 0},
    "searcher-names-more": MET,
    "searcher-names-fewer": MET,
    "searcher-names-wicked-uids": MET,
    "searcher-ignores-offset": MET,
    "searcher-knows-series-alone": MET,
}


def counted(case):
    """What the fault leads to where counts suffice."""
    return replace(case, **COUNTED.get(case.fault, {}))
