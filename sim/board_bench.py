"""Samples in frames, sound and damaged, through the pins of a device; see `sim.board.run`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.utils import get_sim_time

from .board_line import DeviceError, Line
from .damage import CHECKS


@cocotb.test()
async def device_answers_right(dut) -> None:
    """Every sample has its result; every damage is reported and leaves no trace."""
    timing = json.loads(Path(os.environ["LGN_HDL_TIMING"]).read_text())
    line = Line(dut, timing, os.environ["LGN_HDL_VECTORS"], seed=int(os.environ["LGN_HDL_SEED"]))
    checks: dict[str, int] = {}
    progress: dict[str, Any] = {"samples": 0, "checks": checks, "mismatch": None}
    try:
        await line.reset()
        await line.identify()
        begin = get_sim_time("ps")
        await line.stream()
        passed = get_sim_time("ps") - begin
        progress["samples"] = len(line.samples)
        progress["clocks"] = round(passed / timing["clock_ps"])
        progress["samples_per_second"] = len(line.samples) * 1e12 / passed
        for check in CHECKS:
            line.check = check.__name__
            checks[check.__name__] = await check(line)
    except DeviceError as error:
        progress["mismatch"] = error.as_dict()
        raise
    finally:
        Path(os.environ["LGN_HDL_RESULT"]).write_text(json.dumps(progress))
