"""Parts of JPEG and PNG files beside their pixels, and pixels of small masks.

Sources: ITU-T T.81 for JPEG's segments, the PNG specification for chunks and international text.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.interchange.refusals import damaged, not_this, too_large
from lookalike.untrusted import UnreadableError, opened_picture

JPEG_HEAD: Final = b"\xff\xd8"
PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
MOST_IMAGE: Final = 64 * 2**20
"""Bytes of a face's file."""
LONGEST_SIDE: Final = 8192
"""Pixels of a face's side."""
_LONGEST_MASK: Final = 2048
_PIECE: Final = 1 << 20
_APP15: Final = 0xEF
_START_OF_SCAN: Final = 0xDA
_SIZES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BARE: Final = {0x01, *range(0xD0, 0xD8)}


def image_size(data: bytes, origin: str) -> tuple[int, int]:
    """Width and height of a JPEG or PNG, by its header.

    Raises:
        ForeignFileError: neither, without a size, or with a side beyond 8192 pixels.
    """
    size: tuple[int, ...] = ()
    if data.startswith(PNG_HEAD):
        if len(data) >= 33 and data[12:16] == b"IHDR":
            size = struct.unpack(">II", data[16:24])
    else:
        for marker, body in jpeg_segments(data, origin):
            if marker in _SIZES and len(body) >= 5:
                size = struct.unpack(">HH", body[1:5])[::-1]
    if len(size) != 2 or 0 in size:
        raise damaged(origin, "a picture without a size")
    if max(size) > LONGEST_SIDE:
        raise too_large(origin, f"{size[0]}x{size[1]} pixels, a face has at most {LONGEST_SIDE} a side")
    return size[0], size[1]


def jpeg_segments(data: bytes, origin: str) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment before the pixels.

    Raises:
        ForeignFileError: no JPEG, or a segment reaches beyond the file.
    """
    if not data.startswith(JPEG_HEAD):
        raise not_this(origin, "picture of a face", "neither JPEG nor PNG")
    at = len(JPEG_HEAD)
    while True:
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        if data[at : at + 1] != b"\xff" or at + 2 > len(data):
            raise damaged(origin, f"no JPEG segment at byte {at}")
        marker = data[at + 1]
        if marker in _BARE:
            at += 2
            continue
        if marker in (_START_OF_SCAN, 0xD9):
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            raise damaged(origin, f"a JPEG segment at byte {at} reaches beyond its end")
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def app15(data: bytes, origin: str) -> bytes | None:
    """The content of a JPEG's segment APP15, where DeepFaceLab keeps what it knows of a face; None without one.

    Raises:
        ForeignFileError: no JPEG, or it has several.
    """
    found = [body for marker, body in jpeg_segments(data, origin) if marker == _APP15]
    if len(found) > 1:
        raise damaged(origin, f"{len(found)} records in one picture")
    return found[0] if found else None


def png_chunks(data: bytes, origin: str) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk.

    Raises:
        ForeignFileError: no PNG, or a chunk reaches beyond the file.
    """
    if not data.startswith(PNG_HEAD):
        raise not_this(origin, "PNG", "another kind of file")
    at = len(PNG_HEAD)
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if at + 12 + length > len(data):
            raise damaged(origin, f"a PNG chunk at byte {at} reaches beyond its end")
        yield kind, data[at + 8 : at + 8 + length]
        if kind == b"IEND":
            return
        at += 12 + length


def png_text(data: bytes, keyword: str, most: int, origin: str) -> str | None:
    """The international text of a keyword in a PNG, of at most `most` bytes; None without one.

    Raises:
        ForeignFileError: no PNG, damaged, or longer.
    """
    head = keyword.encode("latin-1") + b"\0"
    body = next((body for kind, body in png_chunks(data, origin) if kind == b"iTXt" and body.startswith(head)), None)
    if body is None:
        return None
    parts = body[len(head) + 2 :].split(b"\0", 2)
    if len(parts) != 3:
        raise damaged(origin, f"its text {keyword}")
    packed = body[len(head)] == 1
    plain = inflated(parts[2], most, origin) if packed else parts[2]
    if len(plain) > most:
        raise too_large(origin, f"its text {keyword} has more than {most} bytes")
    return plain.decode("utf-8", "replace")


def inflated(data: bytes, most: int, origin: str) -> bytes:
    """What a zlib stream holds; it is not unpacked beyond `most` bytes.

    Raises:
        ForeignFileError: it holds more, or is damaged.
    """
    size, piece = 0, min(_PIECE, most + 1)
    stream = zlib.decompressobj()
    try:
        rest = data
        while rest and not stream.eof:  # counted first: what is too much never lies in memory
            size += len(stream.decompress(rest, piece))
            rest = stream.unconsumed_tail
            if size > most:
                raise too_large(origin, f"it unpacks to more than {most} bytes")
        size += len(stream.flush(piece))
        if not stream.eof:
            raise damaged(origin, "its packed part ends too early")
        return zlib.decompressobj().decompress(data, size + 1) if size < _PIECE else zlib.decompress(data, bufsize=size)
    except zlib.error as exc:
        raise damaged(origin, exc) from exc


def decoded_mask(data: bytes, origin: str) -> NDArray[np.uint8]:
    """(H, W) uint8 of a mask that is kept as a JPEG or PNG of one channel.

    Raises:
        ForeignFileError: it cannot be decoded, or a side is beyond 2048 pixels.
    """
    where = f"the mask in {origin}"
    width, height = image_size(data, where)
    if max(width, height) > _LONGEST_MASK:
        raise too_large(where, f"{width}x{height} pixels, a mask has at most {_LONGEST_MASK} a side")
    try:
        with opened_picture(data, ["JPEG", "PNG"], most_pixels=_LONGEST_MASK**2) as picture:
            if picture.size != (width, height) or picture.mode not in ("L", "1", "RGB"):
                raise damaged(where, f"{picture.mode} {picture.size[0]}x{picture.size[1]}")
            return np.array(picture.convert("L"))
    except UnreadableError as exc:
        raise damaged(where, exc) from exc
