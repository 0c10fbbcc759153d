"""Faces on disk: one image a face, its record inside."""

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from xml.sax.saxutils import escape, unescape

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from lookalike.errors import EmptyFacesetError, FacesetError, RecordError
from lookalike.faceset.record import FaceRecord, parse_record
from lookalike.files import replacing, storage_errors, write_bytes
from lookalike.untrusted import UnreadableError, opened_picture, read_bytes

SUFFIXES = (".jpg", ".jpeg", ".png")
FORMATS = ("JPEG", "PNG")
"""Pillow's names of what a face's file may be."""
MOST_PIXELS = 4096 * 4096
"""Of a face."""
QUALITY = 95
"""Quality of a face kept as JPEG."""
_PNG_KEY = "lookalike.face"
_LOOK_SECONDS = 0.004
"""How often one who waits for others' changes looks again."""
_MOST_SEGMENT = 65533
"""Bytes in a segment of a JPEG."""
UNREADABLE = (UnreadableError, FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""What `opened_picture` raises for a damaged file, and for none; of other errors of the disk no file is the worse."""
MOST_BYTES = 1 << 26
"""Of a file; what is larger is no face."""
_OPEN, _CLOSE = "<la:face>", "</la:face>"
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:la="https://lookalike.invalid/face/1/">'
    f'{_OPEN}%s{_CLOSE}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def face_name(record: FaceRecord, suffix: str = ".jpg") -> str:
    """File name of a face: frame number (from 1) and face number, as DeepFaceLab named them."""
    return f"{record.frame + 1:05d}_{record.number}{suffix}"


def save_face(path: Path, image: NDArray[np.uint8], record: FaceRecord, quality: int = QUALITY) -> None:
    """Write an (S, S, 3) uint8 RGB crop with its record; JPEG (4:4:4, of `quality` 1..100) or PNG by the suffix.

    Raises:
        StorageError: the disk is full.
    """
    text = record.model_dump_json(exclude_defaults=False)
    picture = Image.fromarray(image)
    with replacing(path) as temporary:
        if path.suffix.lower() == ".png":
            chunk = PngImagePlugin.PngInfo()
            chunk.add_itxt(_PNG_KEY, text, zip=True)
            picture.save(temporary, pnginfo=chunk, compress_level=1)
        else:
            picture.save(temporary, quality=quality, subsampling=0, xmp=(_XMP % escape(text)).encode())


def encode_face(image: NDArray[np.uint8], suffix: str, quality: int = QUALITY) -> bytes:
    """An (S, S, 3) uint8 RGB crop as `save_face` would write it, still without a record; see `save_encoded`."""
    data = io.BytesIO()
    if suffix == ".png":
        Image.fromarray(image).save(data, "PNG", compress_level=1)
    else:
        Image.fromarray(image).save(data, "JPEG", quality=quality, subsampling=0)
    return data.getvalue()


def save_encoded(path: Path, data: bytes, record: FaceRecord) -> None:
    """Write what `encode_face` made, with its record; the file is the one that `save_face` would have written.

    Raises:
        RecordError: the record is too long for a JPEG. StorageError: the disk is full.
    """
    write_bytes(path, with_record(data, record, str(path)))


def load_record(path: Path) -> FaceRecord:
    """Read a face's record without decoding its pixels.

    Raises:
        RecordError: no image, or no readable record in it.
    """
    try:
        with _opened(path) as picture:
            return parse_record(_record_text(picture, path), str(path))
    except UNREADABLE as exc:
        raise RecordError(f"{path} cannot be read as an image; delete it or extract again") from exc


def load_face(path: Path, data: bytes | None = None) -> tuple[NDArray[np.uint8], FaceRecord]:
    """Read a face: (S, S, 3) uint8 RGB and its record.

    Args:
        path: the face's file.
        data: what is in it, if that is known; the file is not opened then.

    Raises:
        RecordError: no image, no readable record, or not the size that the record says.
    """
    try:
        with _opened(path if data is None else data) as picture:
            record = parse_record(_record_text(picture, path), str(path))
            if picture.size != (record.size, record.size):
                raise RecordError(
                    f"{path} is {picture.width}x{picture.height} but its record says {record.size}; "
                    "delete it or extract again"
                )
            image = np.asarray(picture.convert("RGB"))
    except UNREADABLE as exc:
        raise RecordError(f"{path} cannot be read as an image; delete it or extract again") from exc
    return image, record


def _opened(source: Path | bytes) -> AbstractContextManager[Image.Image]:
    return opened_picture(source, FORMATS, most_bytes=MOST_BYTES, most_pixels=MOST_PIXELS)


def file_bytes(path: Path) -> bytes:
    """A face's file as it is, to be copied elsewhere; what a link leads to must be a face, lest secrets travel along.

    Raises:
        RecordError: a link to what is none, or a file that is larger than any.
    """
    if path.is_symlink():
        try:
            load_record(path)
        except RecordError as exc:
            raise RecordError(f"{path} is a link to what is no face; remove it") from exc
    try:
        return read_bytes(path, MOST_BYTES)
    except UnreadableError as exc:
        raise RecordError(f"{path} is no face ({exc}); remove it") from exc


def list_faces(folder: Path) -> list[Path]:
    """The face images of a faceset in name order; sub-folders and hidden files are ignored.

    Raises:
        FacesetError: the folder is missing.
    """
    if not folder.is_dir():
        raise FacesetError(f"no faceset in {folder}; run extract first")
    images = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    return sorted(p for p in images if p.is_file())


def load_records(folder: Path) -> list[FaceRecord]:
    """The records of a faceset in name order.

    Raises:
        FacesetError: the folder is missing.
        EmptyFacesetError: it has no faces.
    """
    paths = list_faces(folder)
    if not paths:
        raise EmptyFacesetError(f"no faces in {folder}; run extract, or put removed faces back")
    return [load_record(path) for path in paths]


def _record_text(picture: Image.Image, path: Path) -> str:
    if picture.format == "PNG":
        text = picture.info.get(_PNG_KEY)
        if isinstance(text, str):
            return str(text)
    else:
        packet = picture.info.get("xmp")
        if isinstance(packet, bytes):
            text = packet.decode("utf-8", "replace")
            start, end = text.find(_OPEN), text.find(_CLOSE)
            if 0 <= start < end:
                return unescape(text[start + len(_OPEN) : end])
    raise RecordError(f"{path} has no face record; only faces extracted by Lookalike can be used")


def replace_record(path: Path, record: FaceRecord) -> None:
    """Give a face another record; its pixels are not encoded again.

    Raises:
        RecordError: the file is neither JPEG nor PNG, or the record too long for a JPEG.
    """
    write_bytes(path, with_record(path.read_bytes(), record, str(path)))


def with_record(data: bytes, record: FaceRecord, origin: str) -> bytes:
    """A JPEG or PNG file with another record in it; its pixels are not encoded again.

    Raises:
        RecordError: neither JPEG nor PNG, or the record too long for a JPEG; `origin` names the file.
    """
    text = record.model_dump_json()
    if data.startswith(b"\xff\xd8"):
        return _jpeg_with(data, text)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png_with(data, text)
    raise RecordError(f"{origin} is neither JPEG nor PNG; delete it or extract again")


def change_record(path: Path, change: Callable[[FaceRecord], FaceRecord]) -> FaceRecord:
    """Read a face's record, change it and write it; whoever changes records of this faceset this way waits meanwhile.

    A step that runs for minutes and a page that saves what is drawn so never write over each other's changes.

    Args:
        path: the face's file.
        change: given the record as it is now, gives the one to be kept; what it raises leaves the face as it is.

    Returns:
        The record that the face has now.

    Raises:
        RecordError: no face of ours, or the record too long for a JPEG.
        StorageError: it cannot be written.
    """
    with changing(path.parent):
        record = load_record(path)
        changed = change(record)
        if changed != record:
            replace_record(path, changed)
    return changed


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Be the only one that changes records of a faceset, among those who ask; for moments, not for whole steps.

    Raises:
        StorageError: the folder beside which the lock lies cannot be written.
    """
    place = folder.with_name(f".{folder.name}.lock")
    with storage_errors(place):
        lock = FileLock(place).acquire(poll_interval=_LOOK_SECONDS)
    with lock:
        yield


def _jpeg_with(data: bytes, text: str) -> bytes:
    """A JPEG whose XMP segment holds `text`; other segments stay. Source: ITU-T T.81 for the segments, XMP part 3."""
    body = b"http://ns.adobe.com/xap/1.0/\0" + (_XMP % escape(text)).encode()
    if len(body) > _MOST_SEGMENT:
        raise RecordError(f"a face record of {len(body)} bytes does not fit a JPEG, which takes {_MOST_SEGMENT}")
    kept, at = [data[:2]], 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] not in (b"\xda", b""):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if not data[at + 4 : end].startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            kept.append(data[at:end])
        at = end
    first = 2 if len(kept) > 1 and kept[1][1] == 0xE0 else 1  # JFIF's own segment must stay in front
    kept.insert(first, b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body)
    return b"".join(kept) + data[at:]


def _png_with(data: bytes, text: str) -> bytes:
    """A PNG whose text chunk holds `text`; other chunks stay. Source: the PNG specification, iTXt."""
    body = _PNG_KEY.encode() + b"\0\1\0\0\0" + zlib.compress(text.encode())
    checked = b"iTXt" + body
    chunk = len(body).to_bytes(4, "big") + checked + zlib.crc32(checked).to_bytes(4, "big")
    kept, at = [data[:8]], 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if not (kind == b"iTXt" and data[at + 8 :].startswith(_PNG_KEY.encode() + b"\0")):
            kept.append(data[at:end])
        if kind == b"IHDR":
            kept.append(chunk)
        at = end
    return b"".join(kept)


def faces_by_frame(folder: Path) -> dict[int, list[Path]]:
    """Which files show the faces of each frame; only names are kept, so a long video costs little memory.

    Raises:
        FacesetError: the folder is missing.
        EmptyFacesetError: it has no faces.
        RecordError: a file is no face of ours.
    """
    paths = list_faces(folder)
    if not paths:
        raise EmptyFacesetError(f"no faces in {folder}; run extract, or put removed faces back")
    found: dict[int, list[Path]] = {}
    for path in paths:
        found.setdefault(load_record(path).frame, []).append(path)
    return found
