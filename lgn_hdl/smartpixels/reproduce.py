"""One command from nothing to results: data, baselines, committed networks, plots, gate table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import LgnError
from ..model import Model
from .configs import PRESETS
from .data import SEEDS, Sample, generated
from .evaluation import evaluate
from .filters import Filter, load_filter
from .gatetable import Row, config_row, model_row, module_row, write_table
from .metrics import Scores
from .synthesis import count_cells, count_luts
from .train import train_baseline

__all__ = ["EXAMPLES", "gate_rows", "reproduce"]

#: Networks in the repository; a wheel does not carry them.
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
Say = Callable[[str], None]


def reproduce(
    folder: Path,
    *,
    models: Sequence[Path] = (),
    clusters: int = 100_000,
    test_clusters: int = 40_000,
    luts: bool = True,
    liberty: Path | None = None,
    say: Say = lambda line: None,
) -> tuple[dict[str, Scores], list[Row]]:
    """Generate, train the baselines, measure them and the given networks, count gates.

    Parameters
    ----------
    folder : Path
        Takes the plots and tables.
    models : sequence of Path
        Logic-gate networks; by default those of the examples.
    luts : bool
        Map the networks to LUT6 too.
    liberty : Path, optional
        And to its standard cells.

    Raises
    ------
    LgnError
        If there are no networks.
    """
    models = list(models) or sorted(EXAMPLES.glob("smartpixels_*.lgn"))
    if not models:
        raise LgnError(
            "there are no trained networks", where=str(EXAMPLES), hint="name them with --models"
        )
    trained = [load_filter(path) for path in models]
    say(f"generating {clusters + test_clusters + test_clusters // 3:,} clusters")
    train = generated(clusters, SEEDS["train"])
    validation = generated(max(1000, test_clusters // 3), SEEDS["validation"])
    test = generated(test_clusters, SEEDS["test"])
    filters = [_baseline(kind, train, validation, say) for kind in ("mlp", "cnn")] + trained
    say(f"measuring {len(filters)} filters on {len(test):,} clusters")
    found = evaluate(filters, test, folder)
    rows = gate_rows(filters, luts=luts, liberty=liberty, say=say)
    write_table(rows, folder)
    return found, rows


def _baseline(kind: str, train: Sample, validation: Sample, say: Say) -> Filter:
    return train_baseline(
        kind, train, validation, say=lambda line: say(f"training the {kind}: {line}")
    )


def gate_rows(
    filters: Sequence[Filter],
    *,
    luts: bool,
    liberty: Path | None = None,
    say: Say = lambda line: None,
) -> list[Row]:
    """Lines of the gate table: the filters, and the talk's networks by their shape."""
    rows = []
    for each in filters:
        if isinstance(each.network, Model):
            say(f"counting the gates of {each.name}")
            row = model_row(each.name, each.network, each.training.get("trained_gates"))
            if luts:
                say(f"mapping {each.name} to LUTs")
                row = replace(row, lut6=count_luts(each.network))
            if liberty is not None:
                say(f"mapping {each.name} to cells of {liberty.name}")
                area = count_cells(each.network, liberty)
                row = replace(row, cells=area.count, area_um2=round(area.area_um2))
            rows.append(row)
        else:
            rows.append(module_row(each.name, each.network, each.features))
    names = {"dense": "dense LGN of the talk", "conv": "conv LGN of the talk"}
    return rows + [config_row(title, PRESETS[name]) for name, title in names.items()]
