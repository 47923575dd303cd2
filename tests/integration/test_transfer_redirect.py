# SPDX-License-Identifier: MIT
"""H9 to H12 of the HTTP module: redirects, connections, bounds."""
import pytest

from http_probe import (AUTH, NETWORK, NO_SPACE, PERMANENT, PROTOCOL, REMOTE, TOO_LARGE,
                        TRUNCATED, ask, HttpServer, run, server, shared, tls_files)  # noqa: F401

# ---- H9: redirects

PRIVATE = ["auth=basic", "user=u", "password=p", "header=X-Api-Key: k"]
OWN = ["-H", "Accept: application/dicom", "-H", "Cookie: mine=1"]


def test_H9_same_origin_keeps_everything(server):
    answers, _ = run([server.url + "/set-cookie", server.url + "/redirect?to=/echo"], "-o",
                     "-H", "Accept: application/dicom", keys=PRIVATE)
    sent = answers[1].sent
    assert sent["authorization"].startswith("Basic ")
    assert (sent["x-api-key"], sent["cookie"]) == ("k", "trolley=1")
    assert answers[1]["url"] == server.url + "/echo"
    assert answers[1]["heads"] == 1


@pytest.mark.parametrize("stop", ["port", "host", "and back"])
def test_H9_another_origin_gets_nothing_private(server, stop):
    target = server.other_url + "/echo"
    if stop == "host":
        target = server.url.replace("127.0.0.1", "localhost") + "/echo"
    if stop == "and back":
        target = f"{server.other_url}/redirect?to={server.url}/echo"
    answers, _ = run([server.url + "/set-cookie", f"{server.url}/redirect?to={target}"], "-o",
                     *OWN, "-H", "Authorization: Bearer mine", keys=PRIVATE)
    sent = answers[1].sent
    assert answers[1]["result"] == 0
    assert sent["accept"] == "application/dicom"
    assert not {"authorization", "x-api-key", "cookie"} & set(sent)


def test_H9_auth_plugin_is_not_asked_for_another_origin(server):
    keys = ["auth=token", f"login_url={server.url}/login"]
    urls = [server.url + "/token", f"{server.url}/redirect?to={server.other_url}/echo",
            f"{server.url}/redirect?to={server.other_url}/status/401"]
    answers, _ = run(urls, "-o", keys=keys)
    assert "x-token" in answers[0].sent
    assert "x-token" not in answers[1].sent
    assert answers[2]["result"] == AUTH
    assert server.counts["/login"] == 1


@pytest.mark.parametrize("homes, private", [
    (["{url}/dicom-web"], True), (["{other}/x", "{url}"], True), (["{other}/dicom-web"], False),
    (["https://127.0.0.1/x"], False)])
def test_H9_only_the_section_s_own_servers_get_what_is_private(server, homes, private):
    keys = [*PRIVATE, *("home=" + home.format(url=server.url, other=server.other_url)
                        for home in homes)]
    answers, _ = run([server.url + "/set-cookie", server.url + "/echo"], "-o", *OWN, "-H",
                     "Authorization: Bearer mine", keys=keys)
    sent = answers[1].sent
    assert sent["accept"] == "application/dicom"
    found = {"authorization", "x-api-key", "cookie"} & set(sent)
    assert found == ({"authorization", "x-api-key", "cookie"} if private else set())


def test_H9_refusal_of_another_server_says_why(server):
    answer = ask(server.url + "/status/401", keys=[*PRIVATE, f"home={server.other_url}"])
    assert answer["result"] == AUTH
    assert "no credentials are sent to another server than the section's own" in answer["message"]


def test_H9_auth_plugin_is_not_asked_for_another_server(server):
    keys = ["auth=token", f"login_url={server.url}/login", f"home={server.other_url}"]
    answer = ask(server.url + "/token", keys=keys)
    assert answer["result"] == AUTH
    assert "/login" not in server.counts


def test_H9_five_at_most(shared):
    assert ask(shared.url + "/redirects/5")["result"] == 0
    answer = ask(shared.url + "/redirects/6")
    assert (answer["result"], answer["heads"]) == (PROTOCOL, 0)
    assert "more than 5 redirects" in answer["message"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/",
                                    "http://", "https://[::/"])
def test_H9_only_http(shared, target):
    answer = ask(f"{shared.url}/redirect?to={target}")
    assert (answer["result"], answer["heads"], answer["bytes"]) == (PROTOCOL, 0, 0)


@pytest.mark.parametrize("code, method", [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"),
                                          (308, "POST")])
def test_H9_methods(shared, code, method):
    answer = ask(f"{shared.url}/redirect?to=/echo&code={code}", "-o", "-m", "POST", "-d", "data",
                 "-H", "Content-Type: text/x-mine")
    assert answer.echo["method"] == method
    assert answer.echo["body"] == ("data" if method == "POST" else "")
    assert ("content-type" in answer.sent) == (method == "POST")


def test_H9_login_requests_do_not_follow(server):
    keys = ["auth=token", f"login_url={server.url}/redirect?to={server.other_url}/login"]
    answer = ask(server.url + "/token", keys=keys)
    assert answer["result"] == AUTH
    assert "/login" not in server.counts


def test_H9_not_from_https_to_http(tls_files):
    with HttpServer(tls_files / "server.pem", tls_files / "server.key") as server:
        ca = [f"ca_file={tls_files / 'server.pem'}"]
        answer = ask(f"{server.tls_url}/redirect?to={server.url}/echo", keys=ca)
        assert answer["result"] == PROTOCOL
        assert "/echo" not in server.counts
        answer = ask(f"{server.url}/redirect?to={server.tls_url}/echo", "-o", keys=[*ca, *PRIVATE])
        assert answer["result"] == 0
        assert not {"authorization", "x-api-key"} & set(answer.sent)


def test_H9_client_certificate_stays_at_home(tls_files):
    pem, key = tls_files / "server.pem", tls_files / "server.key"
    keys = [f"ca_file={pem}", f"client_cert={pem}", f"client_key={key}"]
    with HttpServer(pem, key, client_ca=pem) as server:
        assert ask(server.tls_url + "/echo", keys=keys[:1])["result"] == AUTH
        assert ask(server.tls_url + "/echo", keys=keys)["result"] == 0
        answers, _ = run([server.tls_url + "/echo", f"{server.url}/redirect?to={server.tls_url}/echo"],
                         keys=keys)
        assert answers[0]["result"] == 0
        assert answers[1]["result"] == AUTH
        assert "no credentials are sent to where a redirect leads" in answers[1]["message"]


# ---- H10 to H12

def test_H10_html_keeps_its_content_type(shared):
    answer = ask(shared.url + "/html", "-o", "-H", "Accept: application/json")
    assert answer["content_type"] == "text/html; charset=utf-8"
    assert "Maintenance" in answer["body"]


def test_H11_keep_alive(server):
    answers, _ = run(server.url + "/echo", "-o", "-n", 20)
    assert [a.echo["nth"] for a in answers] == list(range(1, 21))
    assert server.connections == 1


def test_H11_connection_survives_errors_and_redirects(server):
    urls = [server.url + path for path in ("/status/404?body=x", "/redirect?to=/echo", "/echo")]
    answers, _ = run(urls, "-o")
    assert answers[2].echo["nth"] == 4


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_H11_stale_connection_is_retried_once(server, method):
    body = ["-d", "data"] if method == "POST" else []
    answers, _ = run(server.url + "/stale", "-o", "-n", 3, "-w", 50, "-m", method, *body)
    assert [a["result"] for a in answers] == [0, 0, 0]
    assert server.counts["/stale"] == 3


def test_H11_nothing_else_is_retried(server):
    assert ask(server.url + "/drop")["result"] == NETWORK
    assert server.counts["/drop"] == 1
    for path in ("/short/10", "/status/503", "/status/500", "/chunk-cut/100"):
        ask(server.url + path)
        assert server.counts[path] == 1


def test_H12_documents_are_bounded(shared):
    keys = ["max_document=100000"]
    assert ask(shared.url + "/bytes/100000", "-D", keys=keys)["result"] == 0
    answer = ask(shared.url + "/bytes/100001", "-D", keys=keys)
    assert answer["result"] == TOO_LARGE
    assert answer["flags"] == PERMANENT
    assert "max_document of [session pacs]" in answer["message"]
    assert ask(shared.url + "/endless", "-D", keys=keys)["result"] == TOO_LARGE
    assert ask(shared.url + "/bytes/200000", keys=keys)["result"] == 0


def test_H12_gzip_bomb(shared):
    answer = ask(shared.url + "/gzip-bomb/50000000", "-D", keys=["max_document=1000000"])
    assert answer["result"] == TOO_LARGE
    assert answer["bytes"] <= 1000000


def test_H12_endless_error_body_and_head(shared):
    answer = ask(shared.url + "/endless-error")
    assert answer["result"] == REMOTE
    assert answer["ms"] < 5000
    answer = ask(shared.url + "/large-head")
    assert answer["result"] in (TOO_LARGE, NETWORK, PROTOCOL)
    assert answer["heads"] == 0


def test_H12_refusal_of_the_handler_is_the_result(shared):
    answer = ask(shared.url + "/bytes/3000000", "-s", 1000000)
    assert answer["result"] == NO_SPACE
    assert answer["bytes"] < 1100000
    assert "failure" not in answer
