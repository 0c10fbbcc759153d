"""`lookalike train --ray` on two nodes: one process's model, checkpoints that go both ways, a node that is lost."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from running import ENVIRONMENT, Run, command

from lookalike.models.checkpoint import load_checkpoint, load_state
from lookalike.models.device import Compute
from lookalike.pipeline.train import train
from lookalike.pipeline.workspace import Workspace
from lookalike.training import session
from lookalike.training.config import beginning, changed_options
from ray_cluster import TwoNodes
from small_models import tiny

NAME = "pair"
OPTIONS = {"batch_size": 4, "device": "cpu", "ema": 0.99, "schedule": "constant", "learning_rate": 1e-4, "seed": 3}


@pytest.fixture
def begun(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with a model in float32 that stands at its beginning."""
    monkeypatch.setattr(session, "choose_compute", lambda device, wanted: Compute(torch.device("cpu"), "float32"))
    options = changed_options(beginning("guided"), OPTIONS)
    session.save_session(place.model(NAME), session.open_session(place.model(NAME), tiny(), options, "cpu"))
    return place


def alone(place: Workspace, iterations: int) -> None:
    options = changed_options(beginning("guided"), OPTIONS | {"iterations": iterations})
    for _ in train(place, None, options, name=NAME):
        pass


def lines(process: subprocess.Popen[str], until: Callable[[dict[str, Any]], bool]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if until(json.loads(line)):
            return
    raise AssertionError(f"the training ended: {process.stderr and process.stderr.read()}")


@pytest.mark.slow
def test_a_cluster_makes_the_model_of_one_machine_and_survives_a_lost_node(
    begun: Workspace, two_nodes: TwoNodes, lookalike: Run, tmp_path: Path
) -> None:
    one = Workspace(Path(shutil.copytree(begun.folder, tmp_path / "one")))
    alone(one, 50)
    together = ("train", begun.folder, "--name", NAME, "--ray", two_nodes.address, "--ray-workers", 2)
    first = lookalike(*together, "--iterations", 30)
    assert first.returncode == 0, first.stderr
    assert "2 workers of the cluster, on processors" in first.stdout
    assert load_state(begun.model(NAME)).step == begun.done("train")["iterations"] == 30
    alone(begun, 40)
    last = lookalike(*together, "--iterations", 50)
    assert last.returncode == 0, last.stderr
    assert "going on from iteration 40 of pair" in last.stdout
    ours, cluster_s = load_checkpoint(one.model(NAME)), load_checkpoint(begun.model(NAME))
    assert ours.state.step == cluster_s.state.step == 50
    for key, value in ours.weights.items():
        torch.testing.assert_close(cluster_s.weights[key], value, atol=1e-4, rtol=0)
    for key, value in ours.beside.items():
        torch.testing.assert_close(cluster_s.beside[key], value, atol=1e-4, rtol=0)
    _survives(begun, two_nodes, together)


def _survives(place: Workspace, two_nodes: TwoNodes, together: tuple[object, ...]) -> None:
    state = place.model(NAME) / "state.json"
    endless = command(*together, "--iterations", 100_000, "--save-seconds", 1, "--json-lines")
    with subprocess.Popen(
        endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            lines(process, lambda event: event["event"] == "progress" and json.loads(state.read_text())["step"] > 50)
            two_nodes.kill_second()
            two_nodes.mend()
            lines(process, lambda event: "a worker was lost" in str(event.get("text")))
            lines(process, lambda event: "going on from iteration" in str(event.get("text")))
            reached = load_state(place.model(NAME)).step
            assert reached > 50
            lines(process, lambda event: event["event"] == "progress" and event["done"] > reached)
            process.send_signal(signal.SIGINT)
            process.stdout and process.stdout.read()
            assert process.wait(60) == 130
        finally:
            process.kill()
    step = load_state(place.model(NAME)).step
    assert step > reached
    log = (place.model(NAME) / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["iteration"] for line in log] == list(range(1, step + 1))
    assert not (place.model(NAME) / "status.json").exists()
