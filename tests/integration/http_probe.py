# SPDX-License-Identifier: MIT
"""The HTTP module alone, driven by tests/unit/http_driver against a server that misbehaves on demand.
Imported by the test_transfer*.py, the fixtures too."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "servers"))
from http_server import HttpServer, pattern  # noqa: E402,F401  pylint: disable=unused-import

BUILD = pathlib.Path(os.environ.get("BUILDDIR", "."))
DRIVER = BUILD / "tests/unit/http_driver"
MODULE = BUILD / "core/transfer/.libs/transfer.so"

INVALID_ARG, INVALID_CONFIG, UNSUPPORTED, NOT_FOUND, GONE, AUTH = -2, -3, -4, -7, -8, -9
NETWORK, TIMEOUT, PROTOCOL, TRUNCATED, REMOTE, UNAVAILABLE = -10, -11, -12, -13, -14, -15
TOO_LARGE, NO_SPACE, CANCELLED = -16, -18, -19
TRANSIENT, PERMANENT, STOP_ALL = 1, 2, 4
LATE = 700  # milliseconds that a busy machine may add


class Answer(dict):
    """What the driver printed of one request; repeated names are kept in `all`."""

    def __init__(self, block):
        super().__init__()
        self.all = [line.split(": ", 1) for line in block.splitlines()]
        for name, value in self.all:
            self[name] = int(value) if value.lstrip("-").isdigit() else value

    def values(self, name):
        return [value for key, value in self.all if key == name]

    @property
    def echo(self):
        return json.loads(self["body"])

    @property
    def sent(self):
        """The header fields that the server saw, names in lower case."""
        return {name.lower(): value for name, value in self.echo["headers"]}


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return {**kept, **more}


def run(urls, *options, keys=(), env=None):
    """Runs the driver; returns the answers and what it logged."""
    urls = [urls] if isinstance(urls, str) else urls
    command = [DRIVER, *map(str, options), MODULE, *keys, *urls]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60,
                          env=env or environment(), check=False)
    assert done.returncode == 0, done.stderr
    return [Answer(block) for block in done.stdout.split("\n\n") if block], done.stderr


def ask(url, *options, **more):
    answers, _ = run(url, *options, **more)
    assert len(answers) == 1
    return answers[0]


@pytest.fixture(scope="module")
def shared():
    with HttpServer() as server:
        yield server


@pytest.fixture()
def server():
    with HttpServer() as one:
        yield one


@pytest.fixture(scope="module")
def tls_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.fail("the program openssl is needed")
    for name, subject in (("server", "localhost"), ("wrong", "elsewhere.example")):
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
             folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj", f"/CN={subject}",
             "-addext", f"subjectAltName=DNS:{subject}"], check=True, capture_output=True)
    return folder


def sha256(data):
    return hashlib.sha256(data).hexdigest()
