"""Where the networks and data that others made are found."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import lgn_hdl

__all__ = ["MODELS", "load", "shared_folder"]

ROOT = Path(__file__).resolve().parents[1]

#: Networks of ten classes, trained on MNIST by others.
MODELS = {
    "tt10 3x2550": "models/tt10/binarized_*.npz",
    "tt10 3x2000": "models/tt10/baralizm_*.npz",
    "tt10 8x1300": "models/tt10/barabasi_*.npz",
    "tt10 6x4000": "models/tt10/final_*.pth",
    "carleton 2x4000": "models/carleton/*.csv",
}


def shared_folder() -> Path:
    """LGN_HDL_SHARED, by default ../shared; the program ends if it is absent."""
    shared = Path(os.environ.get("LGN_HDL_SHARED", ROOT.parent / "shared"))
    if not shared.is_dir():
        sys.exit(f"{shared} is absent: set LGN_HDL_SHARED to the folder of shared models")
    return shared


def load(name: str, inputs: int | None = None) -> lgn_hdl.Model:
    """One of `MODELS`, with that many input bits if the last ones are not connected."""
    (path,) = shared_folder().glob(MODELS[name])
    return lgn_hdl.load(path, groups=10, inputs=inputs)
