"""Plots of the figures of merit, as PNG with the same numbers as CSV beside them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import LgnError
from .labels import EFFICIENCY_PT
from .metrics import Curve

__all__ = ["plot_acceptance", "plot_accuracy_by_y0", "plot_training"]

#: A colour-blind safe order; markers tell the filters apart without colour. The filters of
#: `reproduce` have the first places in every plot, whichever of them it shows.
_PLACES = ("mlp", "cnn", "smartpixels_dense", "smartpixels_conv")
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def _figure(title: str):
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise LgnError("plots need matplotlib", hint="pip install lgn-hdl[smartpixels]") from error
    figure = Figure(figsize=(7.2, 4.6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _styles(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each filter."""
    names = list(names)
    known = [name for name in names if name in _PLACES]
    free = [i for i in range(len(_COLOURS)) if i >= len(_PLACES) or _PLACES[i] not in known]
    others = [name for name in names if name not in known]
    places = {name: _PLACES.index(name) for name in known}
    places |= {name: free[i % len(free)] for i, name in enumerate(others)}
    return {name: (_COLOURS[i], _MARKERS[i]) for name, i in places.items()}


def _draw(axes, curves: Mapping[str, Curve], middle: np.ndarray) -> None:
    styles = _styles(curves)
    for name, curve in curves.items():
        low, high = curve.interval
        colour, marker = styles[name]
        share = curve.share
        axes.errorbar(
            middle,
            share,
            yerr=np.abs(np.array([share - low, high - share])),
            color=colour,
            marker=marker,
            markersize=4,
            linewidth=1.2,
            elinewidth=0.8,
            label=name,
        )


def _write(curves: Mapping[str, Curve], path: Path, bins: str, total: str) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        ends = ["share", "share low", "share high"]
        rows.writerow(["filter", f"{bins} from", f"{bins} to", "passed", total, *ends])
        for name, c in curves.items():
            shares = np.array([c.share, *c.interval])
            for i in range(len(c.total)):
                empty = c.total[i] == 0
                numbers = [""] * 3 if empty else [f"{value:.5f}" for value in shares[:, i]]
                rows.writerow([name, c.edges[i], c.edges[i + 1], c.passed[i], c.total[i], *numbers])


def plot_acceptance(
    curves: Mapping[str, Curve], folder: Path, boundary: float, tracks: str
) -> list[Path]:
    """Share of tracks that are kept, against |pT|: `acceptance.png` and `acceptance.csv`.

    Parameters
    ----------
    curves : mapping of filter name to Curve
        From `metrics.acceptance`.
    boundary : float
        |pT| between the classes in training.
    tracks : str
        What was filtered, for the title.
    """
    figure, axes = _figure(f"Tracks predicted high pT, {tracks}")
    edges = next(iter(curves.values())).edges
    _draw(axes, curves, np.sqrt(edges[1:] * edges[:-1]))
    axes.set_xscale("log")
    ticks = [t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if edges[0] <= t <= edges[-1]]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, 1.09)
    for place, text in ((boundary, "class boundary"), (EFFICIENCY_PT, "efficiency above")):
        axes.axvline(place, color="#777777", linestyle="--", linewidth=0.9)
        axes.text(place * 1.03, 1.03, f"{text} {place:g} GeV", color="#555555", fontsize=8)
    axes.set_xlabel("|pT| in GeV")
    axes.set_ylabel("acceptance")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    return _save(figure, curves, folder / "acceptance", "|pT| in GeV", "tracks")


def plot_accuracy_by_y0(curves: Mapping[str, Curve], folder: Path, tracks: str) -> list[Path]:
    """Share of right classes against y0: `accuracy_y0.png` and `accuracy_y0.csv`."""
    figure, axes = _figure(f"Right class of three, {tracks}")
    edges = next(iter(curves.values())).edges
    _draw(axes, curves, (edges[1:] + edges[:-1]) / 2)
    axes.set_xlabel("position on the sensor y0 in mm")
    axes.set_ylabel("accuracy")
    axes.legend(frameon=False, fontsize=9, ncols=2, loc="best")
    return _save(figure, curves, folder / "accuracy_y0", "y0 in mm", "tracks")


def plot_training(
    histories: Mapping[str, Sequence[Mapping[str, float]]], folder: Path
) -> list[Path]:
    """Validation accuracy of each epoch, gates soft and gates discrete: `training.png`, `.csv`.

    Filters without epochs are not drawn; all take part in choosing the colours, so that these are
    those of the other plots.
    """
    figure, axes = _figure("Validation accuracy in training")
    styles = _styles(histories)
    for name, history in histories.items():
        if not history:
            continue
        epochs = np.arange(1, len(history) + 1)
        for kind, line in (("relaxed", ":"), ("discrete", "-")):
            values = [entry[kind] for entry in history]
            colour, _ = styles[name]
            axes.plot(epochs, values, line, color=colour, linewidth=1.5, label=f"{name}, {kind}")
    axes.set_xlabel("epoch")
    axes.set_ylabel("accuracy")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    png, table = folder / "training.png", folder / "training.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["network", "epoch", "loss", "relaxed", "discrete"])
        for name, history in histories.items():
            for epoch, entry in enumerate(history):
                rows.writerow(
                    [name, epoch + 1, *(entry[k] for k in ("loss", "relaxed", "discrete"))]
                )
    figure.savefig(png)
    return [png, table]


def _save(figure, curves, stem: Path, bins: str, total: str) -> list[Path]:
    png, table = stem.with_suffix(".png"), stem.with_suffix(".csv")
    figure.savefig(png)
    _write(curves, table, bins, total)
    return [png, table]
