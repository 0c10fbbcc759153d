"""Facesets of other tools, written and taken in again: nothing of a face is lost that the format can hold."""

import io
import pickle
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from drawn_faces import SRC as PERSON
from drawn_faces import draw_person, drawn_record
from drawn_workspace import elsewhere, said
from foreign_files import deepfacelab_modules, fsa, fsa_face, jpeg_with
from lookalike.cli import run
from lookalike.curation.faceset_config import ExportConfig, FaceFormat, ImportConfig
from lookalike.errors import FacesetError
from lookalike.faceset import FaceRecord, list_faces, load_face, load_record, make_face, replace_record, save_face
from lookalike.faceset.masks import read_mask, stored_mask
from lookalike.faceset.record import Polygon
from lookalike.geometry import align_matrix, transform
from lookalike.interchange.dfl_faces import read_dfl_face
from lookalike.interchange.dfl_meta import read_meta
from lookalike.interchange.dfl_pak import DflPak
from lookalike.interchange.fsa import read_fsa, read_fsa_png
from lookalike.interchange.image_edit import international_text, png_with_chunk
from lookalike.mean_face import TEMPLATE
from lookalike.options import FaceType, Geometry
from lookalike.pipeline.faceset_files import export_faces, import_faces
from lookalike.pipeline.workspace import Workspace


def furnished(place: Workspace, face_type: FaceType = "full", geometry: Geometry = "2019") -> list[FaceRecord]:
    """Faces of src made anew, each with polygons and a mask; their records."""
    aligned = place.aligned("src")
    for number, path in enumerate(list_faces(aligned)):
        picture, face = draw_person(PERSON, number)
        crop, record = make_face(
            picture, face, source="drawn.mp4", frame=number, time_seconds=number / 25, number=0, size=96,
            face_type=face_type, track=0, geometry=geometry,
        )  # fmt: skip
        corners = record.landmarks[36:42]
        mask = np.random.default_rng(number).random((64, 64)).astype(np.float32)
        polygons = [Polygon(kind="include", points=record.landmarks[:17]), Polygon(kind="exclude", points=corners)]
        record = record.model_copy(update={"polygons": polygons, "mask": stored_mask(mask, "a network")})
        save_face(path, crop, record)
    return [load_record(path) for path in list_faces(aligned)]


def there_and_back(place: Workspace, form: FaceFormat) -> tuple[Workspace, list[str]]:
    target = place.folder.parent / ("faceset.pak" if form == "dfl-pak" else "out")
    said(export_faces(place, "src", target, ExportConfig(format=form)))
    other = elsewhere(place)
    return other, said(import_faces(other, "src", target))


def pixels(path: Path) -> NDArray[np.uint8]:
    return load_face(path)[0]


@pytest.mark.parametrize(
    ("form", "face_type", "geometry"),
    [
        ("dfl", "full", "2019"),
        ("dfl", "head-no-align", "dfl2"),
        ("dfl-pak", "full", "dfl2"),
        ("dfl-png", "avatar", "2019"),
    ],
)
def test_deepfacelab_keeps_all_of_a_face(
    form: FaceFormat, face_type: FaceType, geometry: Geometry, place: Workspace
) -> None:
    before = furnished(place, face_type, geometry)
    other, lines = there_and_back(place, form)
    assert lines[-1].startswith("added 6 of 6 faces")
    paths = list_faces(other.aligned("src"))
    assert [path.stem for path in paths] == [path.stem for path in list_faces(place.aligned("src"))]
    for old, path, mine in zip(before, paths, list_faces(place.aligned("src")), strict=True):
        new = load_record(path)
        assert (pixels(path) == pixels(mine)).all()
        for name in ("matrix", "landmarks", "size", "face_type", "geometry", "frame", "source", "mesh"):
            assert getattr(new, name) == getattr(old, name), name
        assert new.polygons == old.polygons
        assert new.mask is not None
        assert old.mask is not None
        assert (read_mask(new.mask, 64) == read_mask(old.mask, 64)).all()
        assert new.detector == new.landmarker == "dfl"
        assert new.time_seconds == pytest.approx(old.frame / 25, abs=0.01)


def test_the_pixels_of_a_jpeg_are_not_encoded_again(place: Workspace) -> None:
    mine = list_faces(place.aligned("src"))[0].read_bytes()
    scan = mine[mine.index(b"\xff\xda") :]
    other, _ = there_and_back(place, "dfl")
    written = (place.folder.parent / "out" / "00001_0.jpg").read_bytes()
    assert written.endswith(scan)
    assert b"<la:face>" not in written
    taken = list_faces(other.aligned("src"))[0].read_bytes()
    assert taken.endswith(scan)
    assert b"\xff\xef" not in taken[: -len(scan)]


def test_python_itself_reads_what_is_written_for_deepfacelab(place: Workspace) -> None:
    record = furnished(place)[0]
    target = place.folder.parent
    said(export_faces(place, "src", target / "out", ExportConfig(format="dfl", meta=True)))
    said(export_faces(place, "src", target / "faceset.pak"))
    data = (target / "out" / "00001_0.jpg").read_bytes()
    at = data.index(b"\xff\xef")
    assert data[2:4] == b"\xff\xe0"
    assert data[6:11] == b"JFIF\0"
    told = pickle.loads(data[at + 4 : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")])
    wanted = ["face_type", "landmarks", "source_filename", "source_rect", "source_landmarks", "image_to_face_mat"]
    assert list(told)[:6] == wanted
    assert told["source_filename"] == "00001.png"
    assert told["image_to_face_mat"].tolist() == [list(row) for row in record.matrix]
    assert [part["type"] for part in told["seg_ie_polys"]["polys"]] == [1, 0]
    mask = cv2.imdecode(told["xseg_mask"], cv2.IMREAD_UNCHANGED)
    assert mask is not None
    assert mask.shape == (64, 64)
    with (target / "out" / "meta.dat").open("rb") as file:
        meta = pickle.load(file)
    assert meta["00001_0.jpg"][0] == (96, 96, 3)
    assert meta["00001_0.jpg"][1].keys() == told.keys()
    packed = (target / "faceset.pak").read_bytes()
    length = int.from_bytes(packed[8:16], "little")
    with deepfacelab_modules():
        table = pickle.loads(packed[16 : 16 + length])
    places = np.frombuffer(packed[16 + length : 16 + length + 8 * 7], "<u8")
    start = 16 + length + 8 * 7
    assert places[0] == 0
    assert places[-1] == len(packed)  # counted from the start, unlike the others
    assert packed[start : start + int(places[1])] == data
    assert [str(entry["face_type"].name) for entry in table] == ["FULL"] * 6
    assert table[2]["filename"] == "00003_0.jpg"
    assert table[2].keys() == {
        "sample_type", "filename", "face_type", "shape", "landmarks", "seg_ie_polys", "xseg_mask",
        "xseg_mask_compressed", "eyebrows_expand_mod", "source_filename", "person_name",
    }  # fmt: skip


def test_alignments_of_faceswap_come_back_as_the_same_crops(place: Workspace) -> None:
    before = furnished(place)
    target = place.folder.parent / "alignments.fsa"
    said(export_faces(place, "src", target))
    value = pickle.loads(zlib.decompress(target.read_bytes()))
    assert value["__meta__"] == {"version": 2.4}
    assert next(iter(value["__data__"])) == "00001.png"
    entry = value["__data__"]["00001.png"]
    assert entry.keys() == {"faces", "video_meta"}
    assert entry["faces"][0].keys() == {"x", "y", "w", "h", "landmarks_xy", "mask", "identity", "thumb"}
    assert type(entry["faces"][0]["landmarks_xy"][0][0]) is float
    other = elsewhere(place)
    lines = said(import_faces(other, "src", target, ImportConfig(size=96)))
    assert lines[-1].startswith("added 6 of 6 faces")
    for old, path in zip(before, list_faces(other.aligned("src")), strict=True):
        new = load_record(path)
        assert (new.landmarks, new.frame, new.source) == (old.landmarks, old.frame, old.source)
        assert new.matrix_array() == pytest.approx(old.matrix_array(), abs=1e-3)  # landmarks have three decimals
        assert new.detector == "faceswap"
        assert np.abs(pixels(path).astype(int) - pixels(place.aligned("src") / path.name)).mean() < 0.5
        assert new.mask is not None
        assert old.mask is not None
        away = np.abs(read_mask(new.mask, 48) - read_mask(old.mask, 48))
        assert away.mean() < 0.08  # noise, moved twice


def test_alignments_need_frames(place: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "alignments.fsa"
    target.write_bytes(fsa())
    with pytest.raises(FacesetError, match=r"name the video .* --video FILE"):
        said(import_faces(place, "dst", target))
    far = {"faces": [{**fsa_face(), "landmarks_xy": [[1e5, 1e5 + number] for number in range(68)]}], "video_meta": {}}
    content = {"__data__": {"clip_000001.mp4": far, "clip_000099.mp4": far, "poster.mp4": far}}
    target.write_bytes(zlib.compress(pickle.dumps(content, 4)))
    lines = said(import_faces(place, "dst", target, ImportConfig(video=place.video("src"))))
    assert lines[:2] == [f"left out: {name}.mp4: no such frame in drawn.mp4" for name in ("clip_000099", "poster")]
    assert lines[2].startswith("left out: clip_000001.mp4: landmarks")
    assert lines[-1].startswith("added 0 of 3 faces")


def test_pngs_of_faceswap_keep_their_pixels(place: Workspace) -> None:
    before = furnished(place)
    target = place.folder.parent / "out"
    said(export_faces(place, "src", target, ExportConfig(format="fsa-png")))
    data = (target / "00001_0.png").read_bytes()
    assert data.index(b"iTXtfaceswap\0") < data.index(b"IDAT")
    assert read_fsa_png(target / "00001_0.png").frame_wh == (200, 180)
    other = elsewhere(place)
    said(import_faces(other, "src", target))
    for old, path in zip(before, list_faces(other.aligned("src")), strict=True):
        new = load_record(path)
        with Image.open(target / path.name) as written:
            assert (np.asarray(written) == pixels(path)).all()
        assert (new.landmarks, new.frame, new.source) == (old.landmarks, old.frame, old.source)
        corners = np.array([[0, 0], [200, 180]])
        away = transform(new.matrix_array(), corners) - transform(old.matrix_array(), corners)
        moved = (0.5 - TEMPLATE[10, 0]) * 0.625 * 96  # faceswap's mean face is in the middle of its square
        assert np.abs(away - [moved, 0]).max() < 1e-2  # pixels; landmarks have three decimals


def test_what_the_picture_says_can_be_replaced_by_a_meta_dat(place: Workspace) -> None:
    furnished(place)
    target = place.folder.parent
    said(export_faces(place, "src", target / "meta.dat", ExportConfig(format="dfl-meta")))
    with pytest.raises(FacesetError, match="name their folder, and this file with --meta"):
        said(import_faces(place, "src", target / "meta.dat"))
    plain = target / "plain"
    plain.mkdir()
    for path in list_faces(place.aligned("src")):
        Image.fromarray(pixels(path)).save(plain / path.name)
    other = elsewhere(place)
    lines = said(import_faces(other, "src", plain))
    assert lines[-1] == f"added 0 of 6 faces from {plain} to {other.aligned('src')} (6 left out)"
    lines = said(import_faces(other, "src", plain, ImportConfig(meta=target / "meta.dat")))
    assert lines[-1].startswith("added 6 of 6 faces")
    assert len(load_record(list_faces(other.aligned("src"))[0]).polygons) == 2


@pytest.mark.parametrize("name", ["faceset.pak", "alignments.fsa"])
def test_no_file_is_written_over(name: str, place: Workspace) -> None:
    target = place.folder.parent / name
    target.write_bytes(b"mine")
    with pytest.raises(FacesetError, match="there already"):
        said(export_faces(place, "src", target))
    assert target.read_bytes() == b"mine"


def test_no_picture_is_written_over(place: Workspace) -> None:
    target = place.folder.parent / "out"
    target.mkdir()
    (target / "00001_0.jpg").write_bytes(b"mine")
    config = ExportConfig(format="dfl")
    assert "1 got another name" in said(export_faces(place, "src", target, config))[-1]
    assert "5 were there already" in said(export_faces(place, "src", target, config))[-1]
    assert (target / "00001_0.jpg").read_bytes() == b"mine"


def test_a_face_type_that_a_tool_does_not_know_is_left_out(place: Workspace) -> None:
    furnished(place, "avatar", "2019")
    with pytest.raises(FacesetError, match="none of the 6 faces can be written as dfl"):
        said(export_faces(place, "src", place.folder.parent / "out", ExportConfig(format="dfl")))
    furnished(place, "whole", "dfl2")
    path = list_faces(place.aligned("src"))[0]
    replace_record(path, load_record(path).model_copy(update={"face_type": "full"}))
    lines = said(export_faces(place, "src", place.folder.parent / "out", ExportConfig(format="dfl-png")))
    assert lines[0] == "left out: 00002_0.jpg: face type whole, which DeepFaceLab of 2019 does not know"
    assert lines[-1].startswith("wrote 1 of 6")


def test_a_long_mask_is_made_smaller_where_a_jpeg_has_no_room(tmp_path: Path) -> None:
    place = Workspace.create(tmp_path / "ws")
    record = drawn_record()[1]
    noise = np.random.default_rng(0).integers(0, 256, (220, 220), np.uint8)
    told = {
        "landmarks": record.crop_landmarks().tolist(),
        "source_landmarks": record.landmarks,
        "source_filename": "00001.png",
        "image_to_face_mat": record.matrix_array(),
        "xseg_mask": cv2.imencode(".png", noise)[1],
    }
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jpg").write_bytes(jpeg_with(pickle.dumps(told, 3)))
    assert "added 1 of 1" in said(import_faces(place, "src", tmp_path / "in"))[-1]
    mask = load_record(list_faces(place.aligned("src"))[0]).mask
    assert mask is not None
    assert np.abs(read_mask(mask, 220) - noise / 255).max() < 0.04


def test_faces_that_follow_each_other_share_a_track_and_frames_may_count_from_0(tmp_path: Path) -> None:
    place = Workspace.create(tmp_path / "ws")
    (tmp_path / "in").mkdir()
    for number, move in [(0, 0), (1, 3), (2, 6), (3, 400)]:
        _, record = drawn_record()
        around = [[x + move, y] for x, y in record.landmarks]
        told = {
            "landmarks": record.crop_landmarks().tolist(),
            "source_landmarks": around,
            "source_filename": f"{number:05d}.png",
        }
        (tmp_path / "in" / f"{number}.jpg").write_bytes(jpeg_with(pickle.dumps(told, 3)))
    said(import_faces(place, "dst", tmp_path / "in"))
    records = [load_record(path) for path in list_faces(place.aligned("dst"))]
    assert [record.frame for record in records] == [0, 1, 2, 3]
    tracks = [record.track for record in records]
    assert tracks[0] == tracks[1] == tracks[2] != tracks[3]


def test_what_is_exported_is_inspected_right(place: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    furnished(place)
    out = place.folder.parent
    for form, name in [("dfl", "out"), ("dfl-pak", "faceset.pak"), ("fsa", "a.fsa"), ("dfl-meta", "meta.dat")]:
        options = ["--to", str(out / name), "--format", form]
        assert run(["faceset", "export", str(place.folder), "src", *options]) == 0
    capsys.readouterr()
    for name, words in [
        ("out", "aligned face of DeepFaceLab: 6"),
        ("faceset.pak", "faces: 6"),
        ("a.fsa", "version: 2.4"),
        ("meta.dat", "faces: 6"),
    ]:
        assert run(["inspect", str(out / name)]) == 0
        assert words in capsys.readouterr().out
    assert read_dfl_face(out / "out" / "00001_0.jpg").geometry == "dfl2"
    assert len(read_meta(out / "meta.dat")) == 6
    assert len(read_fsa(out / "a.fsa").frames) == 6
    with DflPak(out / "faceset.pak") as packed:
        assert packed.face(5).face.encoded_mask is not None


def test_a_bad_option_is_told_in_one_line(place: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(place.folder.parent / "out")
    assert run(["faceset", "export", str(place.folder), "src", "--to", out, "--meta"]) == 2
    assert "meta belongs to the format dfl" in capsys.readouterr().err


def test_faces_of_a_faceswap_head_are_cut_to_ours(place: Workspace, tmp_path: Path) -> None:
    """A mask that is centred as the picture tells where the picture lies in the frame."""
    picture, face = draw_person(PERSON, 0)
    head = align_matrix(face.landmarks, 128, "whole", "dfl2")
    crop = cv2.warpAffine(picture, head, (128, 128), flags=cv2.INTER_CUBIC)
    mask = {
        "mask": zlib.compress(bytes(64 * 64)),
        "affine_matrix": (head / 2).tolist(),
        "interpolator": 2,
        "stored_size": 64,
        "stored_centering": "head",
    }
    told = {**fsa_face(), "landmarks_xy": face.landmarks.tolist(), "mask": {"bisenet": mask}, "identity": {}}
    del told["thumb"]
    source = {
        "alignments_version": 2.4,
        "original_filename": "00001_0.png",
        "face_index": 0,
        "source_filename": "00001.png",
        "source_is_video": False,
        "source_frame_dims": (180, 200),
    }
    plain = io.BytesIO()
    Image.fromarray(crop).save(plain, "png")
    text = international_text("faceswap", repr({"alignments": told, "source": source}))
    (tmp_path / "in").mkdir()
    data = png_with_chunk(plain.getvalue(), b"iTXt", text, "a face", before=b"IDAT")
    (tmp_path / "in" / "00001_0.png").write_bytes(data)
    other = elsewhere(place)
    said(import_faces(other, "src", tmp_path / "in", ImportConfig(size=64)))
    path = list_faces(other.aligned("src"))[0]
    found = load_record(path)
    assert (found.face_type, found.geometry, found.size) == ("full", "2019", 64)
    wanted = align_matrix(face.landmarks, 64, "full", "2019")
    assert np.abs(found.matrix_array() - wanted).max() < 1e-9
    shown = pixels(path).astype(int) - pixels(place.aligned("src") / "00001_0.jpg")
    assert np.abs(shown).mean() < 4
