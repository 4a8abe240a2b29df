"""`import ntkswift` is quick and needs only NumPy; the extension depends on no Swift library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ntkswift import _core

# CPU seconds: other processes of a busy machine do not count.
MEASURE = """
import json, sys, time
import numpy
began = time.process_time()
import ntkswift
print(json.dumps({"seconds": time.process_time() - began, "modules": sorted(sys.modules)}))
"""


def imported() -> dict:
    # An editable install that rebuilds would measure the build.
    environment = os.environ | {"SKBUILD_EDITABLE_SKIP": os.pathsep.join(str(p) for p in Path("build").glob("*"))}
    run = subprocess.run([sys.executable, "-c", MEASURE], check=True, capture_output=True, text=True, env=environment)
    return json.loads(run.stdout.splitlines()[-1])


def test_import_adds_at_most_150_ms():
    assert min(imported()["seconds"] for _ in range(5)) < 0.150


def test_import_loads_nothing_big():
    loaded = {name.split(".")[0] for name in imported()["modules"]}
    assert not loaded & {"matplotlib", "scipy", "sklearn", "torch", "tqdm", "joblib", "pandas", "jax"}


@pytest.mark.skipif(shutil.which("ldd") is None, reason="needs ldd")
def test_extension_needs_no_swift_library():
    libraries = subprocess.run(["ldd", _core.__file__], check=True, capture_output=True, text=True).stdout
    assert "libswift" not in libraries
    assert "not found" not in libraries


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm")
def test_extension_exports_only_its_entry():
    symbols = subprocess.run(["nm", "-D", "--defined-only", _core.__file__], check=True, capture_output=True, text=True)
    assert {line.split()[-1] for line in symbols.stdout.splitlines()} == {"PyInit__core"}
