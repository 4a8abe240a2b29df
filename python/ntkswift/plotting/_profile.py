"""Zonal kernels against the angle between two points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._checks import integer
from ..spectra import ZonalKernel
from .style import COLOURS, new_axes, tidy

_STYLES = ("-", "--", "-.", ":")


class KernelProfileDisplay:
    """Kernel, divided by its value at angle 0, against the angle: one line per kernel or depth.

    Parameters
    ----------
    kernels : mapping of (str or int) to Layer, kernel_fn, callable or ZonalKernel
        Kernels by name, or networks by depth: depths are drawn in one scale of colours, dark to light.
    dimension : int, default=3
        The points are on S^(dimension - 1).
    get : {"ntk", "nngp"}
        Which kernel of a network.
    points : int, default=361
        Angles from 0 to 180 degrees.

    Attributes
    ----------
    angles : ndarray
        In degrees.
    values : dict of (str or int) to ndarray
        Kernels at these angles.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> from ntkswift.plotting import KernelProfileDisplay
    >>> display = KernelProfileDisplay({1: spectra.fully_connected(1), 10: spectra.fully_connected(10)}, points=3)
    >>> display.values[1].round(3).tolist()[:2]
    [1.0, 0.159]
    """

    ax_: Any
    figure_: Any

    def __init__(self, kernels: Mapping[Any, Any], *, dimension: int = 3, get: str = "ntk", points: int = 361) -> None:
        if not kernels:
            raise ValueError("[KernelProfileDisplay] kernels must hold one kernel or more. Received none.")
        self.angles = np.linspace(0.0, 180.0, integer(points, "KernelProfileDisplay", "points", minimum=2))
        self.values = {}
        for name, kernel in kernels.items():
            zonal = kernel if isinstance(kernel, ZonalKernel) else ZonalKernel(kernel, get=get)
            self.values[name] = zonal(np.radians(self.angles), dimension) / zonal.at_zero(dimension)

    @classmethod
    def from_kernels(cls, kernels: Mapping[Any, Any], **options: Any) -> KernelProfileDisplay:
        """Return the display of kernels by name or depth; further arguments as for the class."""
        return cls(kernels, **options)

    def plot(self, ax: Any = None, *, ylabel: str = "kernel / kernel at 0") -> KernelProfileDisplay:
        """Draw the profiles, with ticks every 45 degrees."""
        self.ax_ = new_axes(ax)
        self.figure_ = self.ax_.figure
        for i, ((name, values), colour) in enumerate(zip(self.values.items(), self._colours())):
            by_depth = self._is_by_depth()
            self.ax_.plot(
                self.angles,
                values,
                color=colour,
                linestyle="-" if by_depth else _STYLES[i % len(_STYLES)],
                linewidth=1.8,
                label=f"depth {name}" if by_depth else str(name),
            )
        self.ax_.set(xlabel="angle between inputs in degrees", ylabel=ylabel, xlim=(0, 180))
        self.ax_.set_xticks(range(0, 181, 45))
        tidy(self.ax_)
        self.ax_.legend(frameon=False, fontsize="small")
        return self

    def _is_by_depth(self) -> bool:
        return all(isinstance(name, int) for name in self.values)

    def _colours(self) -> list[Any]:
        if not self._is_by_depth():
            return [COLOURS[i % len(COLOURS)] for i in range(len(self.values))]
        import matplotlib

        scale = matplotlib.colormaps["viridis"]
        return [scale(x) for x in np.linspace(0.0, 0.85, len(self.values))]
