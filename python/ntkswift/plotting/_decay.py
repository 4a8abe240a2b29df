"""Eigenvalues on the sphere against frequency, with the slopes of straight lines fitted to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..spectra import Comparison, DecayFit, SphereSpectrum
from .style import COLOURS, MARKERS, new_axes, tidy


class EigenvalueDecayDisplay:
    """Eigenvalue against frequency on logarithmic axes, one line per kernel; even frequencies filled, odd ones hollow.

    Parameters
    ----------
    spectra : mapping of str to SphereSpectrum
        Spectra by the names of their kernels. Eigenvalues that are not above their errors are left out.
    fits : mapping of str to DecayFit or None, optional
        Fits whose exponents and ranges to show, by the same names.
    normalize : bool, default=True
        Divide each kernel by its value at angle 0.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> from ntkswift.plotting import EigenvalueDecayDisplay
    >>> found = spectra.compare(Laplace=spectra.laplace(), max_frequency=40)
    >>> display = EigenvalueDecayDisplay.from_comparison(found)
    >>> display.label("Laplace")
    'Laplace: $k^{-2.95}$'
    """

    ax_: Any
    figure_: Any

    def __init__(
        self,
        spectra: Mapping[str, SphereSpectrum],
        *,
        fits: Mapping[str, DecayFit | None] | None = None,
        normalize: bool = True,
    ) -> None:
        for name, spectrum in spectra.items():
            if not isinstance(spectrum, SphereSpectrum):
                raise TypeError(
                    f"[EigenvalueDecayDisplay] spectra[{name!r}] must be a SphereSpectrum. Received {type(spectrum).__name__}."
                )
        if not spectra:
            raise ValueError("[EigenvalueDecayDisplay] spectra must hold one spectrum or more. Received none.")
        self.spectra = {name: s.normalized() if normalize else s for name, s in spectra.items()}
        self.fits = dict(fits or {})
        unknown = self.fits.keys() - self.spectra.keys()
        if unknown:
            raise ValueError(f"[EigenvalueDecayDisplay] fits must have names of spectra. Received {sorted(unknown)}.")

    @classmethod
    def from_comparison(cls, comparison: Comparison) -> EigenvalueDecayDisplay:
        """Return the display of what `ntkswift.spectra.compare` found."""
        return cls(comparison.spectra, fits=comparison.decays)

    @classmethod
    def from_spectra(
        cls, spectra: Mapping[str, SphereSpectrum], *, fit: tuple[int, int] | None = None, normalize: bool = True
    ) -> EigenvalueDecayDisplay:
        """Return the display of spectra by name; `fit` is the first and last frequency of the straight lines."""
        fits = {name: spectrum.decay(*fit) for name, spectrum in spectra.items()} if fit else None
        return cls(spectra, fits=fits, normalize=normalize)

    def label(self, name: str) -> str:
        """Return the legend of a kernel: its name, and its exponent where it was fitted."""
        fit = self.fits.get(name)
        return name if fit is None else f"{name}: $k^{{-{fit.exponent:.2f}}}$"

    def plot(self, ax: Any = None) -> EigenvalueDecayDisplay:
        """Draw eigenvalues, at most a few dozen markers each; a band behind them marks the frequencies that were fitted."""
        self.ax_ = new_axes(ax)
        self.figure_ = self.ax_.figure
        for i, (name, spectrum) in enumerate(self.spectra.items()):
            colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
            self._draw_kernel(name, spectrum, colour, marker)
        dimension = next(iter(self.spectra.values())).dimension
        self.ax_.set(
            xscale="log",
            yscale="log",
            xlabel="frequency $k$",
            ylabel=f"eigenvalue $\\lambda_k$ on $S^{{{dimension - 1}}}$",
        )
        tidy(self.ax_)
        self.ax_.legend(frameon=False, fontsize="small")
        return self

    def _draw_kernel(self, name: str, spectrum: SphereSpectrum, colour: str, marker: str) -> None:
        k, values = spectrum.frequencies, spectrum.eigenvalues
        shown = (k > 0) & (values > spectrum.errors)
        for parity in (0, 1):
            here = shown & (k % 2 == parity)
            self.ax_.plot(k[here], values[here], color=colour, linewidth=0.9, alpha=0.6)
            few = _spread(k[here])
            self.ax_.plot(
                k[here][few],
                values[here][few],
                marker,
                color=colour,
                markerfacecolor=colour if parity == 0 else "white",
                markersize=4.5,
                label=self.label(name) if parity == 0 else None,
            )
        fit = self.fits.get(name)
        if fit is None:
            return
        for parity in (0, 1):
            fitted = shown & (k % 2 == parity) & (k >= fit.first) & (k <= fit.last)
            self.ax_.plot(
                k[fitted], values[fitted], color=colour, linewidth=7, alpha=0.25, solid_capstyle="butt", zorder=1
            )


def _spread(k: np.ndarray, per_octave: int = 3) -> np.ndarray:
    """Places of frequencies that lie evenly on a logarithmic axis."""
    chosen, last = [], 0.0
    for i, value in enumerate(k):
        if value >= last * 2 ** (1 / per_octave):
            chosen.append(i)
            last = float(value)
    return np.array(chosen, dtype=int)
