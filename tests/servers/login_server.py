# SPDX-License-Identifier: MIT
"""Log-ins in front of a real DICOMweb server: what /KIND/dicom-web/... asks for goes to `upstream`
once the request is logged in in the way of KIND, and counts how often that was needed.

    /vitrea/login                      POST with X-Userid, X-Password, X-Realm: a session cookie, or 401
    /impax/wado                        a form and a session cookie
    /impax/wado/j_security_check       403 where the session may log in, `Login Failed!` with 200 else
    /oauth2/token                      the token endpoint of client credentials
    /bearer                            takes the token `bearer` of the state
    /moved /elsewhere                  as impax; who is not logged in gets the form by a redirect:
                                       to this server (moved), to the other listener (elsewhere)
    /closed                            a page that is no form; /stuck the form, logged in or not

Users: reader, secret (also as client of oauth2). A log-in lasts for `uses` requests.
"""
import base64
import collections
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import http_server

USER, PASSWORD, REALM = "reader", "s3cret-&%+ü", "Ward 7"
FORM = (b"<html><head><title>Log in</title></head><body><form action='j_security_check'>"
        b"<input name='j_username'><input name='j_password'></form></body></html>")
FAILED = b"<html><body>Login Failed!</body></html>"


class Logins:
    """Who is logged in. `uses`: requests a log-in lasts, None for any number."""

    def __init__(self, uses=None):
        self.lock = threading.Lock()
        self.uses = uses
        self.live = {}      # cookie or token: requests left
        self.known = set()  # cookies of sessions that are not logged in
        self.count = 0      # log-ins granted
        self.refused = 0    # log-ins refused
        self.locked_out = 0 # requests refused for want of one
        self.number = 0

    def name(self, kind):
        with self.lock:
            self.number += 1
            return f"{kind}-{self.number}"

    def grant(self, name):
        with self.lock:
            self.count += 1
            self.live[name] = self.uses
        time.sleep(0.05)  # long enough for other requests to be refused meanwhile

    def refuse(self):
        with self.lock:
            self.refused += 1

    def use(self, name):
        """Takes one of the log-in's requests."""
        with self.lock:
            if name not in self.live:
                self.locked_out += 1
                return False
            if self.live[name] is not None:
                self.live[name] -= 1
                if self.live[name] == 0:
                    del self.live[name]
                    self.known.discard(name)
            return True


class Handler(http_server.Handler):
    def cookie(self):
        for item in (self.headers.get("Cookie") or "").split(";"):
            name, _, value = item.strip().partition("=")
            if name == "JSESSIONID":
                return value
        return None

    def text(self, name):
        """A field as the program sends it: UTF-8, which Python reads as Latin-1."""
        return (self.headers.get(name) or "").encode("latin-1").decode("utf-8", "replace")

    def bearer(self):
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        return token if scheme == "Bearer" else None

    def wanted(self):
        return f"{self.command} {self.path}"

    # ---- the server behind

    def forward(self):
        state = self.server.state
        path = self.path.split("/", 2)[2]
        root = state.upstream
        if isinstance(root, dict):
            word, _, path = path.partition("/")
            root = root[word]
        request = urllib.request.Request(f"{root}/{path}", data=self.body or None,
                                         method=self.command)
        for name in ("Accept", "Content-Type"):
            if self.headers.get(name):
                request.add_header(name, self.headers[name])
        time.sleep(state.delay)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                code, headers, body = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            code, headers, body = error.code, error.headers, error.read()
        with state.lock:
            state.served[self.wanted()] += 1
        self.answer(code, body, headers.get("Content-Type", "text/plain"))

    # ---- log-ins

    def do_vitrea(self, *words):
        logins = self.server.state.logins
        if words != ("login",):
            if logins.use(self.cookie()):
                self.forward()
            else:
                self.answer(401, b"no session", "text/plain")
            return
        given = (self.command, self.text("X-Userid"), self.text("X-Password"), self.text("X-Realm"))
        if given != ("POST", USER, PASSWORD, REALM):
            logins.refuse()
            self.answer(401, b"wrong user", "text/plain")
            return
        name = logins.name("vitrea")
        logins.grant(name)
        self.answer(200, b"{}", "application/json", [("Set-Cookie", f"JSESSIONID={name}; Path=/")])

    def form(self):
        """A session begins where there is none, or no more."""
        logins = self.server.state.logins
        fields = []
        if self.cookie() not in logins.known:
            name = logins.name("session")
            logins.known.add(name)
            fields = [("Set-Cookie", f"JSESSIONID={name}; Path=/")]
        self.answer(200, FORM, "text/html", fields)

    def do_impax(self, *words):
        logins = self.server.state.logins
        if words == ("wado",) or words == ("form",):
            self.form()
        elif words == ("wado", "j_security_check"):
            self.security_check()
        elif logins.use(self.cookie()):
            self.forward()
        else:
            self.form()

    def security_check(self):
        logins = self.server.state.logins
        if self.cookie() not in logins.known:
            self.answer(400, b"no session to log in to", "text/plain")
        elif (self.option("j_username"), self.option("j_password")) == (USER, PASSWORD):
            logins.grant(self.cookie())
            self.answer(403, b"nothing was asked for", "text/plain")
        else:
            logins.refuse()
            self.answer(200, FAILED, "text/html")

    def do_moved(self, *_, where=""):
        if self.server.state.logins.use(self.cookie()):
            self.forward()
        else:
            self.answer(302, b"", "text/plain", [("Location", where + "/impax/form")])

    def do_elsewhere(self, *_):
        self.do_moved(where=self.server.state.other_url)

    def do_closed(self, *_):
        self.do_html()

    def do_stuck(self, *_):
        self.form()

    def do_oauth2(self, *words):
        if words == ("token",):
            self.token()
        elif self.server.state.logins.use(self.bearer()):
            self.forward()
        else:
            self.answer(401, b"no token", "text/plain", [("WWW-Authenticate", "Bearer")])

    def client(self):
        """Client and secret from the header or the form, and how they came."""
        form = dict(urllib.parse.parse_qsl(self.body.decode()))
        scheme, _, coded = (self.headers.get("Authorization") or "").partition(" ")
        if scheme == "Basic":
            pair = base64.b64decode(coded).decode().split(":")
            return [urllib.parse.unquote_plus(half) for half in pair], "header", form
        return [form.pop("client_id", None), form.pop("client_secret", None)], "body", form

    def token(self):
        state = self.server.state
        client, how, form = self.client()
        state.token_requests.append((how, form))
        if state.token_answer:
            code, kind, body = state.token_answer
            self.answer(code, body, kind)
        elif client != [USER, PASSWORD]:
            state.logins.refuse()
            body = {"error": "invalid_client", "error_description": "no such client\x1b[31m"}
            self.answer(401, json.dumps(body).encode(), "application/json")
        else:
            name = state.logins.name("token-s3cret")
            state.logins.grant(name)
            body = {"access_token": name, "token_type": "bearer"}
            if state.expires_in is not None:
                body["expires_in"] = state.expires_in
            self.answer(200, json.dumps(body).encode(), "application/json")

    def do_bearer(self, *_):
        if self.bearer() == self.server.state.bearer:
            self.forward()
        else:
            self.answer(401, b"no token", "text/plain", [("WWW-Authenticate", "Bearer")])


class LoginServer(http_server.HttpServer):
    """`upstream`: the root of the server behind, or roots by the first word of the path. `delay`: seconds each of its answers takes."""

    def __init__(self, upstream, uses=None, delay=0, expires_in=None):
        super().__init__(handler=Handler)
        state = self.state
        state.upstream, state.delay, state.expires_in = upstream, delay, expires_in
        state.logins = Logins(uses)
        state.served = collections.Counter()
        state.token_requests = []
        state.token_answer = None  # (status, content type, body) in place of what it would say
        state.bearer = None
        state.other_url = self.other_url

    @property
    def logins(self):
        return self.state.logins

    @property
    def served(self):
        """How often each request went on to the server behind."""
        with self.state.lock:
            return dict(self.state.served)
