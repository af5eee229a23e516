"""Reading, writing and forging .lgn files."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

from lgn_hdl.network import Network, read_network, write_network
from lgn_hdl.network.storage import MAGIC, VERSION

PREFIX = struct.Struct("<8sIIQ")


def stored(network: Network, folder: Path) -> bytes:
    path = folder / "network.lgn"
    write_network(network, path)
    return path.read_bytes()


def sealed(body: bytes) -> bytes:
    """A body with the right checksum."""
    return body + hashlib.sha256(body).digest()


def with_header(data: bytes, header: Any, **prefix: int) -> bytes:
    """The same file with another header and the right length and checksum."""
    length = PREFIX.unpack_from(data)[3]
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    start = PREFIX.pack(MAGIC, prefix.get("version", VERSION), 0, prefix.get("length", len(text)))
    return sealed(start + text + data[PREFIX.size + length : -32])


def header_of(data: bytes) -> dict[str, Any]:
    return json.loads(data[PREFIX.size :][: PREFIX.unpack_from(data)[3]])


def read(data: bytes, folder: Path) -> Network:
    path = folder / "changed.lgn"
    path.write_bytes(data)
    return read_network(path)
