"""Readers of other tools' files."""

import pickle
import struct
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from foreign_files import (
    SIZE,
    deepfacelab_modules,
    faceswap_png,
    fsa,
    fsa_face,
    genuine_pak,
    jpeg,
    jpeg_with,
    mask_buffer,
    model_data,
    numpy1,
    pak,
    png_with,
    readers,
    record,
    weights,
)
from fuzz.mutate import BINARY_TOKENS, PICKLE_TOKENS, TEXT_TOKENS
from fuzz.target import Seed, Target
from fuzz.values import changed_literal, changed_pickle
from hostile_pickles import INERT, PAYLOADS
from lookalike.errors import ForeignFileError


def _zlib(data: bytes) -> bytes:
    import zlib

    return zlib.compress(data, 1)


def _spelled(value: object, wrap: Callable[[bytes], bytes] = bytes) -> list[Seed]:
    """A value pickled by every protocol, as numpy 1 and 2 spell it."""
    data = [pickle.dumps(value, protocol) for protocol in (0, 2, 3, 4, 5)]
    return [Seed(one, wrap, changed_pickle) for one in (*data, *map(numpy1, data[1:4]))]


@cache
def _pickles() -> Sequence[Seed]:
    values: list[Any] = [record(seg_ie_polys={"polys": [{"type": 1, "pts": np.ones((4, 2), np.float32)}]}), weights()]
    values += [model_data(), [{1, 2}, frozenset([3]), b"ab", 2**70, None, (1, 2), {"a": [True, 1.5]}], np.float32(2)]
    made = [seed for value in values for seed in _spelled(value)]
    hostile = [payload(Path("/nonexistent/made")) for payload in PAYLOADS.values()]
    return [*made, *map(Seed, hostile), *map(Seed, INERT.values())]


@cache
def _faces() -> Sequence[Seed]:
    newer = record(seg_ie_polys={"polys": [{"type": 0, "pts": np.ones((4, 2), np.float32)}]}, xseg_mask=mask_buffer())
    older = record(
        face_type="full_face", ie_polys=[(1, [[0, 0], [9, 0], [9, 9]])], fanseg_mask=mask_buffer(".jpg").tobytes()
    )
    return [*_spelled(newer, _jpeg), *_spelled(older, png_with)]


def _jpeg(payload: bytes) -> bytes:
    """A segment takes no more."""
    return jpeg_with(payload[:65_533])


def _masked_face(mask: bytes) -> bytes:
    return _jpeg(pickle.dumps(record(xseg_mask=mask)))


@cache
def _masks() -> Sequence[Seed]:
    return [Seed(mask_buffer(suffix).tobytes(), _masked_face) for suffix in (".png", ".jpg")]


def _unmarked(table: bytes) -> bytes:
    """A pack's table with numbers in the place of DeepFaceLab's enumerations, so that it can be loaded here."""
    with deepfacelab_modules():
        held = pickle.loads(table)
    for entry in held:
        entry["sample_type"], entry["face_type"] = int(entry["sample_type"]), int(entry["face_type"])
    return pickle.dumps(held, 4)


@cache
def _paks() -> Sequence[Seed]:
    whole = genuine_pak(2)
    length = struct.unpack("<Q", whole[8:16])[0]
    images = [jpeg_with(pickle.dumps(record(number))) for number in range(2)]
    return [Seed(whole), Seed(_unmarked(whole[16 : 16 + length]), lambda table: pak(table, images), changed_pickle)]


@cache
def _metas() -> Sequence[Seed]:
    return _spelled({f"{n}.jpg": ((SIZE, SIZE, 3), record(n)) for n in range(2)})


@cache
def _fsas() -> Sequence[Seed]:
    import zlib

    inner = [zlib.decompress(fsa(protocol=protocol)) for protocol in (2, 4, 5)]
    older = pickle.dumps({"a.png": [fsa_face() | {"thumb": None}]})
    return [*(Seed(one, _zlib, changed_pickle) for one in (*inner, older)), Seed(fsa())]


@cache
def _literals() -> Sequence[Seed]:
    from lookalike.interchange.image_parts import png_text

    text = png_text(faceswap_png(), "faceswap", 1 << 20, "x") or ""
    values = ["{'a': [1, -2.5e3, (), (1,), 'b\\n\\x41', b'\\xff', None, True]}", "[[], {}, ((1, 2), 3)]"]
    return [Seed(one.encode(), _png_of_text, changed_literal) for one in (text, *values)]


def _png_of_text(text: bytes) -> bytes:
    return png_with(b"faceswap\0\0\0\0\0" + text, b"iTXt")


@cache
def _every_kind() -> Sequence[Seed]:
    with tempfile.TemporaryDirectory() as folder:
        made = [data for _, data in readers(Path(folder)).values()]
    return [Seed(one) for one in (*made, jpeg(), b"\x93NUMPY\x01\x00v\x00{}", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n")]


def _put(data: bytes, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _read_pickle(data: bytes, folder: Path) -> None:
    from lookalike.interchange.file_bytes import FileBytes
    from lookalike.interchange.pickles import read_pickle

    try:
        found: object = read_pickle(data, "file")
    except ForeignFileError:
        found = None
    with FileBytes(_put(data, folder, "file")) as file:
        parts = read_pickle(file, "file")
    assert repr(found) == repr(parts)
    _assert_plain(found)


def _assert_plain(value: object) -> None:
    """What comes out is of the few kinds that are promised."""
    if type(value) in (list, tuple, set):
        for item in value:  # type: ignore[attr-defined]
            _assert_plain(item)
    elif type(value) is dict:
        _assert_plain([*value.keys(), *value.values()])
    else:
        plain = value is None or type(value) in (bool, int, float, str, bytes)
        assert plain or isinstance(value, np.generic) or (type(value) is np.ndarray and value.dtype.kind in "iufb"), (
            value
        )
        assert not isinstance(value, str) or value.encode() is not None


def _read_face(data: bytes, folder: Path) -> None:
    from lookalike.interchange.dfl_faces import read_dfl_face

    read_dfl_face(_put(data, folder, "1_0.jpg")).mask()


def _read_pak(data: bytes, folder: Path) -> None:
    from lookalike.interchange.dfl_faces import dfl_face_in
    from lookalike.interchange.dfl_pak import DflPak

    with DflPak(_put(data, folder, "faceset.pak")) as pack:
        for number in range(min(len(pack), 50)):
            with suppress(ForeignFileError):
                pack.face(number).face.mask()
            dfl_face_in(pack.image(number), "a face")


def _read_meta(data: bytes, folder: Path) -> None:
    from lookalike.interchange.dfl_meta import read_meta

    for _, face in read_meta(_put(data, folder, "meta.dat")):
        face.mask()


def _read_weights(data: bytes, folder: Path) -> None:
    from lookalike.interchange.dfl_models import read_weights, weights_shapes

    path = _put(data, folder, "a_SAEHD_encoder.npy")
    shapes = weights_shapes(path)
    arrays = read_weights(path)
    assert {name: array.shape for name, array in arrays.items()} == {name: one.shape for name, one in shapes.items()}


def _read_model_data(data: bytes, folder: Path) -> None:
    from lookalike.interchange.dfl_models import read_default_options, read_model_data

    with suppress(ForeignFileError):
        read_default_options(_put(data, folder, "SAEHD_default_options.dat"))
    read_model_data(_put(data, folder, "a_SAEHD_data.dat"))


def _read_fsa(data: bytes, folder: Path) -> None:
    from lookalike.interchange.fsa import read_fsa

    for faces in read_fsa(_put(data, folder, "alignments.fsa")).frames.values():
        for face in faces:
            for mask in face.masks.values():
                mask.pixels()


def _read_fsa_png(data: bytes, folder: Path) -> None:
    from lookalike.interchange.fsa import read_fsa_png

    for mask in read_fsa_png(_put(data, folder, "1_0.png")).face.masks.values():
        mask.pixels()


def _inspect(data: bytes, folder: Path) -> None:
    import json

    from lookalike.pipeline.inspect import inspect

    name = ("a_SAEHD_encoder.npy", "file", "a.jpg", "a.dfm")[len(data) % 4]
    json.dumps(inspect(_put(data, folder, name)).facts)
    with suppress(ForeignFileError):
        json.dumps(inspect(folder).facts)


FOREIGN: Final = (
    Target("pickle", _pickles, _read_pickle, PICKLE_TOKENS, 2.0),
    Target("dfl face", _faces, _read_face, PICKLE_TOKENS),
    Target("dfl mask", _masks, _read_face, BINARY_TOKENS, 0.5),
    Target("dfl pak", _paks, _read_pak, PICKLE_TOKENS),
    Target("dfl meta", _metas, _read_meta, PICKLE_TOKENS, 0.5),
    Target("dfl weights", lambda: _spelled(weights()), _read_weights, PICKLE_TOKENS),
    Target("dfl model data", lambda: _spelled(model_data()), _read_model_data, PICKLE_TOKENS),
    Target("faceswap fsa", _fsas, _read_fsa, PICKLE_TOKENS),
    Target("faceswap png", _literals, _read_fsa_png, (*TEXT_TOKENS, b"b'\\x", b"(1,)", b"__import__('os')")),
    Target("inspect", _every_kind, _inspect, (*BINARY_TOKENS, *PICKLE_TOKENS)),
)
