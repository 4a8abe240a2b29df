"""Several kernels side by side: how fast their eigenvalues fall, and what their shape says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._call import Progress, takes_resources
from . import _domain
from ._asymptotics import Asymptotics, asymptotics
from ._decay import DecayFit
from ._sphere import SphereSpectrum, sphere_spectrum
from ._spikiness import Spikiness, spikiness
from ._zonal import ZonalKernel, as_zonal


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What :func:`compare` found, by the names of the kernels; printing it shows a table.

    Attributes
    ----------
    kernels : dict of str to ZonalKernel
    spectra : dict of str to SphereSpectrum
        Of the kernels divided by their values at angle 0.
    decays : dict of str to DecayFit or None
        Fits over `fit`; None where too few eigenvalues stand out of rounding.
    laws : dict of str to Asymptotics
        High-frequency laws of the kernels, not divided.
    spikiness : dict of str to Spikiness
    fit : tuple of int
        First and last fitted frequency.
    """

    kernels: dict[str, ZonalKernel]
    spectra: dict[str, SphereSpectrum]
    decays: dict[str, DecayFit | None]
    laws: dict[str, Asymptotics]
    spikiness: dict[str, Spikiness]
    fit: tuple[int, int]

    def __repr__(self) -> str:
        width = max(6, *(len(name) for name in self.spectra))
        dimension = next(iter(self.spectra.values())).dimension
        head = f"kernels on S^{dimension - 1}, decay between k = {self.fit[0]} and {self.fit[1]}"
        columns = f"{'kernel':<{width}}  exponent  95 % interval      law  slope at 0  at 90 deg  odd/even"
        return "\n".join([head, columns, *(self._row(name, width) for name in self.spectra)])

    def _row(self, name: str, width: int) -> str:
        fit, law, shape = self.decays[name], self.laws[name], self.spikiness[name]
        slope = (
            f"{fit.exponent:8.3f}  {fit.interval[0]:.3f} to {fit.interval[1]:.3f}" if fit else f"{'none':>8}  {'':14}"
        )
        ratio = law.odd / law.even if law.even else float("nan")
        return f"{name:<{width}}  {slope}  {law.exponent:7.3g}  {shape.slope:10.4g}  {shape.right_angle:9.4f}  {ratio:8.3f}"


@takes_resources()
def compare(
    *kernels: Any,
    dimension: int = 3,
    max_frequency: int = 200,
    fit: tuple[int, int] | None = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
    **named: Any,
) -> Comparison:
    """Spectra, decay exponents, high-frequency laws and spikiness of several zonal kernels.

    Parameters
    ----------
    *kernels, **named : Layer, kernel_fn, callable or ZonalKernel
        As :class:`ZonalKernel` takes them; keywords name them for the table.
    dimension : int
        d of the sphere S^(d-1).
    max_frequency : int
        The largest frequency.
    fit : tuple of int, optional
        First and last frequency of the fits; the upper half of the frequencies by default.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Examples
    --------
    >>> import ntkswift
    >>> from ntkswift import spectra
    >>> found = spectra.compare(
    ...     FC=spectra.fully_connected(3), ResNTK=ntkswift.resntk(3, 0.5, input_dim=3), Laplace=spectra.laplace()
    ... )
    >>> [round(fit.exponent, 1) for fit in found.decays.values()]
    [3.0, 3.0, 3.0]
    """
    op = "compare"
    chosen: dict[str, ZonalKernel] = {}
    for kernel in kernels:
        zonal = as_zonal(kernel)
        name = zonal.name
        while name in chosen or name in named:
            name += "'"
        chosen[name] = zonal
    chosen |= {name: as_zonal(kernel) for name, kernel in named.items()}
    if not chosen:
        raise ValueError(f"[{op}] needs one kernel or more. Received none.")
    d, top = _domain.dimension(dimension, op), _domain.frequency(max_frequency, op)
    first, last = (max(1, top // 2), top) if fit is None else (int(fit[0]), int(fit[1]))
    spectra = {name: sphere_spectrum(kernel, d, top, normalize=True) for name, kernel in chosen.items()}
    return Comparison(
        chosen,
        spectra,
        {name: _decay(spectrum, first, last) for name, spectrum in spectra.items()},
        {name: asymptotics(kernel, d) for name, kernel in chosen.items()},
        {name: spikiness(kernel, d) for name, kernel in chosen.items()},
        (first, last),
    )


def _decay(spectrum: SphereSpectrum, first: int, last: int) -> DecayFit | None:
    top = len(spectrum.eigenvalues) - 1
    if not 1 <= first < last <= top:
        raise ValueError(
            f"[compare] fit must be two frequencies between 1 and {top}, ascending. Received {(first, last)}."
        )
    good = int((spectrum.eigenvalues[first : last + 1] > 100 * spectrum.errors[first : last + 1]).sum())
    return spectrum.decay(first, last) if good >= 4 else None
