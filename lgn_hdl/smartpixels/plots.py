"""Plots of the figures of merit, as PNG with the same numbers as CSV beside them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import LgnError
from .labels import EFFICIENCY_PT
from .metrics import Curve

__all__ = ["plot_acceptance", "plot_accuracy_by_y0", "plot_training"]

#: A colour-blind safe order; markers tell the filters apart without colour.
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


def _draw(axes, curves: Mapping[str, Curve], middle: np.ndarray) -> None:
    for i, (name, curve) in enumerate(curves.items()):
        low, high = curve.interval
        share = curve.share
        axes.errorbar(
            middle,
            share,
            yerr=np.abs(np.array([share - low, high - share])),
            color=_COLOURS[i % len(_COLOURS)],
            marker=_MARKERS[i % len(_MARKERS)],
            markersize=4,
            linewidth=1.2,
            elinewidth=0.8,
            label=name,
        )


def _write(curves: Mapping[str, Curve], path: Path, bins: str, total: str) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["filter", f"{bins} from", f"{bins} to", "passed", total, "share", "error"])
        for name, c in curves.items():
            share, error = c.share, c.error
            for i in range(len(c.total)):
                empty = c.total[i] == 0
                numbers = ["", ""] if empty else [f"{share[i]:.5f}", f"{error[i]:.5f}"]
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

    Filters without epochs are not drawn; their place keeps the colours those of the other plots.
    """
    figure, axes = _figure("Validation accuracy in training")
    for i, (name, history) in enumerate(histories.items()):
        if not history:
            continue
        epochs = np.arange(1, len(history) + 1)
        for kind, line in (("relaxed", ":"), ("discrete", "-")):
            values = [entry[kind] for entry in history]
            colour = _COLOURS[i % len(_COLOURS)]
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
