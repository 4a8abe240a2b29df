"""The classes of nonlinearities against the core's catalogue of activations."""

from dataclasses import MISSING, fields

import numpy as np
import pytest

from ntkswift import _core, stax
from ntkswift.stax import _nonlinearities
from ntkswift.stax._nonlinearity import as_entry, catalogue

CLASSES = [getattr(_nonlinearities, name) for name in _nonlinearities.__all__]
# Evaluated by the caller's code: their classes have fields of their own.
OF_CALLERS = {"Elementwise", "ElementwiseNumerical"}


def test_every_activation_of_the_core_has_its_class():
    assert set(catalogue()) - OF_CALLERS <= set(_nonlinearities.__all__)
    assert {entry["name"] for entry in _core.activations()} == set(catalogue())


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_fields_and_defaults_are_those_of_the_catalogue(cls):
    if cls.__name__ not in catalogue():
        # A special case: it says of what.
        assert cls._as_entry is not stax.Nonlinearity._as_entry
        return
    defaults = {f.name: None if f.default is MISSING else f.default for f in fields(cls)}
    for parameter in catalogue()[cls.__name__].parameters:
        assert defaults.pop(parameter.name) == parameter.default
    # What is left is there for compatibility and does nothing.
    assert all(name.startswith("do_") and default is False for name, default in defaults.items())


@pytest.mark.parametrize(
    ("special", "general"),
    [
        (stax.Relu(), stax.ABRelu(0.0, 1.0)),
        (stax.LeakyRelu(0.3), stax.ABRelu(0.3, 1.0)),
        (stax.Abs(), stax.ABRelu(-1.0, 1.0)),
        (stax.Cos(2.0, 0.5, 0.1), stax.Sin(2.0, 0.5, 0.1 + np.pi / 2)),
        (stax.Sigmoid_like(), stax.Erf(0.5, 1 / 2.4020563531719796, 0.5)),
        (stax.Monomial(3), stax.Polynomial([0, 0, 0, 1])),
        (stax.Erf(b=2), stax.Erf(b=2)),
    ],
    ids=repr,
)
def test_special_cases_are_what_they_say(special, general):
    assert as_entry(special) == general
    x = np.random.default_rng(0).standard_normal((4, 3))
    kernels = [
        stax.serial(stax.Dense(8), layer, stax.Dense(1)).kernel_fn(x, None, "ntk") for layer in (special, general)
    ]
    assert np.array_equal(*kernels)


def test_names_are_those_of_the_classes():
    assert stax.activation("exp_normalized") == stax.ExpNormalized()
    assert stax.activation("leaky_relu") == stax.LeakyRelu(0.01)
    assert stax.activation("sigmoid_like") == stax.Sigmoid_like()
    single_words = [cls for cls in CLASSES if cls.__name__[1:].islower() and cls.__name__ != "Sigmoid_like"]
    for cls in single_words:
        if all(f.default is not MISSING for f in fields(cls)):
            assert stax.activation(cls.__name__.lower()) == cls()
    with pytest.raises(ValueError, match=r"exp_normalized.*identity.*tanh"):
        stax.activation("hermite")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: stax.ABRelu(float("nan"), 1), ValueError, r"\[ABRelu\] a must be a finite number. Received nan\."),
        (lambda: stax.LeakyRelu("x"), TypeError, r"\[LeakyRelu\] alpha must be a finite number"),
        (lambda: stax.Relu(do_stabilize=1), TypeError, r"\[Relu\] do_stabilize must be True or False"),
        (lambda: stax.Gelu(approximate=0), TypeError, r"\[Gelu\] approximate must be True or False"),
        (lambda: stax.Rbf(-0.5), ValueError, r"\[Rbf\] gamma must be a finite number >= 0. Received -0\.5\."),
        (lambda: stax.ExpNormalized(0), ValueError, r"\[ExpNormalized\] gamma must be positive. Received 0\."),
        (lambda: stax.Tanh(tol=1.0), ValueError, r"\[Tanh\] tol must be between 0 and 1. Received 1\.0\."),
        (lambda: stax.Hermite(65), ValueError, r"\[Hermite\] degree must be at most 64. Received 65\."),
        (lambda: stax.RectifiedMonomial(1.5), TypeError, r"degree must be a non-negative integer. Received 1\.5\."),
        (lambda: stax.Polynomial("12"), ValueError, r"coef must be a sequence of 1 to 65 numbers. Received '12'\."),
        (lambda: stax.Polynomial([1, True]), TypeError, r"\[Polynomial\] coef\[1\] must be a finite number"),
    ],
)
def test_domains_are_those_of_the_catalogue(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_op_tables_of_another_layout_are_refused():
    good = [np.array([[3, 0, 0, 0, 0, 0]]), np.array([], np.int64), np.array([])]
    _core.Architecture(*good, [])
    for at, bad in [
        (0, good[0].astype(np.int32)),
        (0, good[0][:, :5]),
        (0, np.array([[2**40, 0, 0, 0, 0, 0]])),
        (0, np.array([[3, 0, 0, 1, 0, 0]])),
        (1, np.array([], np.float64)),
        (1, np.zeros((2, 2), np.int64)),
        (2, np.zeros((2, 2))),
    ]:
        table = [*good[:at], bad, *good[at + 1 :]]
        with pytest.raises((ValueError, TypeError)):
            _core.Architecture(*table, [])


# E f(u) f(v) and E f'(u) f'(v) for variances q1, q2 and covariance c: the two-dimensional trapezoidal rule in mpmath with
# 20 digits (steps 1/8 and 1/10 agree to 1e-18).
DUALS = [
    (stax.Mish(), 1.3, 0.7, 0.5, 0.23124124218061072, 0.3949470779990309),
    (stax.Mish(), 0.4, 2.25, -0.6, -0.11542816005935394, 0.23196083877277793),
]


@pytest.mark.parametrize(("layer", "q1", "q2", "c", "value", "slope"), DUALS)
def test_duals_are_the_integrals(layer, q1, q2, c, value, slope):
    # Two points in the plane with these products, behind a Dense layer that halves them.
    x = np.array([[np.sqrt(2 * q1), 0], [c * np.sqrt(2 / q1), np.sqrt(2 * (q2 - c * c / q1))]])
    nngp, ntk = stax.serial(stax.Dense(1), layer).kernel_fn(x, None, ("nngp", "ntk"))
    assert nngp[0, 1] == pytest.approx(value, rel=0, abs=1e-8)
    assert ntk[0, 1] == pytest.approx(c * slope, rel=0, abs=1e-8)
