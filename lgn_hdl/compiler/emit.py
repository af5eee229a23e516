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
    clean_names,
    find_yosys,
    prove_mapping,
    synthesize,
    without_aliases,
    write_verilog,
)
from ..hdl import Classifier, probe_names, to_rtlil

if TYPE_CHECKING:
    from ..flow import Equivalence, SynthResult
    from .design import Design

__all__ = ["UNMAPPED", "Emitted", "emit_files"]

#: Targets that end with RTL.
UNMAPPED = ("rtlil", "verilog")
#: The proof that mapping kept the logic is given up, and the report says so, after this long.
MAPPING_PROOF_SECONDS = 120
#: Netlists that are kept, and under which name.
NETLISTS = {"verilog": "netlist.v", "blif": "netlist.blif"}


@dataclass(frozen=True)
class Emitted:
    """What mapping gave, its proof (both None for targets that end with RTL), tool versions."""

    mapped: SynthResult | None
    mapping_proof: Equivalence | None
    tools: dict[str, str]


def emit_files(design: Design, folder: Path, step: Callable[[str], None]) -> Emitted:
    """Write top.il, top.v and, for mapped targets, the netlist.

    Parameters
    ----------
    design : Design
    folder : Path
        Where the files go.
    step : callable
        Told the name of each step before it starts.

    Returns
    -------
    Emitted
    """
    step("rtlil")
    (folder / "top.il").write_text(_rtlil(design))
    if design.options.target == "rtlil":  # needs no outside tool at all
        return Emitted(None, None, {})
    step("verilog")
    write_verilog(folder / "top.il", folder / "top.v")
    tools = {"yosys": str(find_yosys())}
    if design.options.target in UNMAPPED:
        return Emitted(None, None, tools)
    step("synthesis")
    with TemporaryDirectory(prefix="lgn_hdl_synth_") as workdir:
        mapped = synthesize(folder / "top.il", design.options.target, Path(workdir))
        step("mapping proof")
        proof = prove_mapping(mapped, timeout=MAPPING_PROOF_SECONDS)
        if proof.proved is False:
            raise VerifyError(
                f"technology mapping changed the logic: {proof.counterexample}",
                hint="a bug in Yosys or ABC, or in how lgn-hdl calls them",
            )
        for kind, name in NETLISTS.items():
            if kind in mapped.files:
                shutil.copyfile(mapped.files[kind], folder / name)
    return Emitted(mapped, proof, tools)


def _rtlil(design: Design) -> str:
    """RTLIL of the design, with names that are Verilog identifiers and no idle wires."""
    top = Classifier(program=design.program, pipeline=design.pipeline, argmax=design.options.argmax)
    return without_aliases(clean_names(to_rtlil(top)), keep=probe_names(design.program))
