"""Display classes: they draw what they were given, on given or new axes, and refuse nonsense."""

from __future__ import annotations

import numpy as np
import pytest

from ntkswift import spectra, stax
from ntkswift.plotting import (
    CurvatureDisplay,
    DepthDisplay,
    EigenvalueDecayDisplay,
    GramMatrixDisplay,
    KernelProfileDisplay,
    PosteriorDisplay,
    SpectralDensityDisplay,
    SpectrumDisplay,
)

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

KERNEL_FN = stax.serial(stax.Dense(8, b_std=0.1), stax.Relu(), stax.Dense(1)).kernel_fn
X = np.random.default_rng(0).standard_normal((6, 3))


def displays():
    """Yield one of each."""
    yield GramMatrixDisplay.from_kernel(KERNEL_FN, X, labels=[0, 1, 0, 1, 2, 2], normalize=True)
    yield GramMatrixDisplay.from_matrix(np.eye(1))
    yield PosteriorDisplay.from_predictions([0, 1, 2], [1, 2, 3], [0.1, 0.1, 0.2], x_train=[0.5], y_train=[1.0])
    yield SpectrumDisplay.from_matrices(
        {"ntk": KERNEL_FN(X, None, "ntk"), "nngp": KERNEL_FN(X, None, "nngp")}, relative=True
    )
    yield DepthDisplay.from_scores(
        [1, 2], {"a": [[1, 2], [2, 3]], "b": [1, 2]}, baselines={"c": [1.0, 2.0]}, metric="accuracy in %"
    )
    found = spectra.compare(FC=spectra.fully_connected(1), Laplace=spectra.laplace(), max_frequency=30)
    yield EigenvalueDecayDisplay.from_comparison(found)
    yield EigenvalueDecayDisplay.from_spectra(found.spectra, fit=(10, 30), normalize=False)
    yield KernelProfileDisplay.from_kernels({"a": spectra.gaussian(), "b": np.exp}, dimension=4)
    yield KernelProfileDisplay({1: spectra.fully_connected(1), 5: spectra.fully_connected(5)}, get="nngp", points=9)


@pytest.mark.parametrize("display", list(displays()), ids=lambda d: type(d).__name__)
def test_plot_sets_axes_and_figure(display):
    figure, ax = plt.subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    display.plot()
    assert display.ax_ is not ax
    plt.close("all")


def test_gram_is_ordered_by_class():
    display = GramMatrixDisplay.from_matrix(np.diag([1.0, 2.0, 3.0]), labels=["b", "a", "b"]).plot()
    assert np.diag(display.image_.get_array()).tolist() == [2.0, 1.0, 3.0]
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["a", "b"]
    plt.close("all")


def test_posterior_band_covers_95_percent():
    display = PosteriorDisplay.from_predictions(np.arange(3), np.zeros(3), np.ones(3)).plot()
    heights = display.ax_.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx(1.96, abs=1e-3)
    assert heights.min() == pytest.approx(-1.96, abs=1e-3)
    plt.close("all")


def test_spectrum_is_sorted_and_sums_to_one():
    values = SpectrumDisplay.from_matrix(np.diag([1.0, 3.0, 2.0]), relative=True).eigenvalues["kernel"]
    np.testing.assert_allclose(values, [0.5, 1 / 3, 1 / 6])


@pytest.mark.parametrize(
    "make",
    [
        lambda: GramMatrixDisplay.from_matrix(np.ones((2, 3))),
        lambda: GramMatrixDisplay.from_matrix([[np.nan]]),
        lambda: GramMatrixDisplay.from_matrix(np.eye(2), labels=[1, 2, 3]),
        lambda: GramMatrixDisplay.from_matrix(np.zeros((2, 2)), normalize=True),
        lambda: PosteriorDisplay.from_predictions([1, 2], [1], [1, 1]),
        lambda: PosteriorDisplay.from_predictions([1], [1], [1], x_train=[1]),
        lambda: SpectrumDisplay.from_matrix(np.empty((0, 0))),
        lambda: DepthDisplay.from_scores([1, 2], {"a": [1.0]}),
    ],
)
def test_nonsense_is_refused(make):
    with pytest.raises(ValueError, match="Received"):
        make()


def test_decay_legend_has_the_exponents():
    found = spectra.compare(Laplace=spectra.laplace(), smooth=np.exp, max_frequency=100, fit=(50, 100))
    display = EigenvalueDecayDisplay.from_comparison(found).plot()
    texts = [t.get_text() for t in display.ax_.get_legend().get_texts()]
    assert texts == ["Laplace: $k^{-2.98}$", "smooth"]
    plt.close("all")


def test_profiles_start_at_1():
    display = KernelProfileDisplay({"a": spectra.fully_connected(3), "b": spectra.laplace(5.0)})
    assert all(values[0] == pytest.approx(1) and values[-1] < 0.5 for values in display.values.values())


def test_decay_and_profile_refuse():
    with pytest.raises(ValueError, match="one spectrum or more"):
        EigenvalueDecayDisplay({})
    with pytest.raises(TypeError, match="must be a SphereSpectrum"):
        EigenvalueDecayDisplay({"a": [1.0]})
    with pytest.raises(ValueError, match="names of spectra"):
        EigenvalueDecayDisplay({"a": spectra.sphere_spectrum(np.exp, 3, 5)}, fits={"b": None})
    with pytest.raises(ValueError, match="one kernel or more"):
        KernelProfileDisplay({})
    with pytest.raises(ValueError, match="points"):
        KernelProfileDisplay({"a": np.exp}, points=1)


def test_curvature_display():
    run = {"step": [0, 10, 100], "loss": [1.0, 0.5, 0.1], "sharpness": [1.0, 5.0, 19.0], "spread_K": [4.0, 5.0, 3.0]}
    display = CurvatureDisplay({"slow": run, "fast": run}, learning_rates={"slow": 0.1}).plot()
    assert [ax.get_ylabel() for ax in display.axes_] == [label for _, label, _ in display.panels]
    assert len(display.axes_) == 3
    limits = [line for line in display.axes_[1].get_lines() if line.get_linestyle() == ":" and len(line.get_xdata())]
    assert [float(np.ravel(line.get_ydata())[0]) for line in limits] == [20.0]
    with pytest.raises(ValueError, match="step"):
        CurvatureDisplay({"slow": {"loss": [1.0]}})
    with pytest.raises(ValueError, match="axes must be 3 Axes"):
        display.plot(display.axes_[:2])


def test_spectral_density_display():
    from ntkswift.curvature import SpectralDensity

    density = SpectralDensity(np.array([[0.0, 10.0]]), np.array([[0.9, 0.1]]), 10)
    display = SpectralDensityDisplay.from_density(density, name="H").plot()
    (line,) = display.ax_.get_lines()
    peak = line.get_xdata()[np.argmax(line.get_ydata())]
    assert abs(peak) < 0.1
    assert display.width == pytest.approx(0.05)
    with pytest.raises(ValueError, match="at least one"):
        SpectralDensityDisplay({})
