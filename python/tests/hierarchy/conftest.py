"""The network of the golden file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ntkswift import stax


@pytest.fixture(scope="session")
def golden():
    """Kernels and truncated paths of one network, computed with another library by nested automatic differentiation."""
    return dict(np.load(Path(__file__).with_name("hierarchy.npz")))


@pytest.fixture(scope="session")
def tanh_network(golden):
    """x^(l) = m^-1/2 tanh(W^l x^(l-1)), f = a^T x^(2), with the weights of the golden file."""
    network = stax.serial(stax.Dense(6, W_std=3**0.5), stax.Tanh(), stax.Dense(6), stax.Tanh(), stax.Dense(1))
    return network, ((golden["W1"].T, None), (), (golden["W2"].T, None), (), (golden["a"][:, None], None))
