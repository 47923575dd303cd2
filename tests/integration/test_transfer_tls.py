# SPDX-License-Identifier: MIT
"""The HTTP module with TLS, and HTTP/2 by nginx."""
import os
import shutil
import socket
import subprocess
import threading
import time

import pytest

from http_probe import (AUTH, CANCELLED, INVALID_CONFIG, LATE, NETWORK, PERMANENT, STOP_ALL,
                        TIMEOUT, TRUNCATED, ask, HttpServer, pattern, run, server, sha256,
                        tls_files)  # noqa: F401
from orthanc import free_port

# ---- HTTP/2, by nginx in front of the server

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl http2; ssl_certificate {pem}; ssl_certificate_key {key};
        add_header X-Protocol $server_protocol always;
        location / {{ proxy_pass {upstream}; proxy_http_version 1.1; proxy_buffering off; }}
    }}
}}
"""


@pytest.fixture()
def http2(tls_files, server, tmp_path):
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not nginx:
        pytest.fail("nginx is needed: apt-get install nginx")
    port = free_port()
    (tmp_path / "nginx.conf").write_text(NGINX.format(
        folder=tmp_path, port=port, pem=tls_files / "server.pem", key=tls_files / "server.key",
        upstream=server.url))
    with subprocess.Popen([nginx, "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
                          stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"https://localhost:{port}", [f"ca_file={tls_files / 'server.pem'}"]
        finally:
            process.terminate()


def test_H11_http2_where_offered(http2):
    url, keys = http2
    answers, _ = run(url + "/bytes/3000000", "-n", 3, keys=keys)
    assert [a["header x-protocol"] for a in answers] == ["HTTP/2.0"] * 3
    assert [a["sha256"] for a in answers] == [sha256(pattern(3000000))] * 3
    answer = ask(url + "/echo", keys=[*keys, "http_version=1.1"])
    assert answer["header X-Protocol"] == "HTTP/1.1"
    assert ask(url + "/echo", keys=[*keys, "http_version=2"])["header x-protocol"] == "HTTP/2.0"


@pytest.mark.parametrize("path", ["/short/100000?send=50000", "/chunk-cut/100000"])
def test_H3_http2_reset_is_truncated(http2, path):
    url, keys = http2
    answer = ask(url + path, keys=keys)
    assert answer["header x-protocol"] == "HTTP/2.0"
    assert answer["result"] == TRUNCATED
    assert answer["bytes"] <= 50000


def test_H7_http2_rate_and_cancellation(http2):
    url, keys = http2
    answer = ask(url + "/bytes/300000", keys=[*keys, "max_rate=100000"])
    assert (answer["result"], answer["sha256"]) == (0, sha256(pattern(300000)))
    assert answer["ms"] >= 1500
    answer = ask(url + "/drip/1000", "-c", 300, keys=keys)
    assert answer["result"] == CANCELLED
    assert answer["ms"] <= 1300 + LATE


# ---- TLS

def test_tls_is_verified(tls_files):
    pem, key = tls_files / "server.pem", tls_files / "server.key"
    with HttpServer(pem, key) as server:
        url = server.tls_url + "/echo"
        assert ask(url, keys=[f"ca_file={pem}"])["result"] == 0
        assert ask(url, keys=["verify=0"])["result"] == 0
        answer = ask(url)
        assert (answer["result"], answer["flags"]) == (NETWORK, PERMANENT)
        assert "check ca_file of [session pacs]" in answer["message"]
        answer = ask(url, keys=["ca_file=/nonexistent"])
        assert answer["result"] == INVALID_CONFIG


def test_tls_wrong_name(tls_files):
    pem, key = tls_files / "wrong.pem", tls_files / "wrong.key"
    with HttpServer(pem, key) as server:
        answer = ask(server.tls_url + "/echo", keys=[f"ca_file={pem}"])
        assert (answer["result"], answer["flags"]) == (NETWORK, PERMANENT)


@pytest.mark.parametrize("cert, advice", [("", "set client_cert"), ("wrong", "check client_cert")])
def test_tls_client_certificate_refused_by_an_alert(tls_files, cert, advice):
    """No certificate, and one of an authority that the server does not know: a refused log-in."""
    pem, key = tls_files / "server.pem", tls_files / "server.key"
    keys = [f"ca_file={pem}"]
    if cert:
        keys += [f"client_cert={tls_files / cert}.pem", f"client_key={tls_files / cert}.key"]
    with HttpServer(pem, key, client_ca=pem) as server:
        answer = ask(server.tls_url + "/echo", keys=keys)
        assert (answer["result"], answer["flags"]) == (AUTH, PERMANENT | STOP_ALL)
        assert advice + " of [session pacs]" in answer["message"]
        assert "alert" in answer["message"]
        assert server.counts == {}


def test_tls_handshake_that_never_ends_is_a_connect_timeout():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []
        threading.Thread(target=lambda: held.append(listener.accept()), daemon=True).start()
        answer = ask(f"https://127.0.0.1:{listener.getsockname()[1]}/", keys=["connect_timeout=500"])
        assert answer["result"] == TIMEOUT
        assert answer["ms"] <= 1500 + LATE
