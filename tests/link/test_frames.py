"""Frames: the CRC, round trips, and finding frames again behind any damage."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgn_hdl.errors import BuildError
from lgn_hdl.link import SYNC, ErrorCode, Frame, FrameDecoder, Kind, Problem, crc, encode_frame

bytes_ = st.integers(0, 255)
frames = st.builds(Frame, bytes_, bytes_, st.binary(max_size=40))
#: Without a sync byte nothing in it can look like the start of a frame.
quiet = st.binary(max_size=30).map(lambda data: data.replace(bytes([SYNC]), b""))


def bitwise_crc(data: bytes) -> int:
    """The CRC by its definition: a polynomial division, one bit after the other."""
    register = 0xFFFF
    for byte in data:
        for place in range(7, -1, -1):
            top = register >> 15 ^ byte >> place & 1
            register = (register << 1 & 0xFFFF) ^ (0x1021 if top else 0)
    return register


def only_frames(found: list[Frame | Problem]) -> list[Frame]:
    return [item for item in found if isinstance(item, Frame)]


def in_pieces(decoder: FrameDecoder, data: bytes, cuts: list[int]) -> list[Frame | Problem]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [item for start, end in pairwise(places) for item in decoder.feed(data[start:end])]


def test_crc_of_the_usual_example() -> None:
    assert crc(b"123456789") == 0x29B1


@given(st.binary(max_size=60))
def test_crc_is_the_division(data: bytes) -> None:
    assert crc(data) == bitwise_crc(data)
    assert crc(data + crc(data).to_bytes(2, "big")) == 0


@given(st.lists(st.tuples(quiet, frames), max_size=5), st.lists(st.integers(0, 10**6), max_size=8))
def test_round_trip_in_any_pieces_with_bytes_between(
    stream: list[tuple[bytes, Frame]], cuts: list[int]
) -> None:
    data = b"".join(noise + frame.encode() for noise, frame in stream)
    decoder = FrameDecoder()
    found = in_pieces(decoder, data, cuts)
    assert only_frames(found) == [frame for _, frame in stream]
    passed_over = b"".join(item.data for item in found if isinstance(item, Problem))
    assert passed_over == b"".join(noise for noise, _ in stream)
    assert decoder.pending == 0


@given(st.binary(max_size=80), st.lists(frames, max_size=4))
def test_frames_behind_garbage_are_found_once_the_line_is_silent(
    garbage: bytes, sent: list[Frame]
) -> None:
    decoder = FrameDecoder()
    found = decoder.feed(garbage + b"".join(frame.encode() for frame in sent)) + decoder.expire()
    assert decoder.pending == 0
    assert only_frames(found)[-len(sent) or len(found) :] == sent
    # Nothing is lost and nothing is made up: all bytes are in a frame or passed over, in order.
    parts = [item.encode() if isinstance(item, Frame) else item.data for item in found]
    assert b"".join(parts) == garbage + b"".join(frame.encode() for frame in sent)


@given(frames, st.integers(0, 10**6), st.integers(1, 255), frames)
def test_a_damaged_frame_costs_only_itself(
    hit: Frame, place: int, flip: int, behind: Frame
) -> None:
    data = bytearray(hit.encode())
    data[place % len(data)] ^= flip
    decoder = FrameDecoder()
    found = decoder.feed(bytes(data) + behind.encode()) + decoder.expire()
    assert only_frames(found)[-1] == behind
    assert any(isinstance(item, Problem) for item in found)
    assert Frame(hit.kind, hit.request, hit.body) not in only_frames(found)[:-1]


def test_a_body_beyond_the_longest_is_not_waited_for() -> None:
    decoder = FrameDecoder(longest_body=10)
    header = bytes([SYNC, Kind.RESULT, 7, 11, 0])
    good = encode_frame(Kind.RESULT, 8, bytes(10))
    found = decoder.feed(header + good)
    assert only_frames(found) == [Frame(Kind.RESULT, 8, bytes(10))]
    assert any(isinstance(item, Problem) and "11 bytes" in item.what for item in found)


@pytest.mark.parametrize(
    ("kind", "request_id", "body", "message"),
    [
        (256, 0, b"", "kind of a frame is 256"),
        (-1, 0, b"", "kind of a frame is -1"),
        (1, 256, b"", "request id of a frame is 256"),
        (1, 0, bytes(65536), "65536 bytes"),
    ],
)
def test_what_does_not_fit_is_refused(
    kind: int, request_id: int, body: bytes, message: str
) -> None:
    with pytest.raises(BuildError, match=message):
        encode_frame(kind, request_id, body)


def test_the_longest_body() -> None:
    body = bytes(range(256)) * 256
    (found,) = FrameDecoder().feed(encode_frame(Kind.INFER, 255, body[:65535]))
    assert found == Frame(Kind.INFER, 255, body[:65535])


def test_every_error_has_words() -> None:
    assert [code.value for code in ErrorCode] == [1, 2, 3, 4, 5]
    assert len({code.meaning for code in ErrorCode}) == 5
