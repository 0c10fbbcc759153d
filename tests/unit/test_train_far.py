"""A training process that does not see the workspace makes there what one makes that does."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from lookalike.cluster.files import FileRef, LocalFiles, file_ref
from lookalike.models.checkpoint import PARTS, load_state
from lookalike.pipeline import train_far
from lookalike.pipeline.train_far import Mirror, Parcel, unpack
from lookalike.pipeline.train_job import TrainJob, run_anywhere
from lookalike.pipeline.workspace import Workspace
from lookalike.training.config import beginning, changed_options
from lookalike.types import Message
from small_models import tiny

Answer = TypeVar("Answer")


@dataclass
class Elsewhere(LocalFiles):
    """Another machine, which sees nothing and is sent everything."""

    disk: Path
    asked_for: int = 0

    def sees(self, file: FileRef) -> bool:
        return False

    def here(self, files: Sequence[FileRef]) -> list[Path]:
        folder = self.disk / files[0].path.parent.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copy2(file.path, folder / file.path.name)) for file in files]

    def asked(self, function: Callable[..., Answer], *values: object) -> Answer:
        self.asked_for += 1
        return function(*values)


def job_of(place: Workspace, folder: Path, iterations: int) -> TrainJob:
    sides = place.aligned("src"), place.aligned("dst")
    options = changed_options(
        beginning("guided"),
        {"iterations": iterations, "batch_size": 2, "device": "cpu", "schedule": "constant"},
    )
    sign = file_ref(place.folder / "workspace.toml")
    caches = (place.folder / "src.cache", place.folder / "dst.cache")
    return TrainJob(folder, sides, caches, tiny(), options, sign)


def run(job: TrainJob, files: LocalFiles) -> str:
    events = run_anywhere(job, files, lambda: False)
    return "\n".join(event.text for event in events if isinstance(event, Message))


def test_what_is_trained_elsewhere_comes_back_and_goes_on_anywhere(place: Workspace, tmp_path: Path) -> None:
    here, there = place.model("here"), place.model("there")
    for iterations in (2, 4):
        run(job_of(place, here, iterations), LocalFiles())
    elsewhere = Elsewhere(tmp_path / "disk")
    assert f"preview {there}" in run(job_of(place, there, 2), elsewhere)
    assert load_state(there).step == 2
    before = elsewhere.asked_for
    run(job_of(place, there, 4), elsewhere)
    assert elsewhere.asked_for > before
    for part in PARTS[:2]:
        assert (there / part).read_bytes() == (here / part).read_bytes()
    assert load_state(there).step == 4
    for name in ("log.jsonl", "validation.jsonl"):
        count = len((here / name).read_text().splitlines()) if (here / name).exists() else 0
        found = len((there / name).read_text().splitlines()) if (there / name).exists() else 0
        assert found == count
    kept = {path.relative_to(here) for path in here.rglob("*") if path.is_file()}
    assert {path.relative_to(there) for path in there.rglob("*") if path.is_file()} == kept
    assert not list(tmp_path.glob("**/*.new.*"))


def test_a_log_travels_by_its_end_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    of = tmp_path / "model"
    of.mkdir()
    (of / "log.jsonl").write_text("one\n")
    elsewhere = Elsewhere(tmp_path / "disk")
    with Mirror(elsewhere, of, leads=True) as mirror:
        (mirror.model / "log.jsonl").write_text("one\ntwo\n")
        (mirror.model / "status.json").write_text("{}")
        mirror.sent()
        assert (of / "log.jsonl").read_text() == "one\ntwo\n"
        assert (of / "status.json").read_text() == "{}"
        asked = elsewhere.asked_for
        mirror.sent()
        assert elsewhere.asked_for == asked  # nothing new
        (mirror.model / "status.json").unlink()
        (mirror.model / "log.jsonl").write_text("one\n")
        mirror.sent()
        assert (of / "log.jsonl").read_text() == "one\n"
        assert not (of / "status.json").exists()
        own = mirror.folder
    assert not own.exists()


def test_a_checkpoint_that_arrives_changes_all_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in PARTS:
        (tmp_path / part).write_bytes(b"old")

    def cut(path: Path, data: bytes) -> None:
        if path.name == "optimizer.new.safetensors":
            raise OSError("the machine goes down")
        path.write_bytes(data)

    monkeypatch.setattr(train_far, "write_bytes", cut)
    with pytest.raises(OSError, match="goes down"):
        unpack(tmp_path, Parcel(dict.fromkeys(PARTS, b"new"), {}))
    assert {part: (tmp_path / part).read_bytes() for part in PARTS} == dict.fromkeys(PARTS, b"old")
