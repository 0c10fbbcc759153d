"""What the align page does to edits and facesets: one frame at a time, nothing else touched, everything taken back."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drawn_faces import SRC, draw_person, drawn_record
from drawn_workspace import COUNT, content, said
from lookalike.errors import EditsError, VideoError
from lookalike.faceset import list_faces, load_record, save_face
from lookalike.faceset.masks import stored_mask
from lookalike.faceset.record import Polygon
from lookalike.faceset.store import face_name, replace_record
from lookalike.pipeline.align_apply import Applier
from lookalike.pipeline.align_edits import ChangedEditsError, EditBook, NothingToUndoError
from lookalike.pipeline.align_faces import FaceFiles
from lookalike.pipeline.align_frames import FrameStore, reduced
from lookalike.pipeline.align_worst import Judge, Suspect, strip
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.edits import EditedFace, Edits, read_edits, write_edits
from lookalike.pipeline.extract import extract
from lookalike.pipeline.workspace import Workspace
from lookalike.video import read_frames
from lookalike.web.studio.align_desk import AlignDesk

SOURCES = ("drawn.mp4",)


def face(number: int, shift: float = 0.0) -> EditedFace:
    """The face of a drawn picture, moved."""
    return EditedFace(landmarks=[(float(x), float(y)) for x, y in draw_person(SRC, number)[1].landmarks + shift])


def with_landmarks(book: EditBook, *frames: int) -> None:
    for frame in frames:
        book.set_frame(frame, [face(0, frame)], book.revision(frame), "set")


@pytest.fixture
def book(tmp_path: Path) -> EditBook:
    return EditBook(tmp_path / "edits.json")


def test_a_frame_changed_elsewhere_is_not_written_over(book: EditBook, tmp_path: Path) -> None:
    old = book.revision(3)
    other = EditBook(tmp_path / "edits.json")
    with_landmarks(other, 2)
    book.set_frame(3, [], old, "no face")  # another frame: no harm
    with pytest.raises(ChangedEditsError, match="frame 3 was changed"):
        book.set_frame(2, [], old, "no face")
    assert sorted(read_edits(tmp_path / "edits.json").frames) == [2, 3]


def test_undo_and_redo_go_back_and_forth(book: EditBook) -> None:
    with pytest.raises(NothingToUndoError):
        book.undo()
    with_landmarks(book, 1, 5)
    book.link(1, 5, on=True)
    assert sorted(book.read()[1]) == [1, 2, 3, 4, 5]
    assert book.undo().label == "interpolate 2 to 6"
    assert sorted(book.read()[1]) == [1, 5]
    book.undo()
    assert (sorted(book.read()[1]), book.undo_label, book.redo_label) == ([1], "set", "set")
    book.redo()
    book.redo()
    assert sorted(book.read()[1]) == [1, 2, 3, 4, 5]
    book.undo()
    with_landmarks(book, 7)
    assert book.redo_label is None


def test_undo_leaves_what_another_program_wrote(book: EditBook, tmp_path: Path) -> None:
    with_landmarks(book, 1)
    theirs = Edits(frames={1: []})
    write_edits(tmp_path / "edits.json", theirs)
    with pytest.raises(ChangedEditsError):
        book.undo()
    assert read_edits(tmp_path / "edits.json") == theirs


@pytest.mark.parametrize(
    ("change", "pairs"),
    [
        pytest.param((4, [face(0)]), [(1, 4), (4, 9)], id="a frame between becomes an end"),
        pytest.param((4, []), [(1, 9)], id="a frame without a face stands alone"),
        pytest.param((9, []), [], id="an end without a face ends it"),
        pytest.param((9, None), [], id="an end taken back ends it"),
    ],
)
def test_pairs_follow_their_frames(
    book: EditBook, change: tuple[int, list[EditedFace] | None], pairs: list[tuple[int, int]]
) -> None:
    with_landmarks(book, 1, 9)
    book.link(1, 9, on=True)
    book.set_frame(*change, book.revision(change[0]), "change")
    assert book.read()[0].between == pairs
    book.undo()
    assert book.read()[0].between == [(1, 9)]


def test_an_end_in_the_middle_taken_back_joins_its_pairs(book: EditBook) -> None:
    with_landmarks(book, 1, 5, 9)
    book.link(1, 5, on=True)
    book.link(5, 9, on=True)
    book.set_frame(5, None, book.revision(5), "back")
    assert book.read()[0].between == [(1, 9)]


def test_frames_that_do_not_fit_are_not_joined(book: EditBook) -> None:
    with_landmarks(book, 1, 2)
    with pytest.raises(EditsError, match="no frame lies between"):
        book.link(1, 2, on=True)
    book.set_frame(6, [], book.revision(6), "no face")
    with pytest.raises(EditsError, match="by hand first"):
        book.link(1, 6, on=True)


def test_only_changed_files_are_read_again(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place.aligned("src")
    files = FaceFiles(folder)
    assert [f.facts.frame for f in files.faces(2, SOURCES)] == [2]  # before all are read
    files.refresh()
    assert sorted(files.by_frame(SOURCES)) == list(range(COUNT))
    read: list[str] = []

    def counted(path: Path) -> object:
        read.append(path.name)
        return load_record(path)

    monkeypatch.setattr("lookalike.pipeline.align_faces.load_record", counted)
    first, second, *_ = list_faces(folder)
    first.unlink()
    replace_record(second, load_record(second).model_copy(update={"score": 0.5}))
    (folder / "broken.jpg").write_bytes(b"no picture")
    files.refresh()
    assert files.refresh() <= {0, 1}
    assert set(read) == {second.name, "broken.jpg"}
    assert sorted(files.by_frame(SOURCES)) == list(range(1, COUNT))
    assert files.faces(1, SOURCES)[0].facts.score == 0.5


def test_frames_come_in_any_order(place: Workspace) -> None:
    store = FrameStore(place.video("src"))
    straight = [frame.picture.planes[0] for frame in read_frames(place.video("src"))]
    for number in (3, 4, 1, 0, 5):
        assert np.array_equal(store.frame(number).picture.planes[0], straight[number])
    with pytest.raises(VideoError, match="no frame 7"):
        store.frame(6)
    assert store.shown(2).shape == (180, 200, 3)
    assert reduced(store.frame(2).picture, 100).size_wh == (100, 90)
    assert store.jpeg(2, 100)[:2] == b"\xff\xd8"


def test_the_worst_come_first(place: Workspace) -> None:
    folder = place.aligned("src")
    paths = list_faces(folder)
    paths[4].unlink()
    record = load_record(paths[1])
    replace_record(paths[1], record.model_copy(update={"score": 0.3}))
    elsewhere = np.zeros((64, 64), np.float32)
    elsewhere[:, :12] = 1
    replace_record(paths[2], load_record(paths[2]).model_copy(update={"mask": stored_mask(elsewhere, "test")}))
    files = FaceFiles(folder)
    files.refresh()
    judge = Judge()
    judge.judge(files.by_frame(SOURCES))
    found = judge.suspects(files.by_frame(SOURCES), COUNT, set())
    by_frame = {one.frame: one for one in found}
    assert [one.severity for one in found] == sorted((one.severity for one in found), reverse=True)
    assert (by_frame[4].group, by_frame[4].last) == ("none", 4)
    assert "score is only 0.30" in by_frame[1].text
    assert "of the mask lie outside" in by_frame[2].text
    assert 4 not in {one.frame for one in judge.suspects(files.by_frame(SOURCES), COUNT, {4})}
    replace_record(paths[1], record)
    changed = files.refresh()
    judge.judge(files.by_frame(SOURCES), changed)
    again = {one.frame: one for one in judge.suspects(files.by_frame(SOURCES), COUNT, set())}
    assert "score is only" not in (again[1].text if 1 in again else "")


def test_the_strip_has_a_letter_a_frame() -> None:
    rows = [Suspect(1, 2, 0.5, "none", ""), Suspect(4, 4, 1.0, "jump", "")]
    assert strip(rows, 7, {4: None}, {5}) == ".xx.hb."


class Side:
    """A drawn side, and how frames of it are set by hand."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace, self.folder = workspace, workspace.aligned("src")
        self.files, self.trash = FaceFiles(self.folder), FaceFiles(workspace.trash("src"))
        self.applier = Applier(workspace, "src", self.files, self.trash)
        self.store = FrameStore(workspace.video("src"))

    def apply(
        self, edited: dict[int, list[EditedFace]], *frames: int, stop: Callable[[], bool] = lambda: False
    ) -> set[int]:
        """Which frames were done."""
        write_edits(self.workspace.data("src") / "edits.json", Edits(frames=edited))
        parts = self.applier.apply(edited, frames, self.store.frame, stop)
        return set().union(*parts)


@pytest.fixture
def side(place: Workspace) -> Side:
    return Side(place)


def test_one_frame_is_made_and_taken_back(side: Side) -> None:
    before = content(side.folder)
    name = sorted(before)[3]
    drawn = Polygon(kind="exclude", points=[(90, 90), (110, 90), (100, 110)])
    replace_record(side.folder / name, load_record(side.folder / name).model_copy(update={"polygons": [drawn]}))
    first = load_record(side.folder / name)
    assert side.apply({3: [face(3, 2)]}, 3) == {3}
    made = load_record(side.folder / name)
    assert made.edited
    assert np.allclose(made.landmarks_array(), first.landmarks_array() + 2, atol=2e-3)
    assert made.polygons == [drawn]
    after = content(side.folder)
    assert {n: d for n, d in after.items() if n != name} == {n: d for n, d in before.items() if n != name}
    assert said(extract(side.workspace, "src", ExtractConfig()))[-1].startswith("reused")  # nothing is left to do
    assert side.apply({}, 3) == {3}
    assert load_record(side.folder / name) == first
    assert side.workspace.done("extract_src")["edited"] == []
    assert said(extract(side.workspace, "src", ExtractConfig()))[-1].startswith("reused")


def test_the_other_face_of_a_frame_stays_as_it_is(side: Side) -> None:
    crop, record = drawn_record(SRC, 2)
    left, top, right, bottom = record.box_xyxy
    moved = {"landmarks": [(x + 60, y) for x, y in record.landmarks], "box_xyxy": (left + 60, top, right + 60, bottom)}
    second = record.model_copy(update={"number": 1, **moved})
    save_face(side.folder / face_name(second), crop, second)
    before = content(side.folder)
    kept = EditedFace(landmarks=second.landmarks)
    side.apply({2: [kept]}, 2)
    assert content(side.folder) == {n: d for n, d in before.items() if n != face_name(record)}
    side.apply({2: [kept, face(2)]}, 2)
    assert len(side.files.faces(2, SOURCES)) == 2
    side.apply({}, 2)
    assert {f.name: f.facts.edited for f in side.files.faces(2, SOURCES)} == dict.fromkeys(
        [face_name(record), face_name(second)], False
    )


def test_work_ends_between_frames_when_others_wait(side: Side) -> None:
    assert side.apply({1: [face(1, 2)], 4: [face(4, 2)]}, 1, 4, stop=lambda: True) == set()
    asked = iter([False, False, True, True])
    assert side.apply({1: [face(1, 2)], 4: [face(4, 2)]}, 1, 4, stop=lambda: next(asked)) == {1}
    assert side.applier.unlike({1: [face(1, 2)], 4: [face(4, 2)]}) == {1, 4}


def test_a_desk_makes_what_another_program_wrote(place: Workspace) -> None:
    write_edits(place.data("src") / "edits.json", Edits(frames={1: []}))
    desk = AlignDesk(place, "src", lambda: None)
    try:
        desk.overview(0)
        desk._work._thread.join(60)  # type: ignore[union-attr]
        told = desk.overview(0)
        assert (told["waiting"], told["hand"], told["empty"]) == ((), [1], [1])
        assert desk.frame(1)["faces"] == []
        assert not (place.aligned("src") / "00002_0.jpg").exists()
        assert desk.overview(told["version"]) == {"version": told["version"]}
    finally:
        desk.close()


def test_a_desk_keeps_its_hands_off_while_a_job_works(place: Workspace) -> None:
    busy = ["Train"]
    desk = AlignDesk(place, "src", lambda: busy[0] if busy else None)
    before = content(place.aligned("src"))
    try:
        saved = desk.save(1, [], desk.frame(1)["revision"], "no face")
        assert (saved["waits"], saved["faces"]) == (True, [])
        for _ in range(600):
            if desk.overview(0)["state"] == "waits for Train":
                break
            desk._work._closed.wait(0.05)
        assert desk.overview(0)["waiting"] == (1,)
        assert content(place.aligned("src")) == before
        busy.clear()
        desk._work._thread.join(60)  # type: ignore[union-attr]
        assert desk.overview(0)["waiting"] == ()
        assert "00002_0.jpg" not in content(place.aligned("src"))
    finally:
        desk.close()


def test_a_damaged_file_of_edits_is_told(place: Workspace) -> None:
    path = place.data("src") / "edits.json"
    path.write_text("{")
    desk = AlignDesk(place, "src", lambda: None)
    try:
        assert str(path) in desk.overview(0)["problem"]
        path.write_text(json.dumps({"format": 1}))
        os.utime(path)
        assert desk.overview(0)["problem"] is None
    finally:
        desk.close()


def test_landmarks_in_a_square(place: Workspace) -> None:
    desk = AlignDesk(place, "src", lambda: None)
    try:
        wanted = draw_person(SRC, 3)[1]
        for accurate in (True, False):
            told = desk.landmarks(3, [float(v) for v in wanted.box_xyxy], accurate=accurate, turn=0)
            assert np.shape(told["landmarks"]) == (68, 2)
            assert np.shape(told["corners"]) == (4, 2)
    finally:
        desk.close()
