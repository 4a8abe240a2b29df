"""What stands in the place of a layer that is not there."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_OWN_LAYERS = "layers of one's own are written in the core (CONTRIBUTING.md); a nonlinearity is stax.Elementwise(fn)"
# Names of neural-tangents 0.6.5 and of other libraries, and what does their work here.
_ALTERNATIVES = {
    "Aggregate": "graphs are not part of this version",
    "AggregateImplementation": "graphs are not part of this version",
    "AttentionMechanism": "attention is not part of this version",
    "Bool": _OWN_LAYERS,
    "ConvLocal": "stax.Conv shares its weights",
    "ConvTranspose": "stax.Conv convolves",
    "Diagonal": _OWN_LAYERS,
    "DotGeneral": "products with fixed matrices are made before the network, on its inputs",
    "GlobalSelfAttention": "attention is not part of this version",
    "ImageResize": "images are resized before the network, as its inputs",
    "Index": "inputs are indexed before the network",
    "MaskedArray": "masks are not part of this version",
    "Padding": 'padding is a string, stax.Conv(..., padding="SAME")',
    "PositionalEmbedding": "attention is not part of this version",
    "Slice": "inputs are indexed before the network",
    "layer": _OWN_LAYERS,
    "requires": _OWN_LAYERS,
    "supports_masking": "masks are not part of this version",
    "unmask_fn": "masks are not part of this version",
    "GeneralConv": "stax.Conv has channels last",
    "Linear": "stax.Dense(out_dim) is the layer",
    "LogSoftmax": 'networks end in what the loss "cross_entropy" takes the softmax of',
    "Logsoftmax": 'networks end in what the loss "cross_entropy" takes the softmax of',
    "MaxPool": "the kernel of a maximum has no closed form; stax.AvgPool and stax.SumPool pool",
    "Residual": "stax.ResidualBlock, or stax.FanOut, stax.parallel and stax.FanInSum",
    "SelfAttention": "attention is not part of this version",
    "Sequential": "stax.serial composes layers",
    "Softmax": 'networks end in what the loss "cross_entropy" takes the softmax of',
    "elementwise": "stax.Elementwise(fn), or a ready-made nonlinearity",
}


def absent(name: str, present: Iterable[str]) -> str:
    """What an AttributeError says of a name that `stax` does not have: the alternative, or the nearest names that it has."""
    text = f"module 'ntkswift.stax' has no attribute {name!r}"
    if name in _ALTERNATIVES:
        return f"{text}: {_ALTERNATIVES[name]}."
    by_lower = {own.lower(): own for own in present}
    same = by_lower.get(name.lower().replace("_", ""))
    near = [same.lower()] if same else get_close_matches(name.lower().replace("_", ""), by_lower, n=3, cutoff=0.7)
    if not near:
        return text
    return f"{text}. Did you mean {' or '.join(f'stax.{by_lower[own]}' for own in near)}?"
