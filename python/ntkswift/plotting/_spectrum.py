"""Eigenvalues of kernel matrices, largest first, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .style import COLOURS, new_axes, square, tidy, vector


class SpectrumDisplay:
    """Eigenvalue spectra, one line per kernel.

    Parameters
    ----------
    eigenvalues : mapping of str to array
        Eigenvalues by the name of their kernel; sorted here, largest first.
    relative : bool, default=False
        The eigenvalues are shares of the trace.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.
    """

    ax_: Any
    figure_: Any

    def __init__(self, eigenvalues: Mapping[str, Any], *, relative: bool = False) -> None:
        self.eigenvalues = {
            name: np.sort(vector(values, "SpectrumDisplay", name))[::-1] for name, values in eigenvalues.items()
        }
        self.relative = relative

    @classmethod
    def from_matrices(cls, matrices: Mapping[str, Any], *, relative: bool = False) -> SpectrumDisplay:
        """Return the display of the eigenvalues of symmetric matrices; `relative` divides them by the trace."""
        spectra = {}
        for name, matrix in matrices.items():
            values = np.linalg.eigvalsh(square(matrix, "SpectrumDisplay"))
            spectra[name] = values / values.sum() if relative else values
        return cls(spectra, relative=relative)

    @classmethod
    def from_matrix(cls, matrix: Any, *, name: str = "kernel", relative: bool = False) -> SpectrumDisplay:
        """Return the display of the eigenvalues of one symmetric matrix."""
        return cls.from_matrices({name: matrix}, relative=relative)

    def plot(self, ax: Any = None) -> SpectrumDisplay:
        """Draw positive eigenvalues against their rank; those below rounding error are left out."""
        self.ax_ = new_axes(ax)
        self.figure_ = self.ax_.figure
        for i, (name, values) in enumerate(self.eigenvalues.items()):
            rank = np.arange(1, len(values) + 1)
            shown = values > max(values[0], 0) * len(values) * np.finfo(float).eps
            self.ax_.loglog(rank[shown], values[shown], color=COLOURS[i % len(COLOURS)], linewidth=1.8, label=name)
        self.ax_.set(xlabel="rank", ylabel="share of the trace" if self.relative else "eigenvalue")
        tidy(self.ax_)
        self.ax_.legend(frameon=False, fontsize="small")
        return self
