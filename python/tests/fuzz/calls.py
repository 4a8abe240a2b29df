"""The child of the fuzzer: draws calls, announces each before it makes it, and writes down what a caller should not have met.

python calls.py FIRST COUNT SEED ANNOUNCED FAULTS [WORD]
"""

from __future__ import annotations

import json
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import hostile
import surface

import ntkswift
from ntkswift import ConvergenceError

ALLOWED = (ValueError, TypeError, ArithmeticError, MemoryError, ConvergenceError, np.linalg.LinAlgError)
SECONDS = 1
HERE = Path(__file__).resolve().parent
PACKAGE = str(Path(ntkswift.__file__).resolve().parent)


class TimeIsUp(BaseException):
    """A call was stopped because it takes long: no fault."""


def main() -> None:
    """Makes calls number `first` to `first + count - 1`."""
    first, count, seed = (int(word) for word in sys.argv[1:4])
    word = sys.argv[6] if len(sys.argv) > 6 else ""
    signal.signal(signal.SIGALRM, _time_is_up)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    ntkswift.set_num_threads(2)
    ntkswift.set_memory_limit(1 << 29)
    plt.close(plt.figure())  # imports that a stopped call would leave half done
    table = [entry for entry in surface.entries() if word in entry.name]
    with open(sys.argv[4], "a", encoding="utf-8") as announced, open(sys.argv[5], "a", encoding="utf-8") as faults:
        for number in range(first, first + count):
            rng = np.random.default_rng([seed, number])
            entry = table[int(rng.integers(len(table)))]
            arguments, changes = drawn(entry, rng)
            announced.write(f"{number} {entry.name}({changes})\n".encode("utf-8", "replace").decode())
            announced.flush()
            fault = made(entry, arguments)
            if fault is not None:
                faults.write(json.dumps({"number": number, "call": f"{entry.name}({changes})", **fault}) + "\n")
                faults.flush()


def drawn(entry: surface.Entry, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
    """Arguments of a call, one to three of them hostile, and these by name."""
    arguments = dict(entry.example)
    names = entry.arguments
    changed = rng.choice(names, size=min(len(names), int(rng.choice([1, 1, 1, 2, 3]))), replace=False)
    texts = []
    for name in (str(name) for name in changed):
        text, arguments[name] = hostile.draw(rng, arguments.get(name))
        texts.append(f"{name}: {text}")
    return arguments, ", ".join(texts)


def made(entry: surface.Entry, arguments: dict[str, Any]) -> dict[str, str] | None:
    """Makes the call; the fault, if there is one."""
    before = [(array, array.tobytes()) for array in arrays(list(arguments.values())) if array.dtype.kind in "fiub"]
    finite = not entry.has_infinities and all(is_moderate(value) for value in arguments.values())
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        result = entry.function(**arguments)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except TimeIsUp:
        return None
    except Exception as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        return fault_of(error) or changed(before)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if finite and not all(np.isfinite(array).all() for array in arrays(result) if array.dtype.kind == "f"):
        return {"kind": "not finite", "message": repr(result)[:200], "place": entry.name}
    return changed(before)


def fault_of(error: Exception) -> dict[str, str] | None:
    """What is wrong with an exception; None where it is one that says what was needed."""
    frames = traceback.extract_tb(error.__traceback__) or [traceback.FrameSummary("", 0, "")]
    own = [frame for frame in frames if frame.filename.startswith(PACKAGE)]
    last = frames[-1]
    if "the caller's own error" in str(error) or Path(last.filename).parent == HERE:
        return None  # a hostile function's own exception comes through as it is; a bad name never reached the package
    if "<lambda>() takes" in str(error):
        return None  # a function that takes other arguments
    if "sklearn" in last.filename or "signature" in str(error) or "keyword argument" in str(error):
        return None  # scikit-learn's words; Python's own about names
    if isinstance(error, (*ALLOWED, OSError)) and str(error).startswith("["):
        return None
    if isinstance(error, MemoryError):
        return None
    at = own[-1] if own else last
    place = f"{Path(at.filename).name}:{at.lineno} {at.name}"
    return {"kind": type(error).__name__, "message": str(error)[:200], "place": place}


def changed(before: list[tuple[np.ndarray, bytes]]) -> dict[str, str] | None:
    """A fault where an argument is not what it was."""
    if all(array.tobytes() == content for array, content in before):
        return None
    return {"kind": "argument changed", "message": "", "place": ""}


def arrays(value: Any, depth: int = 4) -> list[np.ndarray]:
    """The arrays and numbers in something, also in tuples, mappings and records."""
    if isinstance(value, np.ndarray):
        return [value.data if isinstance(value, np.ma.MaskedArray) else value]
    if isinstance(value, (float, np.floating)):
        return [np.asarray(value)]
    if depth == 0:
        return []
    if isinstance(value, dict):
        value = list(value.values())
    if hasattr(value, "__dataclass_fields__"):
        value = [getattr(value, name) for name in value.__dataclass_fields__ if hasattr(value, name)]
    if isinstance(value, (list, tuple)):
        return [array for part in value for array in arrays(part, depth - 1)]
    return []


def is_moderate(value: Any) -> bool:
    """Whether all numbers are finite and within half the range of the exponent."""
    if isinstance(value, (str, bytes)) or callable(value):
        return True
    for array in arrays(value):
        if array.dtype.kind not in "fiub":
            return False
        most = 1e18 if array.dtype.itemsize <= 4 and array.dtype.kind == "f" else 1e150
        size = np.abs(array.astype(np.float64))
        if not np.isfinite(size).all() or (size > most).any() or ((size > 0) & (size < 1 / most)).any():
            return False
    return not isinstance(value, int) or abs(value) < 2**53


def _time_is_up(*_: Any) -> None:
    raise TimeIsUp


if __name__ == "__main__":
    main()
