# SPDX-License-Identifier: MIT
"""The HTTP module against a server that misbehaves on demand. H1 to H12 are the properties that every
plugin speaking HTTP gets from it."""
import email.utils
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "servers"))
from http_server import HttpServer, pattern  # noqa: E402

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
        pytest.skip("needs the openssl program")
    for name, subject in (("server", "localhost"), ("wrong", "elsewhere.example")):
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
             folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj", f"/CN={subject}",
             "-addext", f"subjectAltName=DNS:{subject}"], check=True, capture_output=True)
    return folder


def sha256(data):
    return hashlib.sha256(data).hexdigest()


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


# ---- H8: log-ins

@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_H8_own_schemes(server, scheme):
    url = f"{server.url}/{scheme}?user=reader&password=s3cret"
    keys = [f"auth={scheme}", "user=reader", "password=s3cret"]
    answers, _ = run(url, "-o", "-n", 3, keys=keys)
    assert [a["result"] for a in answers] == [0, 0, 0]
    assert [a["heads"] for a in answers] == [1, 1, 1]
    # One request each; digest has one challenge more, and remembers it.
    assert server.counts["/" + scheme] == (3 if scheme == "basic" else 4)
    assert server.connections == 1


def test_H8_digest_sends_the_body_after_the_challenge(shared):
    url = shared.url + "/digest?user=u&password=p"
    answer = ask(url, "-o", "-m", "POST", "-d", "payload", keys=["auth=digest", "user=u",
                                                                 "password=p"])
    assert answer.echo["body"] == "payload"


def test_H8_netrc(shared, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login u password p\n")
    url = shared.url + "/basic?user=u&password=p"
    answer = ask(url, keys=["auth=netrc"], env=environment(HOME=str(tmp_path)))
    assert answer["result"] == 0


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_H8_refused_password_is_tried_once(server, scheme):
    url = f"{server.url}/{scheme}?user=u&password=right"
    answer = ask(url, keys=[f"auth={scheme}", "user=u", "password=wr0ng"])
    assert answer["result"] == AUTH
    assert answer["flags"] == PERMANENT | STOP_ALL
    assert answer["heads"] == 1
    assert server.counts["/" + scheme] == (1 if scheme == "basic" else 2)


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_H8_changed_password_is_read_again(server, scheme):
    url = f"{server.url}/{scheme}?user=u&password=new"
    keys = [f"auth={scheme}", "user=u", "password=old", "password_new=new"]
    answers, _ = run(url, "-n", 2, "-t", 4, keys=keys)
    assert [a["result"] for a in answers] == [0] * 8
    assert [a["heads"] for a in answers] == [1] * 8


@pytest.mark.parametrize("path", ["/token", "/page-login"])
def test_H8_one_login_per_expiry_and_not_one_per_worker(server, path):
    keys = ["auth=token", f"login_url={server.url}/login"]
    answers, _ = run(server.url + path, "-o", "-n", 3, "-t", 8, keys=keys)
    assert [a["result"] for a in answers] == [0] * 24
    assert [a["heads"] for a in answers] == [1] * 24
    assert server.counts["/login"] == 1
    # The log-in's cookie is in the jar that all doors share.
    assert answers[-1].sent["cookie"] == "login=yes"


def test_H8_login_again_in_mid_job(server):
    keys = ["auth=token", f"login_url={server.url}/login"]
    urls = [server.url + path for path in ("/token", "/expire", "/token", "/token")]
    answers, _ = run(urls, keys=keys)
    assert [a["result"] for a in answers] == [0] * 4
    assert server.counts["/login"] == 2
    assert server.counts["/token"] == 5  # two refused, three answered


def test_H8_refused_login_is_not_tried_by_every_worker(server):
    keys = ["auth=token", f"login_url={server.url}/login/refused"]
    answers, _ = run(server.url + "/token", "-t", 8, keys=keys)
    assert [a["result"] for a in answers] == [AUTH] * 8
    assert all(a.get("failure") == AUTH for a in answers)
    assert any("log-in refused with 401" in a["message"] for a in answers)
    assert server.counts["/login/refused"] < 8


def test_H8_what_is_no_challenge_stands(server):
    keys = ["auth=token", f"login_url={server.url}/login"]
    answer = ask(server.url + "/status/403?body=not%20yours", "-o", "-E", keys=keys)
    assert (answer["result"], answer["body"], answer["heads"]) == (AUTH, "not yours", 1)
    answer = ask(server.url + "/html", "-o", keys=keys)
    assert (answer["result"], answer["heads"]) == (0, 1)
    assert "Maintenance" in answer["body"]
    assert "/login" not in server.counts


def test_H8_endless_challenges_end(server):
    # Every log-in is accepted, and no request after it.
    keys = ["auth=token", f"login_url={server.url}/login"]
    answer = ask(server.url + "/status/401", keys=keys)
    assert answer["result"] == AUTH
    assert server.counts["/status/401"] == 3


def test_H8_query_of_an_auth_plugin_stays_out_of_messages(server):
    keys = ["auth=token", "token_query=access_token", f"login_url={server.url}/login"]
    answer = ask(server.url + "/echo?a=1", "-o", keys=keys)
    assert answer.echo["path"] == "/echo?a=1&access_token=a%20b%26c"
    assert "access_token" not in answer["url"]
    answer = ask(server.url + "/status/404", keys=[*keys, "log_phi=1"])
    assert "access_token" not in answer["message"]


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_H8_scheme_that_an_auth_plugin_chooses(server, scheme):
    url = f"{server.url}/{scheme}?user=reader&password=s3cret"
    keys = ["auth=chosen", f"scheme={scheme}", "user=reader", "password=s3cret"]
    answers, _ = run(url, "-n", 2, keys=keys)
    assert [a["result"] for a in answers] == [0, 0]
    # Chosen for one request, it is gone with the next.
    answers, _ = run(url, "-n", 2, keys=[*keys, "lent=1"])
    assert [a["result"] for a in answers] == [0, AUTH]


def test_H8_scheme_that_an_auth_plugin_chooses_stays_at_home(server):
    keys = ["auth=chosen", "scheme=basic", "user=u", "password=p"]
    answer = ask(f"{server.url}/redirect?to={server.other_url}/echo", "-o", keys=keys)
    assert "authorization" not in answer.sent


@pytest.mark.parametrize("keys, result", [
    (["scheme=ntlm", "user=u"], UNSUPPORTED), (["scheme=basic"], INVALID_ARG), ([], 0)])
def test_H8_scheme_that_does_not_exist(shared, keys, result):
    assert ask(shared.url + "/echo", keys=["auth=chosen", *keys])["result"] == result


def test_H8_log_in_starts_over_from_the_request_s_own_url(server):
    """Who is redirected to a log-in page gets what was asked for, not that page, after the log-in."""
    keys = ["auth=token", f"login_url={server.url}/login"]
    answer = ask(f"{server.url}/redirect?to=/page-login", "-o", keys=keys)
    assert (answer["result"], answer["heads"]) == (0, 1)
    assert server.counts["/redirect"] == 2


@pytest.mark.parametrize("target", ["url", "other_url"])
def test_H8_page_that_stays_after_the_log_in_is_a_refusal(server, target):
    keys = ["auth=token", f"login_url={server.url}/login"]
    page = f"{getattr(server, target)}/status/200?type=text/html%26body=log%20in"
    answer = ask(f"{server.url}/redirect?to={page}", keys=keys)
    assert (answer["result"], answer["heads"]) == (AUTH, 0)
    assert "still answers with an HTML page" in answer["message"]
    assert server.counts["/login"] == 2


def test_H8_values_of_a_log_in_s_url_are_never_told(server):
    keys = ["auth=token", f"login_url={server.url}/status/500?password=s3cr3t", "log_phi=1"]
    answers, log = run(server.url + "/token?a=shown", keys=keys)
    assert "a=shown" in log and "s3cr3t" not in log
    assert "s3cr3t" not in answers[0].get("message", "")


def test_H8_unknown_auth_is_a_configuration_error(shared):
    answers, _ = run(shared.url + "/echo", keys=["auth=basik"])
    assert answers[0]["open"] == INVALID_CONFIG
    answers, _ = run(shared.url + "/echo", keys=["auth=basic"])
    assert answers[0]["open"] == INVALID_CONFIG
    assert "needs user" in answers[0]["message"]


def test_H8_secrets_are_in_no_message_and_no_log(server):
    keys = ["auth=basic", "user=u", "password=s3cr3t-word", "log_phi=1",
            "header=X-Api-Key: s3cr3t-key"]
    urls = [server.url + "/echo", server.url + "/status/401", server.url + "/short/10",
            "http://u:s3cr3t-url@127.0.0.1/"]
    answers, log = run(urls, keys=keys)
    assert "s3cr3t" not in log
    assert not any("s3cr3t" in answer.get("message", "") for answer in answers)
    assert answers[3]["result"] == INVALID_ARG


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
        assert ask(server.tls_url + "/echo", keys=keys[:1])["result"] in (NETWORK, TRUNCATED)
        assert ask(server.tls_url + "/echo", keys=keys)["result"] == 0
        answers, _ = run([server.tls_url + "/echo", f"{server.url}/redirect?to={server.tls_url}/echo"],
                         keys=keys)
        assert answers[0]["result"] == 0
        assert answers[1]["result"] == NETWORK


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
        pytest.skip("needs nginx")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
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


def test_tls_handshake_that_never_ends_is_a_connect_timeout():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []
        threading.Thread(target=lambda: held.append(listener.accept()), daemon=True).start()
        answer = ask(f"https://127.0.0.1:{listener.getsockname()[1]}/", keys=["connect_timeout=500"])
        assert answer["result"] == TIMEOUT
        assert answer["ms"] <= 1500 + LATE


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
