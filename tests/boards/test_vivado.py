"""The Vivado project of the Arty A7, as far as it can be checked without Vivado."""

import re
import shutil
import subprocess

import pytest
from devices import Echo, Rom

from lgn_hdl.errors import BuildError
from lgn_hdl.flow import board_rtlil, find_board, run_script, vivado_project

_CELLS = """\
read_verilog -lib -specify +/xilinx/cells_sim.v
read_verilog -lib +/xilinx/cells_xtra.v
read_verilog top.v
hierarchy -check -top top
proc
check -assert
"""


@pytest.fixture(scope="module", params=[100, 150])
def project(request, tmp_path_factory):
    """The echo with the crystal's clock, and with a PLL's."""
    board = find_board("arty_a7")
    files = board_rtlil(board, Echo(), clock=board.clock(request.param))
    return vivado_project(board, files, tmp_path_factory.mktemp("arty") / "vivado")


def test_every_file_is_there_and_no_other(project):
    assert {path.name for path in project.files} == {"top.v", "top.xdc", "top.tcl", "build.sh"}
    assert set(project.folder.iterdir()) == set(project.files)
    script = (project.folder / "top.tcl").read_text()
    read = re.findall(r"^(?:add_files|read_xdc) (\S+)$", script, re.MULTILINE)
    assert read == ["top.v", "top.xdc"]
    assert "-part xc7a35ticsg324-1L" in script
    assert "write_bitstream -force -bin_file top.bit" in script
    assert script.endswith("quit\n")


def test_constraints_name_ports_of_the_verilog(project):
    verilog = (project.folder / "top.v").read_text()
    ports = re.search(r"^module top\((.*?)\);", verilog, re.MULTILINE | re.DOTALL)
    assert ports is not None
    there = set(re.split(r"[\s,]+", ports[1].strip()))
    constraints = (project.folder / "top.xdc").read_text()
    named = set(re.findall(r"\[get_(?:ports|nets) \"?([^\"\]]+)\"?\]", constraints))
    assert named == there
    assert len(there) == 4
    assert len(re.findall("^set_property LOC", constraints, re.MULTILINE)) == 4
    assert re.search(r"create_clock .*-period 10.0 ", constraints)


def test_yosys_reads_the_verilog(project, tmp_path):
    shutil.copyfile(project.folder / "top.v", tmp_path / "top.v")
    run_script(_CELLS, tmp_path)  # which fails if Yosys finds a problem


def test_icarus_reads_the_verilog(project, tmp_path):
    # The cells of the family are Vivado's; empty ones stand in for them here.
    verilog = (project.folder / "top.v").read_text()
    cells = {"IBUF", "OBUFT", "BUFG", "PLLE2_BASE"}
    used = {name for name in cells if re.search(rf"\b{name}\b", verilog)}
    assert {"IBUF", "OBUFT"} <= used
    subprocess.run(
        ["iverilog", "-g2005", "-t", "null", "-i", str(project.folder / "top.v")],
        check=True,
        cwd=tmp_path,
    )


def test_marks_of_synchronisers_survive(project):
    verilog = (project.folder / "top.v").read_text()
    assert '(* ASYNC_REG = "TRUE" *)' in verilog
    assert r'(* \amaranth.vivado.false_path  = "TRUE" *)' in verilog


def test_build_without_vivado_says_so(project, tmp_path):
    done = subprocess.run(
        [project.build],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 127
    assert "there is no vivado on PATH" in done.stderr


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ('test -f "$7" && echo bits > top.bit', 0, "openFPGALoader --board=arty_a7_35t top.bit"),
        ("exit 0", 1, "Vivado wrote no top.bit"),
        ("exit 3", 3, ""),
    ],
)
def test_build_calls_vivado_in_its_folder(project, tmp_path, body, status, said):
    program = tmp_path / "vivado"
    program.write_text(f'#!/bin/sh\necho "$@" > args.txt\n{body}\n')
    program.chmod(0o755)
    folder = tmp_path / "copy"
    shutil.copytree(project.folder, folder)
    done = subprocess.run(
        [folder / "build.sh"],
        cwd="/",
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert said in done.stdout + done.stderr
    arguments = (folder / "args.txt").read_text().split()
    assert arguments[:2] == ["-mode", "batch"]
    assert arguments[-2:] == ["-source", "top.tcl"]


def test_memory_keeps_its_contents(tmp_path):
    board = find_board("arty_a7")
    project = vivado_project(board, board_rtlil(board, Rom()), tmp_path)
    verilog = (project.folder / "top.v").read_text()
    for address, word in list(enumerate(Rom.words))[:16]:
        assert re.search(rf"\[{address}\] = 8'h{word:02x};", verilog), (address, word)


def test_other_families_are_refused(tmp_path):
    board = find_board("hx8k")
    with pytest.raises(BuildError, match="hx8k: Vivado knows no ice40"):
        vivado_project(board, board_rtlil(board, Echo()), tmp_path)
