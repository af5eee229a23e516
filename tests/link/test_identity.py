"""Identity: round trips, and what is wrong with a body that is not one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lgn_hdl.errors import BuildError, FormatError
from lgn_hdl.link import VERSION, Identity

PLAIN = Identity(
    digest=bytes(range(32)),
    clock_hz=12_000_000,
    baud=115_200,
    gap_us=10_000,
    features=64,
    feature_width=5,
    feature_signed=False,
    feature_fraction=0,
    classes=10,
    class_width=4,
    score_width=9,
    bits=0,
    latency=7,
    interval=1,
    board="icebreaker",
    generator="0.1.0",
)
u32 = st.integers(1, 2**32 - 1)
texts = st.text(st.characters(max_codepoint=127), max_size=255)
identities = st.builds(
    Identity,
    digest=st.binary(min_size=32, max_size=32),
    clock_hz=u32,
    baud=u32,
    gap_us=u32,
    features=u32,
    feature_width=st.integers(1, 62),
    feature_signed=st.booleans(),
    feature_fraction=st.integers(-(2**15), 2**15 - 1),
    classes=st.integers(0, 2**16 - 1),
    class_width=st.integers(0, 16),
    score_width=st.integers(0, 255),
    bits=st.integers(0, 2**32 - 1),
    latency=u32,
    interval=u32,
    board=texts,
    generator=texts,
    window=st.integers(1, 255),
    score_signed=st.booleans(),
)


@given(identities)
def test_round_trip(identity: Identity) -> None:
    assert Identity.decode(identity.encode()) == identity


@given(identities, st.data())
def test_no_beginning_of_a_body_is_a_body(identity: Identity, data: st.DataObject) -> None:
    body = identity.encode()
    cut = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(FormatError):
        Identity.decode(body[:cut])


@given(identities, st.integers(0, 75), st.integers(1, 255))
def test_a_changed_byte_is_another_identity_or_none(
    identity: Identity, place: int, flip: int
) -> None:
    body = bytearray(identity.encode())
    assume(place < len(body))
    body[place] ^= flip
    with suppress(FormatError):
        assert Identity.decode(bytes(body)) != identity


def test_lengths_of_sample_and_result() -> None:
    assert (PLAIN.sample_bytes, PLAIN.result_bits, PLAIN.result_bytes) == (40, 94, 12)
    assert replace(PLAIN, features=63).sample_bytes == 40
    assert replace(PLAIN, score_width=0).result_bytes == 1
    assert replace(PLAIN, classes=0, class_width=0, score_width=0, bits=17).result_bytes == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"digest": bytes(31)}, "31 bytes, expected 32"),
        ({"features": 0}, "features is 0, expected 1 to"),
        ({"feature_width": 63}, "feature_width is 63, expected 1 to 62"),
        ({"feature_fraction": 2**15}, "feature_fraction is 32768"),
        ({"classes": 2**16}, "classes is 65536"),
        ({"baud": 2**32}, "baud is 4294967296"),
        ({"board": "plaça"}, "board is 'plaça', expected ASCII"),
        ({"board": "x" * 256}, "board is .*0 to 255 characters"),
        ({"version": 2}, "version 2, expected 1"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BuildError, match=message):
        replace(PLAIN, **change)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "found nothing, expected version 1"),
        (b"\x02" + PLAIN.encode()[1:], "found protocol version 2.*same version of lgn_hdl"),
        (PLAIN.encode()[:60], "60 bytes, expected 72"),
        (PLAIN.encode() + b"x", "1 bytes follow"),
        (PLAIN.encode()[:-1], "ends within the generator"),
        (PLAIN.encode()[:2] + b"\x02" + PLAIN.encode()[3:], "0x0002 contradict the widths"),
        (PLAIN.encode()[:-1] + b"\xff", "generator is not ASCII"),
    ],
)
def test_broken_bodies(body: bytes, message: str) -> None:
    assert VERSION == 1
    with pytest.raises(FormatError, match=message):
        Identity.decode(body)
