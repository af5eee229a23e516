"""Finding the programs that place, route and pack, and checking what they leave."""

import os
import sys

import pytest

from lgn_hdl.errors import ToolError
from lgn_hdl.flow.programs import find_program, fresh, variable_of

NAMES = [
    *("nextpnr-ice40", "nextpnr-ecp5", "nextpnr-himbaechel-gowin"),
    *("icepack", "ecppack", "gowin_pack"),
]


def script(path, body):
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def _no_wishes(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(variable_of(name), raising=False)


@pytest.mark.parametrize("name", NAMES)
def test_bundled_program_runs(name, monkeypatch, tmp_path):
    monkeypatch.setenv(variable_of(name), "bundled")
    program = find_program(name)
    assert program.kind == "bundled"
    assert program.version[0].isdigit()
    assert program.command[0] == sys.executable
    # icepack says how it is used and that this is an error; the others only the first.
    problem = program.attempt(["--help"], tmp_path, log="help.log")
    assert (problem is None) == (name != "icepack")
    assert "sage" in (tmp_path / "help.log").read_text() or name.startswith("nextpnr")
    assert str(program) == f"{name} {program.version} (bundled)"


def test_native_program_comes_first(monkeypatch, tmp_path):
    program = script(
        tmp_path / "nextpnr-ice40", 'echo "nextpnr-ice40 -- (Version nextpnr-0.7)" >&2'
    )
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    found = find_program("nextpnr-ice40")
    assert (found.kind, found.command) == ("native", (str(program),))
    assert "nextpnr-0.7" in found.version
    monkeypatch.setenv("LGN_HDL_NEXTPNR_ICE40", "bundled")
    assert find_program("nextpnr-ice40").kind == "bundled"


def test_what_pip_installed_is_not_taken_for_native(monkeypatch):
    folder = os.path.dirname(sys.executable)
    monkeypatch.setenv("PATH", folder, prepend=os.pathsep)
    assert os.access(os.path.join(folder, "gowin_pack"), os.X_OK)
    assert find_program("gowin_pack").kind == "bundled"


def test_packer_without_a_version(monkeypatch, tmp_path):
    script(tmp_path / "icepack", "echo usage; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert str(find_program("icepack")) == "icepack of unknown version (native)"


@pytest.mark.parametrize("wish", ["native", "/nowhere/icepack"])
def test_missing_program_is_an_error(monkeypatch, wish):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("LGN_HDL_ICEPACK", wish)
    with pytest.raises(ToolError, match=f"LGN_HDL_ICEPACK: is '{wish}', and there is no such"):
        find_program("icepack")


def test_program_that_does_not_run_is_an_error(monkeypatch, tmp_path):
    program = tmp_path / "icepack"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    monkeypatch.setenv("LGN_HDL_ICEPACK", str(program))
    with pytest.raises(ToolError, match="does not run"):
        find_program("icepack")


def test_what_was_made_is_checked(tmp_path):
    source, made = tmp_path / "in", tmp_path / "out"
    source.write_text("x")
    with pytest.raises(ToolError, match="maker: did not write out"):
        fresh(made, [source], maker="maker")
    made.touch()
    with pytest.raises(ToolError, match="maker: wrote an empty out"):
        fresh(made, [source], maker="maker")
    made.write_bytes(b"abc")
    assert fresh(made, [source], maker="maker", magic=b"ab") == made
    with pytest.raises(ToolError, match="wrote a out that starts with b'ab', expected b'AB'"):
        fresh(made, [source], maker="maker", magic=b"AB")
    old = source.stat().st_mtime_ns - 10**9
    os.utime(made, ns=(old, old))
    with pytest.raises(ToolError, match="maker: left out, which is older than in"):
        fresh(made, [source], maker="maker")
