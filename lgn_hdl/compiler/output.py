"""A folder that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BuildError

__all__ = ["output_folder"]


@contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends well.

    Raises
    ------
    BuildError
        If `path` is there and is not the output of an earlier build, or cannot be written.
    """
    if path.exists() and not path.is_dir():
        raise BuildError("is a file, expected a folder", where=str(path))
    if path.is_dir() and any(path.iterdir()) and not (path / "report.json").is_file():
        raise BuildError(
            "the folder is not empty and holds no earlier build",
            where=str(path),
            hint="choose another folder with -o",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise BuildError(f"cannot write there: {error.strerror}", where=str(path)) from None
    try:
        yield temporary
        temporary.chmod(0o755)
        old = temporary.with_name(temporary.name + ".old")
        if path.exists():
            os.replace(path, old)
        os.replace(temporary, path)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
