"""RTLIL to Verilog that a person can read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from .tools import find_yosys, relative

__all__ = ["clean_names", "without_aliases", "write_verilog"]

# No optimisation: the operators, widths and names of the source stay. `opt_clean` above all must
# not run: it would join nets so that bits of one vector are driven one by one, which takes Icarus
# Verilog minutes to start on (measured: 156 s instead of 2 s for 4,000 gates).
_SCRIPT = """\
read_rtlil {rtlil}
proc -nomux -norom -noopt
write_verilog -noattr {verilog}
"""

_PUBLIC = re.compile(r"\\([^\s\\]+)")
_QUOTED = re.compile(r'\s*(?:attribute|parameter)\b.*"')
_LONG = re.compile(r"\s*(?:connect|assign) ")


def _modules(rtlil: str) -> list[str]:
    """The text of each module, its attributes with it."""
    return re.split(r"(?m)^(?=(?:attribute .*\n)*module )", rtlil)


def clean_names(rtlil: str) -> str:
    r"""Return RTLIL in which every public name is a plain Verilog identifier.

    `\top.gates` becomes `\top_gates` and `\o$12` becomes `\o_12`, everywhere alike; a name that
    is taken gets a number. Names of Yosys' own (`$and`, `$1`) stay.
    """
    modules = _modules(rtlil)
    inside = [dict.fromkeys(_names(module)) for module in modules]
    names = dict.fromkeys(name for own in inside for name in own)
    clean: dict[str, str] = {name: name for name in names if re.fullmatch(r"[A-Za-z_]\w*", name)}
    taken, odd = set(clean), [name for name in names if name not in clean]
    for name in odd:
        base = new = (
            re.sub(r"\W", "_", name) if name[0].isalpha() else "_" + re.sub(r"\W", "_", name)
        )
        count = 1
        while new in taken:
            count += 1
            new = f"{base}_{count}"
        clean[name] = new
        taken.add(new)
    return "".join(
        module if own.keys().isdisjoint(odd) else _renamed(module, clean)
        for module, own in zip(modules, inside, strict=True)
    )


def _names(module: str) -> Iterator[str]:
    """Names that are declared in a module, and the ports of its cells."""
    for line in module.split("\n"):
        if _LONG.match(line):  # what is connected is declared elsewhere, and may be very much
            first = _PUBLIC.search(line)
            if first:
                yield first[1]
        elif not _QUOTED.match(line):
            yield from _PUBLIC.findall(line)


def _renamed(module: str, clean: dict[str, str]) -> str:
    return "\n".join(
        line
        if _QUOTED.match(line)
        else _PUBLIC.sub(lambda match: "\\" + clean.get(match[1], match[1]), line)
        for line in module.split("\n")
    )


_NAME = re.compile(r"\\\S+")
_WIRE = re.compile(r"\s*wire (?!.*(?:input|output|inout) ).*(\\\S+)")
_CONNECT = re.compile(r"\s*connect (\\\S+) ")


def without_aliases(rtlil: str, keep: Sequence[str] = ()) -> str:
    r"""Return RTLIL without the wires that only give another name to what other wires carry.

    A port of a submodule leaves such a wire in its parent and in itself. They say nothing, and an
    event-driven simulator updates every one of them whenever one of its bits changes.

    Parameters
    ----------
    rtlil : str
    keep : sequence of str
        Names that stay, without the backslash.
    """
    kept = {"\\" + name for name in keep}
    return "".join(_module_without_aliases(module, kept) for module in _modules(rtlil))


def _module_without_aliases(module: str, kept: set[str]) -> str:
    lines = module.split("\n")
    connected = Counter(match[1] for line in lines if (match := _CONNECT.match(line)))
    wires = {match[1] for line in lines if (match := _WIRE.fullmatch(line))}
    # Declared, connected once, and named nowhere else.
    idle = {name for name in wires if connected[name] == 1} - kept
    if not idle:
        return module
    uses = Counter(name for line in lines for name in _NAME.findall(line))
    idle = {name for name in idle if uses[name] == 2}

    kept_lines: list[str] = []
    for line in lines:
        match = _WIRE.fullmatch(line) or _CONNECT.match(line)
        if match is None or match[1] not in idle:
            kept_lines.append(line)
            continue
        while kept_lines and kept_lines[-1].lstrip().startswith("attribute "):
            kept_lines.pop()  # they belong to what is dropped
    return "\n".join(kept_lines)


def write_verilog(rtlil: Path, verilog: Path, *, timeout: float | None = None) -> None:
    """Write an RTLIL file as Verilog-2005, hierarchy and operators kept.

    Attributes are left out.

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
