"""Boards by name, by place, and by entry point."""

import sys
from importlib import metadata

import pytest
from devices import Echo

from boards import BOARDS
from lgn_hdl.errors import BuildError
from lgn_hdl.flow import Board, board_names, board_rtlil, find_board, find_target

OWN = """
from boards.icebreaker import ICEBreaker

class Mine(ICEBreaker):
    name = "mine"
    title = "An iCEBreaker that is slower"
    baud = 9600

class Empty(ICEBreaker.__mro__[1]):
    name = "empty"

number = 7
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module `own_board` in the working directory."""
    (tmp_path / "own_board.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("own_board", None)


def installed(folder, monkeypatch, package, lines):
    """A package with entry points, as pip leaves it."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lgn_hdl.boards]\n" + lines)
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize("name", BOARDS)
def test_board_says_what_it_is(name):
    board = find_board(name)
    assert isinstance(board, Board)
    assert board.name == name
    assert repr(board) == f"<board {name}>"
    assert find_target(board.target).name == board.target
    platform = board.platform()
    assert platform.default_clk_frequency == board.clock_hz
    assert board.clock().hz == board.clock_hz
    # The baud rate divides the clock within 1 %, which leaves a UART its margin.
    assert abs(board.clock_hz / round(board.clock_hz / board.baud) / board.baud - 1) < 0.01
    assert board.budget.lut > 5000
    assert "{file}" in board.program


def test_names():
    assert (
        board_names()[:5]
        == list(BOARDS)
        == [
            "icebreaker",
            "hx8k",
            "ulx3s",
            "tangnano9k",
            "arty_a7",
        ]
    )


def test_unknown_name_names_those_there_are():
    with pytest.raises(BuildError, match=r"there is no board 'de10' .one of icebreaker, hx8k, "):
        find_board("de10")


def test_class_in_the_working_directory(own):
    path = list(sys.path)
    board = find_board("own_board:Mine")
    assert (board.name, board.baud, board.target) == ("mine", 9600, "ice40")
    assert sys.path == path


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("own_board:Yours", "own_board:Yours: module own_board has no 'Yours'"),
        ("own_board:", "own_board:: module own_board has no ''"),
        ("own_board:number", "own_board:number: is 7, expected a subclass of lgn_hdl.flow.Board"),
        ("own_board:Empty", "own_board:Empty: has no title, target, platform, clock_hz, baud"),
        ("nowhere:Mine", "nowhere:Mine: cannot be imported: No module named 'nowhere'"),
        (":Mine", ":Mine: expected package.module:Class"),
    ],
)
def test_what_is_no_board_is_refused(own, spec, message):
    with pytest.raises(BuildError) as caught:
        find_board(spec)
    assert str(caught.value).startswith(message)


def test_board_of_another_package(own, monkeypatch):
    installed(own, monkeypatch, "others", "mine = own_board:Mine\n")
    assert find_board("mine").title == "An iCEBreaker that is slower"
    assert board_names()[-1] == "mine"
    assert [entry.name for entry in metadata.entry_points(group="lgn_hdl.boards")] == ["mine"]


def test_two_boards_of_one_name_are_refused(own, monkeypatch):
    installed(own, monkeypatch, "others", "hx8k = own_board:Mine\n")
    with pytest.raises(
        BuildError, match=r"hx8k: there are boards of that name in .*own_board:Mine"
    ):
        find_board("hx8k")
    # Each can still be had by its place.
    assert find_board("boards.hx8k:HX8K").name == "hx8k"


def test_device_without_pins_is_refused():
    with pytest.raises(BuildError, match="object: has no port 'rx'"):
        board_rtlil(find_board("hx8k"), object())


def test_module_of_the_same_name_is_refused():
    extra = "module \\top\nend\n"
    with pytest.raises(BuildError, match="extra_rtlil: there are two modules 'top'"):
        board_rtlil(find_board("hx8k"), Echo(), extra_rtlil=extra)


def test_family_without_board_support_is_refused(own):
    class Plain(find_board("own_board:Mine").__class__):
        target = "lut6"

    with pytest.raises(BuildError, match=r"mine: there is no board support for target 'lut6'"):
        board_rtlil(Plain(), object())
