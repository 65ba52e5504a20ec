# SPDX-License-Identifier: Apache-2.0
"""Starts and stops a real tocsind for tests: plain Python, standard library only."""
import fcntl
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("TOCSIN_BUILD", os.path.join(SOURCE, "build"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds, what):
    """Waits until condition() is true; a test fails by name when it does not come true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("waited %d s in vain: %s" % (seconds, what))


class Daemon:
    """One data folder; may be started many times. wrap: words before tocsind (strace and its options)."""

    def __init__(self, data):
        self.data, self.process, self.port, self.grpc_port = data, None, free_port(), free_port()
        self.log_folder = os.path.dirname(data)
        self.url = "http://127.0.0.1:%d" % self.port
        self.words, self.context = [], None

    def use_tls(self, certificate, key, client_ca):
        """From its next start on; the rig itself believes any certificate."""
        self.words = ["--tls.certificate", certificate, "--tls.key", key, "--tls.client_ca", client_ca]
        self.url = "https://127.0.0.1:%d" % self.port
        self.context = ssl._create_unverified_context()

    def start(self, wrap=(), wait=True, seconds=60):
        self.log = open(os.path.join(self.log_folder, "tocsind.log"), "ab")
        self.process = subprocess.Popen(
            list(wrap) + [os.path.join(BUILD, "bin/tocsind"), "--data", self.data, "--listen", "127.0.0.1:%d" % self.port,
                          "--listen-grpc", "127.0.0.1:%d" % self.grpc_port] + self.words,
            stderr=self.log, stdin=subprocess.DEVNULL, start_new_session=True)
        if wait:
            wait_for(lambda: self.process.poll() is not None or self.ready() == 200, seconds, "/readyz is 200")
        return self

    def ready(self):
        return self.get("/readyz", token=None)[0]

    def token(self, name):
        with open(os.path.join(self.data, name + ".token")) as f:
            return f.read().strip()

    def request(self, method, path, body=None, token="admin", headers=None, timeout=120):
        """-> status, body; status 0: no answer."""
        headers = dict(headers or {})
        if body and path.startswith("/api/"):
            headers.setdefault("Content-Type", "application/json")
        if token:
            headers["Authorization"] = "Bearer " + (self.token(token) if token in ("admin", "ingest") else token)
        try:
            request = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)
            with urllib.request.urlopen(request, timeout=timeout, context=self.context) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as err:
            return err.code, err.read()
        except (OSError, ValueError, FileNotFoundError):
            return 0, b""

    def get(self, path, token="admin"):
        return self.request("GET", path, token=token)

    def ingest(self, body, source="falco"):
        return self.request("POST", "/ingest/" + source, body, token="ingest")

    def stop(self, seconds=60):
        """SIGTERM; -> exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(seconds)
        self.log.close()
        return code

    def kill(self):
        """The whole process group: with strace, tocsind is its child, and may end a little later."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()
        wait_for(self.is_unlocked, 30, "the killed tocsind lets go of its data")

    def is_unlocked(self):
        try:
            with open(os.path.join(self.data, "lock")) as f:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        return True

    def cli(self, *arguments):
        """-> exit code, standard output, of the command line reading offline."""
        done = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "--data", self.data] + list(arguments),
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr
