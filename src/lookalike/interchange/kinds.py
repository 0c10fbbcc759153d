"""Which tool's file something is, told by its bytes; its name only decides between kinds that look alike."""

from pathlib import Path
from typing import Final, Literal

from lookalike.errors import ForeignFileError
from lookalike.interchange.dfl_faces import dfl_record
from lookalike.interchange.dfl_meta import is_meta
from lookalike.interchange.file_bytes import FileBytes, as_data
from lookalike.interchange.fsa import KEYWORD
from lookalike.interchange.image_parts import JPEG_HEAD, PNG_HEAD, jpeg_segments, png_chunks
from lookalike.interchange.pickles import ArrayShape, Limits, read_pickle
from lookalike.interchange.refusals import shown_path

Kind = Literal[
    "dfl-face",
    "dfl-pak",
    "dfl-meta",
    "dfl-weights",
    "dfl-model-data",
    "dfl-options",
    "fsa",
    "fsa-face",
    "our-face",
    "our-pack",
    "picture",
    "numpy",
    "hdf5",
    "zip",
    "onnx",
]

_OURS: Final = b"<la:face>"
_OUR_KEY: Final = b"lookalike.face\0"
_HEADS: Final[dict[bytes, Kind]] = {
    b"LOOKALIKE FACES\n": "our-pack",
    b"\x93NUMPY": "numpy",
    b"\x89HDF\r\n\x1a\n": "hdf5",
    b"PK\x03\x04": "zip",
    (1).to_bytes(8, "little"): "dfl-pak",
}
_PICKLES: Final = (b"\x80", b"(", b"}", b"c")
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def picture_kind(image: bytes, origin: str) -> Kind:
    """What a JPEG or PNG carries beside its pixels.

    Raises:
        ForeignFileError: neither, or damaged.
    """
    if image.startswith(JPEG_HEAD):
        if any(marker == 0xE1 and _OURS in body for marker, body in jpeg_segments(image, origin)):
            return "our-face"
        return "dfl-face" if dfl_record(image, origin) is not None else "picture"
    for kind, body in png_chunks(image, origin):
        if kind == b"fcWp":
            return "dfl-face"
        if kind == b"iTXt" and body.startswith(_OUR_KEY):
            return "our-face"
        if kind == b"iTXt" and body.startswith(KEYWORD.encode() + b"\0"):
            return "fsa-face"
    return "picture"


def kind_of(path: Path) -> Kind:
    """Which kind of file lies at a path.

    Raises:
        ForeignFileError: it is not known, damaged, too large, or holds code.
    """
    with FileBytes(path) as file:
        head = file[0:64]
        if head.startswith((JPEG_HEAD, PNG_HEAD)):
            return picture_kind(file[0 : 1 << 26], str(path))
        for start, kind in _HEADS.items():
            if head.startswith(start):
                return kind
        if head.startswith(_ZLIB):
            return "fsa"
        if path.suffix.lower() in (".dfm", ".onnx"):
            return "onnx"
        if head.startswith(_PICKLES):
            return _pickle_kind(file, str(path))
    raise ForeignFileError(
        f"{shown_path(path)} is of no known kind; faces, faceset.pak, meta.dat, .npy, .dat of DeepFaceLab are, "
        "and .fsa and faces of faceswap"
    )


def _pickle_kind(file: FileBytes, origin: str) -> Kind:
    value = read_pickle(as_data(file), origin, Limits(), shapes_only=True)
    if isinstance(value, dict) and value:
        if "iter" in value:
            return "dfl-model-data"
        if all(isinstance(held, ArrayShape) for held in value.values()):
            return "dfl-weights"
        if is_meta(value):
            return "dfl-meta"
        if all(isinstance(held, bool | int | float | str | list | None) for held in value.values()):
            return "dfl-options"
    raise ForeignFileError(f"{shown_path(origin)} is a pickle of no known kind; nothing in it was run")
