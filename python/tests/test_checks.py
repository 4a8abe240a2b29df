"""Numbers, flags, labels and networks from callers: what is accepted, what is refused, in which words."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from ntkswift import _checks, _networks, stax


@pytest.mark.parametrize("value", [3, np.int32(3), np.uint8(3)])
def test_integers(value):
    result = _checks.integer(value, "f", "n")
    assert (result, type(result)) == (3, int)


@pytest.mark.parametrize(
    ("value", "options", "error", "message"),
    [
        (True, {}, TypeError, r"\[f\] n must be a positive integer. Received True"),
        (3.0, {}, TypeError, "Received 3.0"),
        ("3", {}, TypeError, "Received '3'"),
        (0, {}, ValueError, "n must be a positive integer"),
        (-1, {"minimum": 0}, ValueError, "n must be a non-negative integer"),
        (1, {"minimum": 2}, ValueError, "n must be an integer of at least 2"),
        (11, {"maximum": 10}, ValueError, "n must be at most 10. Received 11"),
        (2**40, {}, ValueError, "n must be a positive integer"),
    ],
)
def test_wrong_integers(value, options, error, message):
    with pytest.raises(error, match=message):
        _checks.integer(value, "f", "n", **options)


def test_seeds_are_words_of_64_bits():
    assert _checks.seed_number(2**64 - 1, "f") == 2**64 - 1
    for value in (-1, 2**64):
        with pytest.raises(ValueError, match="seed"):
            _checks.seed_number(value, "f")


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.array(0.5), Fraction(1, 2)])
def test_reals(value):
    result = _checks.real(value, "f", "x", minimum=0.5, maximum=0.5)
    assert (result, type(result)) == (0.5, float)


@pytest.mark.parametrize(
    ("value", "options", "error", "message"),
    [
        (True, {}, TypeError, r"\[f\] x must be a finite number\. Received True"),
        (np.array(True), {}, TypeError, "x must be a finite number"),
        ("1", {}, TypeError, "Received '1'"),
        (np.array([1.0]), {}, TypeError, "x must be a finite number"),
        (1j, {}, TypeError, "x must be a finite number"),
        (None, {}, TypeError, "Received None"),
        (float("nan"), {}, ValueError, "Received nan"),
        (float("nan"), {"minimum": 0}, ValueError, "x must be a finite number >= 0"),
        (10**400, {}, ValueError, "x must be a finite number"),
        (-(10**400), {}, ValueError, "x must be a finite number"),
        (0, {"above": 0}, ValueError, "x must be a finite number > 0. Received 0"),
        (1.5, {"minimum": 0, "maximum": 1}, ValueError, "x must be a finite number >= 0 and <= 1. Received 1.5"),
    ],
)
def test_wrong_reals(value, options, error, message):
    with pytest.raises(error, match=message):
        _checks.real(value, "f", "x", **options)


def test_words():
    assert _checks.choice("b", "f", "mode", {"a": 1, "b": 2}) == "b"
    with pytest.raises(ValueError, match=r'\[f\] mode must be "a", "b" or "c"\. Received \'d\''):
        _checks.choice("d", "f", "mode", ("a", "b", "c"))
    with pytest.raises(ValueError, match='mode must be "a"'):
        _checks.choice(["a"], "f", "mode", ("a",))


def test_flags_and_tolerances():
    assert _checks.flag(np.bool_(True), "f", "on") is True
    with pytest.raises(TypeError, match=r"on must be True or False\. Received 1"):
        _checks.flag(1, "f", "on")
    assert _checks.tolerance(0.1, "f") == 0.1
    for value in (0, 1):
        with pytest.raises(ValueError, match="tol must be between 0 and 1"):
            _checks.tolerance(value, "f")
    with pytest.raises(ValueError, match="x must be positive"):
        _checks.between(0, "f", "x", least=0, most=float("inf"))


def test_networks_in_every_form():
    network = stax.serial(stax.Dense(4), stax.Relu(), stax.Dense(1))
    for form in (network, network.init_fn, network.apply_fn, network.kernel_fn, tuple(network), list(network)):
        assert _networks.layer_of(form, "f") == network


@pytest.mark.parametrize("value", [None, 3, "relu", (1, 2, 3), lambda x: x, object()])
def test_what_is_no_network(value):
    assert _networks.find_layer(value) is None
    with pytest.raises(TypeError, match=r"\[f\] outer must be a network of ntkswift.stax"):
        _networks.layer_of(value, "f", "outer")


def test_a_class_of_layers_is_not_a_layer():
    with pytest.raises(TypeError, match=r"Did you mean Relu\(\)"):
        _networks.layer_of(stax.Relu, "f")
