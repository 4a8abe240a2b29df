"""From an estimator's parameters to a network, and to the threads it may use."""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import joblib
import numpy as np
from sklearn.utils.validation import validate_data

from .. import stax
from .._arrays import check_finite
from .._checks import integer, real
from .._config import get_num_threads
from .._networks import layer_of
from ..stax import Layer

# Widths do not change the kernels of the "ntk" parameterization; 512 makes the printed network look like one.
_WIDTH = 512
KERNELS = ("ntk", "nngp")


def network_of(network: Any, depth: int, activation: str | Layer, W_std: float, b_std: float, *, owner: str) -> Layer:
    """The network that was given, else `depth` hidden layers of one activation and a readout.

    Parameters
    ----------
    owner : str
        The estimator, for messages.
    """
    if network is not None:
        return layer_of(network, owner, "network")
    depth = integer(depth, owner, "depth", minimum=0)
    W_std = real(W_std, owner, "W_std", minimum=0)
    b_std = real(b_std, owner, "b_std", minimum=0)
    hidden = stax.serial(stax.Dense(_WIDTH, W_std, b_std or None), stax.activation(activation))
    return stax.serial(stax.repeat(hidden, depth), stax.Dense(1, W_std, b_std or None))


@contextmanager
def all_or_nothing(estimator: Any) -> Iterator[None]:
    """Inside a `with` block that fails or is interrupted, the estimator stays as it was before."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def validated(estimator: Any, X: Any, y: Any = "no_validation", **options: Any) -> Any:
    """scikit-learn's `validate_data` to float64, with ntkswift's words for NaN and infinity: argument, index, shape."""
    owner = type(estimator).__name__
    with_y = not isinstance(y, str)
    if with_y:
        _check_finite_targets(y, owner)
    data = validate_data(estimator, X, y, dtype=np.float64, ensure_all_finite=False, **options)
    check_finite(data[0] if with_y else data, "X", op=owner)
    if with_y:
        _check_finite_targets(data[1], owner)  # again: None in an object array has become NaN
    return data


def _check_finite_targets(y: Any, owner: str) -> None:
    """Raises for NaN and infinity; every other trouble with targets is scikit-learn's to find."""
    if hasattr(y, "dtype") or isinstance(y, (list, tuple)):
        try:
            values = np.asarray(y)
        except (TypeError, ValueError):
            return
        if values.dtype.kind == "f":
            check_finite(values, "y", op=owner)


def threads(n_jobs: int | None, owner: str) -> int:
    """Threads that a call may use: `n_jobs`, -1 for every CPU, or what `ntkswift.set_num_threads` says.

    Inside a worker of joblib (GridSearchCV with n_jobs, say) the default is that worker's share of the CPUs.
    """
    if n_jobs is None:
        share = _joblib_share()
        return get_num_threads() if share is None else min(share, get_num_threads())
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, numbers.Integral) or n_jobs == 0:
        raise ValueError(
            f"[{owner}] n_jobs must be None, a positive integer, or -1 for every CPU. Received {n_jobs!r}."
        )
    cpus = joblib.cpu_count()
    return int(n_jobs) if n_jobs > 0 else max(1, cpus + 1 + int(n_jobs))


def _joblib_share() -> int | None:
    """CPUs per joblib worker where this is one, else None."""
    backend, _ = joblib.parallel.get_active_backend()
    if not getattr(backend, "nesting_level", 0):
        return None
    share = os.environ.get("OMP_NUM_THREADS", "")  # loky tells its workers their share so
    return int(share) if share.isdecimal() and int(share) > 0 else 1
