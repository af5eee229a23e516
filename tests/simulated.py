"""A small network as a device, compiled for simulation, with what it should answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from amaranth.back import rtlil

from lgn_hdl import Model
from lgn_hdl.compiler.board import identify
from lgn_hdl.compiler.design import Design, plan
from lgn_hdl.compiler.linkvectors import link_vectors
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.compiler.vectors import answers_to, block_vectors
from lgn_hdl.flow import clean_names, write_verilog
from lgn_hdl.hdl.link import Device
from lgn_hdl.link import Identity
from lgn_hdl.network import Network
from sim.board import compile_board

__all__ = ["BAUD", "CLOCK_HZ", "GAP_SECONDS", "Simulated", "compile_device", "write_device"]

CLOCK_HZ = 12e6
BAUD = 3_000_000
GAP_SECONDS = 200e-6
OPTIONS = BuildOptions(levels_per_stage=2)


@dataclass(frozen=True)
class Simulated:
    """What stands behind the pins.

    Parameters
    ----------
    folder : Path
        The compiled simulation.
    model : Model
        The network as it was built.
    identity : Identity
    design : Design
    """

    folder: Path
    model: Model
    identity: Identity
    design: Design

    def write_vectors(self, path: Path, count: int = 40) -> None:
        """Random samples and what PyTorch says of them, as the bench reads them."""
        expected = answers_to(self.design, None, count, seed=1)
        arrays = block_vectors(self.design, expected)
        np.savez(path, **link_vectors(arrays, self.identity))


def write_device(
    network: Network, folder: Path, options: BuildOptions = OPTIONS, *, digest: str | None = None
) -> Simulated:
    """Write device.v, whose top is `device`; it may claim to hold the network of another hash."""
    design = plan(network, options.resolved())
    identity = identify(
        design,
        board="simulated",
        clock_hz=CLOCK_HZ,
        baud=BAUD,
        gap_seconds=GAP_SECONDS,
        # Without registers a sample stays where it arrived until its result has left.
        window=2 if design.core.latency else 1,
    )
    if digest is not None:
        identity = replace(identity, digest=bytes.fromhex(digest))
    device = Device(
        core=design.core.component(),
        identity=identity,
        clock_hz=CLOCK_HZ,
        baud=BAUD,
        gap_seconds=GAP_SECONDS,
    )
    text = rtlil.convert(device, name="device", emit_src=False)
    (folder / "device.il").write_text(clean_names(text))
    write_verilog(folder / "device.il", folder / "device.v")
    return Simulated(folder, Model(design.network), identity, design)


def compile_device(
    network: Network, folder: Path, options: BuildOptions = OPTIONS, *, digest: str | None = None
) -> Simulated:
    """Write it, and compile it for the simulator."""
    simulated = write_device(network, folder, options, digest=digest)
    compile_board([folder / "device.v"], "device", folder, clock_hz=CLOCK_HZ, baud=BAUD)
    return simulated
