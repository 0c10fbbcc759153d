"""An XMP packet with IPTC's digital source type, and where it lies in files. Pixels are never encoded again."""

import io
import re
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, Final
from xml.sax.saxutils import escape

from lookalike.errors import CredentialsError
from lookalike.provenance.claim import Claim
from lookalike.provenance.marks import SOURCE_TYPE, words
from lookalike.provenance.screening import boxes

_OURS: Final = 'xmlns:la="https://lookalike.invalid/credentials/1/"'
_SOURCE: Final = (
    f'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"'
)
_EARLIER: Final = re.compile(rf'<rdf:Description rdf:about="" {re.escape(_OURS)}.*?</rdf:Description>', re.DOTALL)
_END: Final = "</rdf:RDF>"
_PACKET: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
    '<rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:description></rdf:Description>'
    f'{_END}</x:xmpmeta><?xpacket end="w"?>'
)
_PNG, _PNG_KEY = b"\x89PNG\r\n\x1a\n", b"XML:com.adobe.xmp\0"
_JPEG_KEY: Final = b"http://ns.adobe.com/xap/1.0/\0"
_MOST_SEGMENT: Final = 65533
_MOST_PACKET: Final = 1 << 20
_BOX_ID: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""Of the box that XMP has in MP4 (XMP specification, part 3)."""
_MOST_BOXES: Final = 10_000


def packet(claim: Claim, before: bytes = b"") -> bytes:
    """The XMP packet for a file.

    Args:
        before: the packet that the file has; what others said in it stays.
    """
    text = before.decode("utf-8", "replace") if _END.encode() in before else _PACKET % escape(words(claim))
    text = _EARLIER.sub("", text)
    source = "" if "DigitalSourceType" in text else f" {_SOURCE}"
    said = f'<rdf:Description rdf:about="" {_OURS}{source}><la:said>{escape(words(claim))}</la:said></rdf:Description>'
    start, end, rest = text.rpartition(_END)
    return f"{start}{said}{end}{rest}".encode()


def with_xmp(data: bytes, mime: str, claim: Claim) -> bytes:
    """An image file with the packet in it; one that has no room for it comes back as it is.

    Raises:
        CredentialsError: the bytes are no such image.
    """
    put = {"image/png": _in_png, "image/jpeg": _in_jpeg, "image/webp": _in_webp}[mime]
    try:
        return put(data, claim)
    except (ValueError, struct.error, IndexError, zlib.error) as exc:
        raise CredentialsError(
            f"the image is no whole {mime.partition('/')[2].upper()} ({exc}); save it again"
        ) from exc


def box(file: BinaryIO, claim: Claim) -> bytes:
    """What is put behind an MP4 or MOV so that it has the packet; nothing where it has one, or nothing can follow."""
    size, end = file.seek(0, io.SEEK_END), 0
    for kind, start, length in islice(boxes(file), _MOST_BOXES):
        file.seek(start)
        if kind == b"uuid" and file.read(len(_BOX_ID)) == _BOX_ID:
            return b""
        end = start + length
    inside = _BOX_ID + packet(claim)
    return struct.pack(">I", 8 + len(inside)) + b"uuid" + inside if end == size else b""


def _in_png(data: bytes, claim: Claim) -> bytes:
    if not data.startswith(_PNG):
        raise ValueError("no signature")
    chunks, before = [], b""
    for kind, whole in _png_chunks(data):
        body = whole[8:-4]
        if kind == b"iTXt" and body.startswith(_PNG_KEY):
            before = before or _png_text(body)
        else:
            chunks.append(whole)
    said = _PNG_KEY + b"\0\0\0\0" + packet(claim, before)  # not compressed, as XMP asks for
    checked = b"iTXt" + said
    chunks.insert(1, struct.pack(">I", len(said)) + checked + struct.pack(">I", zlib.crc32(checked)))
    return _PNG + b"".join(chunks)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(data):
        end = at + 12 + struct.unpack_from(">I", data, at)[0]
        if end > len(data):
            raise ValueError("cut short")
        yield data[at + 4 : at + 8], data[at:end]
        at = end


def _png_text(body: bytes) -> bytes:
    """The text of an iTXt chunk: flag, method, language, translated keyword, text."""
    packed = body[len(_PNG_KEY)] == 1
    text = body[len(_PNG_KEY) + 2 :].split(b"\0", 2)[2]
    return zlib.decompressobj().decompress(text, _MOST_PACKET) if packed else text


def _in_jpeg(data: bytes, claim: Claim) -> bytes:
    if not data.startswith(b"\xff\xd8"):
        raise ValueError("no signature")
    at, place, before, old = 2, 2, b"", (0, 0)
    while data[at : at + 1] == b"\xff" and (0xE0 <= data[at + 1] <= 0xEF or data[at + 1] == 0xFE):
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        body = data[at + 4 : end]
        if data[at + 1] == 0xE1 and body.startswith(_JPEG_KEY):
            before, old = body[len(_JPEG_KEY) :], (at, end)
        elif at == place and (data[at + 1] == 0xE0 or body.startswith(b"Exif\0")):
            place = end  # these come first
        at = end
    if old[1]:
        data, place = data[: old[0]] + data[old[1] :], old[0]
    said = _JPEG_KEY + packet(claim, before)
    if len(said) > _MOST_SEGMENT:  # of others there is too much
        said = _JPEG_KEY + before
    return data[:place] + b"\xff\xe1" + struct.pack(">H", len(said) + 2) + said + data[place:]


def _in_webp(data: bytes, claim: Claim) -> bytes:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("no signature")
    parts = list(_webp_parts(data))
    if not parts:
        raise ValueError("nothing in it")
    before = next((body for kind, body in parts if kind == b"XMP "), b"")
    parts = [(kind, body) for kind, body in parts if kind != b"XMP "]
    if parts[0][0] == b"VP8X":
        body = parts[0][1]
        parts[0] = b"VP8X", bytes([body[0] | 4]) + body[1:]
    else:
        parts.insert(0, (b"VP8X", _webp_extended(*parts[0])))
    parts.append((b"XMP ", packet(claim, before)))
    inside = b"".join(kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) for kind, body in parts)
    return b"RIFF" + struct.pack("<I", 4 + len(inside)) + b"WEBP" + inside


def _webp_parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        size = struct.unpack_from("<I", data, at + 4)[0]
        if at + 8 + size > len(data):
            raise ValueError("cut short")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _webp_extended(kind: bytes, body: bytes) -> bytes:
    """The header that a simple file needs before it may hold XMP: flags, then width and height less one."""
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", body, 1)[0]
        wide, high, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    elif kind == b"VP8 ":
        size = struct.unpack_from("<HH", body, 6)
        wide, high, alpha = (size[0] & 0x3FFF) - 1, (size[1] & 0x3FFF) - 1, 0
    else:
        raise ValueError(f"begins with {kind!r}")
    flags: int = 4 | alpha << 4
    return bytes([flags, 0, 0, 0]) + int(wide).to_bytes(3, "little") + int(high).to_bytes(3, "little")
