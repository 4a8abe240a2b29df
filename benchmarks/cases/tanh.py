"""Tanh has no closed form: its Hermite expansion to 1e-8 against Erf's closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..harness.race import race
from ..harness.report import Report, Table, Target
from ..harness.settings import Settings
from .fully_connected import report
from .networks import ours


def run(settings: Settings, get: Any) -> Report:
    """CPU seconds of three layers, and the error of Tanh's kernel against two-dimensional quadrature."""
    races, targets = [], []
    for dtype in ("float64", "float32"):
        data = {"n": settings.size(4000, 500), "d": 64, "dtype": dtype}
        parameters = {"data": data, "W_std": math.sqrt(2), "b_std": 0.1}
        each = race(
            f"3 x Tanh and Erf, {dtype}, N = {data['n']}, d = 64",
            [
                ours("Erf", parameters | {"activation": "Erf"}),
                ours("Tanh", parameters | {"activation": "Tanh"}, comparable=False),
            ],
            settings,
            get,
        )
        races.append(each)
        targets.append(
            Target(f"CPU seconds, Tanh / Erf [{each.title}]", each.ratio("Tanh"), "<=", 4, not settings.quick)
        )
    error = expansion_error()
    made = report(
        races,
        [
            *targets,
            Target("Tanh's kernel, error relative to the diagonal, to 1e-8, 3 layers", error, "<=", 1e-8),
        ],
    )
    made.tables.append(
        Table(
            "error of Tanh",
            ["against", "largest error relative to the diagonal"],
            [["trapezoidal rule in two dimensions, 3 layers, 24 rows", error]],
        )
    )
    return made


def expansion_error() -> float:
    """Largest error of ntkswift's NTK of three Tanh layers on 24 rows, near-duplicate and opposite ones among them."""
    from ntkswift import stax

    X = np.random.default_rng(3).standard_normal((24, 8))
    X[1], X[2], X[3] = X[0] * (1 + 1e-4), -X[0], 0.1 * X[0]
    W_std, b_std = math.sqrt(2), 0.1
    layers = [stax.Dense(512, W_std, b_std), stax.Tanh()] * 3 + [stax.Dense(1, W_std, b_std)]
    computed = np.asarray(stax.serial(*layers)[2](X, None, "ntk"))
    nngp = W_std**2 * X @ X.T / X.shape[1] + b_std**2
    ntk = nngp
    for _ in range(3):
        dual = quadrature(np.tanh, nngp)
        slope = quadrature(lambda z: 1 / np.cosh(z) ** 2, nngp)
        nngp = W_std**2 * dual + b_std**2
        ntk = nngp + W_std**2 * slope * ntk
    scale = np.sqrt(np.outer(np.diag(ntk), np.diag(ntk)))
    return float(np.max(np.abs(computed - ntk) / scale))


def quadrature(function: Any, K: np.ndarray) -> np.ndarray:
    """E[f(u) f(v)] for each entry of a covariance matrix: trapezoidal rule, exponentially accurate for analytic f."""
    h = 0.15
    z = np.arange(-9, 9 + h / 2, h)
    weight = h / math.sqrt(2 * math.pi) * np.exp(-(z**2) / 2)
    a = np.sqrt(np.diag(K))
    rho = np.clip(K / np.outer(a, a), -1, 1)
    result = np.empty_like(K)
    for i in range(len(K)):
        left = weight * function(a[i] * z)
        for j in range(len(K)):
            mixed = rho[i, j] * z[:, None] + math.sqrt(1 - rho[i, j] ** 2) * z[None, :]
            result[i, j] = left @ (function(a[j] * mixed) @ weight)
    return result
