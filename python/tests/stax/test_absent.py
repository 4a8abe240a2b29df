"""Names that are not there, networks that are called: errors that say what to do."""

import numpy as np
import pytest

from ntkswift import stax

# All names of neural_tangents.stax 0.6.5.
# fmt: off
NEURAL_TANGENTS = (
    "parallel", "serial", "repeat", "ABRelu", "Abs", "Cos", "Elementwise", "ElementwiseNumerical", "Erf", "Exp",
    "ExpNormalized", "Gabor", "Gaussian", "Gelu", "Hermite", "LeakyRelu", "Monomial", "Polynomial", "Rbf",
    "RectifiedMonomial", "Relu", "Sigmoid_like", "Sign", "Sin", "Aggregate", "AvgPool", "Conv", "ConvLocal",
    "ConvTranspose", "Dense", "Identity", "Index", "DotGeneral", "Dropout", "Flatten", "GlobalAvgPool",
    "GlobalSelfAttention", "GlobalSumPool", "ImageResize", "LayerNorm", "SumPool", "Slice", "FanInConcat",
    "FanInProd", "FanInSum", "FanOut", "AggregateImplementation", "AttentionMechanism", "Padding",
    "PositionalEmbedding", "Bool", "Diagonal", "MaskedArray", "layer", "requires", "supports_masking", "unmask_fn",
)
# fmt: on


@pytest.mark.parametrize("name", NEURAL_TANGENTS)
def test_every_name_of_neural_tangents_is_there_or_has_an_alternative(name):
    if name in stax.__all__:
        assert callable(getattr(stax, name))
        return
    with pytest.raises(AttributeError, match=f"no attribute '{name}': .+"):
        getattr(stax, name)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("relu", "Relu"), ("ReLU", "Relu"), ("BachNorm", "BatchNorm"), ("LeakyReLU", "LeakyRelu"), ("Denes", "Dense")],
)
def test_misspelt_names_are_suggested(name, meant):
    with pytest.raises(AttributeError, match=f"Did you mean .*stax.{meant}"):
        getattr(stax, name)


def test_other_names_are_only_absent():
    assert not hasattr(stax, "qwerty")
    with pytest.raises(AttributeError, match=r"has no attribute 'qwerty'$"):
        _ = stax.qwerty
    with pytest.raises(ImportError):
        exec("from ntkswift.stax import MaxPool")


@pytest.mark.parametrize("arguments", [(np.eye(2),), (), (np.eye(2), None, "ntk")])
def test_a_network_that_is_called_names_its_functions(arguments):
    for network in (stax.Dense(3), stax.serial(stax.Dense(3), stax.Relu())):
        with pytest.raises(TypeError, match=r"network\.apply_fn.*network\.kernel_fn"):
            network(*arguments)
