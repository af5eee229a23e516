"""RTLIL to Verilog that a person can read."""

from __future__ import annotations

import re
from pathlib import Path

from .tools import find_yosys, relative

__all__ = ["clean_names", "write_verilog"]

# No optimisation: the operators, widths and names of the source stay. `opt_dff` folds reset and
# enable back into the registers, so that they read `if (rst) … else if (en) …` (it needs the
# `opt_clean` before it); without it they would be multiplexers in front.
_SCRIPT = """\
read_rtlil {rtlil}
proc -noopt
opt_clean
opt_dff
opt_clean
write_verilog -noattr {verilog}
"""

_PUBLIC = re.compile(r"\\([^\s\\]+)")
_QUOTED = re.compile(r'^\s*(?:attribute|parameter)\b.*"')


def clean_names(rtlil: str) -> str:
    r"""Return RTLIL in which every public name is a plain Verilog identifier.

    `\top.gates` becomes `\top_gates` and `\o$12` becomes `\o_12`, everywhere alike; a name that
    is taken gets a number. Names of Yosys' own (`$and`, `$1`) stay.
    """
    lines = rtlil.split("\n")
    names: dict[str, None] = {}
    for line in lines:
        if not _QUOTED.match(line):
            names.update(dict.fromkeys(_PUBLIC.findall(line)))
    clean: dict[str, str] = {name: name for name in names if re.fullmatch(r"[A-Za-z_]\w*", name)}
    taken = set(clean)
    for name in names:
        if name in clean:
            continue
        base = new = (
            re.sub(r"\W", "_", name) if name[0].isalpha() else "_" + re.sub(r"\W", "_", name)
        )
        count = 1
        while new in taken:
            count += 1
            new = f"{base}_{count}"
        clean[name] = new
        taken.add(new)
    return "\n".join(
        line if _QUOTED.match(line) else _PUBLIC.sub(lambda match: "\\" + clean[match[1]], line)
        for line in lines
    )


def write_verilog(rtlil: Path, verilog: Path, *, timeout: float | None = None) -> None:
    """Write an RTLIL file as Verilog-2005, hierarchy and operators kept.

    Internal names become `_123_`; attributes are left out.

    Parameters
    ----------
    rtlil : Path
        As `amaranth.back.rtlil.convert` makes it. `clean_names` makes the result easier to read.
    verilog : Path
        The file to write.
    timeout : float, optional
        Limit in seconds.

    Raises
    ------
    ToolError
        If Yosys refuses the file.
    """
    cwd = verilog.parent
    script = _SCRIPT.format(rtlil=relative(rtlil, cwd), verilog=relative(verilog, cwd))
    name = f"{verilog.stem}-verilog"
    find_yosys().run(script, cwd, name=name, expect=(verilog.name,), timeout=timeout)
    for suffix in (".ys", ".log"):  # of interest only if it failed
        (cwd / (name + suffix)).unlink()
