#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A DICOMweb origin with one fault a run. `with fault_server("cut-body", paths) as server:` or, as a
program, `fault_server.py FAULT FILE...`, which prints its URL and serves until its standard input
ends. `FAULTS` has them all by name; README.md in this folder says what each must lead to.
"""
import json
import sys

import fault_answers  # noqa: F401  (registers its faults, as the next)
import fault_searches  # noqa: F401
from dicomweb_origin import DicomWeb
from fault_base import FAULTS


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
