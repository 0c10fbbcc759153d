"""Opening files that may have been made to do harm: never a pipe or device, never more than a picture or text needs."""

import errno
import functools
import io
import stat
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from lookalike.errors import LookalikeError

if TYPE_CHECKING:
    from PIL import Image  # costs what a command's help can do without

MOST_PIXELS: Final = 1 << 26
"""Of a picture: 8192x8192, or 67 million. Decoded it has 200 MB with 8 bits a colour, twice that with 16."""
MOST_TEXT: Final = 64 << 20
"""Bytes of a text file of ours; the edits of 50,000 frames have fewer."""
_MOST_BYTES: Final = 512 << 20
"""Of an image file: the largest picture with 16 bits a colour, stored as it is."""
_MOST_PARTS: Final = 1 << 18
"""Segments of a JPEG or chunks of a PNG; one of 512 MiB, written in pieces of 8 KiB, has 65,536."""


class UnreadableError(ValueError):
    """A file is no picture, a damaged one, or larger than is read."""


@contextmanager
def opened_picture(
    source: Path | bytes, formats: Sequence[str], *, most_bytes: int = _MOST_BYTES, most_pixels: int = MOST_PIXELS
) -> "Iterator[Image.Image]":
    """An image that is not decoded yet; whatever goes wrong with it in the block is an error of one kind.

    Args:
        source: a file, or what is in it.
        formats: Pillow's names of those that are read; others are not even tried, as some of them start programs.
        most_bytes, most_pixels: up to which it is read.

    Raises:
        UnreadableError: as its name says. OSError: it is not there, or the disk does not give it.
    """
    from PIL import Image, UnidentifiedImageError

    _settle_warnings()
    with _stream(source, most_bytes) as stream:
        _refuse_crowds(stream)
        try:
            with Image.open(stream, formats=tuple(formats)) as picture:
                if picture.width * picture.height > most_pixels:
                    raise UnreadableError(f"{picture.width}x{picture.height} is more than {most_pixels} pixels")
                yield picture
        except (LookalikeError, UnreadableError, MemoryError):
            raise
        except UnidentifiedImageError as exc:  # whose words name an object of Python
            raise UnreadableError(f"no image of a kind that is read: {', '.join(formats)}") from exc
        except Exception as exc:  # the decoders of damaged and of hostile files raise almost anything
            if isinstance(exc, OSError) and exc.errno:  # of the disk, not of the picture
                raise
            raise UnreadableError(str(exc) or type(exc).__name__) from exc


def is_plain(name: str) -> bool:
    """Whether a name that a file brought is one of a file in a folder, and leads nowhere else."""
    return name not in ("", ".", "..") and "\0" not in name and Path(name).name == name


def read_bytes(path: Path, most: int = MOST_TEXT) -> bytes:
    """All of a file.

    Raises:
        UnreadableError: it is no plain file, or has more than `most` bytes. OSError: it cannot be opened.
    """
    with _stream(path, most) as stream:
        return stream.read()


def read_text(path: Path, most: int = MOST_TEXT) -> str:
    """All of a text file in UTF-8.

    Raises:
        UnreadableError, OSError: as `read_bytes`. UnicodeDecodeError: it is no text in UTF-8.
    """
    return read_bytes(path, most).decode("utf-8")


@contextmanager
def _stream(source: Path | bytes, most: int) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        if len(source) > most:
            raise UnreadableError(f"{len(source)} bytes are more than {most}")
        yield io.BytesIO(source)
        return
    try:
        found = source.stat()
    except OSError as exc:
        if exc.errno != errno.ELOOP:
            raise
        raise UnreadableError("it is a link that leads to itself") from exc
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError("it is no file but a folder, a pipe or a device")
    if found.st_size > most:
        raise UnreadableError(f"{found.st_size} bytes are more than {most}")
    with source.open("rb") as file:
        yield file


def _refuse_crowds(stream: BinaryIO) -> None:
    """Refuse a JPEG or PNG of more parts than any has: Pillow walks them one by one, filling bytes as well.

    Source: ITU-T T.81, annex B; PNG specification, 5.3.
    """
    step = {b"\xff\xd8": _past_segment, b"\x89P": _past_chunk}.get(stream.read(2))
    if step is not None:
        stream.seek(2 if step is _past_segment else 8)
        for number, _ in enumerate(iter(lambda: step(stream), False)):
            if number > _MOST_PARTS:
                raise UnreadableError(f"more than {_MOST_PARTS} parts")
    stream.seek(0)


def _past_segment(stream: BinaryIO) -> bool:
    """Go behind a segment of a JPEG, or a byte between two; False where the pixels begin, or nothing sound is."""
    head = stream.read(2)
    if len(head) < 2 or head[0] != 0xFF or head[1] == 0xDA:
        return False
    if head[1] == 0xFF:
        stream.seek(-1, io.SEEK_CUR)
    elif head[1] > 1 and not 0xD0 <= head[1] <= 0xD9:  # the others have no length
        stream.seek(max(int.from_bytes(stream.read(2), "big") - 2, 0), io.SEEK_CUR)
    return True


def _past_chunk(stream: BinaryIO) -> bool:
    """Go behind a chunk of a PNG; False at the end."""
    head = stream.read(8)
    stream.seek(int.from_bytes(head[:4], "big") + 4, io.SEEK_CUR)
    return len(head) == 8


@functools.cache
def _settle_warnings() -> None:
    """Pillow only warns of pictures up to twice its own limit, and of much else, in words of many lines."""
    from PIL import Image

    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
