#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS between agent and collector, with certificates that are bound to nodes.

Each wrong one is refused, and the agent's log says what is wrong and what to do; meanwhile alerts are taken, and after the mend each is
stored once. Needs openssl.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import types

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from agent_rig import Bodies, Case  # noqa: E402
from checks import check, finish  # noqa: E402
from daemon import wait_for  # noqa: E402
import manifests  # noqa: E402
import venv_programs  # noqa: E402

ALERTS = 20  # while each fault lasts


class Authority:
    """Signs certificates of P-256; files NAME.pem and NAME.key in its folder."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", "/CN=" + name, "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"))
        self.pem = self.path(name + ".pem")

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def openssl(*words):
        return subprocess.run(("openssl",) + words, check=True, capture_output=True, text=True).stdout

    def sign(self, name, subject, extensions, days=2):
        """-> certificate's and key's path."""
        with open(self.path(name + ".ext"), "w") as f:
            f.write("basicConstraints=CA:FALSE\n" + extensions)
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                     "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"))
        self.openssl("x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.pem, "-CAkey", self.path(self.name + ".key"),
                     "-CAcreateserial", "-days", str(days), "-extfile", self.path(name + ".ext"), "-out", self.path(name + ".pem"))
        return self.path(name + ".pem"), self.path(name + ".key")

    def client(self, name, node, days=2):
        return self.sign(name, "/O=example/CN=" + node, "extendedKeyUsage=clientAuth\n", days)

    def server(self, name, names="IP:127.0.0.1", days=2):
        return self.sign(name, "/CN=collector", "extendedKeyUsage=serverAuth\nsubjectAltName=%s\n" % names, days)


class TlsCase(Case):
    def set_up(self, folder):
        self.folder, self.bodies = folder, Bodies("node-1")  # its own: another node's would be quarantined
        self.authority, self.stranger = Authority(folder, "authority"), Authority(folder, "stranger")
        self.daemon.use_tls(*self.authority.server("server"), self.authority.pem)

    def words(self, certificate=None, authority=None):
        words = ["--tls.ca", (authority or self.authority).pem]
        return words + ["--tls.certificate", certificate[0], "--tls.key", certificate[1]] if certificate else words

    def make_token(self, name, **more):
        """-> status, answer"""
        status, answer = self.daemon.request("POST", "/api/v1/tokens", json.dumps(dict(more, name=name, role="source")).encode())
        return status, json.loads(answer)

    def take_some(self):
        for _ in range(ALERTS):
            ns, body = self.bodies.take()
            if self.agent.request("POST", "/ingest/falco", body)[0] == 200:
                self.answered.append(ns)

    def start_agent(self, tls, token="", server=None):
        if self.agent.process:
            self.agent.stop()
        self.agent.tls, self.agent.token_file = tls, token
        self.agent.server = server or "127.0.0.1:%d" % self.daemon.grpc_port
        self.agent.start()

    def fault(self, what, said, tls, token="", server=None):
        """Alerts are taken, nothing arrives, and the log says all of @said in one line."""
        before, n_answered = len(self.stored()), len(self.answered)
        size = len(self.agent.log_text())
        self.start_agent(tls, token, server)
        self.take_some()

        def line():
            return [line for line in self.agent.log_text()[size:].splitlines() if all(word in line for word in said)]
        try:
            wait_for(line, 60, "the log says what is wrong")
        except AssertionError:
            pass
        check("%s: %s" % (what, said[0]), line() and len(self.stored()) == before and len(self.answered) == n_answered + ALERTS,
              (len(self.stored()) - before, self.agent.log_text()[size:]))

    def mend(self, what):
        """Whatever is wrong is not any more, without a new start of the agent."""
        self.is_whole("%s: mended" % what)


def copy(pair, name):
    """A pair of files of its own, which is renewed in place."""
    return tuple(shutil.copy(path, os.path.join(os.path.dirname(path), name + end)) for path, end in zip(pair, (".pem", ".key")))


def make_tokens(case):
    status, _ = case.make_token("node-1", node="node-1", subject="CN=node-1,O=example")
    shown = case.authority.openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in", case.one[0]).strip()
    check("a token is bound to a node and to a certificate's subject, as openssl shows it",
          status == 201 and shown == "subject=CN=node-1,O=example", (status, shown))
    check("two tokens in force do not share a subject", case.make_token("again", subject="CN=node-1,O=example")[0] == 409)
    check("a subject in another form is refused", case.make_token("form", subject="CN = node-1, O = example")[0] == 400)
    status, answer = case.make_token("node-2", node="node-2", subject="CN=node-2,O=example")
    with open(os.path.join(case.folder, "node-2.token"), "w") as f:
        f.write(answer["token"])
    listed = json.loads(case.daemon.get("/api/v1/tokens")[1])["items"]
    check("the list shows subjects", [token.get("subject") for token in listed][-2:] == ["CN=node-1,O=example", "CN=node-2,O=example"], listed)


def wrong_servers(case):
    """What the agent does not believe."""
    case.fault("another authority", ["who signed it is not in our file of authorities", "tls.ca"], case.words(case.one, case.stranger))
    case.fault("another name", ["it is for other names", "the certificate of localhost"], case.words(case.one),
               server="localhost:%d" % case.daemon.grpc_port)
    case.fault("no TLS", ["tls.mode is off"], ["--tls", "off"])
    case.daemon.stop()
    served = case.daemon.words[1], case.daemon.words[3]
    good = copy(served, "good")
    for old, new in zip(served, case.authority.server("expired-server", days=-1)):
        shutil.copy(new, old)
    case.daemon.start()
    case.fault("the collector's certificate has expired", ["it has expired: renew it there"], case.words(case.one))
    for old, new in zip(served, good):
        shutil.copy(new, old)
    case.daemon.process.send_signal(1)  # SIGHUP reads them anew
    case.mend("the collector's certificate has expired")


def wrong_agents(case):
    """What the collector does not believe."""
    case.fault("no certificate, no token", ["UNAUTHENTICATED", "a client certificate", "tls.certificate"], case.words())
    for name, content, said in (("empty", "\n", "has no token"), ("long", "x" * 600, "has more than 511 bytes")):
        path = os.path.join(case.folder, name + ".token")
        with open(path, "w") as f:
            f.write(content)
        case.fault("a file that has no token: %s" % name, [said, path], case.words(), token=path)
    case.fault("the token of a node without its certificate", ["UNAUTHENTICATED", "goes with a client certificate"], case.words(),
               token=os.path.join(case.folder, "node-2.token"))
    two = case.authority.client("node-2", "node-2")
    case.fault("another node's certificate", ["PERMISSION_DENIED", "speaks for node node-2, not node-1"], case.words(two))
    case.fault("the certificate of a node that nobody knows", ["no token in force has the certificate's subject 'CN=node-3,O=example'"],
               case.words(case.authority.client("node-3", "node-3")))
    case.fault("a certificate by another authority", ["UNAUTHENTICATED", "'CN=node-1,O=example'", "nobody who signed it"],
               case.words(case.stranger.client("strange", "node-1")))
    case.fault("a server's certificate", ["UNAUTHENTICATED", "not meant for clients"], case.words(case.authority.server("disguised")))
    case.fault("key and certificate of two", ["certificate '", "key '"], case.words((case.one[0], two[1])))
    case.fault("no such file", ["certificate '", "missing.pem"], case.words((os.path.join(case.folder, "missing.pem"), two[1])))
    renewed = copy(case.authority.client("old", "node-1", days=-1), "renewed")
    case.fault("its certificate has expired", ["UNAUTHENTICATED", "'CN=node-1,O=example'", "it has expired"], case.words(renewed))
    for old, new in zip(renewed, case.one):
        shutil.copy(new, old)
    case.mend("its certificate has expired")


def kubelets_own(case):
    """A kubelet's certificate and key are one file; the agent's node has no other (packaging/kubernetes/agent.yaml)."""
    parts = case.authority.sign("kubelet", "/O=system:nodes/CN=system:node:node-1", "extendedKeyUsage=clientAuth\n")
    both = os.path.join(case.folder, "kubelet-client-current.pem")
    with open(both, "w") as f:
        f.write("".join(open(part).read() for part in parts))
    status, _ = case.make_token("kubelet", node="node-1", subject="CN=system:node:node-1,O=system:nodes")
    case.start_agent(case.words((both, both)))
    case.take_some()
    case.is_whole("the kubelet's certificate")
    check("a node has the token of its kubelet", status == 201, status)


def main():
    with tempfile.TemporaryDirectory() as folder:
        manifests.check_schema(venv_programs.path("kubernetes-validate"), folder)
    with tempfile.TemporaryDirectory() as folder:
        case = TlsCase(folder, types.SimpleNamespace(rate=300, seconds=1))
        try:
            case.one = case.authority.client("node-1", "node-1")
            make_tokens(case)
            case.start_agent(case.words(case.one))
            case.take_some()
            case.is_whole("a certificate instead of a token")
            kubelets_own(case)
            wrong_servers(case)
            wrong_agents(case)
            check("the agent ends with 0", case.agent.stop() == 0)
            check("the collector ends with 0", case.daemon.stop() == 0)
        except AssertionError as err:
            check(str(err), False, case.agent.log_text()[-1500:])
        finally:
            case.end()
    return finish()


sys.exit(main())
