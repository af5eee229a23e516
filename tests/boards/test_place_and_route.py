"""Designs that fit and designs that do not, fast ones and slow ones."""

import json

import pytest
from devices import Delay, Echo, fake_nextpnr, mapped

from lgn_hdl.errors import BuildError, ToolError
from lgn_hdl.flow import (
    FitError,
    RouteError,
    TimingError,
    find_board,
    fit,
    pack,
    place_and_route,
    synthesize,
)
from lgn_hdl.flow.pnr import read_report


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    """The echo, mapped for the iCEBreaker."""
    return mapped(Echo(), "icebreaker", tmp_path_factory.mktemp("echo"))


def test_too_slow_is_an_error_that_says_how_fast(echo, tmp_path):
    board, files, netlist = echo
    with pytest.raises(TimingError, match=r"not the 500\.00 MHz asked for") as caught:
        place_and_route(netlist, board, files, tmp_path, clock_mhz=500)
    result = caught.value.result
    assert result is not None
    assert f"reaches {result.achieved_mhz:.2f} MHz" in str(caught.value)
    assert "device.core" in str(caught.value)
    assert not result.closed
    # What came out is there all the same, and can be had without the error.
    allowed = place_and_route(netlist, board, files, tmp_path, clock_mhz=500, must_close=False)
    assert allowed.achieved_mhz == result.achieved_mhz
    assert pack(allowed, board).path.exists()


def test_critical_path_adds_up_and_is_named_by_block(echo, tmp_path):
    board, files, netlist = echo
    result = place_and_route(netlist, board, files, tmp_path)
    path = result.critical_path
    assert path[0].kind == "clk-to-q"
    assert path[-1].kind == "setup"
    assert {hop.kind for hop in path} <= {"clk-to-q", "routing", "logic", "setup"}
    nanoseconds = sum(hop.delay_ns for hop in path)
    assert nanoseconds == pytest.approx(1000 / result.achieved_mhz, rel=1e-3)
    assert sum(result.delay_by_block.values()) == pytest.approx(nanoseconds)
    # The carry chain of the sum.
    blocks = result.delay_by_block
    assert max(blocks, key=lambda name: blocks[name]) == "device.core"


def test_report_of_what_is_used(echo, tmp_path):
    board, files, netlist = echo
    packed = fit(netlist, board, files, tmp_path)
    placed = place_and_route(netlist, board, files, tmp_path).utilisation
    for used in (packed, placed):
        assert used["ICESTORM_LC"].available == board.budget.lut
        lut, ff = netlist.resources.lut, netlist.resources.ff
        assert max(lut, ff) <= used["ICESTORM_LC"].used <= lut + ff
    assert str(packed["SB_IO"]) == "4 of 39"


def test_too_large_is_an_error_that_says_by_how_much(tmp_path):
    board, files, netlist = mapped(Delay(length=6000), "icebreaker", tmp_path)
    for attempt in (fit, place_and_route):
        with pytest.raises(FitError, match=r"does not fit: ICESTORM_LC 6,0\d\d of 5,280") as caught:
            attempt(netlist, board, files, tmp_path)
        assert caught.value.utilisation["ICESTORM_LC"].used > 6000
        assert caught.value.at("model.lgn").utilisation == caught.value.utilisation


@pytest.mark.parametrize(
    ("refused", "error", "match"),
    [
        ("*--no-route*", FitError, "does not place, though the cells are enough in number"),
        ("*--asc*", RouteError, "is placed, but does not route: ERROR: no luck"),
        ("*--json*", ToolError, "ERROR: no luck"),
    ],
)
def test_how_far_it_came_is_found_out(echo, tmp_path, monkeypatch, refused, error, match):
    board, files, netlist = echo
    # Fails where the options say so; what comes before goes through.
    body = f'case "$*" in {refused} | *--asc*) echo "ERROR: no luck"; exit 1;; esac\nreal "$@"'
    fake_nextpnr(tmp_path, monkeypatch, body)
    with pytest.raises(error, match=match):
        place_and_route(netlist, board, files, tmp_path)


def test_success_without_a_file_is_an_error(echo, tmp_path, monkeypatch):
    board, files, netlist = echo
    fake_nextpnr(tmp_path, monkeypatch, "exit 0")
    with pytest.raises(ToolError, match=r"did not write top\.asc"):
        place_and_route(netlist, board, files, tmp_path)


def test_files_of_an_earlier_run_do_not_count(echo, tmp_path, monkeypatch):
    board, files, netlist = echo
    result = place_and_route(netlist, board, files, tmp_path)
    assert result.files["layout"].exists()
    fake_nextpnr(tmp_path, monkeypatch, "exit 0")
    with pytest.raises(ToolError, match=r"did not write top\.asc"):
        place_and_route(netlist, board, files, tmp_path)


def test_out_of_time(echo, tmp_path):
    board, files, netlist = echo
    with pytest.raises(ToolError, match=r"took longer than 0\.05 s"):
        place_and_route(netlist, board, files, tmp_path, timeout=0.05)


def test_bitstream_that_is_none_is_an_error(echo, tmp_path, monkeypatch):
    board, files, netlist = echo
    result = place_and_route(netlist, board, files, tmp_path)
    program = tmp_path / "icepack"
    monkeypatch.setenv("LGN_HDL_ICEPACK", str(program))
    for body, match in (
        ("exit 0", r"did not write top\.bin"),
        (': > "$2"', r"wrote an empty top\.bin"),
        ('echo nonsense > "$2"', r"wrote a top\.bin that starts with b'nonsense'"),
        ('echo "top.asc: broken. Error: no device"; exit 1', "Error: no device"),
    ):
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        with pytest.raises(ToolError, match=match):
            pack(result, board)


def test_wrong_board_is_refused(echo, tmp_path):
    _, files, netlist = echo
    with pytest.raises(BuildError, match="ulx3s: was mapped for ice40, not for ecp5"):
        place_and_route(netlist, find_board("ulx3s"), files, tmp_path)
    arty = find_board("arty_a7")
    with pytest.raises(BuildError, match="arty_a7: no open place and route"):
        place_and_route(netlist, arty, files, tmp_path)


def test_report_that_is_none_is_an_error(tmp_path):
    path = tmp_path / "report.json"
    for text in ("", "[]", json.dumps({"fmax": {}, "critical_paths": []})):
        path.write_text(text)
        with pytest.raises(ToolError, match="is no report of nextpnr"):
            read_report(path)


def test_folder_with_blanks(tmp_path):
    folder = tmp_path / "a b"
    board, files, netlist = mapped(Echo(), "icebreaker", folder)
    assert pack(place_and_route(netlist, board, files, folder), board).path.exists()
    assert synthesize(folder / "top.il", "ice40", folder).resources.by_block["device"].ff > 30
