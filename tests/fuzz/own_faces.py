"""Readers of our own faces, packs and models."""

import hashlib
import io
import json
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from drawn_faces import drawn_record
from fuzz.mutate import BINARY_TOKENS, TEXT_TOKENS
from fuzz.target import Seed, Target
from fuzz.values import changed_json
from lookalike.errors import RecordError

_PACK_HEAD: Final = b"LOOKALIKE FACES\n" + struct.pack("<I", 1)
_PACK_TAIL: Final = b"LOOKALIKE INDEX\n"


@cache
def _record_text() -> bytes:
    import numpy as np

    from lookalike.faceset.masks import stored_mask
    from lookalike.faceset.record import Polygon

    _, record = drawn_record()
    polygons = [Polygon(kind="include", points=[(1, 2), (30, 4), (20, 50)])]
    mask = stored_mask(np.eye(64, dtype=np.float32), "a network")
    return record.model_copy(update={"polygons": polygons, "mask": mask}).model_dump_json().encode()


def _as_jpeg(text: bytes) -> bytes:
    return _saved(text, ".jpg")


def _as_png(text: bytes) -> bytes:
    return _saved(text, ".png")


def _saved(text: bytes, suffix: str) -> bytes:
    """A face whose record is any text, with whatever lengths and checksums a face has."""
    from PIL import Image, PngImagePlugin

    from lookalike.faceset.store import _XMP

    image, _ = drawn_record()
    data, letters = io.BytesIO(), text.decode("utf-8", "replace")
    if suffix == ".png":
        chunk = PngImagePlugin.PngInfo()
        chunk.add_itxt("lookalike.face", letters, zip=True)
        Image.fromarray(image).save(data, "png", pnginfo=chunk)
    else:
        escaped = letters.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        Image.fromarray(image).save(data, "jpeg", xmp=(_XMP % escaped).encode()[:60_000])
    return data.getvalue()


@cache
def _texts() -> Sequence[Seed]:
    return [Seed(_record_text(), change=changed_json)]


@cache
def _images() -> Sequence[Seed]:
    jpeg, png = _as_jpeg(_record_text()), _as_png(_record_text())
    return [
        Seed(_record_text(), _as_jpeg, changed_json),
        Seed(_record_text(), _as_png, changed_json),
        Seed(jpeg),
        Seed(png),
    ]


@cache
def _mask_seeds() -> Sequence[Seed]:
    import base64

    held = json.loads(_record_text())
    png = base64.b64decode(held["mask"]["png"])

    def wrap(mask: bytes) -> bytes:
        held["mask"]["png"] = base64.b64encode(mask).decode()
        return json.dumps(held).encode()

    return [Seed(png, wrap), Seed(zlib.compress(png), wrap)]


@cache
def _packs() -> Sequence[Seed]:
    image = _as_jpeg(_record_text())
    file = {"name": "00001_0.jpg", "offset": len(_PACK_HEAD), "length": len(image)}
    index = json.dumps({"files": [file | {"sha256": hashlib.sha256(image).hexdigest()}]}).encode()

    def wrap(text: bytes) -> bytes:
        at = len(_PACK_HEAD) + len(image)
        trailer = struct.pack("<QQ", at, len(text)) + hashlib.sha256(text).digest() + _PACK_TAIL
        return _PACK_HEAD + image + text + trailer

    return [Seed(index, wrap, changed_json), Seed(wrap(index))]


def _read_record(data: bytes, folder: Path) -> None:
    from lookalike.faceset.masks import known_mask
    from lookalike.faceset.record import parse_record

    record = parse_record(data.decode("utf-8", "replace"), "a face")
    record.crop_landmarks()
    record.crop_mesh()
    record.identity_array()
    known_mask(record, 64)
    assert parse_record(record.model_dump_json(), "a face") == record


def _read_face(data: bytes, folder: Path) -> None:
    from lookalike.faceset import load_record
    from lookalike.faceset.store import load_face, replace_record

    path = folder / "00001_0.jpg"
    path.write_bytes(data)
    record = load_record(path)
    with suppress(RecordError):
        load_face(path)
    replace_record(path, record)
    assert load_record(path) == record


def _read_pack(data: bytes, folder: Path) -> None:
    from lookalike.faceset.pack import Pack, unpack

    path, target = folder / "a.faces", folder / "out"
    path.write_bytes(data)
    target.mkdir()
    with Pack(path) as pack:
        for _ in pack.verify():
            pass
        for _ in unpack(pack, target):
            pass


@cache
def _models() -> Sequence[Seed]:
    """State and weights of a tiny network; either is changed."""
    import torch

    from lookalike.models.build import build_model
    from lookalike.models.checkpoint import TrainState, save_checkpoint
    from small_models import adam, save, tiny, update

    del save_checkpoint
    sizes = tiny()
    with torch.random.fork_rng():
        model = build_model(sizes)
        optimizer = adam(model)
        update(model, optimizer)
    with TemporaryDirectory() as folder:
        save(Path(folder), model, optimizer, TrainState(model=sizes, step=1, options={"iterations": 3}))
        state = (Path(folder) / "state.json").read_bytes()
        weights = (Path(folder) / "model.safetensors").read_bytes()
    length = struct.unpack("<Q", weights[:8])[0]
    header, body = weights[8 : 8 + length], weights[8 + length :]

    def with_state(text: bytes) -> bytes:
        return struct.pack("<I", len(text)) + text + weights

    def with_header(text: bytes) -> bytes:
        return struct.pack("<I", len(state)) + state + struct.pack("<Q", len(text)) + text + body

    older = b'{"format": 1, "model": {"archi": "df", "resolution": 64, "encoder_dims": 4}, "step": 5}'
    return [
        Seed(state, with_state, changed_json),
        Seed(header, with_header, changed_json),
        Seed(older, with_state, changed_json),
    ]


def _read_model(data: bytes, folder: Path) -> None:
    from lookalike.models.checkpoint import load_checkpoint, load_state

    length = struct.unpack("<I", data[:4].ljust(4, b"\0"))[0]
    (folder / "state.json").write_bytes(data[4 : 4 + length])
    for name in ("model.safetensors", "optimizer.safetensors"):
        (folder / name).write_bytes(data[4 + length :])
    load_state(folder)
    for tensor in load_checkpoint(folder).weights.values():
        tensor.float().sum()


OWN_FACES: Final = (
    Target("face record", _texts, _read_record, TEXT_TOKENS, 2.0),
    Target("face file", _images, _read_face, (*TEXT_TOKENS, *BINARY_TOKENS)),
    Target("face mask", _mask_seeds, _read_record, BINARY_TOKENS, 0.5),
    Target("pack of faces", _packs, _read_pack, TEXT_TOKENS),
    Target("model", _models, _read_model, TEXT_TOKENS),
)
