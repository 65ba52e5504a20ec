#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signing in, sessions, CSRF, roles and headers of a real tocsind, as a browser and as an attacker see them."""
import html
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish  # noqa: E402
from daemon import BUILD, Daemon, wait_for  # noqa: E402



class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()
        self.text = self.body.decode("utf-8", "replace")

    def header(self, name):
        return self.headers.get(name, "")

    def __repr__(self):
        return "%d %s %r" % (self.status, dict(self.headers), self.text[:300])


class Browser:
    """Keeps cookies and says what browsers say of themselves; follows nothing by itself."""

    def __init__(self, daemon, address="127.0.0.1"):
        self.daemon, self.cookies, self.csrf, self.address = daemon, {}, None, address

    def request(self, method, path, body=None, headers=None, site="same-origin", origin=True):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=60, source_address=(self.address, 0))
        said = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
        if self.cookies:
            said["Cookie"] = "; ".join("%s=%s" % pair for pair in self.cookies.items())
        if method not in ("GET", "HEAD"):
            if origin:
                said["Origin"] = self.daemon.url if origin is True else origin
            if isinstance(body, dict):
                said["Content-Type"], body = "application/x-www-form-urlencoded", urllib.parse.urlencode(body)
        if site:
            said["Sec-Fetch-Site"] = site
        said.update(headers or {})
        try:
            connection.request(method, path, body, {k: v for k, v in said.items() if v is not None})
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            if "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def form(self, path="/sign-in"):
        """-> the hidden fields of the page's form."""
        page = self.get(path, site="none")
        form = page.text[page.text.find('action="/sign-in"'):]
        found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
        return {name: html.unescape(value) for name, value in found}

    def sign_in(self, token=None, path="/sign-in", **fields):
        form = self.form(path)
        if token:
            form["token"] = token
        form.update(fields)
        answer = self.request("POST", "/sign-in", form)
        if answer.status == 303:
            self.csrf = json.loads(self.get("/api/v1/me").text)["csrf"]
        return answer

    def act(self, method, path, body=b"{}", **more):
        """What a script of a page does."""
        headers = {"Accept": "*/*", "X-CSRF-Token": self.csrf}
        headers.update(more.pop("headers", {}))
        return self.request(method, path, body, headers=headers, **more)


def make_token(daemon, **wish):
    status, body = daemon.request("POST", "/api/v1/tokens", json.dumps(wish).encode())
    assert status == 201, body
    return json.loads(body)


def signing_in(daemon):
    browser = Browser(daemon)
    page = browser.get("/sign-in", site="none")
    check("the sign-in page needs nobody and no script", page.status == 200 and 'method="post" action="/sign-in"' in page.text and "<script>" not in page.text, page)
    answer = browser.sign_in(daemon.token("admin"))
    check("a token signs in", answer.status == 303 and answer.header("Location") == "/", answer)
    lines = answer.headers.get_all("Set-Cookie")
    line = [one for one in lines if one.startswith("tocsin_session=")][0]
    check("the cookie is HttpOnly, SameSite=Strict, Path=/", all(w in line for w in ("; HttpOnly", "; SameSite=Strict", "; Path=/;")), line)
    check("it is not Secure over plain HTTP", "Secure" not in line, line)
    check("the form's cookie is gone", "tocsin_sign_in" not in browser.cookies, browser.cookies)
    me = json.loads(browser.get("/api/v1/me").text)
    check("/me says who", (me["name"], me["role"], me["how"], me["namespaces"]) == ("admin", "admin", "token", []), me)
    check("/me says since when and how long", me["signed_in"] < me["expires"] and me["session"] > 0, me)
    with open(os.path.join(daemon.data, "tocsin.db"), "rb") as f, open(os.path.join(daemon.data, "tocsin.db-wal"), "rb") as wal:
        stored = f.read() + wal.read()
    check("the cookie is not in the database", browser.cookies["tocsin_session"].encode() not in stored)
    bearer = json.loads(daemon.get("/api/v1/me")[1])
    check("a bearer has no CSRF token", bearer["how"] == "bearer" and "csrf" not in bearer, bearer)
    audit = json.loads(daemon.get("/api/v1/audit?limit=1")[1])["items"][0]
    check("signing in is audited", audit["action"] == "session.begin" and audit["actor"] == "token:admin", audit)
    check("an ingest token does not sign in", Browser(daemon).sign_in(daemon.token("ingest")).status == 403)
    wrong = Browser(daemon).sign_in("tsn_" + "A" * 43)
    check("a wrong token is 401, on the page", wrong.status == 401 and 'role="alert"' in wrong.text, wrong)
    return browser


def links(daemon):
    done = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "--server", daemon.url, "sign-in"], capture_output=True, text=True,
                          env=dict(os.environ, TOCSIN_DATA=daemon.data))
    path = done.stdout.strip()[len(daemon.url):]
    check("tocsin sign-in prints a link", done.returncode == 0 and path.startswith("/sign-in?link="), done)
    for _ in range(2):
        page = Browser(daemon).get(path, site="none")
        check("looking at it does not use it up", page.status == 200 and 'name="link"' in page.text, page)
    browser = Browser(daemon)
    check("it signs in", browser.sign_in(path=path).status == 303)
    me = json.loads(browser.get("/api/v1/me").text)
    check("as the token it was made with", me["name"] == "admin" and me["how"] == "link", me)
    again = Browser(daemon).sign_in(path=path)
    check("once", again.status == 401 and 'name="link"' not in again.text, again)
    check("a session makes no links", browser.act("POST", "/api/v1/sign-in-links").status == 403)
    viewer = make_token(daemon, name="linker", role="viewer")
    made = daemon.request("POST", "/api/v1/sign-in-links", b"{}", viewer["token"])
    check("a viewer's token makes a viewer's link", made[0] == 201, made)
    daemon.request("DELETE", "/api/v1/tokens/%d" % viewer["id"])
    ended = Browser(daemon).sign_in(path=json.loads(made[1])["path"])
    check("which ends with the token", ended.status == 401, ended)


def sessions(daemon):
    viewer = make_token(daemon, name="ann", role="viewer")
    first, second, admin = Browser(daemon), Browser(daemon), Browser(daemon)
    first.sign_in(viewer["token"])
    second.sign_in(viewer["token"])
    admin.sign_in(daemon.token("admin"))
    own = json.loads(first.get("/api/v1/sessions").text)["items"]
    check("one sees one's own sessions", [s["name"] for s in own] == ["ann", "ann"] and [s["current"] for s in own] == [False, True], own)
    everybody = json.loads(admin.get("/api/v1/sessions").text)["items"]
    check("an admin sees all", {s["name"] for s in everybody} >= {"ann", "admin"}, everybody)
    page = json.loads(admin.get("/api/v1/sessions?limit=1").text)
    check("page by page", len(page["items"]) == 1 and json.loads(
        admin.get("/api/v1/sessions?limit=1&after=%s" % page["next"]).text)["items"][0]["id"] == everybody[1]["id"], page)
    foreign = [s["id"] for s in everybody if s["name"] == "admin"][0]
    check("somebody else's is not found", first.act("DELETE", "/api/v1/sessions/%d" % foreign, None).status == 404)
    check("one ends one's own", first.act("DELETE", "/api/v1/sessions/%d" % own[0]["id"], None).status == 200)
    check("which opens nothing any more", second.get("/api/v1/me").status == 401)
    check("ended once", first.act("DELETE", "/api/v1/sessions/%d" % own[0]["id"], None).status == 404)
    check("an admin ends anybody's", admin.act("DELETE", "/api/v1/sessions/%d" % own[1]["id"], None).status == 200)
    check("… at once", first.get("/api/v1/me").status == 401)
    second.sign_in(viewer["token"])
    check("a token is revoked", admin.act("DELETE", "/api/v1/tokens/%d" % viewer["id"], None).status == 200)
    check("and its sessions with it", second.get("/api/v1/me").status == 401)
    out = admin.request("POST", "/sign-out", {"csrf": "wrong"})
    check("signing out needs the CSRF token", out.status == 403 and admin.get("/api/v1/me").status == 200, out)
    kept = dict(admin.cookies)
    out = admin.request("POST", "/sign-out", {"csrf": admin.csrf})
    check("signing out leads to the sign-in page", out.status == 303 and out.header("Location") == "/sign-in", out)
    check("and takes the cookie back", "tocsin_session" not in admin.cookies, out)
    admin.cookies = kept
    check("a kept cookie opens nothing", admin.get("/api/v1/me").status == 401)
    actions = [e["action"] for e in json.loads(daemon.get("/api/v1/audit?limit=50")[1])["items"]]
    check("ends are audited", actions.count("session.end") >= 3, actions)


def restart(daemon, browser):
    check("the daemon ends", daemon.stop() == 0)
    daemon.start()
    check("a session survives a restart", browser.get("/api/v1/me").status == 200)


def csrf(daemon, browser):
    """A page of somebody else makes the browser send what it likes; cookies go along."""
    wish = json.dumps({"name": "forged", "role": "admin"}).encode()

    def forge(what, headers, **more):
        answer = browser.request("POST", "/api/v1/tokens", wish, headers=headers, **more)
        names = [t["name"] for t in json.loads(daemon.get("/api/v1/tokens")[1])["items"]]
        check("CSRF: %s is refused" % what, answer.status == 403 and "forged" not in names, (answer, names))
        return answer

    good = {"X-CSRF-Token": browser.csrf}
    told = forge("no token", {})
    check("CSRF: the problem says what to do", "X-CSRF-Token" in told.text, told)
    forge("a wrong token", {"X-CSRF-Token": "A" * 43})
    forge("another origin", good, origin="https://evil.example", site=None)
    forge("the same host on another port", good, origin="http://127.0.0.1:1", site=None)
    forge("another site", good, site="cross-site")
    forge("a sibling's site", good, site="same-site")
    forge("no origin at all", good, site=None, origin=None)
    forge("an origin of null", good, site=None, origin="null")
    other = Browser(daemon)
    other.sign_in(daemon.token("admin"))
    forge("another session's token", {"X-CSRF-Token": other.csrf})
    form = Browser(daemon).form()
    login = Browser(daemon).request("POST", "/sign-in", dict(form, token=daemon.token("admin")))
    check("CSRF: nobody is signed in by another's form", login.status == 403 and not login.header("Location"), login)
    login = Browser(daemon)
    answer = login.request("POST", "/sign-in", dict(login.form(), token=daemon.token("admin")), origin="https://evil.example", site="cross-site")
    check("CSRF: nor from another site", answer.status == 403, answer)
    answer = login.request("POST", "/sign-in", dict(login.form(), token=daemon.token("admin")), origin="null")
    check("CSRF: a form of a page without referrer signs in", answer.status == 303, answer)
    made = browser.request("POST", "/api/v1/tokens", b'{"name":"meant","role":"viewer"}', headers=good)
    check("CSRF: what a page of ours means is done", made.status == 201, made)
    check("CSRF: bearers need none", daemon.request("DELETE", "/api/v1/tokens/%d" % json.loads(made.text)["id"])[0] == 200)


def clickjacking(daemon, browser):
    for path in ("/sign-in", "/api/v1/incidents", "/api/v1/nothing", "/nothing"):
        for who in (browser, Browser(daemon)):
            answer = who.get(path)
            check("clickjacking: %s is not framed" % path, "frame-ancestors 'none'" in answer.header("Content-Security-Policy"), answer)
    policy = browser.get("/sign-in").header("Content-Security-Policy")
    check("pages: no inline scripts or styles", policy == "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
          "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", policy)
    answer = browser.get("/sign-in")
    check("pages: nosniff, no referrer, an opener group of its own", (
        answer.header("X-Content-Type-Options"), answer.header("Referrer-Policy"), answer.header("Cross-Origin-Opener-Policy")) ==
        ("nosniff", "no-referrer", "same-origin"), answer)


def fixation(daemon):
    browser = Browser(daemon)
    browser.cookies["tocsin_session"] = "F" * 43
    browser.sign_in(daemon.token("admin"))
    first = browser.cookies["tocsin_session"]
    check("fixation: a planted id is not taken", first != "F" * 43 and browser.get("/api/v1/me").status == 200)
    browser.sign_in(daemon.token("admin"))
    check("fixation: signing in again gives a new id", browser.cookies["tocsin_session"] != first)
    old = Browser(daemon)
    old.cookies["tocsin_session"] = first
    check("fixation: and the old one ends", old.get("/api/v1/me").status == 401)
    twice = browser.get("/api/v1/me", headers={"Cookie": "tocsin_session=%s; tocsin_session=%s" % (browser.cookies["tocsin_session"], "F" * 43)})
    check("fixation: of two cookies none counts", twice.status == 401, twice)


def raw(daemon, request):
    with socket.create_connection(("127.0.0.1", daemon.port), 60) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while True:
            part = connection.recv(65536)
            if not part:
                return answer
            answer += part


def traversal(daemon, browser):
    for path in ("/../../etc/passwd", "/assets/../../../etc/passwd", "/assets/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd",
                 "/api/v1/alerts/..%2f..%2f..%2fadmin.token", "/api/v1/alerts/%00", "/..%5c..%5cadmin.token", "//etc/passwd"):
        answer = browser.get(path)
        check("traversal: %s is no file" % path, answer.status in (400, 404) and "root:" not in answer.text and "tsn_" not in answer.text, answer)


def header_injection(daemon, browser):
    for after in ("/x%0d%0aSet-Cookie:%20a=b", "/\r\nSet-Cookie: a=b", "/x\nLocation: http://evil.example"):
        who = Browser(daemon)
        answer = who.sign_in(daemon.token("admin"), next=after)
        cookies = [line.split("=")[0] for line in answer.headers.get_all("Set-Cookie")]
        check("header injection: next=%r adds no header" % after, answer.status == 303 and "a" not in cookies and
              "evil" not in answer.header("Location") and "\n" not in answer.header("Location"), answer)
    answer = raw(daemon, b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nCookie: tocsin_session=a\r\n b\r\nConnection: close\r\n\r\n")
    check("header injection: a folded header is no way in", b" 401 " in answer.split(b"\r\n")[0] or b" 400 " in answer.split(b"\r\n")[0], answer)


def smuggling(daemon):
    body = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n"
    for what, headers in (("two lengths", b"Content-Length: 0\r\nContent-Length: %d" % len(body)),
                          ("a length and chunks", b"Content-Length: %d\r\nTransfer-Encoding: chunked" % len(body)),
                          ("two encodings", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
                          ("a length with a sign", b"Content-Length: +%d" % len(body))):
        answer = raw(daemon, b"POST /sign-in HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s" % (headers, body))
        check("smuggling: %s is one refused request" % what, b" 400 " in answer.split(b"\r\n")[0] and
              b" 401 " not in answer and b" 200 " not in answer, answer)


def open_redirect(daemon):
    for after in ("https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/\t/evil.example",
                  "evil.example", "/%09/evil.example" + "x" * 4096):
        path = "/sign-in?next=" + urllib.parse.quote(after) if len(after) < 100 else "/sign-in"
        answer = Browser(daemon).sign_in(daemon.token("admin"), path=path, next=after)
        check("open redirect: next=%.30r stays here" % after, answer.status == 303 and answer.header("Location") == "/", answer)
    answer = Browser(daemon).sign_in(daemon.token("admin"), path="/sign-in?next=" + urllib.parse.quote("/incidents?q=sev>=high&x=1"))
    check("open redirect: a path of ours is kept", answer.header("Location") == "/incidents?q=sev>=high&x=1", answer)


def private_caching(daemon, browser):
    for path in ("/api/v1/me", "/api/v1/incidents", "/api/v1/sessions", "/sign-in"):
        answer = browser.get(path)
        check("private caching: %s is kept nowhere" % path, answer.status == 200 and answer.header("Cache-Control") == "no-store", answer)
    answer = browser.sign_in(daemon.token("admin"))
    check("private caching: nor is the answer with the cookie", answer.header("Cache-Control") == "no-store", answer)


def throttled(daemon):
    """From addresses of its own, so that the others may still sign in."""
    guesser = Browser(daemon, "127.0.0.77")
    seen = [guesser.sign_in("tsn_" + "A" * 43) for _ in range(7)]
    check("a few failures are free, then one waits", [a.status for a in seen[:5]] == [401] * 5 and seen[-1].status == 429, seen)
    check("429 says for how long", 0 < int(seen[-1].header("Retry-After")) <= 2, seen[-1])
    right = guesser.sign_in(daemon.token("admin"))
    check("the right token waits too", right.status == 429, right)
    check("other addresses do not", Browser(daemon, "127.0.0.78").sign_in(daemon.token("admin")).status == 303)
    wait_for(lambda: guesser.sign_in(daemon.token("admin")).status == 303, 30, "the address may sign in again")
    check("afterwards it signs in", guesser.get("/api/v1/me").status == 200)
    for i in range(100, 122):
        for _ in range(5):
            Browser(daemon, "127.0.0.%d" % i).sign_in("tsn_" + "A" * 43)
    fresh = Browser(daemon, "127.0.0.200").sign_in(daemon.token("admin"))
    check("very many failures make strangers wait", fresh.status == 429, fresh)
    known = Browser(daemon, "127.0.0.78").sign_in(daemon.token("admin"))
    check("but not who signed in before", known.status == 303, known)


def behind_a_proxy(folder):
    """A proxy speaks TLS for it: console.url says what browsers see."""
    daemon = Daemon(os.path.join(folder, "proxied"))
    os.environ["TOCSIN_CONSOLE_URL"] = "https://tocsin.example.com"
    try:
        daemon.start()
        browser = Browser(daemon)
        form = dict(browser.form(), token=daemon.token("admin"))
        inner = browser.request("POST", "/sign-in", form, site=None)
        check("proxy: the inner address is no origin of ours", inner.status == 403, inner)
        answer = browser.request("POST", "/sign-in", form, site=None, origin="https://tocsin.example.com")
        lines = answer.headers.get_all("Set-Cookie")
        check("proxy: cookies are Secure behind https", answer.status == 303 and all("; Secure" in line for line in lines), answer)
    finally:
        del os.environ["TOCSIN_CONSOLE_URL"]
        daemon.kill()


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            browser = signing_in(daemon)
            links(daemon)
            sessions(daemon)
            csrf(daemon, browser)
            clickjacking(daemon, browser)
            fixation(daemon)
            traversal(daemon, browser)
            header_injection(daemon, browser)
            smuggling(daemon)
            open_redirect(daemon)
            private_caching(daemon, browser)
            throttled(daemon)
            restart(daemon, browser)
            check("tocsind ends with 0", daemon.stop() == 0)
            behind_a_proxy(folder)
        finally:
            daemon.kill()
    return finish()


if __name__ == "__main__":
    sys.exit(main())
