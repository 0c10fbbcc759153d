"""Files of DeepFaceLab and faceswap: what genuine ones hold is read, those cut short are refused in one line."""

import contextlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foreign_files import (
    LANDMARKS,
    MATRIX,
    SIZE,
    faceswap_png,
    fsa,
    genuine_pak,
    jpeg,
    jpeg_with,
    mask_buffer,
    model_data,
    numpy1,
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
