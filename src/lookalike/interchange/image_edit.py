"""JPEG and PNG files with other parts beside their pixels, which are never encoded again.

Sources: ITU-T T.81 for JPEG's segments, the PNG specification for chunks and international text.
"""

import struct
import zlib
from typing import Final

from lookalike.interchange.image_parts import JPEG_HEAD, PNG_HEAD, png_chunks
from lookalike.interchange.refusals import damaged, too_large

MOST_SEGMENT: Final = 65533
"""Bytes in a segment of a JPEG."""
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_TEXTS: Final = (b"lookalike.face\0", b"faceswap\0")
_JFIF: Final = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"


def bare(image: bytes, origin: str) -> bytes:
    """A picture without the records of any tool: DeepFaceLab's, faceswap's, and ours.

    Raises:
        ForeignFileError: neither JPEG nor PNG, or its parts reach beyond it.
    """
    if image.startswith(PNG_HEAD):
        return _png(image, origin, None, before=b"")
    segments, rest = _segments(image, origin)
    return JPEG_HEAD + b"".join(part for part in segments if not _is_record(part)) + rest


def jpeg_with_app15(image: bytes, payload: bytes, origin: str) -> bytes:
    """A JPEG without records but one, in a segment APP15 behind the last of its kind, as DeepFaceLab writes it.

    It has a JFIF segment in front, without which DeepFaceLab refuses it.

    Raises:
        ForeignFileError: no JPEG, damaged, or the payload is longer than 65533 bytes.
    """
    if len(payload) > MOST_SEGMENT:
        raise too_large(origin, f"a record of {len(payload)} bytes, a JPEG takes {MOST_SEGMENT}")
    segments, rest = _segments(image, origin)
    kept = [part for part in segments if not _is_record(part) and part[1] != 0xFE]  # nor comments, which it refuses
    heads = [part for part in kept if part[1] == 0xE0 and part[4:9] == b"JFIF\0"][:1] or [_JFIF]
    apps = [part for part in kept if 0xE1 <= part[1] <= 0xEF]
    others = [part for part in kept if not 0xE0 <= part[1] <= 0xEF]
    record = b"\xff\xef" + struct.pack(">H", len(payload) + 2) + payload
    return b"".join([JPEG_HEAD, *heads, *apps, record, *others, rest])


def png_with_chunk(image: bytes, kind: bytes, body: bytes, origin: str, *, before: bytes) -> bytes:
    """A PNG without records but one, in a chunk in front of the first one of the kind `before`.

    Raises:
        ForeignFileError: no PNG, or damaged.
    """
    return _png(image, origin, _chunk(kind, body), before=before)


def international_text(keyword: str, text: str) -> bytes:
    """The content of a chunk iTXt, not packed."""
    return keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode()


def _segments(image: bytes, origin: str) -> tuple[list[bytes], bytes]:
    """The segments in front of the pixels, whole, and the rest of the file."""
    if not image.startswith(JPEG_HEAD):
        raise damaged(origin, "no JPEG")
    found: list[bytes] = []
    at = len(JPEG_HEAD)
    while True:
        while image[at : at + 2] == b"\xff\xff":
            at += 1
        if image[at : at + 1] != b"\xff" or at + 2 > len(image):
            raise damaged(origin, f"no JPEG segment at byte {at}")
        marker = image[at + 1]
        if marker == 0xDA:
            return found, image[at:]
        if marker == 0x01 or 0xD0 <= marker <= 0xD9:
            raise damaged(origin, f"a JPEG marker out of place at byte {at}")
        length = int.from_bytes(image[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(image):
            raise damaged(origin, f"a JPEG segment at byte {at} reaches beyond its end")
        found.append(image[at : at + 2 + length])
        at += 2 + length


def _is_record(segment: bytes) -> bool:
    return segment[1] == 0xEF or (segment[1] == 0xE1 and segment[4:].startswith(_XMP) and b"<la:face>" in segment)


def _png(image: bytes, origin: str, chunk: bytes | None, *, before: bytes) -> bytes:
    kept = [PNG_HEAD]
    for kind, body in png_chunks(image, origin):
        if kind == b"fcWp" or (kind == b"iTXt" and body.startswith(_TEXTS)):
            continue
        if kind == before and chunk is not None:
            kept.append(chunk)
            chunk = None
        kept.append(_chunk(kind, body))
    return b"".join(kept)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
