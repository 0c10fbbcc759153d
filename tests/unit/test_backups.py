"""Backups: the newest is 01, fifteen are kept, and one can be gone back to."""

import json
from pathlib import Path

import pytest

from lookalike.errors import CheckpointError
from lookalike.models.checkpoint import PARTS
from lookalike.training.backups import back_up, go_back, is_due


def model(folder: Path, step: int) -> None:
    """A model's three files, replaced as a save does."""
    folder.mkdir(exist_ok=True)
    for part in PARTS:
        new = folder / f"new-{part}"
        new.write_text(json.dumps({"step": step, "part": part}))
        new.replace(folder / part)


def steps(folder: Path) -> dict[str, int]:
    return {p.name: json.loads((p / "state.json").read_text())["step"] for p in sorted((folder / "backups").iterdir())}


def test_the_newest_is_01_and_fifteen_are_kept(tmp_path: Path) -> None:
    for step in range(1, 19):
        model(tmp_path, step)
        assert back_up(tmp_path) == tmp_path / "backups" / "01"
    assert steps(tmp_path) == {f"{number:02}": 19 - number for number in range(1, 16)}


def test_a_backup_stays_as_it_was(tmp_path: Path) -> None:
    model(tmp_path, 1)
    back_up(tmp_path)
    model(tmp_path, 2)
    for part in PARTS:
        assert json.loads((tmp_path / "backups" / "01" / part).read_text()) == {"step": 1, "part": part}


def test_a_gap_is_filled_and_half_a_backup_is_forgotten(tmp_path: Path) -> None:
    for step in range(1, 5):
        model(tmp_path, step)
        back_up(tmp_path)
    (tmp_path / "backups" / "02").rename(tmp_path / "gone")
    (tmp_path / "backups" / "new").mkdir()
    (tmp_path / "backups" / "new" / "model.safetensors").write_text("half")
    model(tmp_path, 9)
    back_up(tmp_path)
    assert steps(tmp_path) == {"01": 9, "02": 4, "03": 2, "04": 1}


def test_due_when_an_hour_old(tmp_path: Path) -> None:
    model(tmp_path, 1)
    assert is_due(tmp_path)
    back_up(tmp_path)
    made = (tmp_path / "backups" / "01" / "state.json").stat().st_mtime
    assert not is_due(tmp_path, made + 3599)
    assert is_due(tmp_path, made + 3600)


def test_going_back_keeps_what_was_there(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        model(tmp_path, step)
        back_up(tmp_path)
    model(tmp_path, 4)
    go_back(tmp_path, 2)
    for part in PARTS:
        assert json.loads((tmp_path / part).read_text()) == {"step": 2, "part": part}
    assert steps(tmp_path) == {"01": 4, "02": 3, "03": 2, "04": 1}


def test_a_backup_that_is_not_there_is_named(tmp_path: Path) -> None:
    model(tmp_path, 1)
    with pytest.raises(CheckpointError, match=r"has no backup 03; it has none"):
        go_back(tmp_path, 3)
    back_up(tmp_path)
    with pytest.raises(CheckpointError, match=r"has no backup 03; it has 01"):
        go_back(tmp_path, 3)
    assert json.loads((tmp_path / "state.json").read_text())["step"] == 1
