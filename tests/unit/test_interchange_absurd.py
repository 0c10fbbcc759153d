"""Files of DeepFaceLab and faceswap that hold what cannot be: refused in one line."""

import copy
import math
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foreign_files import (
    LANDMARKS,
    config,
    deepfacelab_modules,
    fsa,
    fsa_face,
    genuine_pak,
    jpeg,
    jpeg_with,
    mask_buffer,
    model_data,
    pak,
    png_with,
    record,
)
from lookalike.errors import ForeignFileError
from lookalike.interchange.dfl_faces import dfl_face_in, read_dfl_face
from lookalike.interchange.dfl_models import (
    read_model_data,
    read_weights,
)
from lookalike.interchange.dfl_pak import DflPak
from lookalike.interchange.fsa import read_fsa
from traced import traced

WRONG_FACES: dict[str, dict[str, Any]] = {
    "no landmarks": {"landmarks": None},
    "67 landmarks": {"landmarks": LANDMARKS[:67].tolist()},
    "landmarks of text": {"landmarks": [["1", "2"]] * 68},
    "ragged landmarks": {"landmarks": [[1, 2]] * 67 + [[1]]},
    "NaN landmarks": {"landmarks": [[math.nan, 0.0]] * 68},
    "infinite landmarks": {"source_landmarks": [[math.inf, 0.0]] * 68},
    "huge landmarks": {"landmarks": [[10**60, 0]] * 68},
    "landmarks of another kind": {"landmarks": np.zeros((68, 2), bool)},
    "matrix of zeros": {"image_to_face_mat": np.zeros((2, 3))},
    "NaN matrix": {"image_to_face_mat": np.full((2, 3), np.nan)},
    "3x3 matrix": {"image_to_face_mat": np.eye(3)},
    "absurd matrix": {"image_to_face_mat": np.eye(2, 3) * 1e300},
    "five corners": {"source_rect": [1, 2, 3, 4, 5]},
    "face type of nobody": {"face_type": "elbow"},
    "face type of a number": {"face_type": 77},
    "face type of a list": {"face_type": []},
    "long name": {"source_filename": "a" * 5000},
    "name of a number": {"source_filename": 5},
    "mask of nothing": {"xseg_mask": np.zeros((10, 10), np.uint8)},
    "mask of floats": {"xseg_mask": np.zeros(10)},
    "polygons of nothing": {"seg_ie_polys": {"polys": 5}},
    "polygon of three values": {"seg_ie_polys": [(1, 2, 3)]},
    "polygon of no kind": {"seg_ie_polys": [(7, [[1, 2]])]},
    "polygon in 3-D": {"seg_ie_polys": [(1, [[1, 2, 3]])]},
    "NaN polygon": {"seg_ie_polys": [(1, [[math.nan, 2]])]},
    "2000 polygons": {"seg_ie_polys": [(1, [[0, 2]])] * 2000},
    "NaN eyebrows": {"eyebrows_expand_mod": math.nan},
    "two angles": {"pitch_yaw_roll": (1, 2)},
}


@pytest.mark.parametrize("name", WRONG_FACES)
def test_absurd_faces_are_refused(name: str) -> None:
    held = pickle.dumps(record(**WRONG_FACES[name]))
    for image in (jpeg_with(held), png_with(held)):
        with pytest.raises(ForeignFileError, match=r"^a face is damaged \(") as raised:
            dfl_face_in(image, "a face")
        assert str(raised.value).isprintable()


@pytest.mark.parametrize("mask", [b"", b"\xff\xd8", mask_buffer().tobytes()[:60], b"GIF89a" + bytes(99)])
def test_masks_that_are_none_are_refused(mask: bytes) -> None:
    face = dfl_face_in(jpeg_with(pickle.dumps(record(xseg_mask=mask))), "a face")
    if mask:
        with pytest.raises(ForeignFileError, match="the mask in a face"):
            face.mask()
    else:
        assert face.mask() is None


def test_a_mask_of_60000_pixels_a_side_is_refused() -> None:
    header = mask_buffer().tobytes()
    body = b"IHDR" + struct.pack(">II", 60_000, 60_000) + header[24:29]
    bomb = header[:12] + body + struct.pack(">I", zlib.crc32(body)) + header[33:]
    face = dfl_face_in(jpeg_with(pickle.dumps(record(xseg_mask=bomb))), "a face")
    with pytest.raises(ForeignFileError, match="60000x60000 pixels"):
        face.mask()


def test_pictures_without_a_record_and_other_files(tmp_path: Path) -> None:
    for data, why in (
        (jpeg(), "no record"),
        (png_with(b"", b"abCD"), "no record"),
        (b"GIF89a", "neither JPEG nor PNG"),
    ):
        (tmp_path / "a.jpg").write_bytes(data)
        with pytest.raises(ForeignFileError, match=f"is no .*{why}"):
            read_dfl_face(tmp_path / "a.jpg")
    with pytest.raises(ForeignFileError, match="cannot be read"):
        read_dfl_face(tmp_path / "none.jpg")


@pytest.mark.parametrize("at", [8, 16])
def test_a_pack_that_claims_gigabytes_is_refused_before_they_are_taken(at: int, tmp_path: Path) -> None:
    path = tmp_path / "faceset.pak"
    data = bytearray(genuine_pak(3))
    table = 16 + struct.unpack("<Q", data[8:16])[0]
    place = 8 if at == 8 else table + 8
    data[place : place + 8] = struct.pack("<Q", 1 << 40)
    path.write_bytes(data)
    with traced() as peak:
        with pytest.raises(ForeignFileError, match=r"its table (claims|names)"):
            DflPak(path)
        assert peak() < 5_000_000


def test_packs_whose_places_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "faceset.pak"
    with deepfacelab_modules():
        table = pickle.dumps([config(), config(1)], 4)
    good = pak(table, [jpeg(), jpeg()])
    start = 16 + len(table)
    for places in ((1, 5, 9), (0, 0, 9), (9, 0, 9), (0, 10**9, 9), (0, 2**63, 9)):
        path.write_bytes(good[:start] + struct.pack("<3Q", *places) + good[start + 24 :])
        with pytest.raises(ForeignFileError, match="outside of it, or out of order"):
            DflPak(path)
    for data, why in (
        (b"", "0 bytes"),
        (b"\2" + good[1:], "version 2"),
        (good[: start + 9], "ends within their table"),
    ):
        path.write_bytes(data)
        with pytest.raises(ForeignFileError, match=why):
            DflPak(path)
    path.write_bytes(pak(pickle.dumps([{"shape": (1, 2)}]), [jpeg()]))
    with DflPak(path) as pack, pytest.raises(ForeignFileError, match=r"face 1 of .*\(shape: 2 numbers"):
        pack.face(0)


@pytest.mark.parametrize(("held", "why"), [
    ({"a": np.array([1, np.nan], np.float32)}, "not finite"),
    ({"a": np.array([np.inf, -np.inf, np.nan])}, "not finite"),
    ({"a": np.zeros(3, bool)}, "no array of numbers"),
    ({"a": [1.0]}, "no array of numbers"),
    ({1: np.zeros(3)}, "no dict of names"),
    ({}, "no dict of arrays"),
    ([np.zeros(3)], "no dict of arrays"),
])  # fmt: skip
def test_weights_that_are_none(held: object, why: str, tmp_path: Path) -> None:
    path = tmp_path / "a_SAEHD_encoder.npy"
    path.write_bytes(pickle.dumps(held))
    with pytest.raises(ForeignFileError, match=why):
        read_weights(path)


def test_a_plain_array_is_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "a_SAEHD_encoder.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(ForeignFileError, match="a plain array of NumPy's"):
        read_weights(path)


@pytest.mark.parametrize("changes", [
    {"iter": None}, {"iter": -1}, {"iter": 1.5}, {"options": [1]}, {"options": {"a": {}}}, {"options": {"a": math.nan}},
    {"options": {"a": [[]]}}, {"options": {"a": "x" * 9999}}, {"options": dict.fromkeys(map(str, range(2000)))},
    {"loss_history": 5}, {"loss_history": [["a"]]}, {"sample_for_preview": [np.zeros(1)] * 2000},
])  # fmt: skip
def test_model_data_that_is_none(changes: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a_SAEHD_data.dat"
    path.write_bytes(pickle.dumps(model_data() | changes))
    with pytest.raises(ForeignFileError) as raised:
        read_model_data(path)
    assert str(raised.value).isprintable()


def test_bombs_of_zlib(tmp_path: Path) -> None:
    path = tmp_path / "alignments.fsa"
    packer = zlib.compressobj(1)
    path.write_bytes(b"".join(packer.compress(bytes(1 << 20)) for _ in range(600)) + packer.flush())
    assert path.stat().st_size < 4_000_000
    with traced() as peak:
        with pytest.raises(ForeignFileError, match="unpacks to more than"):
            read_fsa(path)
        assert peak() < 30_000_000
    face = fsa_face()
    face["mask"]["components"]["mask"] = zlib.compress(bytes(10**8))
    path.write_bytes(fsa({"faces": [face]}))
    mask = read_fsa(path).frames["clip_000001.mp4"][0].masks["components"]
    with traced() as peak:
        with pytest.raises(ForeignFileError, match="unpacks to more than 16384"):
            mask.pixels()
        assert peak() < 1_000_000


@pytest.mark.parametrize("path", [
    ("x",), ("landmarks_xy",), ("mask", "components", "stored_size"), ("mask", "components", "affine_matrix"),
    ("mask", "components", "mask"), ("identity", "vggface2"), ("thumb",), ("mask",), ("identity",),
])  # fmt: skip
@pytest.mark.parametrize("value", [math.nan, -(10**9), "text", [[1, 2]] * 67, [300], [[[]]], {"a": 1}])
def test_absurd_alignments_are_refused(path: tuple[str, ...], value: Any, tmp_path: Path) -> None:
    face = copy.deepcopy(fsa_face())
    inner: Any = face
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    (tmp_path / "a.fsa").write_bytes(fsa({"faces": [face]}))
    if path == ("identity", "vggface2") and value == [300]:
        return  # an embedding may be of any length
    with pytest.raises(ForeignFileError) as raised:
        read_fsa(tmp_path / "a.fsa")
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("where", ["video_meta", "faces"])
def test_arrays_where_none_belong(where: str, tmp_path: Path) -> None:
    """Found by the fuzzer: whether an array is true cannot be said."""
    path = tmp_path / "a.fsa"
    path.write_bytes(fsa({"faces": [], where: np.zeros(3)}))
    if where == "video_meta":
        assert not read_fsa(path).is_video
    else:
        with pytest.raises(ForeignFileError, match="faces: no list"):
            read_fsa(path)
    for name in ("mask", "identity"):
        path.write_bytes(fsa({"faces": [fsa_face() | {name: np.zeros(3)}]}))
        with pytest.raises(ForeignFileError, match=f"{name}: no dict"):
            read_fsa(path)
    path.write_bytes(pickle.dumps(model_data() | {"options": np.zeros(3)}))
    with pytest.raises(ForeignFileError, match="options: no dict"):
        read_model_data(path)
