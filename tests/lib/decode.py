# SPDX-License-Identifier: Apache-2.0
"""Runs decode-dump; finds the corpora."""
import json
import os
import pathlib
import subprocess
import tempfile

SOURCE = pathlib.Path(os.environ.get("TOCSIN_SOURCE", "."))
BUILD = pathlib.Path(os.environ.get("TOCSIN_BUILD", SOURCE / "build"))
CORPUS = SOURCE / "tests" / "corpus"
SHARED = pathlib.Path(os.environ.get("TOCSIN_SHARED", SOURCE.resolve().parent / "shared")) / "data" / "corpora"
DUMP = BUILD / "tests" / "lib" / "decode-dump"


def dump_text(source, body, facts=False):
    """decode-dump's output for @body, a path or bytes."""
    with tempfile.NamedTemporaryFile() as file:
        if isinstance(body, bytes):
            file.write(body)
            file.flush()
        path = file.name if isinstance(body, bytes) else body
        arguments = [DUMP, source, path] + (["facts"] if facts else [])
        result = subprocess.run(arguments, stdout=subprocess.PIPE, check=False)
    if result.returncode not in (0, 1):
        raise RuntimeError(f"decode-dump {source}: exit {result.returncode}")
    return result.stdout.decode()


def dump(source, body, facts=True):
    return [json.loads(line) for line in dump_text(source, body, facts).splitlines()]
