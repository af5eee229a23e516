"""The protocol between host and board as pure data; docs/host-protocol.md says it in words."""

from .frames import HEADER_BYTES, SYNC, Frame, FrameDecoder, Problem, crc, encode_frame
from .identity import Identity
from .kinds import VERSION, ErrorCode, Kind

__all__ = [
    "HEADER_BYTES",
    "SYNC",
    "VERSION",
    "ErrorCode",
    "Frame",
    "FrameDecoder",
    "Identity",
    "Kind",
    "Problem",
    "crc",
    "encode_frame",
]
