"""Packs what nextpnr laid out into a bitstream: icepack, ecppack, gowin_pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BuildError
from .programs import find_program, fresh

if TYPE_CHECKING:
    from .board import Board
    from .pnr import PnrResult

__all__ = ["Bitstream", "pack"]


@dataclass(frozen=True)
class Bitstream:
    """What is loaded into a device.

    Parameters
    ----------
    path : Path
    tool : str
        Name and version of the packer.
    program : str
        The command that loads it onto the board.
    """

    path: Path
    tool: str
    program: str


@dataclass(frozen=True)
class _Packer:
    """A packer: its program, its arguments, and how what it makes starts."""

    program: str
    suffix: str
    arguments: Callable[[str, str, tuple[str, ...]], list[str]]
    magic: bytes


_PACKERS: Mapping[str, _Packer] = {
    # The synchronisation word of iCE40 comes after an empty comment.
    "ice40": _Packer(
        "icepack",
        ".bin",
        lambda layout, out, options: [*options, layout, out],
        b"\xff\x00\x00\xff\x7e\xaa\x99\x7e",
    ),
    "ecp5": _Packer(
        "ecppack",
        ".bit",
        lambda layout, out, options: [*options, "--input", layout, "--bit", out],
        b"\xff\x00Part: ",
    ),
    # A text of zeros and ones; ones come before the preamble.
    "gowin": _Packer(
        "gowin_pack",
        ".fs",
        lambda layout, out, options: [*options, "-o", out, layout],
        b"11111111",
    ),
}


def pack(
    result: PnrResult,
    board: Board,
    *,
    name: str = "top",
    timeout: float | None = None,
) -> Bitstream:
    """Pack a layout; the bitstream lies beside it.

    Parameters
    ----------
    result : PnrResult
    board : Board
        The one it was laid out for.
    name : str
        Of the file, without its suffix.
    timeout : float, optional
        Limit in seconds.

    Raises
    ------
    BuildError
        If there is no packer for the board.
    ToolError
        If the packer is missing, fails, or leaves something that is no bitstream.
    """
    if board.target not in _PACKERS:
        raise BuildError(f"no packer is known for {board.target!r}", where=board.name)
    packer = _PACKERS[board.target]
    program = find_program(packer.program)
    layout = result.files["layout"]
    out = f"{name}{packer.suffix}"
    program.run(
        packer.arguments(layout.name, out, board.pack),
        layout.parent,
        log="pack-bitstream.log",
        inputs=[layout],
        outputs=[out],
        timeout=timeout,
    )
    path = fresh(layout.parent / out, [layout], maker=str(program), magic=packer.magic)
    return Bitstream(path, str(program), board.program.format(file=out))
