"""The judge of the fault harness: it sees what is lost, and asks nothing that cannot be."""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from faults.child import Ended
from faults.fault import DONE, REFUSED, trouble_with
from faults.judgement import may_differ, problems
from faults.outcome import UNREADABLE, digest
from faults.place import Place
from faults.states import State

FACE = "swap/data_src/aligned/00001_0.jpg"
RIGHT: dict[str, Any] = {
    "faces": {"src": {"00001_0.jpg": "a", "00002_0.jpg": "b"}, "dst": {"00001_0.jpg": "c"}},
    "trash": {"src": [], "dst": []},
    "video": {"times": [0, 512], "pictures": "p"},
    "sound": "s",
    "model": {"step": 3, "finite": True, "model.safetensors": "m"},
    "log": [1, 2, 3],
    "report": {"frames": {"result": 2}, "page": True},
    "record": ["merge", "train"],
    "files": ["notes.txt", "out.mp4", "swap/model/guided/previews/0000001.jpg"],
}
NOTES = b"the user's"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "notes.txt").write_bytes(NOTES)
    return Place(tmp_path)


def found(place: Place, outcome: dict[str, Any], *changed: str) -> list[str]:
    users = {"notes.txt": digest(NOTES)}
    state = State("fresh", place.folder, 3, operations=10, seconds=1.0, users=users, right=RIGHT)
    return list(problems(place, state, outcome, set(changed)))


def changed_outcome(part: str, value: object) -> dict[str, Any]:
    return deepcopy(RIGHT) | {part: value}


def test_what_is_right_has_no_problem(place: Place) -> None:
    assert found(place, deepcopy(RIGHT)) == []


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("faces", {"src": {"00002_0.jpg": "b"}, "dst": {"00001_0.jpg": "c"}}, "faces differs: src: 00001_0.jpg"),
        ("video", {"times": [0, 512], "pictures": "q"}, "video differs: pictures: q in place of p"),
        ("log", [1, 3], "log differs"),
        ("model", {UNREADABLE: "no model"}, r"model cannot be read \(no model\)"),
        ("files", [*RIGHT["files"], "swap/.workspace.partial.toml"], "partial.toml was left behind"),
        ("files", ["notes.txt", "swap/model/guided/previews/0000002.jpg"], "out.mp4 is not there"),
    ],
)
def test_what_is_lost_is_seen(place: Place, part: str, value: object, said: str) -> None:
    assert any(re.search(said, text) for text in found(place, changed_outcome(part, value)))


def test_a_file_of_the_users_that_is_gone_or_changed_is_seen(place: Place) -> None:
    (place.folder / "notes.txt").write_bytes(b"ours")
    assert found(place, deepcopy(RIGHT)) == ["the user's notes.txt was changed"]
    (place.folder / "notes.txt").unlink()
    assert found(place, deepcopy(RIGHT)) == ["the user's notes.txt is gone"]
    assert found(place, deepcopy(RIGHT), "notes.txt") == []


def test_without_a_face_all_that_comes_of_it_may_differ_but_no_other_face(place: Place) -> None:
    assert may_differ({FACE}) == {"faces", "trash", "model", "video", "report"}
    assert may_differ({"swap/report/index.html", "swap/data_src/.extract/KEY/frames.jsonl"}) == set()
    outcome = changed_outcome("faces", {"src": {"00002_0.jpg": "b"}, "dst": {"00001_0.jpg": "c"}})
    assert found(place, outcome, FACE) == []
    outcome["faces"]["src"]["00002_0.jpg"] = "x"
    assert found(place, outcome, FACE) == ["face swap/data_src/aligned/00002_0.jpg was changed"]
    outcome = changed_outcome("model", {"step": 2, "finite": True})
    assert found(place, outcome, FACE) == ["the model stands at 2, finite: True"]


@pytest.mark.parametrize(
    ("code", "said", "trouble"),
    [
        (DONE, "merge: done", None),
        (REFUSED, "merge: 1/6\nerror: no space left while writing a; free some and run the same command again", None),
        (REFUSED, "error: a.jpg: Input/output error", "the line does not say what to do"),
        (REFUSED, "merge: 1/6 frames", "no line that says what is wrong"),
        (70, "Traceback (most recent call last):\n...", "traceback"),
        (-11, "", "crashed with signal 11"),
        (130, "", "ended with 130"),
    ],
)
def test_how_a_run_may_end(code: int, said: str, trouble: str | None) -> None:
    ended = Ended(code, said, "merge", "merge", 5, 3, 1.0)
    assert trouble_with(ended, frozenset({DONE, REFUSED})) == trouble
    assert trouble_with(Ended(DONE, "", "merge", "merge", 5, 3, 1.0, hung=True), frozenset({DONE})) == "hangs"
