"""A Gram matrix as a picture, its rows grouped by class."""

from __future__ import annotations

from typing import Any

import numpy as np

from .style import new_axes, square


class GramMatrixDisplay:
    """Gram matrix with rows and columns ordered by class.

    Parameters
    ----------
    gram : array of shape (n, n)
        Symmetric kernel matrix.
    labels : array of shape (n,), optional
        Class of each row. Without it the order stays.
    name : str, default="kernel"
        What the entries are, for the colour bar.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.
    image_ : matplotlib image
        After `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift.plotting import GramMatrixDisplay
    >>> display = GramMatrixDisplay.from_matrix(np.array([[2.0, 1.0], [1.0, 2.0]]), labels=[1, 0])
    >>> display.order().tolist()
    [1, 0]
    """

    ax_: Any
    figure_: Any
    image_: Any

    def __init__(self, gram: Any, *, labels: Any = None, name: str = "kernel") -> None:
        self.gram = square(gram, "GramMatrixDisplay")
        self.labels = None if labels is None else np.asarray(labels)
        if self.labels is not None and self.labels.shape != (len(self.gram),):
            raise ValueError(
                f"[GramMatrixDisplay] labels must have one element per row, ({len(self.gram)},). "
                f"Received shape {self.labels.shape}."
            )
        self.name = name

    @classmethod
    def from_matrix(
        cls, gram: Any, *, labels: Any = None, name: str = "kernel", normalize: bool = False
    ) -> GramMatrixDisplay:
        """Return the display of a matrix; `normalize` divides by the roots of the diagonal (correlations)."""
        matrix = square(gram, "GramMatrixDisplay")
        if normalize:
            scale = np.sqrt(np.diag(matrix))
            if not (scale > 0).all():
                raise ValueError(
                    "[GramMatrixDisplay] normalize needs a positive diagonal. Received a zero or negative one."
                )
            matrix = matrix / np.outer(scale, scale)
        return cls(matrix, labels=labels, name=name)

    @classmethod
    def from_kernel(
        cls, kernel_fn: Any, X: Any, *, labels: Any = None, get: str = "ntk", normalize: bool = False
    ) -> GramMatrixDisplay:
        """Return the display of `kernel_fn(X, None, get)`."""
        name = get.upper() + (", normalised" if normalize else "")
        return cls.from_matrix(kernel_fn(X, None, get), labels=labels, name=name, normalize=normalize)

    def order(self) -> np.ndarray:
        """Return the rows in the order of the figure: by class, then as they came."""
        if self.labels is None:
            return np.arange(len(self.gram))
        return np.argsort(self.labels, kind="stable")

    def plot(self, ax: Any = None, *, cmap: str = "viridis") -> GramMatrixDisplay:
        """Draw the matrix. Colours run from the 1st to the 99th percentile of the entries off the diagonal."""
        self.ax_ = new_axes(ax, (5.4, 4.6))
        self.figure_ = self.ax_.figure
        order = self.order()
        shown = self.gram[np.ix_(order, order)]
        low, high = self._range(shown)
        self.image_ = self.ax_.imshow(shown, cmap=cmap, vmin=low, vmax=high, interpolation="nearest", aspect="equal")
        self.figure_.colorbar(self.image_, ax=self.ax_, label=self.name, shrink=0.9, extend="both")
        self._mark_classes(order)
        return self

    def _range(self, shown: np.ndarray) -> tuple[float, float]:
        off_diagonal = shown[~np.eye(len(shown), dtype=bool)] if len(shown) > 1 else shown.ravel()
        low, high = np.percentile(off_diagonal, [1, 99])
        return (low, high) if high > low else (low - 0.5, low + 0.5)

    def _mark_classes(self, order: np.ndarray) -> None:
        self.ax_.tick_params(length=0)
        if self.labels is None:
            self.ax_.set(xlabel="input", ylabel="input")
            return
        classes, first, count = np.unique(self.labels[order], return_index=True, return_counts=True)
        centres = first + count / 2 - 0.5
        for edge in first[1:]:
            self.ax_.axhline(edge - 0.5, color="white", linewidth=0.6)
            self.ax_.axvline(edge - 0.5, color="white", linewidth=0.6)
        names = [str(c) for c in classes]
        self.ax_.set_xticks(centres, names)
        self.ax_.set_yticks(centres, names)
        self.ax_.set(xlabel="inputs, ordered by class", ylabel="inputs, ordered by class")
