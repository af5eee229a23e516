"""Wraps a classifier as a Tiny Tapeout project: `tt_um_…` with 24 pins, and its description."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import Shape, Value
from amaranth.lib import data

from ..errors import BuildError
from ..hdl.instance import ClassifierInstance
from ..hdl.modules import to_rtlil
from ..hdl.tinytapeout import TinyTapeout
from .cells import map_to_cells
from .handoff.floorplan import GROWTH
from .handoff.texts import render
from .liberty import Liberty
from .verilog import clean_names, without_aliases, write_verilog

__all__ = ["TILES", "TinyTapeoutFiles", "TinyTapeoutProject", "choose_tiles", "write_tinytapeout"]

#: Sizes of a project on the sky130 shuttles, width and height in µm, as Tiny Tapeout's
#: tt-support-tools state them (tile_sizes.yaml), and the sizes that its project template offers.
TILES = {
    "1x1": (161.00, 111.52),
    "1x2": (161.00, 225.76),
    "2x2": (334.88, 225.76),
    "3x2": (508.76, 225.76),
    "4x2": (682.64, 225.76),
    "6x2": (1030.40, 225.76),
    "8x2": (1378.16, 225.76),
}
#: Pins of the chip that the demo board can switch at, with some margin.
FASTEST_HZ = 66_000_000


@dataclass(frozen=True)
class TinyTapeoutProject:
    """What a project says of itself.

    Parameters
    ----------
    name : str
        Of the project: the top module is `tt_um_` and this. It has to be unique among all projects,
        so it starts with its author's GitHub name by custom.
    title, author, description : str
        Not empty; one line each.
    clock_hz : int
    discord : str
        The author's name on Discord, or nothing.
    samples : str
        A sentence about what the bits of a sample are.
    """

    name: str
    title: str
    author: str
    description: str
    clock_hz: int
    discord: str = ""
    samples: str = ""

    @property
    def top(self) -> str:
        """Name of the top module."""
        return "tt_um_" + self.name.removeprefix("tt_um_")


@dataclass(frozen=True)
class TinyTapeoutFiles:
    """What was written.

    Parameters
    ----------
    folder : Path
        To be copied over a project made from Tiny Tapeout's template.
    files : mapping of str to Path
        `info`, `docs`, `project` (the wrapper), `classifier` (all below it).
    top : str
    tiles : str or None
        Such as `2x2`; None if no Liberty file was given, and then `info.yaml` says 1x1.
    area_um2 : float or None
        Of the cells, wrapper included.
    """

    folder: Path
    files: Mapping[str, Path]
    top: str
    tiles: str | None
    area_um2: float | None


def write_tinytapeout(
    folder: Path,
    core: Any,
    project: TinyTapeoutProject,
    *,
    liberty: Liberty | None = None,
    density: float = 0.65,
) -> TinyTapeoutFiles:
    """Write `info.yaml`, `docs/info.md` and `src/*.v`.

    Parameters
    ----------
    folder : Path
        Made if it is not there; files of the same names are replaced.
    core : wiring.Component
        With streams `i` and `o`, one result for every sample; it is used up.
    project : TinyTapeoutProject
    liberty : Liberty, optional
        Cells of sky130_fd_sc_hd, to estimate the number of tiles.
    density : float
        Share of a tile that cells can take.

    Returns
    -------
    TinyTapeoutFiles

    Raises
    ------
    BuildError
        If the name or a text does not do, or the design is larger than the largest project.
    ToolError
        If Yosys fails.
    """
    _check(project)
    top = project.top
    fields = list(_fields(core.o.payload))
    pins, text = _pins(core, top)
    source, docs = folder / "src", folder / "docs"
    files = {
        "info": folder / "info.yaml",
        "docs": docs / "info.md",
        "project": source / "project.v",
        "classifier": source / "classifier.v",
    }
    with TemporaryDirectory(prefix="lgn_hdl_") as name:
        work = Path(name)
        (work / "pins.il").write_text(text)
        write_verilog(work / "pins.il", work / "classifier.v")
        area = tiles = None
        if liberty is not None:
            # Tiny Tapeout's own synthesis makes no clock gates.
            mapped = map_to_cells(
                work / "pins.il", liberty, work, top=f"{top}_pins", clock_gating=False
            )
            area = mapped.area_um2
            tiles = choose_tiles(area, density=density)
        verilog = (work / "classifier.v").read_text()
    source.mkdir(parents=True, exist_ok=True)
    docs.mkdir(exist_ok=True)
    files["classifier"].write_text(verilog)
    files["project"].write_text(render("project.v.jinja", p=project, top=top))
    about = {"p": project, "pins": pins, "fields": fields, "about_samples": project.samples}
    files["docs"].write_text(render("info.md.jinja", **about))
    files["info"].write_text(
        render(
            "info.yaml.jinja",
            p=project,
            top=top,
            tiles=tiles or "1x1",
            tiles_why=_why(area, tiles, density),
            sources=["project.v", "classifier.v"],
            pinout=_pinout(),
        )
    )
    return TinyTapeoutFiles(folder, files, top, tiles, area)


def choose_tiles(area_um2: float, *, density: float = 0.65) -> str:
    """Return the smallest size of a project that has room for so many cells.

    Parameters
    ----------
    area_um2 : float
        Of the mapped cells; what the layout adds is estimated.
    density : float
        Share of a tile that cells can take.

    Raises
    ------
    BuildError
        If none is large enough.
    """
    needed = GROWTH * area_um2 / density
    for name, (width, height) in TILES.items():
        if width * height >= needed:
            return name
    name, (width, height) = list(TILES.items())[-1]
    raise BuildError(
        f"{area_um2:,.0f} µm² of cells need about {needed:,.0f} µm² of a chip; the largest Tiny "
        f"Tapeout project, {name}, has {width * height:,.0f}",
        hint="fold the network (--fold sums, --fold gates), or use the LibreLane hand-off",
    )


def _pins(core: Any, top: str) -> tuple[TinyTapeout, str]:
    """The component around the core, and RTLIL of all of it."""
    sample, result = (Shape(len(Value.cast(port.payload))) for port in (core.i, core.o))
    name = f"{top}_core"
    inner = to_rtlil(core, name)
    instance = ClassifierInstance(sample=sample, result=result, name=name)
    pins = TinyTapeout(core=instance)
    outer = rtlil.convert(pins, name=f"{top}_pins", emit_src=False)
    if not re.search(r"^\s*wire .*\binput \d+ +\\clk$", inner, re.MULTILINE):
        # A core without registers has no clock to be connected.
        outer = re.sub(rf"(  cell \\{name} .*\n(?:    .*\n)*)", _without_clock, outer)
    inner = inner.replace("attribute \\top 1\n", "", 1)
    return pins, without_aliases(clean_names(f"{outer}\n{inner}"))


def _without_clock(cell: re.Match[str]) -> str:
    return re.sub(r"    connect \\(clk|rst) .*\n", "", cell[0])


def _fields(payload: Any) -> Iterator[Mapping[str, str]]:
    """Where the fields of a result are."""
    layout = payload.shape() if isinstance(payload, data.View) else None
    if not isinstance(layout, data.StructLayout):
        yield {"bits": f"{len(Value.cast(payload)) - 1}:0", "what": "the result"}
        return
    known = {"class": "the class", "scores": "a score for each class", "bits": "outgoing bits"}
    for name, field in layout:
        what = known.get(str(name), f"`{name}`")
        if isinstance(field.shape, data.ArrayLayout):
            width = Shape.cast(field.shape.elem_shape).width
            what += f": {field.shape.length} of {width} bits, the first lowest"
        last = field.offset + field.width - 1
        yield {"bits": f"{last}:{field.offset}" if field.width > 1 else str(last), "what": what}


def _pinout() -> dict[str, str]:
    pins = {f"ui[{bit}]": f"sample bit {bit}" for bit in range(8)}
    pins |= {f"uo[{bit}]": f"result bit {bit}" for bit in range(8)}
    names = ("write", "next", "ready", "done", "restart", "", "", "")
    return pins | {f"uio[{bit}]": name for bit, name in enumerate(names)}


def _why(area: float | None, tiles: str | None, density: float) -> str:
    if area is None or tiles is None:
        return "Not estimated: no Liberty file was given. A size of 1x1 is the smallest."
    width, height = TILES[tiles]
    share = GROWTH * area / (width * height)
    return (
        f"{area:,.0f} µm² of cells, {GROWTH * area:,.0f} in the layout: {share:.0%} of this size, "
        f"at most {density:.0%}."
    )


def _check(project: TinyTapeoutProject) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_]+", project.name.removeprefix("tt_um_")):
        raise BuildError(
            f"{project.name!r} cannot be the name of a project",
            hint="letters, digits and underscores, your GitHub name first",
        )
    for what in ("title", "author", "description"):
        text = getattr(project, what)
        if not text.strip() or "\n" in text:
            raise BuildError(f"the {what} of the project is {json.dumps(text)}, expected one line")
    if not 0 < project.clock_hz <= FASTEST_HZ:
        raise BuildError(
            f"the clock is {project.clock_hz / 1e6:g} MHz, a demo board makes up to "
            f"{FASTEST_HZ / 1e6:g} MHz"
        )
