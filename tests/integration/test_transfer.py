# SPDX-License-Identifier: MIT
"""The HTTP module against a server that misbehaves on demand. H1 to H12 are the properties that every
plugin speaking HTTP gets from it: here H1 to H7 and what is never sent."""
import email.utils
import socket
import time

import pytest

from http_probe import (AUTH, CANCELLED, GONE, INVALID_ARG, LATE, NETWORK, NOT_FOUND, PERMANENT,
                        PROTOCOL, REMOTE, STOP_ALL, TIMEOUT, TRANSIENT, TRUNCATED, UNAVAILABLE,
                        UNSUPPORTED, ask, pattern, run, server, sha256, shared)  # noqa: F401

# ---- H1 to H6: requests and answers

def test_H1_accept_goes_out_as_given(shared):
    answer = ask(shared.url + "/echo", "-o", "-H", "Accept: application/dicom+json")
    assert answer.sent["accept"] == "application/dicom+json"
    assert answer.sent["user-agent"].startswith("trolley/")
    assert "expect" not in answer.sent


def test_H1_post_carries_its_body_and_only_given_fields(shared):
    answer = ask(shared.url + "/echo", "-o", "-m", "POST", "-d", "<soap/>" * 400, "-H",
                 "Content-Type: application/soap+xml")
    assert answer.echo["body"] == "<soap/>" * 400
    assert answer.sent["content-type"] == "application/soap+xml"
    assert "expect" not in answer.sent
    answer = ask(shared.url + "/echo", "-o", "-m", "POST", "-d", "x")
    assert "content-type" not in answer.sent


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_H1_methods(shared, method):
    answers, _ = run([shared.url + "/echo", shared.url + "/echo"], "-o", "-m", method)
    assert [a["result"] for a in answers] == [0, 0]
    if method == "HEAD":
        assert answers[1]["bytes"] == 0
    else:
        assert answers[1].echo["method"] == method
        assert answers[1].echo["nth"] == 2


@pytest.mark.parametrize("code, result, flags", [
    (200, 0, None), (204, 0, None), (206, 0, None), (304, 0, None),
    (400, INVALID_ARG, PERMANENT), (401, AUTH, PERMANENT | STOP_ALL), (403, AUTH, PERMANENT),
    (404, NOT_FOUND, PERMANENT), (406, UNSUPPORTED, PERMANENT), (408, TIMEOUT, TRANSIENT),
    (409, INVALID_ARG, PERMANENT), (410, GONE, PERMANENT), (413, INVALID_ARG, PERMANENT),
    (415, UNSUPPORTED, PERMANENT), (418, INVALID_ARG, PERMANENT), (429, UNAVAILABLE, TRANSIENT),
    (500, REMOTE, TRANSIENT), (501, REMOTE, PERMANENT), (502, REMOTE, TRANSIENT),
    (503, UNAVAILABLE, TRANSIENT), (504, REMOTE, TRANSIENT), (302, PROTOCOL, PERMANENT),
])
def test_H2_status_is_one_outcome(shared, code, result, flags):
    answer = ask(f"{shared.url}/status/{code}?body=words")
    assert answer["result"] == result
    assert answer["status"] == code
    assert answer["heads"] == 1
    assert answer.get("failure") == (result or None)
    assert answer.get("flags") == flags
    assert answer.get("code") == (code if result else None)


def test_H2_message_names_request_and_server_words_but_no_values(shared):
    answer = ask(shared.url + "/status/400?PatientName=Doe%5EJohn&body=bad%20key%0Asecond%20line")
    assert answer["message"] == (
        f"GET {shared.url}/status/400?PatientName&body: 400 Bad Request: \"bad key\"")
    answer = ask(shared.url + "/status/404?PatientName=Doe", keys=["log_phi=1"])
    assert "PatientName=Doe" in answer["message"]


def test_H2_advice_names_the_session(shared):
    url = shared.url + "/status/401"
    assert "check user and password of [session pacs]" in ask(
        url, keys=["auth=basic", "user=u", "password=p"])["message"]
    assert "[session pacs]" in ask(url)["message"]
    assert "name a [session]" in ask(url, keys=["name="])["message"]


@pytest.mark.parametrize("kind, body, words", [
    ("text/html", "<html><head><TITLE>No%0Asuch study</TITLE></head>", '"No such study"'),
    ("text/plain", "%0A%0A first%1b[31m line%0Asecond", '"first\\x1b[31m line"'),
    ("application/json", "{%0A  %22Message%22: 1}", '"{ "Message": 1}"'),
    ("application/dicom", "%00%01", "400 Bad Request"),
    ("text/plain", "caf%C3%A9" * 100, "café" * 50 + '"'),
    ("text/plain", "%FF%FE", '"\\xff\\xfe"'),
])
def test_H2_server_words_are_escaped_and_short(shared, kind, body, words):
    answer = ask(f"{shared.url}/status/400?type={kind}&body={body.replace(' ', '%20')}")
    assert answer["message"].endswith(words)


def test_H2_error_body_goes_to_the_handler_on_request(shared):
    url = shared.url + "/status/500?body=fault&type=text/xml"
    assert ask(url, "-o")["bytes"] == 0
    answer = ask(url, "-o", "-E")
    assert answer["body"] == "fault"
    assert answer["result"] == REMOTE
    assert '"fault"' in answer["message"]


@pytest.mark.parametrize("path, got", [
    ("/short/100000?send=50000", 50000), ("/short/100000?send=0", 0), ("/chunk-cut/100000", 50000),
    ("/no-last-chunk/100000", 100000), ("/reset/100000?send=5000", 5000),
])
def test_H3_short_body_is_truncated(shared, path, got):
    answer = ask(shared.url + path)
    if path.endswith("send=0"):
        assert answer["result"] in (TRUNCATED, NETWORK)
    else:
        assert answer["result"] == TRUNCATED
    assert answer["bytes"] == got
    assert answer["flags"] == TRANSIENT
    assert answer["sha256"] == sha256(pattern(100000)[:got])


@pytest.mark.parametrize("path", ["/bytes/", "/chunked/", "/until-close/"])
@pytest.mark.parametrize("length", [0, 1, 65536, 3000001])
def test_H3_whole_body_is_whole(shared, path, length):
    answer = ask(f"{shared.url}{path}{length}")
    assert answer["result"] == 0
    assert answer["sha256"] == sha256(pattern(length))


def test_H3_lost_connection_is_a_network_error(shared):
    answer = ask(shared.url + "/drop")
    assert answer["result"] == NETWORK
    assert answer["flags"] == TRANSIENT
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    answer = ask(f"http://127.0.0.1:{closed.getsockname()[1]}/")
    closed.close()
    assert answer["result"] == NETWORK
    assert "refused" in answer["message"] or "connect" in answer["message"]


@pytest.mark.parametrize("path", ["/gzip/", "/deflate/", "/deflate-raw/", "/gzip-members/"])
def test_H4_codings_are_decoded(shared, path):
    answer = ask(f"{shared.url}{path}300000", "-D")
    assert answer["result"] == 0
    assert answer["sha256"] == sha256(pattern(300000))
    assert answer["content_length"] == -1


def test_H4_only_documents_ask_for_a_coding(shared):
    assert ask(shared.url + "/echo", "-o")["result"] == 0
    assert ask(shared.url + "/echo", "-o").sent["accept-encoding"] == "identity"
    assert ask(shared.url + "/echo", "-o", "-D").sent["accept-encoding"] == "gzip, deflate"
    assert ask(shared.url + "/gzip/1000")["sha256"] == sha256(pattern(1000))


def test_H4_coded_stream_that_ends_early_is_truncated(shared):
    assert ask(shared.url + "/gzip-cut/100000", "-D")["result"] == TRUNCATED


def test_H4_bad_codings_are_protocol_errors(shared):
    assert ask(shared.url + "/status/200?body=plain&header=Content-Encoding:gzip")[
        "result"] == PROTOCOL
    answer = ask(shared.url + "/status/200?body=x&header=Content-Encoding:br")
    assert answer["result"] == PROTOCOL
    assert "br" in answer["message"]
    assert ask(shared.url + "/status/404?body=x&header=Content-Encoding:br")["result"] == NOT_FOUND


def test_H5_retry_after(shared):
    answer = ask(shared.url + "/status/503?header=Retry-After:7")
    assert answer["retry_after"] == answer["failure_retry_after"] == 7000
    date = email.utils.formatdate(time.time() + 30, usegmt=True).replace(" ", "%20")
    answer = ask(shared.url + "/status/429?header=Retry-After:" + date)
    assert 20000 <= answer["failure_retry_after"] <= 31000
    assert ask(shared.url + "/status/503")["failure_retry_after"] == 0
    answer = ask(shared.url + "/status/503?header=Retry-After:99999999999999999999")
    assert 0 <= answer["failure_retry_after"] <= 86400 * 1000


def test_H5_warnings_are_noted(shared):
    url = shared.url + "/status/200?header=Warning:299%20pacs%20%22more%20to%20come%22"
    answers, _ = run(url, "-n", 3)
    assert answers[0]["result"] == 0
    assert answers[0]["note"].endswith('/status/200?header: Warning: 299 pacs "more to come"')
    # The same again is no news.
    assert "note" not in answers[1]


def test_H6_head_is_handed_on_as_sent(shared):
    kind = "Multipart/Related;%20TYPE=application/dicom;%20boundary=%22a%20b%22"
    answer = ask(f"{shared.url}/status/200?type={kind}&header=X-Two:1&header=X-Two:2")
    assert answer["content_type"] == 'Multipart/Related; TYPE=application/dicom; boundary="a b"'
    assert answer.values("header X-Two") == ["1", "2"]
    answer = ask(shared.url + "/latin1")
    assert answer["header X-Place"] == "Zürich"


# ---- H7: time

def full_listener():
    """A port that neither takes nor refuses connections."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    clients = []
    for _ in range(3):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        clients.append(client)
    time.sleep(0.1)
    return listener, clients


@pytest.fixture()
def deaf_url():
    listener, clients = full_listener()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    for one in (listener, *clients):
        one.close()


def test_H7_connect_timeout(deaf_url):
    answer = ask(deaf_url, keys=["connect_timeout=500"])
    assert answer["result"] == TIMEOUT
    assert 400 <= answer["ms"] <= 1500 + LATE
    assert "connect_timeout" in answer["message"]


def test_H7_idle_timeout_does_not_count_while_connecting(deaf_url):
    answer = ask(deaf_url, keys=["connect_timeout=1500", "idle_timeout=300"])
    assert answer["ms"] >= 1400


@pytest.mark.parametrize("path", ["/silence", "/silence?send=1000", "/silence-head"])
def test_H7_idle_timeout(shared, path):
    answer = ask(shared.url + path, keys=["idle_timeout=600"])
    assert answer["result"] == TIMEOUT
    assert 500 <= answer["ms"] <= 1600 + LATE
    assert "idle_timeout of [session pacs]" in answer["message"]


def test_H7_slow_but_live_stream_is_not_killed(shared):
    answer = ask(shared.url + "/drip/12?every=0.2", keys=["idle_timeout=600"])
    assert answer["result"] == 0
    assert answer["ms"] >= 2000
    assert answer["sha256"] == sha256(pattern(12))


def test_H7_total_timeout(shared):
    answer = ask(shared.url + "/drip/100?every=0.1", keys=["total_timeout=700"])
    assert answer["result"] == TIMEOUT
    assert 600 <= answer["ms"] <= 1700 + LATE
    assert "total_timeout" in answer["message"]


@pytest.mark.parametrize("option, result", [("-c", CANCELLED), ("-T", TIMEOUT)])
@pytest.mark.parametrize("path", ["/silence", "/silence-head", "/drip/1000", "/endless", None])
def test_H7_cancellation_and_deadline_work_within_a_second(shared, deaf_url, option, result, path):
    answer = ask(shared.url + path if path else deaf_url, option, 300)
    assert answer["result"] == result
    assert answer["ms"] <= 300 + 1000 + LATE


def test_H7_cancelled_before_the_start_sends_nothing(server):
    answer = ask(server.url + "/echo", "-c", -1)
    assert answer["result"] == CANCELLED
    assert not server.counts


@pytest.mark.parametrize("threads", [1, 4])
def test_H7_max_rate_is_of_all_doors(shared, threads):
    keys = ["max_rate=100000", "idle_timeout=1500"]
    started = time.monotonic()
    answers, _ = run(f"{shared.url}/bytes/{400000 // threads}", "-t", threads, keys=keys)
    took = time.monotonic() - started
    assert [a["result"] for a in answers] == [0] * threads
    assert 2.5 <= took <= 8


# ---- requests that are not sent

@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/passwd", "/echo", "http://",
                                 "http://u@127.0.0.1/"])
def test_malformed_urls(url):
    answer = ask(url)
    assert answer["result"] == INVALID_ARG


def test_header_injection(shared):
    answer = ask(shared.url + "/echo", "-H", "X-A: 1\r\nX-B: 2")
    assert answer["result"] == INVALID_ARG
    answer = ask(shared.url + "/echo", "-m", "GET / HTTP/1.1\r\nX: ")
    assert answer["result"] == INVALID_ARG
