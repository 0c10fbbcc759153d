"""Sorting a faceset on disk: what is written, moved and renamed, and what is not."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from drawn_faces import SRC, drawn_record
from lookalike.curation.config import SORT_METHODS, SortConfig, SortMethod
from lookalike.errors import ConfigError, EmptyFacesetError, FacesetError
from lookalike.faceset import list_faces, load_record, rename, save_face, trash
from lookalike.faceset.index import index_path
from lookalike.faceset.mend import mend
from lookalike.pipeline.sort import numbered, sort, undo
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Six faces of different brightness in src, three in dst."""
    place = Workspace.create(tmp_path)
    sides: list[tuple[Side, int]] = [("src", 6), ("dst", 3)]
    for side, count in sides:
        folder = place.aligned(side)
        folder.mkdir(parents=True)
        for number in range(count):
            crop, record = drawn_record(SRC, number)
            light = (number * 5 % 6 + 2) / 8
            save_face(folder / f"{number + 1}_0.jpg", (crop * light).astype(np.uint8), record)
    return place


_MAIN = "from lookalike.cli import main; main()"
BY_LIGHT = ["2_0.jpg", "3_0.jpg", "4_0.jpg", "5_0.jpg", "6_0.jpg", "1_0.jpg"]


def texts(events: Iterable[Event]) -> str:
    return "\n".join(event.text for event in events if isinstance(event, Message))


def listed(place: Workspace) -> list[str]:
    return place.aligned("src").with_name("aligned.order.txt").read_text().split()


def test_sorting_renames_nothing_by_default(workspace: Workspace) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in list_faces(workspace.aligned("src"))}
    said = texts(sort(workspace, "src", SortConfig(by="brightness")))
    assert "6 faces by brightness, brightest first; the order is in aligned.order.txt" in said
    assert listed(workspace) == BY_LIGHT
    assert {path.name: path.stat().st_mtime_ns for path in list_faces(workspace.aligned("src"))} == before
    assert not workspace.trash("src").exists()


@pytest.mark.parametrize("by", SORT_METHODS)
def test_every_method_runs_on_files(workspace: Workspace, by: SortMethod) -> None:
    assert "6 faces" in texts(sort(workspace, "src", SortConfig(by=by, rejects="list")))
    assert sorted(listed(workspace)) == sorted(BY_LIGHT)
    again = listed(workspace)
    list(sort(workspace, "src", SortConfig(by=by, rejects="list")))
    assert listed(workspace) == again


def test_rejects_go_to_the_trash_and_say_why(workspace: Workspace) -> None:
    trash = workspace.trash("src")
    trash.mkdir()
    (trash / "6_0.jpg").write_bytes(b"dear to somebody")
    said = texts(sort(workspace, "src", SortConfig(by="brightness", target=4)))
    assert "2 faces put aside in" in said
    assert listed(workspace) == BY_LIGHT[:4] == sorted(path.name for path in list_faces(workspace.aligned("src")))
    assert sorted(path.name for path in trash.iterdir()) == ["1_0.jpg", "6_0-2.jpg", "6_0.jpg"]
    assert (trash / "6_0.jpg").read_bytes() == b"dear to somebody"
    assert load_record(trash / "6_0-2.jpg").reason == "sort brightness: beyond the first 4 by brightness"
    (trash / "1_0.jpg").rename(workspace.aligned("src") / "1_0.jpg")
    list(sort(workspace, "src", SortConfig(by="brightness")))
    assert listed(workspace) == [*BY_LIGHT[:4], "1_0.jpg"]


def test_rejects_may_be_only_listed(workspace: Workspace) -> None:
    said = texts(sort(workspace, "src", SortConfig(by="brightness", target=2, rejects="list")))
    assert "4 faces would be put aside; they are at the end, and listed in aligned.rejects.txt" in said
    assert len(listed(workspace)) == len(list_faces(workspace.aligned("src"))) == 6
    rejects = workspace.aligned("src").with_name("aligned.rejects.txt").read_text()
    assert rejects.splitlines()[0] == "1_0.jpg\tbeyond the first 2 by brightness"


def test_renaming_can_be_taken_back(workspace: Workspace) -> None:
    folder = workspace.aligned("src")
    content = {path.name: path.read_bytes() for path in list_faces(folder)}
    list(sort(workspace, "src", SortConfig(by="brightness", rename=True)))
    assert [path.name for path in list_faces(folder)] == [f"0000{n}.jpg" for n in range(6)]
    assert [(folder / f"0000{n}.jpg").read_bytes() for n in range(6)] == [content[name] for name in BY_LIGHT]
    assert listed(workspace) == [f"0000{n}.jpg" for n in range(6)]
    list(sort(workspace, "src", SortConfig(by="origname", rename=True)))
    assert (folder / "00000.jpg").read_bytes() == content["1_0.jpg"]
    list(undo(workspace, "src"))
    assert (folder / "00000.jpg").read_bytes() == content["2_0.jpg"]
    assert "6 files have their former names again" in texts(undo(workspace, "src"))
    assert {path.name: path.read_bytes() for path in list_faces(folder)} == content


def test_numbers_grow_digits_and_leave_out_those_taken(tmp_path: Path) -> None:
    (tmp_path / "00001.txt").touch()
    (tmp_path / "b.png").touch()
    assert numbered(tmp_path, ["b.png", "a.jpg", "c.jpg"]) == {
        "b.png": "00000.png", "a.jpg": "00002.jpg", "c.jpg": "00003.jpg",
    }  # fmt: skip
    many = numbered(tmp_path, [f"{n}.jpg" for n in range(100_001)])
    assert len(set(many.values())) == 100_001
    assert (many["0.jpg"], many["99999.jpg"]) == ("000000.jpg", "099999.jpg")


def test_unreadable_faces_are_named_and_left_alone(workspace: Workspace) -> None:
    (workspace.aligned("src") / "broken.jpg").write_bytes(b"no image")
    said = texts(sort(workspace, "src", SortConfig(by="yaw", rename=True)))
    assert "1 files in" in said
    assert "broken.jpg" in said
    assert (workspace.aligned("src") / "broken.jpg").read_bytes() == b"no image"


def test_what_cannot_be_sorted_says_so(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="match-dst ranks src by what dst shows"):
        list(sort(workspace, "dst", SortConfig(by="match-dst")))
    for path in list_faces(workspace.aligned("dst")):
        path.unlink()
    with pytest.raises(EmptyFacesetError, match="no faces in"):
        list(sort(workspace, "dst", SortConfig(by="yaw")))


def test_a_face_of_another_size_is_sorted_too(workspace: Workspace) -> None:
    crop, record = drawn_record(SRC, 9, 128)
    save_face(workspace.aligned("src") / "10_0.png", crop, record)
    list(sort(workspace, "src", SortConfig(by="face")))
    assert "10_0.png" in listed(workspace)


def test_a_cut_off_renaming_is_finished_by_the_next_sort(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, calls, move = workspace.aligned("src"), iter(range(99)), rename._move

    def cut(old: Path, new: Path) -> None:
        if next(calls) == 8:
            raise KeyboardInterrupt
        move(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(rename, "_move", cut)
        with pytest.raises(KeyboardInterrupt):
            list(sort(workspace, "src", SortConfig(by="brightness", rename=True)))
    said = texts(sort(workspace, "src", SortConfig(by="brightness")))
    assert "finished renaming 6 files" in said
    assert listed(workspace) == [path.name for path in list_faces(folder)] == [f"0000{n}.jpg" for n in range(6)]


def test_the_written_order_follows_a_renaming_that_was_cut_off(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(sort(workspace, "src", SortConfig(by="brightness")))

    def cut(old: Path, new: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rename, "_move", cut)
        with pytest.raises(KeyboardInterrupt):
            list(sort(workspace, "src", SortConfig(by="origname", rename=True)))
    assert mend(workspace.aligned("src")) == 6
    assert listed(workspace) == [f"0000{int(name[0]) - 1}.jpg" for name in BY_LIGHT]


def test_a_cut_off_putting_aside_is_finished_with_the_same_faces(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, calls, move = workspace.aligned("src"), iter(range(99)), trash._moved
    for number in (2, 3):
        crop, record = drawn_record(SRC, 0)
        save_face(folder / f"1_{number}.jpg", crop, record)

    def cut(path: Path, to: Path) -> Path:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return move(path, to)

    with monkeypatch.context() as patch:
        patch.setattr(trash, "_moved", cut)
        with pytest.raises(KeyboardInterrupt):
            list(sort(workspace, "src", SortConfig(by="oneface")))
    assert len(list_faces(folder)) == 6  # one of the three is left, alone in its frame
    list(sort(workspace, "src", SortConfig(by="oneface")))
    assert listed(workspace) == [f"{n}_0.jpg" for n in range(2, 7)]
    reasons = {path.name: load_record(path).reason for path in list_faces(workspace.trash("src"))}
    assert reasons == dict.fromkeys(("1_0.jpg", "1_2.jpg", "1_3.jpg"), "sort oneface: one of 3 faces of its frame")
    assert not list(folder.parent.glob("*.json"))


@pytest.mark.parametrize(
    "text", ["{", "[" * 1_000_000, '{"trash": "..", "rejects": {}}', '{"trash":"a","rejects":{"../x":""}}']
)
def test_a_list_of_rejects_that_makes_no_sense_is_refused(workspace: Workspace, text: str) -> None:
    workspace.aligned("src").with_name("aligned.rejects.json").write_text(text)
    with pytest.raises(FacesetError, match=r"aligned.rejects.json cannot be read .*; move it away"):
        mend(workspace.aligned("src"))


def test_listed_rejects_have_the_new_names_and_go_when_there_are_none(workspace: Workspace) -> None:
    folder = workspace.aligned("src")
    path = folder.with_name("aligned.rejects.txt")
    crop, record = drawn_record(SRC, 0)
    save_face(folder / "1_2.jpg", (crop * 0.25).astype(np.uint8), record)
    list(sort(workspace, "src", SortConfig(by="duplicates", rejects="list", rename=True)))
    assert path.read_text() == "00006.jpg\tduplicate of 00000.jpg\n"
    list(undo(workspace, "src"))
    assert path.read_text() == "1_2.jpg\tduplicate of 1_0.jpg\n"
    list(sort(workspace, "src", SortConfig(by="yaw", rejects="list")))
    assert not path.exists()


def test_undo_without_the_index_keeps_the_order(workspace: Workspace) -> None:
    list(sort(workspace, "src", SortConfig(by="brightness", rename=True)))
    index_path(workspace.aligned("src")).unlink()
    list(undo(workspace, "src"))
    assert listed(workspace) == BY_LIGHT


def test_without_a_faceset_no_index_is_left(workspace: Workspace, tmp_path: Path) -> None:
    empty = Workspace.create(tmp_path / "empty")
    with pytest.raises(FacesetError, match=r"no faceset in .*aligned; run extract first"):
        list(sort(empty, "src", SortConfig(by="yaw")))
    for path in list_faces(workspace.aligned("dst")):
        path.unlink()
    workspace.aligned("dst").rmdir()
    with pytest.raises(FacesetError, match=r"no faceset in .*data_dst/aligned; run extract first"):
        list(sort(workspace, "src", SortConfig(by="match-dst")))
    assert not list(tmp_path.rglob("*.sqlite"))


def test_the_command(workspace: Workspace) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-c", _MAIN, "sort", str(workspace.folder), "src", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    assert run("--by", "yaw", "--target", "5")[0] == 0
    assert len(listed(workspace)) == 5
    code, said = run("--undo")
    assert code == 1
    assert "error: nothing to undo in" in said
    assert run("--undo", "--by", "yaw")[0] == 2
    code, said = run("--by", "beauty")
    assert code == 2
    assert "match-dst" in said
