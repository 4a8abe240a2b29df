"""Zonal kernels: functions of the angle between two points of a sphere."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _checks
from .._networks import find_layer
from ..stax import Dense, Layer, Relu, op_table, repeat, serial
from . import _domain

KERNELS = ("ntk", "nngp")

# values(cosines, sines, angles, dimension): the kernel at these angles on S^(d-1).
_Profile = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]


class ZonalKernel:
    """A kernel on the sphere that depends on the angle between its points alone.

    Every function of :mod:`ntkswift.spectra` makes one of what it is given; make it yourself to say more than that:
    which kernel of a network, the radius of the sphere, that a function takes angles.

    Parameters
    ----------
    kernel : Layer, kernel_fn, callable or ZonalKernel
        A network of `ntkswift.stax` or its `kernel_fn`; a function of the cosine of the angle (vectorised); or a
        kernel function ``k(x1, x2)`` of two arrays of points, which is tested for being zonal.
    get : {"ntk", "nngp"}
        Which kernel of a network.
    radius : float
        Radius of the sphere that a network or ``k(x1, x2)`` sees. (Without biases the kernel scales by its square.)
    of : {"cosine", "angle"}
        What a function of one argument takes. Near 0 an angle says more than its cosine, so kernels with a kink there
        are more accurate as functions of the angle.
    name : str, optional
        For tables and figures.

    Examples
    --------
    >>> from ntkswift import spectra, stax
    >>> network = stax.serial(stax.Dense(64), stax.Relu(), stax.Dense(1))
    >>> kernel = spectra.ZonalKernel(network, radius=3**0.5)
    >>> abs(kernel([0.0, 3.141592653589793], 3)).round(6).tolist()
    [1.0, 0.0]
    """

    def __init__(
        self, kernel: Any, *, get: str = "ntk", radius: float = 1.0, of: str = "cosine", name: str | None = None
    ) -> None:
        op = "ZonalKernel"
        self.get = _checks.choice(get, op, "get", KERNELS)
        self.radius = _checks.real(radius, op, "radius", above=0)
        self.of = _checks.choice(of, op, "of", ("cosine", "angle"))
        self.source = kernel
        self.network = find_layer(kernel)
        self._tested: set[int] = set()
        # The kernel at an angle in mpmath's numbers, where its formula is known: extended(mpmath, angle).
        self._extended: Callable[[Any, Any], Any] | None = None
        self._profile, kind = self._choose(kernel)
        self.name = kind if name is None else str(name)

    def __call__(self, angles: Any, dimension: int = 3) -> np.ndarray:
        """The kernel at `angles` (radians, 0 to pi) between points of S^(dimension - 1), as an array of their shape."""
        angles = np.asarray(angles, dtype=float)
        if not (np.isfinite(angles).all() and (angles >= 0).all() and (angles <= math.pi).all()):
            raise ValueError("[ZonalKernel] angles must be between 0 and pi. Received others.")
        flat = angles.ravel()
        values = self._at(np.cos(flat), np.sin(flat), flat, _domain.dimension(dimension, "ZonalKernel"))
        return values.reshape(angles.shape)

    def at_zero(self, dimension: int = 3) -> float:
        """The kernel of a point with itself; ValueError where it is not positive."""
        value = float(self._at(np.ones(1), np.zeros(1), np.zeros(1), dimension)[0])
        if value <= 0:
            raise ValueError(f"[ZonalKernel] kernel must be positive at angle 0. Received {value!r}.")
        return value

    @property
    def nonlinear_layers(self) -> int:
        """Nonlinear layers of a network; 0 for functions."""
        return 0 if self.network is None else op_table(self.network).activations

    def __repr__(self) -> str:
        return f"ZonalKernel({self.name})"

    def _at(self, cosines: np.ndarray, sines: np.ndarray, angles: np.ndarray, dimension: int) -> np.ndarray:
        values = _numbers(self._profile(cosines, sines, angles, dimension))
        if values.shape != cosines.shape:
            raise ValueError(
                f"[ZonalKernel] kernel must return one value per angle, shape {cosines.shape}. Received {values.shape}."
            )
        if not np.isfinite(values).all():
            angle = float(angles[int(np.argmin(np.isfinite(values)))])
            raise ValueError(f"[ZonalKernel] kernel must be finite. Received NaN or infinity at angle {angle:.6g}.")
        return np.ascontiguousarray(values)

    def _choose(self, kernel: Any) -> tuple[_Profile, str]:
        if self.network is not None:
            function = self.network.kernel_fn
            return self._of_points(lambda x1, x2: function(x1, x2, self.get), is_zonal=True), self.get.upper()
        if not callable(kernel):
            raise TypeError(
                "[ZonalKernel] kernel must be a stax network, its kernel_fn, or a function. "
                f"Received {type(kernel).__name__}."
            )
        name = getattr(kernel, "__name__", type(kernel).__name__).replace("<lambda>", "kernel")
        if _takes_two_points(kernel):
            return self._of_points(kernel, is_zonal=False), name
        if self.of == "angle":
            return (lambda cosines, sines, angles, dimension: kernel(angles)), name
        return (lambda cosines, sines, angles, dimension: kernel(cosines)), name

    def _of_points(self, function: Callable[[np.ndarray, np.ndarray], Any], is_zonal: bool) -> _Profile:
        """The profile of a kernel function of two arrays of points."""

        def profile(cosines: np.ndarray, sines: np.ndarray, angles: np.ndarray, dimension: int) -> np.ndarray:
            # Two coordinates hold the angle to full accuracy at both ends: the engine takes differences of points.
            points = np.zeros((len(cosines), dimension))
            points[:, 0], points[:, 1] = self.radius * cosines, self.radius * sines
            pole = np.zeros((1, dimension))
            pole[0, 0] = self.radius
            values = _numbers(function(pole, points))
            if values.shape != (1, len(points)):
                raise ValueError(
                    f"[ZonalKernel] kernel must return one value per pair of points, shape {(1, len(points))}. "
                    f"Received {values.shape}."
                )
            if not is_zonal and dimension not in self._tested:
                _require_zonal(function, dimension, self.radius)
                self._tested.add(dimension)
            return values[0]

        return profile


def as_zonal(kernel: Any, get: str = "ntk", name: str | None = None) -> ZonalKernel:
    """`kernel` itself if it is a ZonalKernel, else one made of it."""
    return kernel if isinstance(kernel, ZonalKernel) else ZonalKernel(kernel, get=get, name=name)


def _takes_two_points(function: Any) -> bool:
    """Whether a function is k(x1, x2): two arguments without a default, or scikit-learn's kernels."""
    if hasattr(function, "is_stationary") and hasattr(function, "diag"):
        return True
    try:
        arguments = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.default is inspect.Parameter.empty and p.kind in kinds for p in arguments) >= 2


def _numbers(values: Any) -> np.ndarray:
    """What a kernel returned as float64; TypeError where it is nothing of the kind."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(
            f"[ZonalKernel] kernel must return an array of real numbers. Received {type(values).__name__}."
        ) from None


def _require_zonal(function: Callable[[np.ndarray, np.ndarray], Any], dimension: int, radius: float) -> None:
    """ValueError unless pairs of points at equal angles, turned at random, have equal kernels."""
    rng = np.random.default_rng(20_090_114)
    for angle in (0.0, 0.3, 1.2, 2.5):
        pairs = np.linalg.qr(rng.standard_normal((6, dimension, 2)))[0] * radius
        first = pairs[:, :, 0]
        second = math.cos(angle) * first + math.sin(angle) * pairs[:, :, 1]
        values = np.array([float(_numbers(function(a[None], b[None]))[0, 0]) for a, b in zip(first, second)])
        if not np.ptp(values) <= 1e-7 * max(np.abs(values).max(), 1e-300):
            raise ValueError(
                "[ZonalKernel] kernel must be zonal: a function of the angle between two points alone. "
                f"Received k = {values.min():.8g} and {values.max():.8g} for two pairs at angle {angle:g}."
            )


# ---------------------------------------------------------------- kernels by name


def laplace(scale: float = 1.0) -> ZonalKernel:
    """The Laplace kernel ``exp(-scale |x - z|)`` on the unit sphere.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> round(float(spectra.laplace(2.0)(3.141592653589793)), 6)  # exp(-4)
    0.018316
    """
    c = _checks.real(scale, "laplace", "scale", above=0)
    kernel = ZonalKernel(lambda angle: np.exp(-2 * c * np.sin(angle / 2)), of="angle", name="Laplace")
    kernel._extended = lambda mp, angle: mp.exp(-2 * mp.mpf(c) * mp.sin(angle / 2))
    return kernel


def gaussian(scale: float = 1.0) -> ZonalKernel:
    """The Gaussian kernel ``exp(-scale |x - z|^2)`` on the unit sphere.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> round(float(spectra.gaussian(0.5)(3.141592653589793)), 6)  # exp(-2)
    0.135335
    """
    c = _checks.real(scale, "gaussian", "scale", above=0)
    kernel = ZonalKernel(lambda angle: np.exp(-4 * c * np.sin(angle / 2) ** 2), of="angle", name="Gaussian")
    kernel._extended = lambda mp, angle: mp.exp(-4 * mp.mpf(c) * mp.sin(angle / 2) ** 2)
    return kernel


def fully_connected(depth: int, *, width: int = 512) -> Layer:
    """The bias-free fully connected ReLU network with `depth` hidden layers whose weights keep the variance (sqrt 2).

    Its NTK is ``sum_l K_l prod_(m >= l) kappa0`` with ``K_0 = x . z / d``; `depth` = 1 is the two-layer network.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> kernel = spectra.ZonalKernel(spectra.fully_connected(1), radius=2**0.5)
    >>> abs(kernel([0.0, 3.141592653589793], 2)).round(6).tolist()
    [2.0, 0.0]
    """
    depth = _checks.integer(depth, "fully_connected", "depth")
    hidden = serial(Relu(), Dense(width, W_std=math.sqrt(2.0)))
    return serial(Dense(width), repeat(hidden, depth - 1), Relu(), Dense(1, W_std=math.sqrt(2.0)))
