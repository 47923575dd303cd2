# SPDX-License-Identifier: MIT
"""H8 of the HTTP module: log-ins."""
import pytest

from http_probe import (AUTH, INVALID_ARG, INVALID_CONFIG, PERMANENT, STOP_ALL, UNSUPPORTED, ask,
                        environment, run, server, shared)  # noqa: F401

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
def test_H8_refused_password_is_not_tried_by_every_worker(server, scheme):
    """Servers lock users out: one attempt, whatever the number of workers and of requests."""
    url = f"{server.url}/{scheme}?user=u&password=right"
    answers, _ = run(url, "-n", 2, "-t", 8, keys=[f"auth={scheme}", "user=u", "password=wr0ng"])
    assert [a["result"] for a in answers] == [AUTH] * 16
    assert {a["flags"] for a in answers} == {PERMANENT | STOP_ALL}
    assert all("check user and password of [session pacs]" in a["message"] for a in answers)
    assert server.counts["/" + scheme] == (1 if scheme == "basic" else 2)


def test_H8_password_that_worked_is_tried_once_more_by_one_worker(server):
    """Of the requests that were on their way when the first was refused, one is repeated."""
    workers, good = 8, 8
    path = f"/revoked/{good}"
    answers, _ = run(f"{server.url}{path}?user=u&password=p", "-n", 4, "-t", workers,
                     keys=["auth=basic", "user=u", "password=p"])
    results = [a["result"] for a in answers]
    assert len(results) == 4 * workers
    assert (results.count(0), results.count(AUTH)) == (good, 4 * workers - good)
    assert good + 2 <= server.counts[path] <= good + workers + 1


def test_H8_forgotten_log_in_is_repeated(server):
    answers, _ = run(f"{server.url}/forgotten/9?user=u&password=p", "-n", 4, "-t", 8,
                     keys=["auth=basic", "user=u", "password=p"])
    assert [a["result"] for a in answers] == [0] * 32
    assert server.counts["/forgotten/9"] == 33


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
