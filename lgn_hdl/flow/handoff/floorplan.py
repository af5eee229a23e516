"""How large the die of a macro is: room for the cells, and edges long enough for the pins.

The figures are those of sky130_fd_sc_hd; a test compares them with its technology file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import BuildError
from .pins import PITCH, SIDES, Pins, assign_pins
from .ports import Port

__all__ = ["Floorplan", "plan_die"]

#: A placement site in µm, width and height.
SITE = (0.46, 2.72)
#: Sites between core and die, left and right, and above and below: LibreLane's defaults.
MARGIN = (12, 4)
#: What the layout adds to the area of the cells: clock tree, wider cells, hold buffers, well taps.
GROWTH = 1.15
#: Area of the buffer that LibreLane puts at each pin in µm² (buf_2 of the library).
PIN_BUFFER = 5.0048
#: Below this the power straps would not find a place in the core, in µm.
SMALLEST = 60.0
#: Power straps of sky130A on met4: from one pair to the next, and from the core's edge, in µm.
STRAP_PITCH, STRAP_OFFSET, STRAP_GRID = 153.6, 16.32, 0.46
#: Share of the core that placement leaves free beside what the cells take: LibreLane's default.
SLACK_PCT = 10


@dataclass(frozen=True)
class Floorplan:
    """Sizes in µm.

    Parameters
    ----------
    core : tuple of float
        Width and height of the part with cells.
    die : tuple of float
        Width and height.
    density : float
        Share of the core that the cells are expected to take in the finished layout.
    cells_um2 : float
        That area.
    pins : Pins
    enlarged : bool
        Whether the pins needed a larger die than the cells.
    strap_pitch, strap_offset : float
        Of the power straps.
    """

    core: tuple[float, float]
    die: tuple[float, float]
    density: float
    cells_um2: float
    pins: Pins
    enlarged: bool
    strap_pitch: float
    strap_offset: float

    @property
    def die_area(self) -> list[float]:
        """Corners of the die, lower left first."""
        return [0.0, 0.0, *self.die]

    @property
    def core_area(self) -> list[float]:
        """Corners of the core."""
        (x, y), (width, height) = _margins(), self.core
        return [_round(value) for value in (x, y, x + width, y + height)]

    @property
    def target_density_pct(self) -> int:
        """What the placement is told: how dense it may be anywhere."""
        return min(100, math.ceil(100 * self.density) + SLACK_PCT)


def plan_die(
    ports: Sequence[Port],
    area_um2: float,
    *,
    clock: str | None,
    reset: str | None,
    density: float,
    aspect: float,
) -> Floorplan:
    """Size a die and place its pins.

    Parameters
    ----------
    ports : sequence of Port
    area_um2 : float
        Of the mapped cells, before the layout adds its own.
    clock, reset : str or None
        Ports that come in from below.
    density : float
        Share of the core that cells are to take in the finished layout.
    aspect : float
        Height of the core by its width.

    Raises
    ------
    BuildError
        If a number makes no sense.
    """
    if not 0.05 <= density <= 0.9:
        raise BuildError(f"the density is {density:g}, expected 0.05 to 0.9", hint="try 0.55")
    if not 0.1 <= aspect <= 10:
        raise BuildError(f"the aspect ratio is {aspect:g}, expected 0.1 to 10")
    if not (math.isfinite(area_um2) and area_um2 > 0):
        raise BuildError(f"the cells have an area of {area_um2:g} µm²")
    cells = GROWTH * area_um2 + PIN_BUFFER * sum(port.width for port in ports)
    width = math.sqrt(cells / density / aspect)
    width = max(width, SMALLEST, SMALLEST / aspect)
    enlarged = False
    while True:
        core, die = _snapped(width, aspect)
        room = {side: int(die[side in "WE"] / PITCH[side]) - 1 for side in SIDES}
        pins = assign_pins(ports, room, clock=clock, reset=reset)
        if pins is not None:
            break
        width, enlarged = 1.02 * width, True
    pitch = min(STRAP_PITCH, _on_grid(core[0] / 2))
    return Floorplan(
        core,
        die,
        cells / (core[0] * core[1]),
        cells,
        pins,
        enlarged,
        pitch,
        min(STRAP_OFFSET, _on_grid(pitch / 4)),
    )


def _margins() -> tuple[float, float]:
    return MARGIN[0] * SITE[0], MARGIN[1] * SITE[1]


def _snapped(width: float, aspect: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Core in whole sites and rows, and the die around it."""
    columns, rows = math.ceil(width / SITE[0]), math.ceil(width * aspect / SITE[1])
    core = (_round(columns * SITE[0]), _round(rows * SITE[1]))
    x, y = _margins()
    return core, (_round(core[0] + 2 * x), _round(core[1] + 2 * y))


def _on_grid(value: float) -> float:
    return _round(math.floor(value / STRAP_GRID) * STRAP_GRID)


def _round(value: float) -> float:
    """Micrometres without the noise of binary fractions; the grid of the masks is 0.005."""
    return round(value, 3)
