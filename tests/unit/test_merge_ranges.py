"""Changes to merge.toml, and the way back."""

from pathlib import Path

import pytest

from lookalike.errors import ConfigError
from lookalike.pipeline.merge_edits import ChangedError, MergeEdits
from lookalike.pipeline.merge_ranges import joined, named, shot_at, split, with_defaults, with_range, without
from lookalike.pipeline.merge_settings import MergeFile, Shot, read_merge_file, write_merge_file
from lookalike.pipeline.workspace import Workspace

TWO = MergeFile(
    defaults={"blur": 40},
    shots=[Shot(first=1, last=10, name="a", options={"erode": 1}), Shot(first=15, last=20, options={"blur": 9})],
)


def told(content: MergeFile) -> list[tuple[int, int, dict[str, object]]]:
    MergeFile.model_validate(content.model_dump())
    return [(shot.first, shot.last, shot.options) for shot in content.shots]


def test_a_range_takes_in_what_is_there_and_fills_what_is_not() -> None:
    found = with_range(TWO, 8, 17, {"sharpen": 5, "blur": None})
    assert told(found) == [
        (1, 7, {"erode": 1}),
        (8, 10, {"erode": 1, "sharpen": 5}),
        (11, 14, {"sharpen": 5}),
        (15, 17, {"sharpen": 5}),
        (18, 20, {"blur": 9}),
    ]
    assert [shot.name for shot in found.shots] == ["a", "a", "", "", ""]
    assert told(with_range(TWO, 15, 20, {"erode": 3})) == [
        (1, 10, {"erode": 1}),
        (15, 20, {"blur": 9, "erode": 3}),
    ]
    assert told(with_range(TWO, 2, 3, {"erode": None}))[1] == (2, 3, {})
    assert told(with_range(MergeFile(), 4, 4, {})) == [(4, 4, {})]


def test_defaults_hold_everywhere_if_asked_for() -> None:
    some = with_defaults(TWO, {"blur": 7, "erode": 2})
    assert (some.defaults, told(some)) == ({"blur": 7, "erode": 2}, told(TWO))
    every = with_defaults(TWO, {"blur": 7, "erode": 2}, everywhere=True)
    assert told(every) == [(1, 10, {}), (15, 20, {})]
    assert with_defaults(TWO, {"blur": None}).defaults == {}


def test_shots_are_split_joined_named_and_removed() -> None:
    assert told(split(TWO, 5, 30))[:2] == [(1, 4, {"erode": 1}), (5, 10, {"erode": 1})]
    assert [one[:2] for one in told(split(TWO, 12, 30))] == [(1, 10), (11, 11), (12, 14), (15, 20)]
    assert [one[:2] for one in told(split(TWO, 11, 30))] == [(1, 10), (11, 14), (15, 20)]
    assert [one[:2] for one in told(split(MergeFile(), 12, 30))] == [(1, 11), (12, 30)]
    assert told(joined(split(TWO, 5, 30), 5)) == told(TWO)
    assert told(without(TWO, 1)) == [(15, 20, {"blur": 9})]
    assert named(TWO, 15, "b").shots[1].name == "b"
    assert shot_at(TWO, 12) is None
    with pytest.raises(ConfigError, match="begins at frame 15 already"):
        split(TWO, 15, 30)
    with pytest.raises(ConfigError, match="begins at frame 1 already"):
        split(TWO, 1, 30)
    with pytest.raises(ConfigError, match="right before"):
        joined(TWO, 15)
    with pytest.raises(ConfigError, match="any more"):
        without(TWO, 2)


def test_every_change_is_written_and_can_be_taken_back(place: Workspace) -> None:
    file = place.folder / "merge.toml"
    edits = MergeEdits(place)
    start = edits.state()
    assert (start.content, start.can_undo, start.can_redo) == (MergeFile(), False, False)
    first = edits.change(start.revision, lambda content: with_defaults(content, {"erode": 5}))
    second = edits.change(first.revision, lambda content: with_range(content, 1, 3, {"blur": 2}))
    assert read_merge_file(file) == second.content
    again = MergeEdits(place)  # another studio
    back = again.go(second.revision, -1)
    assert (back.content, back.can_redo) == (first.content, True)
    assert read_merge_file(file) == first.content
    assert again.go(back.revision, -1).content == MergeFile()
    assert again.go(start.revision, 1).content == first.content
    last = again.change(first.revision, lambda content: with_defaults(content, {"erode": 6}))
    assert not last.can_redo


def test_what_another_program_writes_is_noticed_and_can_be_taken_back(place: Workspace) -> None:
    file = place.folder / "merge.toml"
    edits = MergeEdits(place)
    mine = edits.change(edits.state().revision, lambda content: with_defaults(content, {"erode": 5}))
    write_merge_file(file, TWO)
    with pytest.raises(ChangedError):
        edits.change(mine.revision, lambda content: with_defaults(content, {"erode": 7}))
    assert read_merge_file(file) == TWO
    theirs = edits.state()
    assert theirs.content == TWO
    assert edits.go(theirs.revision, -1).content == mine.content


def test_what_cannot_be_used_is_not_written(place: Workspace) -> None:
    edits = MergeEdits(place)
    start = edits.state()
    for options in ({"erode": 999}, {"no_such": 1}):
        with pytest.raises(ConfigError):
            edits.change(start.revision, lambda content, options=options: with_defaults(content, options))  # type: ignore[misc]
    assert not (place.folder / "merge.toml").exists()
    assert edits.state() == start


def test_a_damaged_file_or_history_is_said_or_forgotten(place: Workspace, tmp_path: Path) -> None:
    (place.folder / ".studio").mkdir()
    (place.folder / ".studio" / "merge_history.json").write_text('{"format": 1, "place": 7, "states": [')
    assert not MergeEdits(place).state().can_undo
    (place.folder / "merge.toml").write_text("defaults = 3")
    with pytest.raises(ConfigError, match="mend it"):
        MergeEdits(place).state()
