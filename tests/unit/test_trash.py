"""Faces put aside and brought back, killed or not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawn_faces import drawn_record
from lookalike.errors import RecordError
from lookalike.faceset import load_face, load_record, save_face
from lookalike.faceset import trash as trash_module
from lookalike.faceset.trash import bring_back, put_aside


@pytest.fixture
def face(tmp_path: Path) -> Path:
    path = tmp_path / "aligned" / "00001_0.jpg"
    save_face(path, *drawn_record())
    return path


def test_there_and_back(face: Path, tmp_path: Path) -> None:
    pixels, record = load_face(face)
    trash = tmp_path / "aligned_trash"
    away = put_aside(face, trash, "filter: too small")
    assert away == trash / "00001_0.jpg"
    assert not face.exists()
    assert load_record(away) == record.model_copy(update={"reason": "filter: too small"})
    assert bring_back(away, face.parent) == face
    image, found = load_face(face)
    assert found == record
    np.testing.assert_array_equal(image, pixels)


def test_nothing_is_written_over(face: Path, tmp_path: Path) -> None:
    trash = tmp_path / "aligned_trash"
    first = put_aside(face, trash, "a")
    save_face(face, *drawn_record(number=2))
    second = put_aside(face, trash, "b")
    assert (first.name, second.name) == ("00001_0.jpg", "00001_0-2.jpg")
    assert [load_record(path).reason for path in (first, second)] == ["a", "b"]
    save_face(face, *drawn_record(number=3))
    assert bring_back(first, face.parent).name == "00001_0-2.jpg"
    assert load_record(face).frame == 3


def test_what_is_no_face_stays(tmp_path: Path) -> None:
    path = tmp_path / "foreign.jpg"
    Image.new("RGB", (8, 8)).save(path)
    with pytest.raises(RecordError, match="no face record"):
        put_aside(path, tmp_path / "trash", "x")
    assert path.exists()
    assert not (tmp_path / "trash").exists()


class Killed(BaseException):
    """Stands for SIGKILL."""


def test_killed_between_the_two_halves(face: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> Path:
        raise Killed

    trash = tmp_path / "aligned_trash"
    with monkeypatch.context() as patch:
        patch.setattr(trash_module, "_moved", killed)
        with pytest.raises(Killed):
            put_aside(face, trash, "why")
    assert face.exists()  # in use, with a reason: the same command moves it
    away = put_aside(face, trash, "why")
    with monkeypatch.context() as patch:
        patch.setattr(trash_module, "replace_record", killed)
        with pytest.raises(Killed):
            bring_back(away, face.parent)
    assert face.exists()
    assert not list(trash.iterdir())
