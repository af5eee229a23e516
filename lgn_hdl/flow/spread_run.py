"""Places a spread netlist, then routes it without the cells that took places.

    python -m lgn_hdl.flow.spread_run PLACE ... --then ROUTE ...

PLACE and ROUTE are command lines of nextpnr. The first one writes `PLACED`, the second one reads
`RELEASED`. One process for both, so that a limit in seconds and a log hold for a whole seed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .spread import release

__all__ = ["PLACED", "RELEASED", "both"]

PLACED, RELEASED = "placed.json", "released.json"
_THEN = "--then"


def both(place: Sequence[str], route: Sequence[str]) -> tuple[str, ...]:
    """Return the command line that does both."""
    return sys.executable, "-m", __name__, *place, _THEN, *route


def main(arguments: Sequence[str]) -> int:
    """Run both and return the exit status of the one that failed, or 0."""
    middle = arguments.index(_THEN)
    status = subprocess.run(arguments[:middle], stdin=subprocess.DEVNULL).returncode
    if status == 0:
        release(Path(PLACED), Path(RELEASED))
        status = subprocess.run(arguments[middle + 1 :], stdin=subprocess.DEVNULL).returncode
    return abs(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
