"""What can happen to frames on the way to a device, and what it must do.

Each check does one kind of damage some times, with a sound sample after each that must have its
result, and returns how often.
"""

from __future__ import annotations

from lgn_hdl.link import HEADER_BYTES, ErrorCode, Frame, Kind, encode_frame

from .board_line import DeviceError, Line, describe

__all__ = ["CHECKS"]

_TIMES = 4


async def flipped_bits(line: Line) -> int:
    """A frame with a wrong bit in its body or CRC: error 1, and the next frame is not touched."""
    for _ in range(_TIMES):
        bad, number, good = line.next_request(), line.sample(), line.next_request()
        frame = bytearray(line.infer(line.sample(), bad))
        bit = line.random.randrange(8 * HEADER_BYTES, 8 * len(frame))
        frame[bit // 8] ^= 1 << bit % 8
        await line.uart.send_all(bytes(frame) + line.infer(number, good))
        await line.expect_error(ErrorCode.CRC, bad)
        await line.expect(line.result(number, good))
    return _TIMES


async def damaged_headers(line: Line) -> int:
    """A wrong bit in kind, request or length: errors only, whatever the length became."""
    for byte in range(1, HEADER_BYTES):
        frame = bytearray(line.infer(line.sample(), line.next_request()))
        frame[byte] ^= 1 << line.random.randrange(8)
        await line.uart.send_all(bytes(frame))
        await line.uart.silence(line.gap_bits)
        await _errors_only(line, {ErrorCode.CRC, ErrorCode.SHORT})
        await line.recovered()
    return HEADER_BYTES - 1


async def lost_bytes(line: Line) -> int:
    """A frame that lacks a byte: it is short, and the silence ends it."""
    length = len(line.infer(0, 0))
    for _ in range(2):
        frame = bytearray(line.infer(line.sample(), line.next_request()))
        del frame[line.random.randrange(HEADER_BYTES, length)]
        await line.uart.send_all(bytes(frame))
        await line.uart.silence(line.gap_bits)
        await _errors_only(line, {ErrorCode.SHORT})
        await line.recovered()
    return 2


async def cut_frames(line: Line) -> int:
    """A frame that ends early, after its sync byte or anywhere later: error 5."""
    length = len(line.infer(0, 0))
    ends = sorted({1, HEADER_BYTES, length - 1})
    for end in ends:
        await line.uart.send_all(line.infer(line.sample(), line.next_request())[:end])
        await line.uart.silence(line.gap_bits)
        await _errors_only(line, {ErrorCode.SHORT})
        await line.recovered()
    return len(ends)


async def wrong_lengths(line: Line) -> int:
    """Sound frames with too few or too many bytes: error 2."""
    sample = line.samples[0]
    bodies = [(Kind.INFER, sample[:-1]), (Kind.INFER, sample + b"\0"), (Kind.INFER, b"")]
    bodies += [(Kind.INFER, sample + bytes(300)), (Kind.IDENTIFY, b"\0")]
    for kind, body in bodies:
        request = line.next_request()
        await line.uart.send_all(encode_frame(kind, request, body))
        await line.expect_error(ErrorCode.LENGTH, request)
        await line.recovered()
    return len(bodies)


async def unknown_kinds(line: Line) -> int:
    """Sound frames of other kinds: error 3."""
    kinds = [0x00, 0x03, Kind.RESULT, 0xFF]
    for kind in kinds:
        request = line.next_request()
        await line.uart.send_all(encode_frame(kind, request, line.samples[0]))
        await line.expect_error(ErrorCode.KIND, request)
        await line.recovered()
    return len(kinds)


async def missing_stop_bits(line: Line) -> int:
    """A byte without its stop bit: error 1."""
    length = len(line.infer(0, 0))
    for _ in range(_TIMES):
        request = line.next_request()
        bad = line.random.randrange(HEADER_BYTES, length)
        for place, byte in enumerate(line.infer(line.sample(), request)):
            await line.uart.send(byte, stop=place != bad)
        await line.expect_error(ErrorCode.CRC, request)
        await line.recovered()
    return _TIMES


async def noise_between_frames(line: Line) -> int:
    """Bytes other than sync are passed over, and the frame behind them is taken."""
    for _ in range(_TIMES):
        noise = bytes(line.random.choice([0x00, 0x4D, 0xCC, 0xFF, 0x26, 0x98]) for _ in range(9))
        await line.uart.send_all(noise)
        await line.recovered()
    return _TIMES


async def false_sync(line: Line) -> int:
    """A sync byte that begins no frame: what follows is lost, and then all is well."""
    await line.uart.send_all(b"L" + line.infer(line.sample(), line.next_request()))
    await line.uart.silence(line.gap_bits)
    await _errors_only(line, {ErrorCode.CRC, ErrorCode.SHORT})
    await line.recovered()
    return 1


async def too_many_at_once(line: Line) -> int:
    """More frames than the window: each has its result or error 4, and none is confused.

    The identification before them keeps the line busy, so that results have to wait.
    """
    first = line.next_request()
    sent = {line.next_request(): line.sample() for _ in range(line.identity.window + 2)}
    await line.uart.send_all(encode_frame(Kind.IDENTIFY, first))
    for request, number in sent.items():
        await line.uart.send_all(line.infer(number, request))
    await line.expect(Frame(Kind.IDENTIFICATION, first, line.identification))
    busy = 0
    while (found := await line.receive()) is not None:
        number = sent.pop(found.request, None) if isinstance(found, Frame) else None
        if number is None or not isinstance(found, Frame):
            raise DeviceError(line.check, f"an answer to one of {list(sent)}", describe(found))
        if found == Frame(Kind.ERROR, found.request, bytes([ErrorCode.BUSY])):
            busy += 1
        elif found != line.result(number, found.request):
            raise DeviceError(
                line.check, describe(line.result(number, found.request)), describe(found)
            )
    # Of several errors that wait for the line the device keeps one.
    if len(sent) > max(0, busy):
        raise DeviceError(line.check, "answers to all requests", f"none to {list(sent)}")
    await line.recovered()
    return 1


async def reset_in_a_frame(line: Line) -> int:
    """Reset while a frame arrives: the rest of it is noise."""
    if not line.has_reset:
        return 0
    for part in (0.2, 0.5, 0.9):
        frame = line.infer(line.sample(), line.next_request())
        await line.uart.send_all(frame[: max(1, round(part * len(frame)))])
        await line.reset()
        await line.recovered()
    return 3


async def reset_before_the_result(line: Line) -> int:
    """Reset with a sample in the classifier: it is gone, no answer comes."""
    if not line.has_reset:
        return 0
    await line.uart.send_all(line.infer(line.sample(), line.next_request()))
    await line.reset()
    await line.expect_silence()
    await line.recovered()
    return 1


async def reset_in_a_result(line: Line) -> int:
    """Reset while a result leaves: it is cut, and the next one is whole."""
    if not line.has_reset:
        return 0
    await line.uart.send_all(line.infer(line.sample(), line.next_request()))
    await line.hear(2)
    await line.reset()
    await line.recovered()
    return 1


async def _errors_only(line: Line, codes: set[ErrorCode]) -> None:
    """One error or more of these codes, and nothing else."""
    count = 0
    while (found := await line.receive()) is not None:
        if (
            not isinstance(found, Frame)
            or found.kind != Kind.ERROR
            or found.body not in [bytes([code]) for code in codes]
        ):
            names = " or ".join(code.name for code in sorted(codes))
            raise DeviceError(line.check, f"error {names}", describe(found))
        count += 1
    if not count:
        raise DeviceError(line.check, "an error", "nothing")


CHECKS = (
    flipped_bits,
    damaged_headers,
    lost_bytes,
    cut_frames,
    wrong_lengths,
    unknown_kinds,
    missing_stop_bits,
    noise_between_frames,
    false_sync,
    too_many_at_once,
    reset_in_a_frame,
    reset_before_the_result,
    reset_in_a_result,
)
