"""Write the hardware of a design: RTLIL, Verilog, and the mapped netlist."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..errors import VerifyError
from ..flow import (
    Timing,
    clean_names,
    find_yosys,
    prove_mapping,
    synthesize,
    without_aliases,
    write_verilog,
)
from ..hdl import to_rtlil
from ..proof import Claim, prove
from .board import CLASSIFIER, OnBoard, put_on_board
from .cores import PipelinedCore
from .options import SILICON
from .silicon import OnSilicon, put_on_silicon

if TYPE_CHECKING:
    from ..flow import Board, Clock, Equivalence, SynthResult
    from .design import Design
    from .vectors import Expected

__all__ = ["UNMAPPED", "Emitted", "Place", "emit_files"]

#: Targets that end with RTL.
UNMAPPED = ("rtlil", "verilog")
#: A call of the solver is given up, and the report says so, after this long: for the proof that
#: every mapped build makes of the mapping, and for each claim of `--prove`.
MAPPING_PROOF_SECONDS = 120
CLAIM_SECONDS = 600
#: Netlists that are kept, and under which name.
NETLISTS = {"verilog": "netlist.v", "blif": "netlist.blif"}


@dataclass(frozen=True)
class Emitted:
    """What was made beside the files.

    Parameters
    ----------
    mapped : SynthResult or None
        None for targets that end with RTL.
    mapping_proof : Equivalence or None
        Of the LUTs that ABC made; None if nothing was mapped, or `claims` say more about it.
    claims : list of Claim
        Of `--prove`; empty without it.
    tools : dict
        Versions.
    """

    mapped: SynthResult | None
    mapping_proof: Equivalence | None
    claims: list[Claim]
    tools: dict[str, str]
    on_board: OnBoard | None = None
    on_silicon: OnSilicon | None = None


@dataclass(frozen=True)
class Place:
    """Where a design goes: a board, its clock, and how long place and route may take."""

    board: Board
    clock: Clock
    timeout: float | None


def emit_files(
    design: Design,
    folder: Path,
    step: Callable[[str], None],
    place: Place | None = None,
    samples: Expected | None = None,
) -> Emitted:
    """Write top.il, top.v, the netlist of mapped targets, and what a board is loaded with.

    Parameters
    ----------
    design : Design
    folder : Path
        Where the files go.
    step : callable
        Told the name of each step before it starts.
    place : Place, optional
        The board.
    samples : Expected, optional
        For the activity of standard cells, which need them.

    Returns
    -------
    Emitted
    """
    step("rtlil")
    rtl = folder / "top.il"
    rtl.write_text(_rtlil(design))
    with TemporaryDirectory(prefix="lgn_hdl_") as name:
        workdir = Path(name)
        mapped = proof = on_board = on_silicon = None
        if design.options.target != "rtlil":  # which needs no outside tool at all
            step("verilog")
            write_verilog(rtl, folder / "top.v")
        if place is not None:
            step("rtlil")
            classifier = _rtlil(design, CLASSIFIER)
            on_board = put_on_board(
                design,
                place.board,
                place.clock,
                classifier,
                folder,
                workdir,
                step,
                timeout=place.timeout,
            )
            mapped = on_board.mapped
        elif design.options.target == SILICON:
            assert samples is not None, "standard cells are weighed with samples"
            on_silicon = put_on_silicon(design, rtl, folder, workdir, samples, step)
        elif design.options.target not in UNMAPPED:
            step("synthesis")
            mapped = synthesize(rtl, design.options.target, workdir)
        if mapped is not None:
            for kind, file in NETLISTS.items():
                if kind in mapped.files:
                    shutil.copyfile(mapped.files[kind], folder / file)
        luts = None if mapped is None else mapped.generic_luts
        claims = _claims(design, rtl, luts, workdir / "proof", step)
        if mapped is not None and not (claims and luts):
            step("mapping proof")
            proof = _checked_mapping(mapped)
    tools = {} if design.options.target == "rtlil" and not claims else {"yosys": str(find_yosys())}
    if on_board is not None and on_board.placed and on_board.bitstream:
        tools |= {"nextpnr": on_board.placed.best.tool, "packer": on_board.bitstream.tool}
    if on_silicon is not None and isinstance(on_silicon.timing, Timing):
        tools |= {"timing": on_silicon.timing.tool}
    return Emitted(mapped, proof, claims, tools, on_board, on_silicon)


def _claims(
    design: Design, rtl: Path, mapped: Path | None, workdir: Path, step: Callable[[str], None]
) -> list[Claim]:
    if not design.options.prove:
        return []
    assert isinstance(design.core, PipelinedCore), "other options are refused"
    return prove(
        design.network,
        design.program,
        design.core.pipeline,
        rtl,
        workdir,
        argmax=design.options.argmax,
        mapped=mapped,
        timeout=CLAIM_SECONDS,
        seed=design.options.seed,
        progress=lambda claim: step(f"proof: {claim}"),
    )


def _checked_mapping(mapped: SynthResult) -> Equivalence:
    proof = prove_mapping(mapped, timeout=MAPPING_PROOF_SECONDS)
    if proof.proved is False:
        raise VerifyError(
            f"technology mapping changed the logic: {proof.counterexample}",
            hint="a bug in Yosys or ABC, or in how lgn-hdl calls them",
        )
    return proof


def _rtlil(design: Design, name: str = "top") -> str:
    """RTLIL of the design, with names that are Verilog identifiers and no idle wires."""
    text = to_rtlil(design.core.component(), name)
    return without_aliases(clean_names(text), keep=design.wires)
