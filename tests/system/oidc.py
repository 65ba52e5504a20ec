#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signing in by an identity provider (oidc-provider, from npm) into a real tocsind: as people do it, and as attackers would like to."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from access import Answer, Browser  # noqa: E402
from checks import check, finish  # noqa: E402
from daemon import BUILD, SOURCE, Daemon, free_port, wait_for  # noqa: E402
import http.client  # noqa: E402

TESTS = os.path.join(SOURCE, "tests/system/oidc")
TOOLS = os.path.join(BUILD, "oidc")
ROLES = "staff=viewer; shop-team=analyst:shop,prod/pay; CN=ops,OU=x=admin"


def install():
    """The exact packages of package-lock.json, beside a build; again only when it changes."""
    os.makedirs(TOOLS, exist_ok=True)
    lock = open(os.path.join(TESTS, "package-lock.json")).read()
    stamp = os.path.join(TOOLS, "installed")
    if os.path.exists(stamp) and open(stamp).read() == lock:
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(TESTS, name), TOOLS)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=TOOLS, check=True)
    with open(stamp, "w") as f:
        f.write(lock)


class Provider:
    def __init__(self, callbacks, log, thin=False):
        self.port = free_port()
        self.issuer = "http://127.0.0.1:%d" % self.port
        self.process = subprocess.Popen(["node", os.path.join(TESTS, "provider.mjs"), str(self.port)] + callbacks, stdout=subprocess.PIPE,
                                        stderr=open(log, "ab"), env=dict(os.environ, TOOLS=TOOLS, THIN="1" if thin else ""))
        assert self.process.stdout.readline() == b"ready\n", open(log).read()

    def request(self, method, url, body=None, cookies=None):
        """Cookies are kept by path, as the provider's interactions want it: all are sent."""
        parsed = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {}
        if cookies:
            headers["Cookie"] = "; ".join("%s=%s" % pair for pair in cookies.items())
        if body is not None:
            headers["Content-Type"], body = "application/x-www-form-urlencoded", urllib.parse.urlencode(body)
        connection.request(method, parsed.path + ("?" + parsed.query if parsed.query else ""), body, headers)
        answer = Answer(connection.getresponse())
        connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            cookies[name] = value
        return answer

    def lie(self, how):
        self.request("POST", "/test/lie?how=" + urllib.parse.quote(how))

    def sign_in(self, url, person):
        """A person at the provider: signs in, agrees; -> where the browser is sent back to."""
        cookies = {}
        for _ in range(12):
            answer = self.request("GET", url, cookies=cookies)
            if answer.status in (302, 303):
                url = urllib.parse.urljoin(url, answer.header("Location"))
            elif answer.status == 200:
                prompt = re.search(r'name="prompt" value="(\w+)"', answer.text).group(1)
                action = re.search(r'action="([^"]+)"', answer.text).group(1)
                answer = self.request("POST", action, {"prompt": prompt, "login": person, "password": "x"}, cookies)
                url = urllib.parse.urljoin(url, answer.header("Location"))
            else:
                raise AssertionError("the provider says %r" % answer)
            if "/sign-in/callback" in url:
                return url
        raise AssertionError("the provider goes round in circles: %s" % url)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def settings(daemon, provider, algorithm="RS256", **more):
    values = {"TOCSIN_OIDC_ISSUER": provider.issuer, "TOCSIN_OIDC_CLIENT_ID": "tocsin-" + algorithm,
              "TOCSIN_OIDC_CLIENT_SECRET_FILE": os.path.join(daemon.log_folder, "secret"),
              "TOCSIN_OIDC_REDIRECT_URL": daemon.url + "/sign-in/callback", "TOCSIN_OIDC_ROLES": ROLES,
              "TOCSIN_OIDC_SCOPES": "openid profile groups"}
    values.update(more)
    os.environ.update(values)


def path_of(url):
    parsed = urllib.parse.urlsplit(url)
    return parsed.path + "?" + parsed.query


def begin(browser, after=None):
    """-> the provider's address."""
    answer = browser.get("/sign-in/oidc" + ("?next=" + urllib.parse.quote(after) if after else ""), site="none")
    assert answer.status == 303, answer
    return answer.header("Location")


def come_back(browser, url):
    """The provider sends the browser back: a navigation from elsewhere, which Lax cookies go along with and Strict ones do not."""
    strict = browser.cookies.pop("tocsin_session", None)
    answer = browser.get(path_of(url), site="cross-site")
    if strict and "tocsin_session" not in browser.cookies and answer.status != 200:
        browser.cookies["tocsin_session"] = strict
    return answer


def whole(daemon, provider, person, after=None):
    """-> browser, the answer to its coming back."""
    browser = Browser(daemon)
    return browser, come_back(browser, provider.sign_in(begin(browser, after), person))


def me(browser):
    answer = browser.get("/api/v1/me")
    return json.loads(answer.text) if answer.status == 200 else answer


def people_sign_in(daemon, provider):
    page = Browser(daemon).get("/sign-in?next=/incidents", site="none")
    check("the sign-in page leads to the provider", "/sign-in/oidc?next=%2Fincidents" in page.text and "127.0.0.1" in page.text, page)
    browser = Browser(daemon)
    answer = browser.get("/sign-in/oidc?next=/incidents%3Fq%3Dx", site="none")
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.header("Location")).query))
    check("it asks for a code, with PKCE, state and nonce", asked["response_type"] == "code" and asked["code_challenge_method"] == "S256" and
          min(len(asked[k]) for k in ("code_challenge", "state", "nonce")) == 43 and asked["client_id"] == "tocsin-RS256", asked)
    cookie = [line for line in answer.headers.get_all("Set-Cookie") if line.startswith("tocsin_oidc=")][0]
    check("the attempt is in a cookie for this alone", all(w in cookie for w in ("; HttpOnly", "; SameSite=Lax", "; Path=/sign-in")), cookie)
    check("which does not tell state or nonce", asked["state"] not in cookie and asked["nonce"] not in cookie)
    back = provider.sign_in(answer.header("Location"), "ann")
    kept = dict(browser.cookies)
    answer = come_back(browser, back)
    check("coming back signs in and leads on by a page of ours", answer.status == 200 and 'content="0;url=/incidents?q=x"' in answer.text, answer)
    who = me(browser)
    check("as whom the provider says, with the role of the group", (who["name"], who["role"], who["how"]) == ("ann", "analyst", "oidc"), who)
    check("and its namespaces", who["namespaces"] == ["shop", "prod/pay"], who)
    session = [line for line in answer.headers.get_all("Set-Cookie") if line.startswith("tocsin_session=")][0]
    check("the session's cookie is the strict one", "SameSite=Strict" in session and "HttpOnly" in session, session)
    audit = json.loads(daemon.get("/api/v1/audit?limit=1")[1])["items"][0]
    check("it is audited", audit["actor"] == "oidc:ann" and audit["detail"]["subject"] == "ann" and audit["detail"]["how"] == "oidc", audit)
    replayed = Browser(daemon)
    replayed.cookies = {name: value for name, value in kept.items() if name != "tocsin_session"}
    answer = come_back(replayed, back)
    check("a replayed answer is refused", answer.status == 403 and "tocsin_session" not in replayed.cookies and "ended already" in answer.text, answer)
    boss, answer = whole(daemon, provider, "bob")
    check("another group, another role", me(boss)["role"] == "admin" and me(boss)["namespaces"] == [], me(boss))
    made = boss.request("POST", "/api/v1/sign-in-links", b"{}", headers={"X-CSRF-Token": me(boss)["csrf"]})
    check("people make no links", made.status == 403, made)
    own = json.loads(browser.get("/api/v1/sessions").text)["items"]
    check("people see their own sessions", [s["name"] for s in own] == ["ann"], own)
    answer = boss.request("DELETE", "/api/v1/sessions/%d" % own[0]["id"], headers={"X-CSRF-Token": me(boss)["csrf"]})
    check("an admin ends them", answer.status == 200 and browser.get("/api/v1/me").status == 401, answer)
    stranger, answer = whole(daemon, provider, "eve")
    check("who is in no group of ours stays out", answer.status == 403 and "tocsin_session" not in stranger.cookies and "oidc.roles" in answer.text, answer)
    odd, answer = whole(daemon, provider, "mal")
    check("a name of two lines is not taken", me(odd)["name"] == "mal", answer)


def forgive(daemon):
    """Failures of one address make it wait; one that signs in is as new."""
    assert Browser(daemon).sign_in(daemon.token("admin")).status == 303


def attackers(daemon, provider):
    victim, mallory = Browser(daemon), Browser(daemon)
    begin(victim)
    back = provider.sign_in(begin(mallory), "ann")
    answer = come_back(victim, back)
    check("an answer to another's attempt is refused", answer.status == 403 and "tocsin_session" not in victim.cookies and "state" in answer.text, answer)
    nobody = Browser(daemon)
    forgive(daemon)
    answer = come_back(nobody, back)
    check("as is one without an attempt", answer.status == 403 and "tocsin_session" not in nobody.cookies, answer)
    forgive(daemon)
    browser = Browser(daemon)
    back = provider.sign_in(begin(browser), "ann")
    answer = come_back(browser, re.sub("state=[^&]+", "state=" + "A" * 43, back))
    check("a wrong state is refused", answer.status == 403, answer)
    answer = come_back(browser, re.sub("iss=[^&]+", "iss=https%3A%2F%2Fevil.example", back))
    check("another issuer's answer is refused (RFC 9207)", answer.status == 403 and "another issuer" in answer.text, answer)
    forgive(daemon)
    browser = Browser(daemon)
    back = provider.sign_in(begin(browser), "ann")
    answer = come_back(browser, re.sub("code=[^&]+", "code=made-up", back))
    check("a code that was made up is refused, and why is said", answer.status == 403 and "invalid_grant" in answer.text, answer)
    forgive(daemon)
    browser = Browser(daemon)
    url = begin(browser)
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["state"][0]
    answer = browser.get("/sign-in/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state=" + state, site="cross-site")
    check("what the provider refuses is said, as text", answer.status == 403 and "access_denied" in answer.text and "<script>" not in answer.text, answer)
    for after in ("https://evil.example/", "//evil.example/", "/\\evil.example", "/%0d%0aSet-Cookie:%20a=b", "/" + "x" * 600):
        browser, answer = whole(daemon, provider, "ann", after)
        check("open redirect: next=%.30r stays here" % after, answer.status == 200 and 'content="0;url=/"' in answer.text or
              "%0d%0a" in after and "\n" not in re.search('url=([^"]*)', answer.text).group(1), answer)
    browser = Browser(daemon)
    begin(browser)
    browser.cookies["tocsin_oidc"] = browser.cookies["tocsin_oidc"].split(".")[0] + ".1.Lw"
    answer = come_back(browser, back)
    check("a cookie that was changed is refused", answer.status == 403, answer)


def lies(daemon, provider):
    words = {"nonce": "nonce", "no nonce": "nonce", "audience": "aud", "two audiences": "aud", "azp": "azp", "issuer": "iss", "expired": "expired",
             "no expiry": "exp", "not yet": "not valid yet", "made tomorrow": "future", "no subject": "sub", "alg none": "alg",
             "alg none with the signature": "alg", "HS256 with the public key": "alg", "another key": "signature", "changed claims": "signature",
             "crit": "crit", "no token": "no ID token", "rubbish": "refused", "error 500": "500"}
    for how, word in words.items():
        provider.lie(how)
        browser, answer = whole(daemon, provider, "ann")
        check("a token that lies (%s) is refused, and why is said" % how, answer.status == (503 if how == "error 500" else 403) and
              word in answer.text and "tocsin_session" not in browser.cookies, answer)
        provider.lie("")
        forgive(daemon)


def throttled(daemon, provider):
    seen = []
    for _ in range(7):
        browser = Browser(daemon, "127.0.0.99")
        seen.append(browser.get("/sign-in/callback?code=x&state=y", site="cross-site").status)
    check("failures make an address wait", seen[:5] == [403] * 5 and seen[-1] == 429, seen)


def main():
    install()
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data"))
        with open(os.path.join(folder, "secret"), "w") as f:
            f.write("s3cret & more/+\n")
        log = os.path.join(folder, "provider.log")
        provider = Provider([daemon.url + "/sign-in/callback"], log)
        thin = None
        try:
            settings(daemon, provider)
            daemon.start()
            people_sign_in(daemon, provider)
            attackers(daemon, provider)
            lies(daemon, provider)
            throttled(daemon, provider)
            for algorithm in ("ES256", "EdDSA"):
                check("tocsind ends with 0", daemon.stop() == 0)
                settings(daemon, provider, algorithm)
                daemon.start()
                browser, answer = whole(daemon, provider, "ann")
                check("tokens signed by %s are read" % algorithm, answer.status == 200 and me(browser)["name"] == "ann", answer)
            check("sessions outlast a restart", daemon.stop() == 0 and daemon.start() and me(browser)["name"] == "ann")
            provider.stop()
            answer = Browser(daemon).get("/sign-in/oidc", site="none")
            check("what is known of a provider that is away still leads there", answer.status in (303, 503), answer)
            thin = Provider([daemon.url + "/sign-in/callback"], log, thin=True)
            daemon.stop()
            settings(daemon, thin)
            daemon.start()
            browser, answer = whole(daemon, thin, "ann")
            check("groups that only user information tells count", answer.status == 200 and me(browser)["role"] == "analyst", answer)
            daemon.stop()
            settings(daemon, thin, TOCSIN_OIDC_ISSUER=thin.issuer + "/")
            daemon.start()
            answer = Browser(daemon).get("/sign-in/oidc", site="none")
            check("an issuer that calls itself otherwise is not asked", answer.status == 503 and "to the letter" in answer.text, answer)
            daemon.stop()
            settings(daemon, thin, TOCSIN_OIDC_ISSUER="http://127.0.0.1:%d" % free_port())
            daemon.start()
            answer = Browser(daemon).get("/sign-in/oidc", site="none")
            check("a provider that is not there is said so", answer.status == 503 and "nobody answers" in answer.text, answer)
            check("tokens still sign in", Browser(daemon).sign_in(daemon.token("admin")).status == 303)
            check("tocsind ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
            for one in (provider, thin):
                if one and one.process.poll() is None:
                    one.stop()
    return finish()


if __name__ == "__main__":
    sys.exit(main())
