"""Facesets of other tools that are damaged, odd or hostile: told in a line, and nothing else happens."""

import pickle
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drawn_faces import drawn_record
from drawn_workspace import elsewhere, said
from foreign_files import config, deepfacelab_modules, faceswap_png, jpeg_with, pak, png_with
from hostile_pickles import PAYLOADS
from lookalike.cli import run
from lookalike.errors import FacesetError, ForeignFileError
from lookalike.faceset import list_faces, load_record
from lookalike.pipeline.faceset_files import import_faces
from lookalike.pipeline.workspace import Workspace

ODD = {
    "../../../escape.png": "escape",
    "C:\\faces\\00007.png": "00007",
    "a\nb\x1b[31m 00002.png": "00002",
    "\N{PILE OF POO} 00003.jpg": "00003",
    "x" * 3000 + "00004.png": "00004",
    "/etc/passwd": "passwd",
}


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
def test_names_in_files_are_never_paths(name: str, tmp_path: Path) -> None:
    place = Workspace.create(tmp_path / "ws")
    record = drawn_record()[1]
    told = {
        "landmarks": record.crop_landmarks().tolist(),
        "source_landmarks": record.landmarks,
        "source_filename": name,
        "image_to_face_mat": record.matrix_array(),
    }
    with deepfacelab_modules():
        table = pickle.dumps([config(0, filename=name, source_filename=name, landmarks=told["landmarks"])], 4)
    (tmp_path / "faceset.pak").write_bytes(pak(table, [jpeg_with(pickle.dumps(told, 3))]))
    lines = said(import_faces(place, "src", tmp_path / "faceset.pak"))
    assert all(line.isprintable() for line in lines)
    made = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jpg"))
    assert len(made) == 1
    assert made[0].startswith("ws/data_src/aligned/")
    assert len(made[0]) < 200
    assert made[0].isascii()
    found = load_record(tmp_path / made[0])
    assert found.frame == (int(ODD[name]) - 1 if ODD[name].isdigit() else 0)
    assert found.source == "faceset"


def test_names_of_files_are_told_in_one_line(place: Workspace, tmp_path: Path) -> None:
    record = drawn_record()[1]
    told = {
        "landmarks": record.crop_landmarks().tolist(),
        "source_landmarks": record.landmarks,
        "source_filename": "00001.png",
    }
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a\n\x1b[31mb.jpg").write_bytes(jpeg_with(b"no pickle"))
    (tmp_path / "in" / "c\nd.png").write_bytes(b"no picture")
    (tmp_path / "in" / ("x" * 251 + ".jpg")).write_bytes(jpeg_with(pickle.dumps(told, 3)))
    other = elsewhere(place)
    lines = said(import_faces(other, "src", tmp_path / "in"))
    assert all(line.isprintable() for line in lines)
    assert [line[:9] for line in lines] == ["left out:", "left out:", "looking t", "added 1 o"]
    assert len(list_faces(other.aligned("src"))[0].name) == 124


def hostile(folder: Path, payload: bytes) -> Iterator[tuple[str, list[str]]]:
    """Files that hold a pickle, and the options that give them to the command."""
    inside = folder / "faces"
    inside.mkdir()
    (inside / "1_0.jpg").write_bytes(jpeg_with(payload))
    (inside / "1_0.png").write_bytes(png_with(payload))
    yield "pictures", ["--from", str(inside)]
    with deepfacelab_modules():
        table = pickle.dumps([config()], 4)
    for name, data in {
        "faceset.pak": pak(payload, []),
        "inside.pak": pak(table, [jpeg_with(payload)]),
        "alignments.fsa": zlib.compress(payload),
    }.items():
        (folder / name).write_bytes(data)
        yield name, ["--from", str(folder / name)]
    (folder / "meta.dat").write_bytes(payload)
    yield "meta", ["--from", str(inside), "--meta", str(folder / "meta.dat")]


@pytest.mark.parametrize("name", ["os.system", "getattr of a path"])
def test_the_command_runs_nothing(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = tmp_path / "ws"
    Workspace.create(workspace)
    (tmp_path / "in").mkdir()
    for kind, options in hostile(tmp_path / "in", PAYLOADS[name](tmp_path / "made")):
        code = run(["faceset", "import", str(workspace), "src", *options])
        words = capsys.readouterr()
        if kind in ("pictures", "inside.pak"):
            assert code == 0
            assert "added 0 of" in words.out + words.err
            assert "holds code" in words.out + words.err
        else:
            assert code == 1
            assert words.err.startswith("error: ")
            assert words.err.count("\n") == 1
            assert "holds code" in words.err
        assert not (tmp_path / "made").exists()
        aligned = workspace / "data_src" / "aligned"
        assert not aligned.exists() or list(aligned.iterdir()) == []


@pytest.mark.parametrize("text", ["__import__('os').system('touch made')", "{'alignments': {}}", "{" * 1000])
def test_a_png_of_faceswap_that_is_none_is_left_out(text: str, place: Workspace, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").write_bytes(faceswap_png(text))
    lines = said(import_faces(elsewhere(place), "src", tmp_path / "in"))
    assert lines[0].startswith("left out: 1.png is damaged")
    assert lines[-1].startswith("added 0 of 1")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"face_type": "mark_only"}, "not an aligned face"),
        ({"face_type": "half_moon"}, "which is not known"),
        ({"source_filename": "face.png"}, "the name of its frame has no number"),
        ({"landmarks": [[5.0, 5.0]] * 68}, "make no face"),
        ({"image_to_face_mat": None, "source_landmarks": None}, "its place there is not known"),
        ({"seg_ie_polys": {"polys": [{"type": 1, "pts": [[1, 2], [3, 4], [5, 9]]}] * 65}}, "at most 64"),
        ({"image_to_face_mat": np.eye(2, 3) * 1e5}, "not in the crop"),
        ({"xseg_mask": np.frombuffer(b"no picture", np.uint8)}, "is damaged|neither JPEG"),
    ],
)
def test_a_face_that_cannot_be_ours_is_told_and_the_others_go_on(
    changes: dict[str, Any], why: str, tmp_path: Path
) -> None:
    place = Workspace.create(tmp_path / "ws")
    record = drawn_record()[1]
    told: dict[str, Any] = {
        "face_type": "full_face",
        "landmarks": record.crop_landmarks().tolist(),
        "source_landmarks": record.landmarks,
        "source_filename": "00001.png",
        "image_to_face_mat": record.matrix_array(),
    }
    if "landmarks" in changes:
        changes = {**changes, "source_landmarks": changes["landmarks"]}
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jpg").write_bytes(jpeg_with(pickle.dumps({**told, **changes}, 3)))
    (tmp_path / "in" / "2.jpg").write_bytes(jpeg_with(pickle.dumps(told, 3)))
    lines = said(import_faces(place, "dst", tmp_path / "in"))
    left = [line for line in lines if line.startswith("left out")]
    assert len(left) == 1
    assert re.search(why, left[0])
    assert "1.jpg" in left[0]
    assert any(line.startswith("added 1 of 2 faces") for line in lines)


def test_links_to_devices_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jpg").symlink_to("/dev/zero")
    place = Workspace.create(tmp_path / "ws")
    with pytest.raises(FacesetError):
        said(import_faces(place, "src", tmp_path / "in"))
    (tmp_path / "x.pak").symlink_to("/dev/zero")
    with pytest.raises((FacesetError, ForeignFileError)):
        said(import_faces(place, "src", tmp_path / "x.pak"))
