"""Parquet files as the public smart-pixel set has them.

A folder holds triples `recon2DTAG.parquet`, `recon3DTAG.parquet`, `labelsTAG.parquet`, where TAG
is such as `_d17301`; they may also lie in folders `recon2D`, `recon3D` and `labels` side by side. A
row is a cluster. The charges are flat columns "0", "1", ...: 273 of the last time slice (13 rows of
21) in a 2D file, 5,460 in a 3D file, slice after slice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FormatError, LgnError
from .dataset import COLUMNS, LABELS, ROWS, SLICES, Clusters

__all__ = ["find_tags", "read_folder", "read_tag", "write_tag"]

_PIXELS = ROWS * COLUMNS


def _pyarrow():
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise LgnError(
            "reading and writing parquet needs pyarrow", hint="pip install lgn-hdl[smartpixels]"
        ) from error
    return pyarrow


def find_tags(folder: Path, kind: str = "3D") -> list[str]:
    """Tags of a folder's files of charges of a kind, "2D" or "3D", sorted.

    Raises
    ------
    FormatError
        If there is no such folder or no such file in it.
    """
    if not folder.is_dir():
        raise FormatError("is not a folder", where=str(folder))
    stem = f"recon{kind}"
    names = [*folder.glob(f"{stem}*.parquet"), *(folder / stem).glob(f"{stem}*.parquet")]
    tags = sorted({path.stem[len(stem) :] for path in names})
    if not tags:
        raise FormatError(f"has no files {stem}*.parquet", where=str(folder))
    return tags


def _path(folder: Path, stem: str, tag: str) -> Path:
    for path in (folder / f"{stem}{tag}.parquet", folder / stem / f"{stem}{tag}.parquet"):
        if path.is_file():
            return path
    raise FormatError(f"has no file {stem}{tag}.parquet", where=str(folder))


def _table(path: Path) -> dict[str, Any]:
    """Columns by name; looking thousands of them up in the table itself takes minutes."""
    arrow = _pyarrow()
    try:
        table = arrow.parquet.read_table(path)
        return dict(zip(table.column_names, table.columns, strict=True))
    except (arrow.ArrowException, OSError) as error:
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(f"is not a readable parquet file: {line}", where=str(path)) from error


def _numbers(column, name: str, path: Path) -> np.ndarray:
    try:
        values = column.to_numpy()
        if values.dtype == object:  # a null among the values
            raise TypeError
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise FormatError(f"column {name!r} does not hold numbers only", where=str(path)) from error


def read_tag(folder: str | Path, tag: str, kind: str = "3D") -> Clusters:
    """The clusters of one pair of files.

    Raises
    ------
    FormatError
        If a file is missing or broken, the two differ in rows, or a number is missing.
    """
    folder = Path(folder)
    slices = SLICES if kind == "3D" else 1
    path = _path(folder, f"recon{kind}", tag)
    table = _table(path)
    wanted = [str(i) for i in range(slices * _PIXELS)]
    missing = [name for name in wanted if name not in table]
    if missing:
        raise FormatError(
            f"has no column {missing[0]!r}, expected {len(wanted)} columns of charge",
            where=str(path),
        )
    charges = np.empty((len(table["0"]), len(wanted)), np.float32)
    for i, name in enumerate(wanted):
        charges[:, i] = _numbers(table[name], name, path)
    if not np.isfinite(charges).all():
        row = int(np.argwhere(~np.isfinite(charges))[0, 0])
        raise FormatError(f"cluster {row} has a charge that is not finite", where=str(path))
    path = _path(folder, "labels", tag)
    table = _table(path)
    rows = len(next(iter(table.values()), ()))
    if rows != len(charges):
        raise FormatError(f"has {rows} rows for {len(charges)} clusters", where=str(path))
    labels = {
        name: _numbers(column, name, path)
        for name, column in table.items()
        if not name.startswith("__")  # an index that pandas wrote
    }
    try:
        return Clusters(charges.reshape(-1, slices, ROWS, COLUMNS), labels)
    except FormatError as error:
        raise error.at(str(path)) from None


def read_folder(folder: str | Path, kind: str = "3D") -> Iterator[Clusters]:
    """The clusters of every pair of files of a folder, one pair at a time; see `read_tag`."""
    folder = Path(folder)
    for tag in find_tags(folder, kind):
        yield read_tag(folder, tag, kind)


def write_tag(clusters: Clusters, folder: str | Path, tag: str) -> list[Path]:
    """Write clusters as recon2D, recon3D (if they have all slices) and labels.

    Returns
    -------
    list of Path
        The files written.
    """
    arrow = _pyarrow()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    n, slices = clusters.charges.shape[:2]
    tables = {"recon2D": clusters.charges[:, -1].reshape(n, _PIXELS)}
    if slices == SLICES:
        tables["recon3D"] = clusters.charges.reshape(n, SLICES * _PIXELS)
    written = []
    for stem, values in tables.items():
        columns = {str(i): values[:, i] for i in range(values.shape[1])}
        written.append(_write(arrow, columns, folder / f"{stem}{tag}.parquet"))
    order = [name for name in LABELS if name in clusters.labels]
    order += [name for name in clusters.labels if name not in LABELS]
    columns = {name: np.asarray(clusters.labels[name]) for name in order}
    written.append(_write(arrow, columns, folder / f"labels{tag}.parquet"))
    return written


def _write(arrow, columns: dict[str, np.ndarray], path: Path) -> Path:
    part = path.with_name(path.name + ".part")
    try:
        arrow.parquet.write_table(arrow.table(columns), part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
