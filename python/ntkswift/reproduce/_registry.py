"""The table of reproductions: one row each. A new one is a folder and a row; `claims.py` in the folder has `reproduce`."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from typing import Any

from .._checks import seed_number
from .._files import path_of, read_arrays, try_folder
from .._progress import progress_bar
from ..training import interrupts_raise
from ._report import Report
from ._steps import Steps


@dataclass(frozen=True)
class Reproduction:
    """A reproduction that can be run: its name and what it shows. It lives in the folder of its name.

    Attributes
    ----------
    name : str
        As the command line takes it.
    title, source : str
        The paper, and where to find it.
    description : str
        One sentence for the list.
    takes_data : bool
        Whether it can use a file of the user's own.
    """

    name: str
    title: str
    source: str
    description: str
    takes_data: bool = False

    @property
    def folder(self) -> str:
        """The folder of this package whose ``claims.reproduce(report, steps, *, full, data, seed)`` runs it."""
        return self.name.replace("-", "_")

    def run(
        self,
        full: bool = False,
        *,
        data: Any = None,
        output: Any = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> Report:
        """Compute everything, write it to `output` where one is given, and return the report.

        An error on the way has the report so far as attribute `report`.
        """
        self.check(data, seed)
        if output is not None:
            try_folder(output, self.name, "output")
        report = Report(self.name, self.title, self.source, full=full, seed=seed)
        module = importlib.import_module(f"{__package__}.{self.folder}.claims")
        began = time.perf_counter()
        try:
            with progress_bar(self.name, progress) as bar, interrupts_raise():
                module.reproduce(report, Steps(bar), full=full, data=data, seed=seed)
            report.seconds = time.perf_counter() - began
            if output is not None:
                report.write(output)
        except BaseException as error:
            error.report = report  # type: ignore[attr-defined]
            error.add_note("The error's attribute `report` has what was found until then.")
            raise
        return report

    def check(self, data: Any, seed: int) -> None:
        """Raise ValueError or TypeError for a data file that is missing or of no use, and for a seed that is none."""
        if data is not None and not self.takes_data:
            raise ValueError(f"[{self.name}] takes no data file. Received {str(data)!r}.")
        if data is not None and not path_of(data, self.name, "data").is_file():
            raise ValueError(f"[{self.name}] data must be a file that exists. Received {str(data)!r}.")
        if data is not None:
            read_arrays(data, self.name, "data", "an npz file of arrays")
        seed_number(seed, self.name)


# name, title of the paper, source, one sentence
_TABLE: tuple[Reproduction, ...] = (
    Reproduction(
        "lazy-training",
        "Limitations of Lazy Training of Two-layers Neural Networks",
        "arXiv:1906.08899",
        "Risks of random features, neural tangent and full training for quadratic targets, exact and by SGD.",
    ),
    Reproduction(
        "autoencoders",
        "Benefits of Jointly Training Autoencoders: An Improved Neural Tangent Kernel Analysis",
        "Nguyen, Wong & Hegde, arXiv:1911.11983",
        "What two-layer autoencoders gain from training both halves; their kernels, memorisation, tied weights.",
    ),
    Reproduction(
        "break-even",
        "The Break-Even Point on Optimization Trajectories of Deep Neural Networks",
        "Jastrzebski et al., arXiv:2002.09572 (numbers of the first submission)",
        "Whether a larger learning rate or a smaller batch lowers curvature and gradient noise and improves their condition.",
        takes_data=True,
    ),
    Reproduction(
        "orthogonal",
        "On the Neural Tangent Kernel of Deep Networks with Orthogonal Initialization",
        "Huang, Du & Xu, arXiv:2004.05867",
        "Orthogonal against Gaussian weights: the same limit, how far kernels and weights move, how fast deep networks train.",
    ),
    Reproduction(
        "bottleneck",
        "Implicit Acceleration and Feature Learning in Infinitely Wide Neural Networks with Bottlenecks",
        "Littwin et al., arXiv:2107.00364",
        "Feature learning and acceleration by one narrow layer in an infinitely wide network; finite networks beside it.",
    ),
    Reproduction(
        "resntk-spectrum",
        "Spectral Analysis of the Neural Tangent Kernel for Deep Residual Networks",
        "Belfer, Geifman, Galun & Basri, arXiv:2104.03093",
        "How fast eigenvalues of residual kernels fall, how they change with depth, and which frequencies they learn slowly.",
    ),
    Reproduction(
        "tangent-hierarchy",
        "Dynamics of Deep Neural Networks and Neural Tangent Hierarchy",
        "Huang & Yau, arXiv:1909.08156",
        "How the kernel of a finite network moves, and how well the hierarchy cut at orders 2, 3 and 4 predicts training.",
    ),
    Reproduction(
        "adaptive-kernel",
        "Training Neural Networks as Learning Data-adaptive Kernels",
        "Dou & Liang, arXiv:1901.07114",
        "At stationarity a network is kernel regression with the kernel it has learnt; where its residual is; balance.",
    ),
)

REPRODUCTIONS: dict[str, Reproduction] = {entry.name: entry for entry in _TABLE}


def find(name: str) -> Reproduction:
    """Return the reproduction of this name; ValueError that lists the known ones."""
    known = REPRODUCTIONS.get(str(name).replace("_", "-"))
    if known is None:
        raise ValueError(f"[reproduce] name must be one of {', '.join(REPRODUCTIONS)}. Received {name!r}.")
    return known
