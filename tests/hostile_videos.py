"""Videos made to do harm: small files that claim much, or whose parts do not fit each other."""

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.video.stream import VideoStream

BOMB_SIDE: Final = 16000


def drawn(
    path: Path,
    *,
    size_wh: tuple[int, int] = (96, 64),
    count: int = 8,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    container: str | None = None,
    options: dict[str, str] | None = None,
) -> bytes:
    """A few frames of noise as a file; its bytes."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", format=container, options=options or {}) as file:
        stream = file.add_stream(codec, rate=25, options={"preset": "ultrafast"} if codec == "libx264" else {})
        assert isinstance(stream, VideoStream)
        (stream.width, stream.height), stream.pix_fmt = size_wh, pixel_format
        for _ in range(count):
            image = rng.integers(0, 255, (size_wh[1] // 8, size_wh[0] // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=pixel_format)))
        file.mux(stream.encode(None))
    return path.read_bytes()


def with_times(
    path: Path, times: Sequence[tuple[int | None, int | None]], container: str, time_base: Fraction
) -> bytes:
    """Frames whose packets have the (pts, dts) given, as far as the container takes them."""
    packets: list[bytes] = []
    encoder = av.CodecContext.create("mpeg4", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 96, 64, "yuv420p"
    encoder.time_base, encoder.gop_size = Fraction(1, 25), 1
    for number in range(len(times)):
        frame = av.VideoFrame(96, 64, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream("mpeg4", rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 96, 64, "yuv420p", time_base
        file.start_encoding()
        for data, (pts, dts) in zip(packets, times, strict=True):
            packet: av.Packet[Any] = av.Packet(data)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, pts, dts, stream.time_base
            packet.is_keyframe = True
            try:
                file.mux(packet)
            except (av.error.FFmpegError, ValueError):
                continue
    return path.read_bytes()


def patched_box(data: bytes, kind: bytes, change: Callable[[bytearray], None], *, number: int = 0) -> bytes:
    """An MP4 whose box number `number` of a kind has other contents of the same length."""
    whole, at = bytearray(data), -1
    for _ in range(number + 1):
        at = data.index(kind, at + 1)
    length = struct.unpack_from(">I", data, at - 4)[0]
    body = bytearray(data[at + 4 : at - 4 + length])
    change(body)
    assert len(body) == length - 8
    whole[at + 4 : at - 4 + length] = body
    return bytes(whole)


def put(at: int, layout: str, *values: float) -> Callable[[bytearray], None]:
    """A change for `patched_box`: numbers at an offset of the contents."""

    def change(body: bytearray) -> None:
        struct.pack_into(layout, body, at, *values)

    return change


def replaced_once(data: bytes, old: bytes, new: bytes) -> bytes:
    """The data with one piece exchanged for another."""
    assert data.count(old) >= 1, old
    return data.replace(old, new, 1)


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of an MP4."""
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def parent_box(data: bytes, kind: bytes) -> bytes:
    """The first box of a kind, whole."""
    at = data.index(kind)
    return data[at - 4 : at - 4 + struct.unpack_from(">I", data, at - 4)[0]]


def many_tracks(data: bytes, count: int) -> bytes:
    """An MP4 whose only track is there `count` times; its pictures lie where no track finds them."""
    moov, trak = parent_box(data, b"moov"), parent_box(data, b"trak")
    ftyp = parent_box(data, b"ftyp")
    mvhd = parent_box(moov, b"mvhd")
    return ftyp + box(b"moov", mvhd, trak * count) + box(b"mdat", b"\0" * 1000)


def many_entries(data: bytes, count: int) -> bytes:
    """An MKV whose only track is there `count` times. Source: RFC 9559, 5.1.4."""
    at = data.index(b"\x16\x54\xae\x6b")
    head, length = _element(data, at + 4)
    tracks = data[head : head + length]
    start = tracks.index(b"\xae")
    inner, size = _element(tracks, start + 1)
    entries = tracks[start : inner + size] * count
    whole = data[: at + 4] + (len(entries) | 1 << 56).to_bytes(8, "big") + entries + data[head + length :]
    segment = whole.index(b"\x18\x53\x80\x67") + 4
    return whole[:segment] + b"\x01" + b"\xff" * 7 + whole[segment + _width(data[segment]) :]


def _width(first: int) -> int:
    return 9 - first.bit_length()


def _element(data: bytes, at: int) -> tuple[int, int]:
    """Where the contents of an element begin whose size is written at `at`, and how long they are."""
    width = _width(data[at])
    return at + width, int.from_bytes(data[at : at + width], "big") & (1 << 7 * width) - 1


def fragment_bomb(data: bytes, claimed: int, fragments: int) -> bytes:
    """A fragmented MP4 whose fragments claim `claimed` frames each, of one size and length, so that none is listed."""
    tfhd = box(b"tfhd", struct.pack(">III", 0x020038, 1, 1), struct.pack(">II", 1, 0x10000))
    tfdt = box(b"tfdt", struct.pack(">II", 0, 0))
    trun = box(b"trun", struct.pack(">II", 0, claimed))
    moof = box(b"moof", box(b"mfhd", struct.pack(">II", 0, 1)), box(b"traf", tfhd, tfdt, trun))
    return data + (moof + box(b"mdat", b"\0" * 64)) * fragments


class _Bits:
    """A stream of bits for parameter sets of H.264."""

    def __init__(self) -> None:
        self.text = ""

    def u(self, value: int, width: int) -> "_Bits":
        """A number of `width` bits."""
        self.text += format(value, f"0{width}b")
        return self

    def ue(self, *values: int) -> "_Bits":
        """Numbers in Exp-Golomb. Source: ITU-T H.264, 9.1."""
        for value in values:
            code = format(value + 1, "b")
            self.text += "0" * (len(code) - 1) + code
        return self

    def unit(self, head: int) -> bytes:
        """As a unit of a byte stream, with its start code."""
        whole = self.text + "1"
        whole += "0" * (-len(whole) % 8)
        body = bytes(int(whole[at : at + 8], 2) for at in range(0, len(whole), 8))
        escaped = bytearray()
        zeros = 0
        for byte in body:
            if zeros >= 2 and byte <= 3:
                escaped.append(3)
                zeros = 0
            escaped.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return b"\0\0\0\1" + bytes([head]) + bytes(escaped)


def large_h264(size_wh: tuple[int, int], count: int, references: int = 16) -> bytes:
    """A byte stream of H.264 whose pictures have a size and a few bits. Source: ITU-T H.264, 7.3."""
    across, down = size_wh[0] // 16, size_wh[1] // 16
    # Id, frame numbers of four bits, order as decoded, reference frames; size; whole frames, no more.
    sps = _Bits().u(66, 8).u(0, 8).u(62, 8).ue(0, 0, 2, references).u(0, 1).ue(across - 1, down - 1).u(0b1100, 4)
    pps = _Bits().ue(0, 0).u(0, 2).ue(0, 0, 0).u(0, 3).ue(0, 0, 0).u(0, 3)
    data = sps.unit(0x67) + pps.unit(0x68)
    for number in range(count):
        part = _Bits().ue(0, 5 if number else 7, 0).u(number % 16, 4)
        if number:
            data += part.u(0, 3).ue(0, across * down).unit(0x41)  # all as in the picture before
        else:
            data += part.ue(0).u(0, 2).ue(0).u(0, 512).unit(0x65)
    return data


def without_tables(video: bytes, path: Path) -> bytes:
    """A byte stream of H.264 in an MPEG-TS that does not say what is in it."""
    packed = bytearray(_packed(video, path, "mpegts"))
    for at in range(0, len(packed), 188):
        if (packed[at + 1] & 0x1F) << 8 | packed[at + 2] in (0, 0x11, 0x1000):
            packed[at + 1 : at + 4] = b"\x1f\xff\x10"
    return bytes(packed) * 3


def in_program_stream(video: bytes, path: Path) -> bytes:
    """A byte stream of H.264 in an MPEG program stream."""
    return _packed(video, path, "vob")


def in_flv(video: bytes) -> bytes:
    """A byte stream of H.264 in an FLV. Source: Adobe's FLV specification, annex E; ISO/IEC 14496-15, 5.3.3."""
    sps, pps, *slices = video.split(b"\0\0\0\1")[1:]
    sets = struct.pack(">H", len(sps)) + sps + b"\1" + struct.pack(">H", len(pps)) + pps
    bodies = [b"\x17\0\0\0\0" + bytes([1, *sps[1:4], 0xFF, 0xE1]) + sets]
    bodies += [b"\x27\1\0\0\0" + struct.pack(">I", len(part)) + part for part in slices]
    data = b"FLV\1\1" + struct.pack(">I", 9) + bytes(4)
    for number, body in enumerate(bodies):
        tag = b"\x09" + struct.pack(">I", len(body))[1:] + struct.pack(">I", 40 * number)[1:] + bytes(4) + body
        data += tag + struct.pack(">I", len(tag))
    return data


def _packed(video: bytes, path: Path, container: str) -> bytes:
    sets, *slices = [b"\0\0\0\1" + unit for unit in video.split(b"\0\0\0\1")[2:]]
    sets = video[: video.index(sets)] + sets
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream("libx264", rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        file.start_encoding()
        for number, part in enumerate(slices):
            packet: av.Packet[Any] = av.Packet(sets + part)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, 25)
            packet.is_keyframe = True
            file.mux(packet)
    return path.read_bytes()


def foreign_reference(data: bytes, name: str) -> bytes:
    """An MP4 that says that its pictures lie in another file. Source: QuickTime File Format, data references."""
    target = name.encode()
    tail = struct.pack(">HH", 2, len(target)) + target + b"\0" * (len(target) % 2) + b"\xff\xff\0\0"
    new = box(b"alis", bytes(4), bytes(150), tail)
    at = data.index(b"url \0\0\0\1") - 4
    whole = bytearray(data[:at] + new + data[at + 12 :])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        place = whole.index(kind) - 4
        struct.pack_into(">I", whole, place, struct.unpack_from(">I", whole, place)[0] + len(new) - 12)
    return bytes(whole)
