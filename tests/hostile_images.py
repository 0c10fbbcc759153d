"""Pictures made to do harm: heads that claim much, contents that grow when they are unpacked."""

import io
import struct
import zlib
from typing import Final

from PIL import Image

PNG_MARK: Final = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_head(width: int, height: int, *, depth: int = 8, color: int = 2) -> bytes:
    """Mark and first chunk of a PNG."""
    return PNG_MARK + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))


def zeros(count: int) -> bytes:
    """So many zeros, compressed a thousand to one."""
    mib = _deflated(1 << 20)  # whole blocks may follow each other, and to compress a gigabyte takes seconds
    checksum = struct.pack(">I", count % 65521 << 16 | 1)
    return b"\x78\x9c" + mib * (count >> 20) + _deflated(count & (1 << 20) - 1) + b"\3\0" + checksum


def _deflated(count: int) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(bytes(count)) + packer.flush(zlib.Z_FULL_FLUSH)


def png_bomb(width: int, height: int, *, unpacked: int = 0) -> bytes:
    """A PNG of the size claimed, with `unpacked` bytes of pixels."""
    body = chunk(b"IDAT", zeros(unpacked)) if unpacked else b""
    return png_head(width, height) + body + chunk(b"IEND", b"")


def encoded(kind: str, size_wh: tuple[int, int] = (32, 32), mode: str = "RGB", **settings: object) -> bytes:
    """A small picture that is well."""
    file = io.BytesIO()
    Image.new("RGB", size_wh, (200, 90, 40)).convert(mode).save(file, kind, **settings)
    return file.getvalue()


def jpeg_bomb(width: int, height: int) -> bytes:
    """A JPEG whose head claims a size."""
    data = bytearray(encoded("JPEG"))
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, height, width)
    return bytes(data)


def bmp_bomb(width: int, height: int) -> bytes:
    """A BMP whose head claims a size."""
    data = bytearray(encoded("BMP"))
    struct.pack_into("<ii", data, 18, width, height)
    return bytes(data)


def tiff_bomb(width: int, height: int) -> bytes:
    """A TIFF, packed as Photoshop does, whose tags claim a size."""
    data = bytearray(encoded("TIFF", compression="tiff_adobe_deflate"))
    first = struct.unpack_from("<I", data, 4)[0]
    for at in range(first + 2, first + 2 + 12 * struct.unpack_from("<H", data, first)[0], 12):
        tag = struct.unpack_from("<H", data, at)[0]
        if tag in (256, 257):
            struct.pack_into("<HII", data, at + 2, 4, 1, width if tag == 256 else height)
    return bytes(data)


def webp_bomb(width: int, height: int) -> bytes:
    """A WebP whose canvas is larger than its picture. Source: the WebP container specification, VP8X."""
    inner = encoded("WEBP")[12:]
    canvas = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + inner
    return b"RIFF" + struct.pack("<I", len(body)) + body


def text_bomb(kind: bytes, key: bytes, count: int) -> bytes:
    """A chunk of text of a PNG that is `count` characters long when it is unpacked."""
    between = b"\0\1\0\0\0" if kind == b"iTXt" else b"\0\0"
    return chunk(kind, key + between + zeros(count))


def with_chunk(png: bytes, part: bytes) -> bytes:
    """A PNG with a chunk more, behind its head."""
    return png[:33] + part + png[33:]


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with a segment more, in front."""
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + jpeg[2:]
