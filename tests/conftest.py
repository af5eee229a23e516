"""What many tests need: the folder of models and data made by others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every run and every machine.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder that LGN_HDL_SHARED names, by default ../shared beside the repository."""
    folder = Path(os.environ.get("LGN_HDL_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: set LGN_HDL_SHARED to the folder of shared models")
    return folder
