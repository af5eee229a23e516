"""What a device says about itself: which model, which input, which result, which clock."""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields

from ..errors import BuildError, FormatError
from .kinds import VERSION

__all__ = ["Identity"]

# In the order of docs/host-protocol.md; the two texts follow.
_FIXED = struct.Struct("<BBH32sIIIIBBhHBBIII")
_HAS_CLASS, _HAS_SCORES, _HAS_BITS, _SIGNED_SCORES = 1, 2, 4, 8
_RANGES = {
    "window": (1, 255),
    "clock_hz": (1, 2**32 - 1),
    "baud": (1, 2**32 - 1),
    "gap_us": (1, 2**32 - 1),
    "features": (1, 2**32 - 1),
    "feature_width": (1, 62),
    "feature_fraction": (-(2**15), 2**15 - 1),
    "classes": (0, 2**16 - 1),
    "class_width": (0, 16),
    "score_width": (0, 255),
    "bits": (0, 2**32 - 1),
    "latency": (0, 2**32 - 1),
    "interval": (1, 2**32 - 1),
}
_TEXTS = ("board", "generator")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A device as it describes itself.

    Parameters
    ----------
    digest : bytes
        SHA-256 of the model, 32 bytes, `network_digest` without the hexadecimal.
    clock_hz, baud : int
        Of the classifier and of the line.
    gap_us : int
        Silence within a frame that ends it, in microseconds.
    features, feature_width : int
        Numbers of a sample, and the bits of each.
    feature_signed : bool
        Two's complement if true.
    feature_fraction : int
        Fractional bits: the step is 2^-feature_fraction, times the format's rational scale, which
        is in the model and not here.
    classes, class_width : int
        How many, and the bits of a class index; `class_width` is 0 if the device does not send it.
    score_width : int
        Bits of one class's score; 0 if scores are not sent.
    bits : int
        Bits that a network without group sums gives.
    latency, interval : int
        Clocks from taking a sample to its result, and between two samples.
    board, generator : str
        Name of the board and version of lgn_hdl; ASCII, at most 255 characters.
    window : int
        Frames that may be in flight.
    version : int
        Of the protocol.
    score_signed : bool
        Whether scores are two's complement, as those of a sparse CNN.

    Raises
    ------
    BuildError
        If a number does not fit its field, or a text is too long or not ASCII.
    """

    digest: bytes
    clock_hz: int
    baud: int
    gap_us: int
    features: int
    feature_width: int
    feature_signed: bool
    feature_fraction: int
    classes: int
    class_width: int
    score_width: int
    bits: int
    latency: int
    interval: int
    board: str
    generator: str
    window: int = 2
    version: int = VERSION
    score_signed: bool = False

    def __post_init__(self) -> None:
        where = "identification"
        if self.version != VERSION:
            raise BuildError(f"protocol version {self.version}, expected {VERSION}", where=where)
        if len(self.digest) != 32:
            raise BuildError(f"the digest has {len(self.digest)} bytes, expected 32", where=where)
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise BuildError(f"{name} is {value}, expected {low} to {high}", where=where)
        for name in _TEXTS:
            text = getattr(self, name)
            if len(text) > 255 or not text.isascii():
                raise BuildError(f"{name} is {text!r}, expected ASCII, 0 to 255 characters")

    @property
    def decides(self) -> bool:
        """Whether the result is one number and the bit that says if it is above a threshold."""
        return self.classes == 1 and self.bits == 1 and not self.class_width

    @property
    def class_count(self) -> int:
        """Classes that a result tells apart; 0 if it is bits only."""
        return 2 if self.decides else self.classes

    @property
    def sample_bytes(self) -> int:
        """Length of the body that asks for an inference."""
        return -(-self.features * self.feature_width // 8)

    @property
    def result_bits(self) -> int:
        """Class, scores and bits together."""
        return self.class_width + self.classes * self.score_width + self.bits

    @property
    def result_bytes(self) -> int:
        """Length of the body that answers with a result."""
        return -(-self.result_bits // 8)

    def encode(self) -> bytes:
        """Body of the identification frame."""
        flags = (
            _HAS_CLASS * bool(self.class_width)
            | _HAS_SCORES * bool(self.score_width)
            | _HAS_BITS * bool(self.bits)
            | _SIGNED_SCORES * self.score_signed
        )
        fixed = _FIXED.pack(
            self.version,
            self.window,
            flags,
            self.digest,
            self.clock_hz,
            self.baud,
            self.gap_us,
            self.features,
            self.feature_width,
            self.feature_signed,
            self.feature_fraction,
            self.classes,
            self.class_width,
            self.score_width,
            self.bits,
            self.latency,
            self.interval,
        )
        texts = (getattr(self, name).encode("ascii") for name in _TEXTS)
        return fixed + b"".join(bytes([len(text)]) + text for text in texts)

    @classmethod
    def decode(cls, body: bytes) -> Identity:
        """Read the body of an identification frame.

        Raises
        ------
        FormatError
            If it is of another version of the protocol, or not what it should be.
        """
        where = "identification of the device"
        if body[:1] != bytes([VERSION]):
            found = f"protocol version {body[0]}" if body else "nothing"
            raise FormatError(
                f"found {found}, expected version {VERSION}",
                where=where,
                hint="build the bitstream and run the host with the same version of lgn_hdl",
            )
        if len(body) < _FIXED.size:
            raise FormatError(f"{len(body)} bytes, expected {_FIXED.size} and more", where=where)
        version, window, flags, *values = _FIXED.unpack_from(body)
        names = [field.name for field in fields(cls)][: len(values)]
        known = dict(zip(names, values, strict=True))
        known["feature_signed"] = bool(known["feature_signed"])
        known["score_signed"] = bool(flags & _SIGNED_SCORES)
        known.update(_decode_texts(body[_FIXED.size :], where))
        try:
            identity = cls(**known, window=window, version=version)
        except BuildError as error:
            raise FormatError(error.what, where=where) from None
        if identity.encode() != body:
            raise FormatError(f"flags {flags:#06x} contradict the widths", where=where)
        return identity


def _decode_texts(rest: bytes, where: str) -> dict[str, str]:
    texts = {}
    for name in _TEXTS:
        if not rest or len(rest) < 1 + rest[0]:
            raise FormatError(f"it ends within the {name}", where=where)
        text, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
        if not text.isascii():
            raise FormatError(f"the {name} is not ASCII: {text!r}", where=where)
        texts[name] = text.decode("ascii")
    if rest:
        raise FormatError(f"{len(rest)} bytes follow the last field", where=where)
    return texts
