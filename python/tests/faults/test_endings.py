"""The end of a process, and of a module's first life."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

REIMPORT = """
import sys
import numpy as np
from ntkswift import stax
x = np.arange(6.0).reshape(2, 3)
first = stax.serial(stax.Dense(3), stax.Relu(), stax.Dense(1))
before = first.kernel_fn(x, None, "ntk")
for name in [name for name in sys.modules if name.split(".")[0] == "ntkswift"]:
    del sys.modules[name]
from ntkswift import stax, curvature
second = stax.serial(stax.Dense(3), stax.Relu(), stax.Dense(1))
assert second is not first and type(second) is not type(first)
assert np.array_equal(second.kernel_fn(x, None, "ntk"), before)
_, params = second.init_fn(0, (-1, 3))
assert curvature.eigenvalues(curvature.hessian(second, params, x, np.ones((2, 1)))).values.shape == (1,)
"""


def run(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1, 0.3, 0.5, 0.7])
def test_daemon_threads_do_not_disturb_the_end(seconds):
    for _ in range(3):
        result = run(HERE / "ending.py", str(seconds))
        assert (result.returncode, result.stderr) == (0, "")


def test_a_purged_package_is_imported_again():
    result = run("-c", REIMPORT)
    assert result.returncode == 0, result.stderr
