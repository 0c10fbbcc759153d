"""Files of DeepFaceLab and faceswap: what genuine ones hold is read, what is damaged or absurd refused in one line."""

import contextlib
import copy
import math
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foreign_files import (
    LANDMARKS,
    MATRIX,
    SIZE,
    config,
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
from lookalike.errors import ForeignFileError
from lookalike.interchange.dfl_faces import dfl_face_in, read_dfl_face
from lookalike.interchange.dfl_meta import read_meta
from lookalike.interchange.dfl_models import (
    file_part,
    read_default_options,
    read_model_data,
    read_weights,
    weights_shapes,
)
from lookalike.interchange.dfl_pak import DflPak
from lookalike.interchange.fsa import read_fsa, read_fsa_png
from lookalike.interchange.kinds import kind_of
from traced import traced


def read_pak(path: Path) -> list[Any]:
    with DflPak(path) as pack:
        return list(pack)


READ: dict[str, Callable[[Path], Any]] = {
    "jpeg": read_dfl_face,
    "png": read_dfl_face,
    "pak": read_pak,
    "meta": lambda path: list(read_meta(path)),
    "weights": read_weights,
    "model data": read_model_data,
    "options": read_default_options,
    "fsa": read_fsa,
    "faceswap png": read_fsa_png,
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("spell", [bytes, numpy1])
def test_a_face_of_deepfacelab(protocol: int, spell: Callable[[bytes], bytes], tmp_path: Path) -> None:
    polygons = {
        "polys": [
            {"type": 0, "pts": np.array([[1, 2], [3, 4], [5, 9.5]], np.float32)},
            {"type": 1, "pts": [[0, 0], [9, 0], [9, 9], [0, 9]]},
        ]
    }
    path = tmp_path / "00001_0.jpg"
    path.write_bytes(
        jpeg_with(spell(pickle.dumps(record(seg_ie_polys=polygons, xseg_mask=mask_buffer()[:, None]), protocol)))
    )
    face = read_dfl_face(path)
    assert (face.size_wh, face.face_type, face.geometry) == ((SIZE, SIZE), "whole", "dfl2")
    assert (face.source_filename, face.source_rect) == ("00001.png", (10, 20, 110, 140))
    assert np.array_equal(face.landmarks, LANDMARKS)
    assert face.source_landmarks is not None
    assert np.array_equal(face.source_landmarks, LANDMARKS * 2 + 30)
    assert face.matrix is not None
    assert np.array_equal(face.matrix, MATRIX)
    assert [polygon.kind for polygon in face.polygons] == ["include", "exclude"]
    assert face.polygons[1].points.tolist() == [[1, 2], [3, 4], [5, 9.5]]
    mask = face.mask()
    assert mask is not None
    assert mask.shape == (32, 32)
    assert (mask[:, :16] == 255).all()
    assert not mask[:, 16:].any()


def test_a_face_of_2019(tmp_path: Path) -> None:
    held = record(
        face_type="full_face",
        ie_polys=[(1, [[0, 0], [9, 0], [9, 9]]), (0, [[1, 1], [2, 1], [2, 2]])],
        fanseg_mask=mask_buffer(".jpg").tobytes(),
        pitch_yaw_roll=(0.1, -0.2, 0.3),
    )
    path = tmp_path / "00001_0.png"
    path.write_bytes(png_with(pickle.dumps(held, 3)))
    face = read_dfl_face(path)
    assert (face.face_type, face.geometry, face.pitch_yaw_roll) == ("full", "2019", (0.1, -0.2, 0.3))
    assert [polygon.kind for polygon in face.polygons] == ["include", "exclude"]
    mask = face.mask()
    assert mask is not None
    assert mask[16, 4] > 200 > 50 > mask[16, 28]


@pytest.mark.parametrize(("name", "ours"), [
    ("half_face", "half"), ("midfull_face", "mid-full"), ("full_face", "full"), (None, "full"), (4, "whole"),
    ("full_face_no_align", "full-no-align"), ("head", "head"), ("head_no_align", "head-no-align"), ("avatar", "avatar"),
    ("mark_only", "mark-only"), (100, "mark-only"),
])  # fmt: skip
def test_face_types(name: object, ours: str) -> None:
    assert dfl_face_in(jpeg_with(pickle.dumps(record(face_type=name))), "a face").face_type == ours


def test_a_pack(tmp_path: Path) -> None:
    path = tmp_path / "faceset.pak"
    path.write_bytes(genuine_pak(3))
    with DflPak(path) as pack:
        assert len(pack) == 3
        faces = list(pack)
    assert [face.filename for face, _ in faces] == ["00001_0.jpg", "00002_0.jpg", "00003_0.jpg"]
    assert {(face.sample_type, face.face.face_type, face.person) for face, _ in faces} == {("face", "whole", None)}
    for number, (packed, image) in enumerate(faces):
        inner = dfl_face_in(image, "a face")
        assert inner.source_filename == packed.face.source_filename == f"{number + 1:05d}.png"
        assert image == jpeg_with(pickle.dumps(record(number), 3))
        assert packed.face.mask() is not None


def test_meta(tmp_path: Path) -> None:
    path = tmp_path / "meta.dat"
    path.write_bytes(pickle.dumps({f"{n}.jpg": ((SIZE, SIZE, 3), record(n)) for n in range(3)}, 3))
    meta = read_meta(path)
    assert len(meta) == 3
    assert [name for name, _ in meta] == ["0.jpg", "1.jpg", "2.jpg"]
    assert meta.face("1.jpg").source_filename == "00002.png"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("spell", [bytes, numpy1])
def test_weights(protocol: int, spell: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "ann_SAEHD_encoder.npy"
    path.write_bytes(spell(pickle.dumps(weights(), protocol)))
    found = read_weights(path)
    assert found.keys() == weights().keys()
    for name, array in weights().items():
        assert np.array_equal(found[name], array)
        assert found[name].dtype == np.float32
    assert {name: (one.shape, one.dtype) for name, one in weights_shapes(path).items()} == {
        name: (array.shape, "float32") for name, array in weights().items()
    }


def test_an_optimizer(tmp_path: Path) -> None:
    path = tmp_path / "ann_SAEHD_src_dst_opt.npy"
    path.write_bytes(pickle.dumps({"iters:0": np.array(7, np.int64), "ms_a/weight_0:0": np.ones(3, np.float16)}, 4))
    found = read_weights(path)
    assert found["iters:0"] == 7
    assert found["ms_a/weight_0:0"].dtype == np.float16


def test_model_data_leaves_the_faces_unread(tmp_path: Path) -> None:
    path = tmp_path / "ann_SAEHD_data.dat"
    big = model_data() | {"sample_for_preview": [[np.zeros((8, 512, 512, 3), np.float32)]]}
    path.write_bytes(pickle.dumps(big, 3))
    with traced() as peak:
        data = read_model_data(path)
        assert peak() < 1.5 * path.stat().st_size
    assert data.iteration == 1234
    assert data.options == model_data()["options"]
    assert data.loss_history == [[0.5, 0.4], [0.25, 0.2]]
    assert [shape.shape for shape in data.previews] == [(8, 512, 512, 3)]


def test_names_of_model_files() -> None:
    assert file_part("ann_SAEHD_src_dst_opt.npy") == ("ann", "SAEHD", "src_dst_opt")
    assert file_part("my_first_AMP_inter_src.npy") == ("my_first", "AMP", "inter_src")
    assert file_part("new_SAEHD_D_code_opt.npy") == ("new", "SAEHD", "D_code_opt")
    assert file_part("XSeg_256.npy") == ("", "XSeg", "256")
    assert file_part("SAEHD_default_options.dat") == ("", "SAEHD", "default_options")
    assert file_part("meta.dat") is None
    assert file_part("photo.jpg") is None


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_alignments_of_faceswap(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "alignments.fsa"
    path.write_bytes(fsa(protocol=protocol))
    found = read_fsa(path)
    assert (found.version, found.is_video, list(found.frames)) == (2.4, True, ["clip_000001.mp4"])
    (face,) = found.frames["clip_000001.mp4"]
    assert face.box_xywh == (10, 20, 100, 120)
    assert np.array_equal(face.landmarks, LANDMARKS)
    assert face.thumb == jpeg()
    assert face.identity["vggface2"].shape == (512,)
    mask = face.masks["components"]
    assert (mask.size, mask.centering, mask.interpolator) == (128, "face", 3)
    assert np.array_equal(mask.matrix, MATRIX)
    assert (mask.pixels() == 200).all()


def test_a_face_of_faceswap(tmp_path: Path) -> None:
    path = tmp_path / "clip_000001_0.png"
    path.write_bytes(faceswap_png())
    found = read_fsa_png(path)
    assert (found.size_wh, found.frame_wh, found.is_video) == ((SIZE, SIZE), (1280, 720), True)
    assert (found.version, found.face_index, found.source_filename) == (2.4, 0, "clip_000001.mp4")
    assert np.array_equal(found.face.landmarks, LANDMARKS)
    assert (found.face.masks["components"].pixels() == 200).all()
    assert found.face.thumb is None


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


@pytest.mark.parametrize("name", READ)
def test_files_cut_anywhere(name: str, tmp_path: Path) -> None:
    path, data = readers(tmp_path)[name]
    path.write_bytes(data)
    assert READ[name](path)
    for cut in range(0, len(data) - 20, max(1, len(data) // 60)):
        path.write_bytes(data[:cut])
        if name in ("jpeg", "pak", "faceswap png"):  # pixels may be missing, which only decoding tells
            with contextlib.suppress(ForeignFileError):
                READ[name](path)
            continue
        with pytest.raises(ForeignFileError) as raised:
            READ[name](path)
        assert str(raised.value).isprintable()


def test_kinds_are_told_by_content(tmp_path: Path) -> None:
    kinds = {}
    for name, (path, data) in readers(tmp_path).items():
        path.write_bytes(data)
        kinds[name] = kind_of(path)
        other = tmp_path / "some file"
        other.write_bytes(data)
        assert kind_of(other) == kinds[name]
    assert kinds == {
        "jpeg": "dfl-face", "png": "dfl-face", "pak": "dfl-pak", "meta": "dfl-meta", "weights": "dfl-weights",
        "model data": "dfl-model-data", "options": "dfl-options", "fsa": "fsa", "faceswap png": "fsa-face",
    }  # fmt: skip
