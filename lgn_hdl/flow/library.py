"""The text of a Liberty file: its cells, groups and units, and the same file with fewer cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ..errors import BuildError, FormatError

__all__ = [
    "Group",
    "cell_places",
    "energy_unit",
    "library_text",
    "parse_cell",
    "supply_voltage",
    "trimmed",
    "units",
]

_CELL = re.compile(r'^[ \t]*cell\s*\(\s*"?([\w.]+)"?\s*\)\s*\{', re.MULTILINE)
_TOKEN = re.compile(
    r"(?P<close>\})"
    r"|(?P<group>\w+)\s*\((?P<name>[^()]*)\)\s*\{"
    r"|(?P<complex>\w+)\s*\((?P<list>[^()]*)\)\s*;?"
    r'|(?P<key>\w+)\s*:\s*(?P<value>"[^"]*"|[^;\n]*)\s*;?'
)
_UNITS = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}


@dataclass
class Group:
    """A group of a Liberty file: its kind and name, what it states, and the groups in it."""

    kind: str
    name: str
    values: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    def of(self, kind: str) -> Iterator[Group]:
        """Return the groups of a kind."""
        return (group for group in self.groups if group.kind == kind)


def library_text(path: Path) -> str:
    """Return a Liberty file without comments and continued lines.

    Raises
    ------
    BuildError
        If there is no such file.
    """
    if not path.is_file():
        raise BuildError("there is no such Liberty file", where=str(path))
    return _text(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _text(path: Path, modified: int) -> str:
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL).replace("\\\n", " ")


def supply_voltage(path: Path) -> float:
    """Return the voltage of the operating conditions of a Liberty file, in V."""
    match = re.search(
        r"operating_conditions[^}]*?voltage\s*:\s*([\d.]+)", library_text(path), re.DOTALL
    )
    if match is None:
        raise BuildError("states no voltage of its operating conditions", where=str(path))
    return float(match[1])


def trimmed(path: Path, names: Iterable[str], wire_capacitance: float) -> str:
    """The text of a Liberty file with these cells only, and with its wire loads replaced.

    Parameters
    ----------
    path : Path
    names : iterable of str
    wire_capacitance : float
        Of the wire to each pin that a net drives, in F.

    Returns
    -------
    str
        Fewer cells are read faster, and a tool cannot take the wire loads of the file unasked.
    """
    text, wanted = library_text(path), set(names)
    cells = cell_places(text)
    head = re.sub(r"\bdefault_wire_load\w*\s*:[^;]*;", "", text[: cells[0][1]])
    head = re.sub(r"\bwire_load\s*\([^{]*\{[^}]*\}", "", head)
    unit = units(head)[0]
    each = wire_capacitance / unit
    head += (
        f'wire_load("lgn_hdl") {{ capacitance : 1; resistance : 0; slope : {each:g}; '
        f"fanout_length(1, {each:g}); }}\n"
        'default_wire_load : "lgn_hdl";\ndefault_wire_load_mode : top;\n'
    )
    return head + "".join(text[a:b] for name, a, b in cells if name in wanted) + "}\n"


@lru_cache(maxsize=4)
def cell_places(text: str) -> list[tuple[str, int, int]]:
    """Return name, start and end of every cell's text."""
    starts = [(match[1], match.start()) for match in _CELL.finditer(text)]
    if not starts:
        raise FormatError("no cell was found in the Liberty file")
    ends = [start for _, start in starts[1:]] + [text.rstrip().rfind("}")]
    return [(name, start, end) for (name, start), end in zip(starts, ends, strict=True)]


def units(head: str) -> tuple[float, float]:
    """Return the units of capacitance and of leakage power, in F and W."""
    load = re.search(r"capacitive_load_unit\s*\(\s*([\d.]+)\s*,\s*\"?(\w)f", head)
    leak = re.search(r'leakage_power_unit\s*:\s*"?([\d.]+)\s*(\w?)W', head)
    capacitance = float(load[1]) * _UNITS[load[2]] if load else 1e-12
    return capacitance, float(leak[1]) * _UNITS[leak[2]] if leak else 1e-9


def _unit(head: str, name: str, letter: str) -> float:
    match = re.search(rf'{name}_unit\s*:\s*"([\d.]+)\s*(\w?){letter}"', head)
    return float(match[1]) * _UNITS[match[2]] if match else 1.0


def energy_unit(head: str) -> tuple[float, float]:
    """Return the units of time and of internal energy (voltage · current · time), in s and J."""
    time = _unit(head, "time", "s")
    return time, time * _unit(head, "voltage", "V") * _unit(head, "current", "A")


def parse_cell(text: str, path: Path) -> Group:
    """Return the groups of a cell.

    Raises
    ------
    FormatError
        If braces do not match.
    """
    root = Group("", "")
    stack = [root]
    for match in _TOKEN.finditer(text):
        if match["group"]:
            group = Group(match["group"], match["name"].strip().strip('"'))
            stack[-1].groups.append(group)
            stack.append(group)
        elif match["close"]:
            if len(stack) == 1:
                break
            stack.pop()
        elif match["key"]:
            stack[-1].values[match["key"]] = match["value"].strip().strip('"')
        elif match["complex"]:
            stack[-1].values[match["complex"]] = match["list"]
    if len(root.groups) != 1 or len(stack) != 1:
        raise FormatError("braces of a cell do not match", where=str(path))
    return root.groups[0]
