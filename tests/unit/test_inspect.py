"""`lookalike inspect` says what is in other tools' files, and runs none of it."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drawn_faces import SRC, write_faceset
from foreign_files import jpeg, jpeg_with, mask_buffer, readers, record
from hostile_pickles import PAYLOADS
from lookalike.cli import run
from lookalike.errors import ForeignFileError
from lookalike.faceset import list_faces
from lookalike.faceset.pack import write_pack
from lookalike.pipeline.inspect import inspect


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = readers(tmp_path)
    for path, data in made.values():
        path.write_bytes(data)
    return {name: path for name, (path, _) in made.items()}


def test_faces(files: dict[str, Path]) -> None:
    found = inspect(files["jpeg"])
    assert found.kind == "aligned face of DeepFaceLab"
    assert found.facts["face type"] == "whole"
    assert found.facts["size"] == "64x64"
    assert found.facts["mask"] == "none"
    assert inspect(files["png"]).facts["geometry"] == "2019"
    assert inspect(files["faceswap png"]).facts["masks"] == ["components"]


def test_packs_and_metadata(files: dict[str, Path]) -> None:
    assert inspect(files["pak"]).facts == {
        "faces": 3,
        "face types": {"whole": 3},
        "sizes": {"64x64": 3},
        "with": {"polygons": 3, "mask": 3},
    }
    assert inspect(files["meta"]).facts == {"faces": 1, "face types": {"whole": 1}}
    alignments = inspect(files["fsa"]).facts
    assert (alignments["frames"], alignments["faces"], alignments["masks"]) == (1, 1, {"components": 1})


def test_models(files: dict[str, Path]) -> None:
    encoder = inspect(files["weights"]).facts
    assert (encoder["model"], encoder["part"]) == ("SAEHD", "encoder")
    assert encoder["layers"] == {
        "down1/downs_0/conv1/weight:0": "5x5x3x8 float32",
        "down1/downs_0/conv1/bias:0": "8 float32",
    }
    data = inspect(files["model data"]).facts
    assert data["iterations"] == 1234
    assert data["options"]["archi"] == "liae-ud"
    assert data["last loss"] == "0.2500 0.2000"
    assert inspect(files["options"]).facts["options"]["resolution"] == 128


def test_a_folder_of_models(files: dict[str, Path]) -> None:
    found = inspect(files["weights"].parent)
    assert found.facts["models"]["ann SAEHD"]["iterations"] == 1234
    assert found.facts["models"]["ann SAEHD"]["encoder"] == "2 arrays, 2432 bytes"


def test_a_folder_of_faces(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(jpeg_with(pickle.dumps(record())))
    (tmp_path / "2.jpg").write_bytes(jpeg_with(pickle.dumps(record(face_type="head", xseg_mask=mask_buffer()))))
    (tmp_path / "3.jpg").write_bytes(jpeg())
    (tmp_path / "4.jpg").write_bytes(jpeg_with(PAYLOADS["eval"](tmp_path / "made")))
    facts = inspect(tmp_path).facts
    assert facts["face types"] == {"whole": 1, "head": 1}
    assert facts["files"]["refused"] == 1
    assert facts["files"]["picture without a record of a face"] == 1
    assert "holds code (builtins.eval)" in facts["first refusal"]
    assert facts["with"] == {"matrix": 2, "mask": 1}
    assert not (tmp_path / "made").exists()


def test_our_own(tmp_path: Path) -> None:
    folder = write_faceset(tmp_path / "aligned", SRC, 2)
    list(write_pack(tmp_path / "aligned.faces", list_faces(folder)))
    assert inspect(list_faces(folder)[0]).facts["face type"] == "full"
    assert inspect(tmp_path / "aligned.faces").facts == {"faces": 2}
    assert inspect(folder).facts["files"] == {"aligned face of Lookalike": 2}


@pytest.mark.parametrize("data", [b"", b"hello", b"\x80\x04]\x94.", b"\x80\x04N.", bytes(100), pickle.dumps({1: {}})])
def test_unknown_files(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(ForeignFileError, match=r"(of no known kind|is damaged)"):
        inspect(tmp_path / "file")
    with pytest.raises(ForeignFileError, match="neither faces nor models"):
        inspect(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(ForeignFileError, match="it is no file but a folder, a pipe or a device"):
        inspect(tmp_path / "a.jpg")


@pytest.mark.parametrize(("head", "kind"), [(b"\x89HDF\r\n\x1a\n", "HDF5"), (b"PK\x03\x04", "zip")])
def test_kinds_that_may_hold_code_are_named(head: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(head + bytes(100))
    assert kind in inspect(tmp_path / "file").kind
    np.save(tmp_path / "a.npy", np.zeros(3))
    assert "plain array" in inspect(tmp_path / "a.npy").kind


def test_the_command(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    for path in files.values():
        assert run(["inspect", str(path), "--json"]) == 0
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert told["file"] == str(path)
        assert run(["inspect", str(path)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"kind: {told['kind']}"
        assert len(lines) >= len(told) - 2
    assert run(["inspect", str(files["jpeg"].parent / "nothing")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_what_a_file_says_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "1.jpg").write_bytes(jpeg_with(pickle.dumps(record(source_filename="\x1b[2J\nkind: trusted"))))
    assert run(["inspect", str(tmp_path / "1.jpg")]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert sum(line.startswith("kind:") for line in out.splitlines()) == 1
