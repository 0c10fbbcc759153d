"""Two processes that share a batch make the model that one makes of all of it; either goes on from the other's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lookalike.models.checkpoint import load_checkpoint
from lookalike.models.config import model_config
from lookalike.models.device import Compute
from lookalike.training import session
from lookalike.training.config import beginning, changed_options
from lookalike.training.loop import train
from lookalike.types import Event, Message
from small_models import TINY

HALF, STEPS = 25, 50
BASE = {"batch_size": 4, "device": "cpu", "ema": 0.99, "schedule": "constant", "learning_rate": 1e-4, "seed": 3}
STILL = {"learning_rate": 1e-6, "iterations": 2}
"""Weights that hardly move: the optimizer's memory then holds the gradients of equal weights."""
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "adversaries": ("saehd df", {"gan_power": 0.1, "gan_patch_size": 8, "gan_dims": 4, "true_face_power": 0.1}),
    "style": ("saehd liae-ud", {"face_style_power": 5, "bg_style_power": 5, "clipgrad": True}),
    "amp": ("amp", {"accumulate": 2}),
}
Facesets = tuple[Path, Path]
Job = tuple[str, str, dict[str, Any], str]
"""A folder, a network, options, and a folder to begin with a copy of, or none."""
WORKER = """
import json, os, shutil, sys, torch
import torch.distributed as dist
from pathlib import Path
sys.path[:0] = sys.argv[4:]
from lookalike.models.device import Compute
from lookalike.training import session
from test_training_together import events
torch.set_num_threads(1)
session.choose_compute = lambda device, wanted: Compute(torch.device("cpu"), "float32")
facesets, meet, rank = tuple(map(Path, json.loads(sys.argv[1]))), sys.argv[2], int(os.environ["RANK"])
for number, (folder, network, changes, first) in enumerate(json.loads(sys.argv[3])):
    if first and rank == 0:
        shutil.copytree(first, folder)
    dist.init_process_group("gloo", f"file://{meet}{number}", rank=rank, world_size=2)
    for _ in events(Path(folder), facesets, network, changes):
        pass
"""


def events(folder: Path, facesets: Facesets, network: str, changes: dict[str, Any]) -> list[Event]:
    options = changed_options(beginning(TINY[network]["model"]), BASE | changes)
    return list(train(folder, *facesets, model_config(TINY[network]), options))


@pytest.fixture(scope="module", autouse=True)
def float32() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "choose_compute", lambda device, wanted: Compute(torch.device("cpu"), "float32"))
        yield


@pytest.fixture(scope="module")
def folder(facesets: Facesets, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process made (one...), and what two made (two...)."""
    place = tmp_path_factory.mktemp("together")
    events(place / "one25", facesets, "guided", {"iterations": HALF})
    jobs: list[Job] = [
        (str(place / "two25"), "guided", {"iterations": HALF}, ""),
        (str(place / "two50"), "guided", {"iterations": STEPS}, str(place / "two25")),
        (str(place / "one25 two50"), "guided", {"iterations": STEPS}, str(place / "one25")),
        *((str(place / f"two {case}"), CASES[case][0], CASES[case][1] | STILL, "") for case in CASES),
    ]
    together(jobs, facesets, place / "meet")
    for case, (network, changes) in CASES.items():
        events(place / f"one {case}", facesets, network, changes | STILL)
    return place


def together(jobs: list[Job], facesets: Facesets, meet: Path) -> None:
    """Two processes, with what torchrun tells them, do some trainings one after the other."""
    words = [json.dumps([str(path) for path in facesets]), str(meet), json.dumps(jobs), *sys.path]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, *words],
            env=os.environ | {"RANK": str(rank), "WORLD_SIZE": "2", "GLOO_SOCKET_IFNAME": "lo"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in started:
        said = process.communicate(timeout=600)[1]
        assert process.returncode == 0, said


def tensors(folder: Path) -> dict[str, Tensor]:
    """Averages, weights and the optimizers' memory."""
    found = load_checkpoint(folder)
    return found.beside | {f"average/{key}": value for key, value in found.weights.items()}


def furthest(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    assert a.keys() == b.keys()
    return max(float((a[key] - b[key]).abs().max()) for key in a)


@pytest.mark.parametrize("made", ["two50", "one25 two50", "two25 one50"])
def test_fifty_steps_are_equal_whoever_does_them(folder: Path, facesets: Facesets, made: str) -> None:
    for name, first in (("one50", "one25"), ("two25 one50", "two25")):
        if not (folder / name).exists():
            (folder / name).mkdir()
            for path in (folder / first).glob("*.*"):
                (folder / name / path.name).write_bytes(path.read_bytes())
            events(folder / name, facesets, "guided", {"iterations": STEPS})
    ours, theirs = tensors(folder / "one50"), tensors(folder / made)
    assert load_checkpoint(folder / made).state.step == STEPS
    assert furthest(ours, theirs) < 1e-4
    assert furthest(ours, tensors(folder / "one25")) > 1e-3  # there was something to learn


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_the_whole_batch(folder: Path, case: str) -> None:
    ours, theirs = tensors(folder / f"one {case}"), tensors(folder / f"two {case}")
    assert ours.keys() == theirs.keys()
    gradients = [key for key in ours if "exp_avg/" in key]
    assert gradients
    for key in gradients:
        length = float(ours[key].norm())
        assert float((ours[key] - theirs[key]).norm()) <= 0.01 * length + 1e-9, key


def test_a_training_that_is_asked_to_stop_is_saved_after_the_step(facesets: Facesets, tmp_path: Path) -> None:
    asked = iter([False, False, True])
    options = changed_options(beginning("guided"), BASE | {"iterations": STEPS})
    said = list(train(tmp_path, *facesets, model_config(TINY["guided"]), options, stop=lambda: next(asked)))
    assert load_checkpoint(tmp_path).state.step == 3
    assert isinstance(said[-1], Message)
    assert said[-1].text.startswith("3 iterations in")
    assert not (tmp_path / "status.json").exists()
