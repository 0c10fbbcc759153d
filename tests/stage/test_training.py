"""Training on drawn faces with a network 32 pixels wide."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from lookalike.errors import CheckpointError, EmptyFacesetError, FacesetError
from lookalike.models.checkpoint import load_checkpoint
from lookalike.models.config import GuidedConfig
from lookalike.models.device import Compute, Precision
from lookalike.training import desk, session
from lookalike.training.config import TrainConfig
from lookalike.training.loop import train
from lookalike.types import Event, Message, Progress

TINY = GuidedConfig(resolution=32, ae_dims=16, e_dims=8, d_dims=4)
Facesets = tuple[Path, Path]


def options(**changes: int | float | bool | str) -> TrainConfig:
    base: dict[str, int | float | bool | str] = {
        "batch_size": 4, "warmup": 2, "device": "cpu", "random_flip": True, "apply_random_ct": "rct", "clipgrad": True,
    }  # fmt: skip
    return TrainConfig.model_validate(base | changes)


def texts(events: Iterator[Event]) -> str:
    return "\n".join(event.text for event in events if isinstance(event, Message))


def logged(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture(autouse=True)
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    in_precision(monkeypatch, "float32")


def in_precision(monkeypatch: pytest.MonkeyPatch, precision: Precision) -> None:
    """New models begin in this precision, instead of in the one that is faster here."""

    def choose(device: str, wanted: Precision | None) -> Compute:
        return Compute(torch.device(device), wanted or precision)

    monkeypatch.setattr(session, "choose_compute", choose)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_cut_in_two_equals_a_run_left_alone(
    facesets: Facesets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: Precision
) -> None:
    in_precision(monkeypatch, precision)
    config = options(iterations=8, save_seconds=1e-9)
    list(train(tmp_path / "whole", *facesets, TINY, config))

    # Cut after some steps, as a person's interrupt does: the generator is closed at an event.
    monkeypatch.setattr(desk, "_EVENT_SECONDS", 1e-9)
    with closing(train(tmp_path / "cut", *facesets, TINY, config)) as events:  # type: ignore[type-var]
        progress = (event for event in events if isinstance(event, Progress))
        assert [next(progress).done for _ in range(3)] == [1, 2, 3]
    in_precision(monkeypatch, "float32")  # the model stays in the precision that it began in
    list(train(tmp_path / "cut", *facesets, None, config))

    whole, cut = load_checkpoint(tmp_path / "whole"), load_checkpoint(tmp_path / "cut")
    assert whole.state.step == cut.state.step == 8
    assert whole.state.precision == cut.state.precision == precision
    assert same(whole.weights, cut.weights)
    assert same(whole.beside, cut.beside)
    first, second = logged(tmp_path / "whole"), logged(tmp_path / "cut")
    assert [line["iteration"] for line in second] == list(range(1, 9))
    for a, b in zip(first, second, strict=True):
        assert {k: v for k, v in a.items() if k != "time"} == {k: v for k, v in b.items() if k != "time"}


def test_a_run_that_was_killed_equals_a_run_left_alone(
    facesets: Facesets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = options(iterations=6, save_seconds=1e-9)
    monkeypatch.setattr(desk, "_EVENT_SECONDS", 1e-9)
    for event in train(tmp_path / "whole", *facesets, TINY, config):
        if isinstance(event, Progress) and event.done == 4:  # what a kill at this moment would leave on the disk
            shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    assert load_checkpoint(tmp_path / "killed").state.step == 3
    assert len(logged(tmp_path / "killed")) == 4
    list(train(tmp_path / "killed", *facesets, None, config))
    whole, killed = load_checkpoint(tmp_path / "whole"), load_checkpoint(tmp_path / "killed")
    assert same(whole.weights, killed.weights)
    assert same(whole.beside, killed.beside)
    assert [line["iteration"] for line in logged(tmp_path / "killed")] == [1, 2, 3, 4, 5, 6]


def test_log_lines_of_lost_work_are_written_again_once(facesets: Facesets, tmp_path: Path) -> None:
    list(train(tmp_path, *facesets, TINY, options(iterations=3)))
    with (tmp_path / "log.jsonl").open("a") as handle:  # iterations after the last checkpoint, the last cut off
        handle.write('{"iteration": 4, "time": 1}\n{"iteration": 5, "time": 2}\n{"iterat')
    said = texts(train(tmp_path, *facesets, None, options(iterations=6)))
    assert f"going on from iteration 3 of {tmp_path.name}" in said
    assert [line["iteration"] for line in logged(tmp_path)] == [1, 2, 3, 4, 5, 6]
    assert all({"loss_src", "loss_dst", "mask_src", "mask_dst"} <= line.keys() for line in logged(tmp_path))


def test_at_the_limit_there_is_nothing_to_do(facesets: Facesets, tmp_path: Path) -> None:
    list(train(tmp_path, *facesets, TINY, options(iterations=2)))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for config in (options(iterations=2), options(iterations=1), options(minutes=1e-9)):
        (tmp_path / "status.json").touch()  # of a run that was killed when its last step was saved
        assert "nothing to train" in texts(train(tmp_path, *facesets, None, config))
        assert not (tmp_path / "status.json").exists()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_minutes_limit_a_run(facesets: Facesets, tmp_path: Path) -> None:
    list(train(tmp_path, *facesets, TINY, options(minutes=0.3 / 60)))
    state = load_checkpoint(tmp_path).state
    assert 0.3 <= state.seconds < 30
    assert state.step == len(logged(tmp_path)) >= 1


def test_loss_falls_and_a_preview_is_drawn(facesets: Facesets, tmp_path: Path) -> None:
    config = options(iterations=60, batch_size=8, learning_rate=3e-3)
    said = texts(train(tmp_path, *facesets, TINY, config))
    lines = logged(tmp_path)
    for key in ("loss_src", "loss_dst", "mask_src", "mask_dst"):
        first, last = (sum(line[key] for line in part) / 10 for part in (lines[:10], lines[-10:]))
        assert last < 0.8 * first, key
    path = tmp_path / "previews" / "0000060.jpg"
    assert str(path) in said
    with Image.open(path) as preview:
        assert preview.size == (5 * 32, 100 + 6 * 32)  # the loss graph over the grid


def test_a_preview_is_drawn_along_the_way(facesets: Facesets, tmp_path: Path) -> None:
    list(train(tmp_path, *facesets, TINY, options(iterations=2, preview_seconds=1e-9)))
    assert sorted(path.name for path in (tmp_path / "previews").iterdir()) == ["0000001.jpg", "0000002.jpg"]


def test_other_sizes_than_the_model_has_are_named(facesets: Facesets, tmp_path: Path) -> None:
    list(train(tmp_path, *facesets, TINY, options(iterations=1)))
    other = TINY.model_copy(update={"ae_dims": 32, "guide": False})
    said = r"has ae_dims 16 \(asked for: 32\), guide True \(asked for: False\); drop these options or name another"
    with pytest.raises(CheckpointError, match=said):
        list(train(tmp_path, *facesets, other, options(iterations=2)))
    list(train(tmp_path, *facesets, TINY, options(iterations=2)))
    assert load_checkpoint(tmp_path).state.step == 2


def test_a_faceset_without_faces_is_an_error(facesets: Facesets, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmptyFacesetError, match=r"no faces in .*empty; run extract"):
        list(train(tmp_path / "model", facesets[0], tmp_path / "empty", TINY, options(iterations=1)))
    with pytest.raises(FacesetError, match=r"no faceset in .*nowhere; run extract first"):
        list(train(tmp_path / "model", tmp_path / "nowhere", facesets[1], TINY, options(iterations=1)))
    assert not (tmp_path / "model").exists()


def test_nothing_random_but_the_seed(facesets: Facesets, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        list(train(tmp_path / name, *facesets, TINY, options(iterations=2, seed=seed)))
    a, b, c = (load_checkpoint(tmp_path / name).weights for name in "abc")
    assert same(a, b)
    assert not same(a, c)
