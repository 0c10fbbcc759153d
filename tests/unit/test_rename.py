"""Renaming many files: cut off anywhere, finished later, undone; nothing is ever written over."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lookalike.errors import FacesetError
from lookalike.faceset import rename
from lookalike.faceset.rename import finish_renames, history, journal_path, rename_all, undo_renames

CYCLE = {"a.jpg": "b.jpg", "b.jpg": "c.jpg", "c.jpg": "a.jpg", "d.png": "00000.png"}


class CutOffError(Exception):
    """The power is gone."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five files that say how they were called."""
    place = tmp_path / "aligned"
    place.mkdir()
    for name in (*CYCLE, "e.jpg"):
        (place / name).write_text(name)
    return place


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


BEFORE = {name: name for name in (*CYCLE, "e.jpg")}
AFTER = {**{new: old for old, new in CYCLE.items()}, "e.jpg": "e.jpg"}


def cut_off_at(step: int, after: bool) -> Callable[[Path, Path], None]:
    """A rename that raises at its `step`-th call, before or after it is done."""
    calls = iter(range(100))

    def move(old: Path, new: Path) -> None:
        last = next(calls) == step
        if last and not after:
            raise CutOffError
        os.rename(old, new)  # noqa: PTH104
        if last:
            raise CutOffError

    return move


def test_names_may_be_exchanged(folder: Path) -> None:
    assert rename_all(folder, {**CYCLE, "e.jpg": "e.jpg"}, "test") == CYCLE
    assert content(folder) == AFTER
    assert [(entry.why, dict(entry.names)) for entry in history(folder)] == [("test", CYCLE)]
    assert finish_renames(folder) == {}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(8))
def test_a_cut_at_any_rename_is_mended(folder: Path, monkeypatch: pytest.MonkeyPatch, step: int, after: bool) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(rename, "_move", cut_off_at(step, after))
        with pytest.raises(CutOffError):
            rename_all(folder, CYCLE, "test")
    assert sorted(content(folder).values()) == sorted(BEFORE)  # nothing is lost meanwhile
    assert finish_renames(folder) == CYCLE
    assert content(folder) == AFTER
    assert finish_renames(folder) == {}
    undo_renames(folder)
    assert content(folder) == BEFORE


@pytest.mark.parametrize("step", range(3))
def test_a_cut_at_any_write_of_the_journal_is_mended(folder: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    write, calls = rename._write, iter(range(9))

    def cut(*arguments: object) -> None:
        if next(calls) == step:
            raise CutOffError
        write(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(rename, "_write", cut)
        with pytest.raises(CutOffError):
            rename_all(folder, CYCLE, "test")
    finish_renames(folder)
    assert content(folder) == (BEFORE if step == 0 else AFTER)


@pytest.mark.parametrize("step", range(8))
def test_a_cut_undo_is_mended(folder: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    rename_all(folder, {"a.jpg": "first.jpg"}, "one")
    rename_all(folder, {"b.jpg": "c.jpg", "c.jpg": "b.jpg", "d.png": "x.png", "e.jpg": "y.jpg"}, "two")
    with monkeypatch.context() as patch:
        patch.setattr(rename, "_move", cut_off_at(step, True))
        with pytest.raises(CutOffError):
            undo_renames(folder)
    finish_renames(folder)
    assert content(folder) == {**{n: n for n in BEFORE if n != "a.jpg"}, "first.jpg": "a.jpg"}
    undo_renames(folder)
    assert content(folder) == BEFORE
    with pytest.raises(FacesetError, match=r"nothing to undo in .*aligned: no renaming is on record"):
        undo_renames(folder)


_MANY = """
import sys, time
from pathlib import Path
from lookalike.faceset import rename
move = rename._move
def slow(old, new):
    time.sleep(0.002)
    move(old, new)
rename._move = slow
names = [f"{n}.jpg" for n in range(200)]
print("go", flush=True)
rename.rename_all(Path(sys.argv[1]), dict(zip(names, names[1:] + names[:1])), "test")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("stage", ["hide", "show"])
def test_a_killed_renaming_is_finished(tmp_path: Path, stage: str) -> None:
    place = tmp_path / "aligned"
    place.mkdir()
    for number in range(200):
        (place / f"{number}.jpg").write_text(str(number))
    with subprocess.Popen([sys.executable, "-c", _MANY, str(place)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        sign = place / (".renaming-000100-100.jpg" if stage == "hide" else ".renaming-000199-199.jpg")
        while not sign.exists():
            time.sleep(0.002)
        while stage == "show" and (place / ".renaming-000050-50.jpg").exists():
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    pending = rename._read(place).pending
    assert pending is not None
    assert pending.stage == stage
    finish_renames(place)
    assert content(place) == {f"{(n + 1) % 200}.jpg": str(n) for n in range(200)}
    undo_renames(place)
    assert content(place) == {f"{n}.jpg": str(n) for n in range(200)}


def test_what_would_write_over_a_file_is_refused(folder: Path) -> None:
    for mapping, said in (
        ({"a.jpg": "e.jpg"}, r"cannot rename a.jpg to e.jpg: .*e.jpg exists; move it away first"),
        ({"a.jpg": "x.jpg", "b.jpg": "x.jpg"}, "cannot rename two files to x.jpg"),
        ({"gone.jpg": "x.jpg"}, "gone.jpg: no such file"),
        ({"a.jpg": "../x.jpg"}, "not a plain file name"),
        ({"a.jpg": ".x.jpg"}, "not a plain file name"),
        ({"../aligned/a.jpg": "x.jpg"}, "no such file"),
    ):
        with pytest.raises(FacesetError, match=said):
            rename_all(folder, mapping, "test")
    assert content(folder) == BEFORE
    assert not journal_path(folder).exists()


def test_a_file_that_turns_up_meanwhile_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(rename, "_move", cut_off_at(5, True))
        with pytest.raises(CutOffError):
            rename_all(folder, CYCLE, "test")
    (folder / "00000.png").write_text("new")
    assert finish_renames(folder)["d.png"] == "00000-2.png"
    assert content(folder) == {**AFTER, "00000.png": "new", "00000-2.png": "d.png"}
    undo_renames(folder)
    assert content(folder) == {**BEFORE, "00000.png": "new"}


def test_a_file_that_takes_an_old_name_meanwhile_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(rename, "_move", cut_off_at(0, True))
        with pytest.raises(CutOffError):
            rename_all(folder, CYCLE, "test")
    (folder / "a.jpg").write_text("new")
    finish_renames(folder)
    assert content(folder) == {**AFTER, "a.jpg": "new", "a-2.jpg": "c.jpg"}


def test_undo_leaves_out_what_is_gone_and_what_came(folder: Path) -> None:
    rename_all(folder, {"a.jpg": "x.jpg", "b.jpg": "y.jpg"}, "test")
    (folder / "x.jpg").unlink()
    (folder / "b.jpg").write_text("new")
    assert undo_renames(folder) == {"y.jpg": "b-2.jpg"}
    assert content(folder) == {**{n: n for n in ("c.jpg", "d.png", "e.jpg")}, "b.jpg": "new", "b-2.jpg": "b.jpg"}


def test_an_undo_that_finds_no_file_keeps_the_history(folder: Path) -> None:
    assert rename_all(folder, {"e.jpg": "e.jpg"}, "nothing") == {}
    assert history(folder) == []
    rename_all(folder, {"a.jpg": "x.jpg", "b.jpg": "y.jpg"}, "test")
    for name in ("x.jpg", "y.jpg"):
        (folder / name).rename(folder.parent / name)
    with pytest.raises(FacesetError, match="none of the 2 files renamed by test is there; bring them back first"):
        undo_renames(folder)
    (folder.parent / "x.jpg").rename(folder / "x.jpg")
    assert undo_renames(folder) == {"x.jpg": "a.jpg"}


def test_hidden_names_fit_the_file_system(folder: Path) -> None:
    long = "ü" * 120 + ".jpg"
    (folder / "a.jpg").rename(folder / long)
    rename_all(folder, {long: "short.jpg"}, "test")
    undo_renames(folder)
    assert (folder / long).read_text() == "a.jpg"


def test_a_journal_that_cannot_be_read_says_so(folder: Path) -> None:
    for text, said in (
        ("{", "cannot be read .*; move it away"),
        ("[" * 1_000_000, "cannot be read .*; move it away"),
        ('{"format": 2, "x": 1}', "format 2; update Lookalike"),
    ):
        journal_path(folder).write_text(text)
        with pytest.raises(FacesetError, match=said):
            finish_renames(folder)
