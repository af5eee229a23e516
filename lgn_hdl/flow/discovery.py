"""Finds a board by its name, or by the place of its class."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from importlib import metadata
from types import ModuleType

from ..errors import BuildError
from .board import Board
from .targets import find_target

__all__ = ["GROUP", "board_names", "find_board"]

#: The group of entry points by which other packages bring boards.
GROUP = "lgn_hdl.boards"

_NEEDED = ("name", "title", "target", "platform", "clock_hz", "baud", "usb_serial", "budget")


def find_board(spec: str) -> Board:
    """Return a board.

    Parameters
    ----------
    spec : str
        The name of a board that comes with lgn-hdl or by an entry point of the group
        `lgn_hdl.boards`; or `package.module:Class`, looked for in the working directory as well.

    Raises
    ------
    BuildError
        If there is no such board, two packages bring one of that name, or what is found is not a
        board.
    """
    if ":" in spec:
        return _checked(_load(spec, spec), spec)
    ours = _bundled().BOARDS
    theirs = [entry for entry in metadata.entry_points(group=GROUP) if entry.name == spec]
    places = [f"{_bundled().__name__}.{ours[spec]}"] if spec in ours else []
    places += dict.fromkeys(entry.value for entry in theirs)
    if len(places) > 1:
        raise BuildError(
            "there are boards of that name in " + " and ".join(places),
            where=spec,
            hint="give package.module:Class",
        )
    if not places:
        raise BuildError(
            f"there is no board {spec!r}",
            hint="one of " + ", ".join(board_names()) + ", or package.module:Class",
        )
    return _checked(_load(places[0], spec), spec)


def board_names() -> list[str]:
    """Return the names that `find_board` knows, those of other packages last."""
    theirs = sorted(entry.name for entry in metadata.entry_points(group=GROUP))
    return list(dict.fromkeys([*_bundled().BOARDS, *theirs]))


def _bundled() -> ModuleType:
    """The package of our own boards: inside ours in a wheel, beside it in a checkout."""
    inside = importlib.util.find_spec("lgn_hdl.boards")
    return importlib.import_module("lgn_hdl.boards" if inside else "boards")


def _load(place: str, spec: str) -> object:
    module_name, _, path = place.partition(":")
    here = os.getcwd()
    added = here not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        found: object = importlib.import_module(module_name)
    except ImportError as error:
        raise BuildError(f"cannot be imported: {error}", where=spec) from error
    except ValueError:
        raise BuildError("expected package.module:Class", where=spec) from None
    finally:
        if added:
            sys.path.remove(here)
    for part in path.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise BuildError(f"module {module_name} has no {path!r}", where=spec)
    return found


def _checked(found: object, spec: str) -> Board:
    if not (isinstance(found, type) and issubclass(found, Board)):
        raise BuildError(f"is {found!r}, expected a subclass of lgn_hdl.flow.Board", where=spec)
    missing = [name for name in (*_NEEDED, "program") if not hasattr(found, name)]
    if missing:
        raise BuildError("has no " + ", ".join(missing), where=spec, hint="see docs/boards.md")
    board = found()
    find_target(board.target)
    return board
