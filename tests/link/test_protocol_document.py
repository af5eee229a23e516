"""docs/host-protocol.md: its example and its tables are what the code does."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from lgn_hdl.link import ErrorCode, Frame, FrameDecoder, Identity, Kind, crc

TEXT = (Path(__file__).parents[2] / "docs" / "host-protocol.md").read_text()
EXAMPLE = TEXT[TEXT.index("\n## Example\n") :]
IDENTITY = Identity(
    digest=bytes.fromhex("00112233445566778899aabbccddeeff" * 2),
    clock_hz=12_000_000,
    baud=115_200,
    gap_us=10_000,
    features=3,
    feature_width=3,
    feature_signed=True,
    feature_fraction=1,
    classes=4,
    class_width=2,
    score_width=3,
    bits=0,
    latency=5,
    interval=1,
    board="icebreaker",
    generator="0.1.0",
)


def spoken(side: str) -> bytes:
    """The bytes one side sends in the example; remarks stand two blanks behind them."""
    found, speaker = bytearray(), ""
    for block in re.findall(r"```\n(.*?)```", EXAMPLE, re.DOTALL):
        for line in block.splitlines():
            who, rest = line[:7].strip(), line[7:]
            speaker = who or speaker
            if speaker == side:
                found += bytes.fromhex(rest.split("  ")[0])
    return bytes(found)


def test_example() -> None:
    sample, result = bytes([0x35, 0x01]), bytes([0x13, 0x2A])
    assert FrameDecoder().feed(spoken("host")) == [
        Frame(Kind.IDENTIFY, 5),
        Frame(Kind.INFER, 6, sample),
    ]
    assert FrameDecoder().feed(spoken("board")) == [
        Frame(Kind.IDENTIFICATION, 5, IDENTITY.encode()),
        Frame(Kind.RESULT, 6, result),
        Frame(Kind.ERROR, 6, bytes([ErrorCode.CRC])),
    ]
    assert (IDENTITY.sample_bytes, IDENTITY.result_bytes) == (len(sample), len(result))
    features = [int.from_bytes(sample, "little") >> 3 * k & 7 for k in range(3)]
    assert [(n - 8 * (n > 3)) / 2 for n in features] == [-1.5, -1.0, -2.0]
    number = int.from_bytes(result, "little")
    assert number & 3 == 3
    assert [number >> 2 + 3 * k & 7 for k in range(4)] == [4, 0, 2, 5]


def test_tables_of_kinds_and_errors() -> None:
    kinds = {int(code, 16): name for code, name in re.findall(r"\| `(..)` \| \w+ \| (\w+)", TEXT)}
    assert kinds == {kind.value: kind.name for kind in Kind}
    errors = {int(code): name for code, name in re.findall(r"\| (\d) \| ([A-Z]+) \|", TEXT)}
    assert errors == {code.value: code.name for code in ErrorCode}


def test_offsets_of_the_identification() -> None:
    table = TEXT[TEXT.index("### The body of IDENTIFICATION") : TEXT.index("\n## Errors")]
    rows = re.findall(r"^\| (\d+) \| (u8|u16|i16|u32|32 bytes) \|", table, re.MULTILINE)
    codes = {"u8": "B", "u16": "H", "i16": "h", "u32": "I", "32 bytes": "32s"}
    form = "<" + "".join(codes[kind] for _, kind in rows)
    sizes = [struct.calcsize("<" + codes[kind]) for _, kind in rows]
    assert [int(offset) for offset, _ in rows] == [sum(sizes[:k]) for k in range(len(sizes))]
    body = IDENTITY.encode()
    assert struct.unpack_from(form, body)[:3] == (1, 2, 3)
    assert body[struct.calcsize(form)] == len(IDENTITY.board)


def test_check_value_of_the_crc() -> None:
    assert f"`{crc(b'123456789'):04X}`" in TEXT
