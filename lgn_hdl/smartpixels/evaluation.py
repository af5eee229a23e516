"""Filters on a sample: scores, curves, plots and tables into a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .data import Sample
from .filters import Filter
from .metrics import PT_EDGES, Scores, acceptance, accuracy_by_y0, scores
from .plots import plot_acceptance, plot_accuracy_by_y0, plot_training

__all__ = ["evaluate", "scores_table"]


def evaluate(
    filters: Sequence[Filter],
    sample: Sample,
    folder: Path,
    *,
    boundary: float | None = None,
    extra: dict[str, Any] | None = None,
) -> dict[str, Scores]:
    """Measure filters and write what was found.

    Writes `acceptance`, `accuracy_y0` and `training` as PNG and CSV, `scores.md` and `report.json`.

    Parameters
    ----------
    boundary : float, optional
        |pT| between the classes; by default the one each filter was trained with.
    extra : dict, optional
        Goes into `report.json`.
    """
    found, kept, right = {}, {}, {}
    for each in filters:
        predicted = each.classes(sample.features(each.features))
        limit = boundary or each.boundary
        found[each.name] = scores(predicted, sample.pt, limit)
        kept[each.name] = acceptance(predicted, sample.pt, _edges(sample.pt))
        right[each.name] = accuracy_by_y0(predicted, sample.classes(limit), sample.y0)
    title = f"{len(sample):,} {sample.source}"
    plot_acceptance(kept, folder, boundary or filters[0].boundary, title)
    plot_accuracy_by_y0(right, folder, title)
    histories = {each.name: each.history for each in filters}
    if any(histories.values()):
        plot_training(histories, folder)
    (folder / "scores.md").write_text(scores_table(found))
    report = {"tracks": len(sample), "source": sample.source, **(extra or {})}
    report["scores"] = {name: _numbers(asdict(s)) for name, s in found.items()}
    (folder / "report.json").write_text(json.dumps(report, indent=2, allow_nan=False) + "\n")
    return found


def scores_table(found: dict[str, Scores]) -> str:
    """The scores as a Markdown table."""
    lines = [
        "| Filter | Accuracy | Efficiency above 2 GeV "
        "| Rejection up to 2 GeV | Rejection of low pT |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, s in found.items():
        shares = (s.accuracy, s.efficiency, s.rejection, s.low_rejection)
        lines.append(f"| {name} | " + " | ".join(_percent(v) for v in shares) + " |")
    return "\n".join(lines) + "\n"


def _percent(value: float) -> str:
    return "none" if np.isnan(value) else f"{100 * value:.2f} %"


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in values.items()}


def _edges(pt: np.ndarray) -> np.ndarray:
    """The usual bins, as far as there are tracks."""
    size = np.abs(pt)
    last = int(np.searchsorted(PT_EDGES, size.max()))
    return PT_EDGES[: max(2, min(len(PT_EDGES), last + 1))]
