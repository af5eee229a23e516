"""What synthesis makes of a network: LUTs of six inputs, and standard cells of a Liberty file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..compiler import build
from ..flow import CellArea
from ..model import Model

__all__ = ["count_cells", "count_luts", "find_liberty"]

_LIBERTY = "pdk/sky130hd/sky130_fd_sc_hd__tt_025C_1v80.lib"


def find_liberty() -> Path | None:
    """The Liberty file of SkyWater 130 under `LGN_HDL_SHARED`, if it is there."""
    root = os.environ.get("LGN_HDL_SHARED")
    path = None if root is None else Path(root, _LIBERTY)
    return path if path is not None and path.is_file() else None


def count_luts(model: Model) -> int:
    """LUT6 of the whole design, registers for 100 MHz between them."""
    with tempfile.TemporaryDirectory() as folder:
        result = build(model, Path(folder) / "build", target="lut6", vectors=64)
    resources = result.report.resources
    assert resources is not None
    return resources.lut


def count_cells(model: Model, liberty: Path) -> CellArea:
    """Standard cells of the whole design, registers for 100 MHz among them."""
    with tempfile.TemporaryDirectory() as folder:
        result = build(
            model,
            Path(folder) / "build",
            target="sky130",
            pdk_root=liberty.parent,
            clock_mhz=100,
            vectors=64,
            handoff="none",
        )
    silicon = result.report.silicon
    assert silicon is not None
    return CellArea(silicon.area_um2, silicon.cells)
