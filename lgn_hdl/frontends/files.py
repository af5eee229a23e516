"""Reads files of the kinds that frontends share; nothing in them is ever executed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch
from torch.torch_version import TorchVersion

from ..errors import FormatError

__all__ = ["ZIP", "load_torch", "read_file", "read_json", "zip_names"]

#: How a zip archive begins: .npz files and torch checkpoints.
ZIP = b"PK\x03\x04"


def read_file(path: Path) -> bytes:
    """The content of a file that is not empty."""
    if path.is_dir():
        raise FormatError("is a directory, expected a file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}") from None
    if not data:
        raise FormatError("the file is empty")
    return data


def zip_names(path: Path) -> list[str]:
    """Names of the members of a zip archive."""
    try:
        with ZipFile(path) as archive:
            return archive.namelist()
    except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise FormatError(f"the zip archive is broken: {error}") from None


def load_torch(path: Path, hint: str = "save module.state_dict(), not the module") -> Any:
    """What `torch.save` wrote, on the CPU: tensors and plain containers, no other objects."""
    # A version number of torch among the remarks of a checkpoint is a str of a class of its own.
    torch.serialization.add_safe_globals([TorchVersion])
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a broken archive provokes inside torch
        text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().partition("\n")[0][:200]
        raise FormatError(
            f"the torch checkpoint cannot be read safely: {text or type(error).__name__}",
            hint=hint,
        ) from None


def read_json(path: Path) -> Mapping[str, Any]:
    """The object in a JSON file; errors name the file."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not a JSON file: {error}", where=str(path)) from None
    if not isinstance(found, dict):
        raise FormatError("holds no JSON object", where=str(path))
    return found
