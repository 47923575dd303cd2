# SPDX-License-Identifier: MIT
"""The Part 10 head reader against DCMTK, over the sample files that come with pydicom."""

import os
import subprocess
from pathlib import Path

import pydicom
import pydicom.data
import pytest

UNIT = Path(os.environ["BUILDDIR"]) / "tests" / "unit"
DATA = Path(pydicom.data.__file__).parent
FILES = sorted(path for path in DATA.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))
NAMES = [str(path.relative_to(DATA)) for path in FILES]
NOT_DICOM = {".json", ".txt", ".dump", ".gz", ".zip", ".py"}


def run(program, *arguments):
    done = subprocess.run([UNIT / program, *map(str, arguments)], capture_output=True, timeout=120)
    assert done.returncode == 0 and done.stderr == b"", done.stderr.decode(errors="replace")[:2000]
    return done.stdout.decode("ascii")


def fields(text):
    return dict((line.split(" ", 1) + [""])[:2] for line in text.splitlines())


def escape(raw):
    return "".join(chr(c) if 0x20 <= c < 0x7F else "%%%02X" % c for c in raw)


def value_of_unknown(text):
    """Of elements of VR UN dump_dcmtk shows the bytes; the reader asks the dictionary."""
    if not text.startswith("~"):
        return text
    return "\\".join(part.replace("%00", " ").strip(" ") for part in text[1:].split("\\"))


def by_dcmtk(path):
    return {key: value_of_unknown(value) for key, value in fields(run("dump_dcmtk", path)).items()}


def by_pydicom(path):
    """For files that DCMTK gives up on."""
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    found = {}
    for tag in dataset.keys():
        value = dataset.get_item(tag).value or b""
        if isinstance(value, bytes):
            found["%08X" % tag] = "\\".join(escape(part.strip(b" \0")) for part in value.split(b"\\"))
    return found


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_same_as_dcmtk(path):
    ours, theirs = fields(run("dump_part10", path)), by_dcmtk(path)
    status, their_status = ours.pop("status"), theirs.pop("status")
    if path.suffix in NOT_DICOM:  # DCMTK unpacks gzip by itself
        assert status.startswith("not DICOM")
    elif their_status != "ok" and "0020000D" in ours:
        if "0020000D" not in theirs:
            theirs = by_pydicom(path)
            ours.pop("syntax")
        assert ours.items() <= theirs.items()
    elif their_status != "ok" and not theirs:
        assert status.startswith("not DICOM")
    else:
        assert ours == theirs
        assert status == "ok"


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_any_pieces_and_any_cut(path):
    run("dump_part10", "--cuts", path)


def test_what_the_samples_cover():
    """The comparison above says something only as long as the samples are of all kinds."""
    found = [(path, fields(run("dump_part10", path))) for path in FILES]
    read = [(path, got) for path, got in found if got["status"] == "ok"]
    syntaxes = {got.get("syntax") for _, got in read}
    character_sets = {got.get("00080005") for _, got in read}
    assert len(read) >= 140
    assert {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99",
            "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.50", None} <= syntaxes
    assert any(path.read_bytes()[128:132] != b"DICM" for path, _ in read)
    assert {"ISO_IR 100", "ISO_IR 126", "ISO_IR 127", "ISO_IR 138", "ISO_IR 144", "ISO_IR 192",
            "GB18030", "\\ISO 2022 IR 87", "\\ISO 2022 IR 149",
            "ISO 2022 IR 13\\ISO 2022 IR 87"} <= character_sets
