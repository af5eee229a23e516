"""Finds a process design kit where LibreLane's users have it, or a plain folder of its files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import BuildError

__all__ = ["CORNER", "LIBRARY", "PDK", "PDK_VERSION", "Pdk", "find_pdk", "how_to_get"]

PDK = "sky130A"
LIBRARY = "sky130_fd_sc_hd"
#: The corner whose areas and delays are reported: typical transistors, 25 °C, 1.8 V.
CORNER = "tt_025C_1v80"
#: The build of open_pdks that LibreLane 3.0.17 asks for by itself (its `pdk_hashes.yaml`).
PDK_VERSION = "8afc8346a57fe1ab7934ba5a6056ea8b43078e71"

#: Version managers, newest first: where they keep PDKs, and the folder of versions inside.
_HOMES = {".ciel": "ciel", ".volare": "volare"}


@dataclass(frozen=True)
class Pdk:
    """Files of a standard cell library at one corner.

    Parameters
    ----------
    name : str
        Such as `sky130A`; of a plain folder, its name.
    library : str
        Such as `sky130_fd_sc_hd`.
    liberty : Path
    lef : tuple of Path
        Technology first, then cells; empty if there are none.
    verilog : tuple of Path
        Models of the cells; empty if there are none.
    root : Path or None
        What LibreLane calls `PDK_ROOT`: the folder that holds the folder `name`. None for a plain
        folder, which is enough for areas and timing but not for a layout.
    corner : str
    """

    name: str
    library: str
    liberty: Path
    lef: tuple[Path, ...]
    verilog: tuple[Path, ...]
    root: Path | None
    corner: str


def find_pdk(
    pdk_root: str | Path | None = None,
    *,
    name: str | None = None,
    library: str | None = None,
    corner: str = CORNER,
    environ: Mapping[str, str] | None = None,
) -> Pdk:
    """Find a PDK.

    The first of these that is given is the only one that is looked at: the argument, then the
    environment variable `PDK_ROOT`. Without both, `~/.ciel` and `~/.volare` are. Each may be the
    root of a version manager, the folder of one PDK, or a folder with a Liberty file in it.

    Parameters
    ----------
    pdk_root : str or Path, optional
    name : str, optional
        By default what the variable `PDK` says, or sky130A.
    library : str, optional
        By default what the variable `STD_CELL_LIBRARY` says, or sky130_fd_sc_hd.
    corner : str
        End of the name of the Liberty file.
    environ : mapping of str to str, optional
        The environment, by default the process's own.

    Raises
    ------
    BuildError
        If there is none, with the command that gets one; or if it is not clear which of several
        versions or Liberty files is meant.
    """
    environ = os.environ if environ is None else environ
    name = name or environ.get("PDK") or PDK
    library = library or environ.get("STD_CELL_LIBRARY") or LIBRARY
    given = pdk_root or environ.get("PDK_ROOT")
    if given:
        roots = [Path(given).expanduser()]
    else:
        home = Path(environ.get("HOME") or Path.home())
        roots = [home / folder for folder in _HOMES]
    for root in roots:
        found = _plain(root, corner) or _installed(root, name, library, corner)
        if found is not None:
            return found
    searched = " and ".join(map(str, roots))
    raise BuildError(f"there is no {library} of {name}", where=searched, hint=how_to_get(name))


def how_to_get(name: str = PDK) -> str:
    """Return the command that installs a PDK, for messages."""
    version = PDK_VERSION if name.startswith("sky130") else "VERSION"
    return (
        f"pip install ciel && ciel enable --pdk-family {_family(name)} {version}; "
        "or set PDK_ROOT to the folder that holds it, or to a folder with the Liberty file"
    )


def _family(name: str) -> str:
    """sky130A and sky130B are variants of sky130, gf180mcuD is one of gf180mcu."""
    return re.sub(r"(?<=[a-z0-9])[A-Z]$", "", name)


def _plain(folder: Path, corner: str) -> Pdk | None:
    """A folder that holds Liberty files itself."""
    files = sorted(folder.glob("*.lib")) if folder.is_dir() else []
    if not files:
        return None
    liberty = _at_corner(files, corner)
    library, _, found = liberty.stem.partition("__")
    lef = (*sorted(folder.glob("*.tlef")), *sorted(folder.glob("*.lef")))
    verilog = tuple(sorted(folder.glob("*.v")))
    return Pdk(folder.resolve().name, library, liberty, lef, verilog, None, found or liberty.stem)


def _installed(root: Path, name: str, library: str, corner: str) -> Pdk | None:
    for folder in _folders(root, name):
        cells = folder / "libs.ref" / library
        if not cells.is_dir():
            continue
        files = sorted((cells / "lib").glob("*.lib"))
        if not files:
            raise BuildError("there is no Liberty file", where=str(cells / "lib"))
        nominal = sorted((cells / "techlef").glob("*__nom.tlef"))
        return Pdk(
            name,
            library,
            _at_corner(files, corner),
            (*nominal, *sorted((cells / "lef").glob("*.lef"))),
            tuple(sorted((cells / "verilog").glob("*.v"))),
            folder.parent,
            corner,
        )
    return None


def _folders(root: Path, name: str) -> Iterator[Path]:
    """Where the folder of a PDK may be, the likeliest first."""
    enabled = root / name
    if enabled.is_symlink() and not enabled.exists():
        raise BuildError(
            "the link leads nowhere: its version was removed",
            where=str(enabled),
            hint=how_to_get(name),
        )
    yield enabled
    if root.name == name:
        yield root
    # LibreLane fetches versions without enabling them: then there is no link in the root.
    for manager in _HOMES.values():
        versions = root / manager / _family(name) / "versions"
        found = sorted(path for path in versions.glob(f"*/{name}") if path.is_dir())
        current = versions.parent / "current"
        if current.is_file():
            found = [versions / current.read_text().strip() / name]
        wanted = versions / PDK_VERSION / name
        if wanted in found:
            found = [wanted]
        if len(found) > 1:
            raise BuildError(
                f"there are {len(found)} versions and none is enabled",
                where=str(versions),
                hint=f"ciel enable --pdk-family {_family(name)} {found[-1].parent.name}",
            )
        yield from found


def _at_corner(files: list[Path], corner: str) -> Path:
    if len(files) == 1:
        return files[0]
    chosen = [file for file in files if file.stem.endswith(f"__{corner}")]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(file.name for file in files[:4]) + (", …" if len(files) > 4 else "")
    raise BuildError(
        f"{len(chosen)} of {len(files)} Liberty files are of the corner {corner}: {names}",
        where=str(files[0].parent),
        hint="leave one file, or name a corner that one of them has",
    )
