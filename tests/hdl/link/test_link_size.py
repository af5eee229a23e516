"""What the link takes on an iCE40, where a nearly full chip is the target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from link_bench import SAMPLE_BITS, Core, identity_of

from lgn_hdl.flow import synthesize
from lgn_hdl.flow.netlist import Resources
from lgn_hdl.hdl.link import Device
from lgn_hdl.hdl.link.transmitter import FrameTransmitter

CLOCK_HZ, BAUD, GAP = 12_000_000, 115_200, 0.01


def mapped(top: Any, workdir: Path) -> Resources:
    workdir.mkdir()
    (workdir / "top.il").write_text(rtlil.convert(top, name="top", emit_src=False))
    return synthesize(workdir / "top.il", "ice40", workdir, by_block=False, timeout=300).resources


@pytest.mark.parametrize("shifting", [False, True])
def test_link_is_small(tmp_path: Path, shifting: bool) -> None:
    core = mapped(Core(shifting=shifting), tmp_path / "core")
    identity = identity_of(CLOCK_HZ, BAUD, GAP)
    device = mapped(
        Device(
            core=Core(shifting=shifting),
            identity=identity,
            clock_hz=CLOCK_HZ,
            baud=BAUD,
            gap_seconds=GAP,
        ),
        tmp_path / "device",
    )
    assert device.bram == 1  # the frames are a block RAM, not logic
    assert device.ff - core.ff - 8 * identity.sample_bytes <= 160
    # Three bytes to choose from take about 15 LUTs more than one.
    assert device.lut - core.lut <= 240
    assert 8 * identity.sample_bytes >= SAMPLE_BITS


def test_bytes_of_a_shifting_result_cost_no_multiplexer(tmp_path: Path) -> None:
    wide = identity_of(CLOCK_HZ, BAUD, GAP, bits=80)
    luts = []
    for shifting in (False, True):
        block = FrameTransmitter(identity=wide, per_bit=8, shifting=shifting)
        luts.append(mapped(block, tmp_path / f"{shifting}").lut)
    assert luts[0] - luts[1] > 60
