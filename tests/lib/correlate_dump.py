# SPDX-License-Identifier: Apache-2.0
"""Drives correlate-dump: one process for many sets of lines, started again when a job kills it."""
import json, os, shutil, subprocess, tempfile

BUILD = os.environ.get("TOCSIN_BUILD", "build")


class Dump:
    """correlate-dump, or a build of it under another name, with a folder of its own in memory: durability against power
    loss is not what is tested here, so that files need no disk."""

    def __init__(self, program="tests/lib/correlate-dump", env=None):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.command = [os.path.join(BUILD, program)]
        self.env = dict(os.environ, **env) if env else None
        self.folder = tempfile.mkdtemp(prefix="tocsin-dump-", dir=memory)
        self.process = None
        self.writes = 0        # of the last job that ended

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        code = self.stop()
        shutil.rmtree(self.folder)
        if code and not failure:           # a sanitizer has the last word
            raise AssertionError("correlate-dump ended with %d" % code)

    def stop(self):
        if not self.process:
            return 0
        self.process.stdin.close()
        self.process.stdout.close()
        code, self.process = self.process.wait(), None
        return code

    def ask(self, lines, **job):
        """-> what was printed, and whether the process lived to the job's end."""
        if not self.process:
            self.process = subprocess.Popen(self.command + [self.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            text=True, env=self.env)
        text = [json.dumps({"job": job})] + [json.dumps(line) for line in lines] + ["end", ""]
        self.process.stdin.write("\n".join(text))
        self.process.stdin.flush()
        out = []
        for line in self.process.stdout:
            line = line.rstrip("\n")
            if line.startswith(". "):
                self.writes = int(line[2:])
                return out, True
            out.append(line)
        self.process.wait()
        code, self.process = self.process.returncode, None
        if code != -9 or not job.get("die_at"):
            raise AssertionError("correlate-dump ended with %d" % code)
        return out, False

    def run(self, lines, **job):
        """-> the incidents, as the reference prints them."""
        return self.ask(lines, **job)[0]

    def run_killed(self, lines, die_at, rnd, **job):
        """The same, but the process kills itself in write die_at and another goes on behind what was committed; the lines
        before that are fed once more, as a sender does that got no answer."""
        out, lived = self.ask(lines, die_at=die_at, **job)
        if lived:
            return [line for line in out if not line.startswith("# ")]
        done = int(out[-1][2:]) if out else 0
        return self.run(lines, **dict(job, **{"from": max(0, done - rnd.randrange(80))}))

    def states(self, lines, **job):
        """-> after each transaction ({"live": [...], "gone": {number: redirect}}), and the incidents at the end."""
        out = self.run(lines, details=2, **job)
        states = [json.loads(line[1:]) for line in out if line.startswith("@")]
        return states, [json.loads(line) for line in out if not line.startswith("@")]
