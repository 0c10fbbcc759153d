"""`lookalike train` as a person runs it: phases, refusals, Ctrl-C, the page, several processes."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from running import ENVIRONMENT, Run, command

from lookalike.models.checkpoint import load_state
from lookalike.pipeline.workspace import Workspace

TINY = ("--model", "sae", "--resolution", 32, "--ae-dims", 16, "--e-ch-dims", 2, "--device", "cpu")

GUIDED = ("--resolution", 32, "--ae-dims", 16, "--e-dims", 4, "--d-dims", 2, "--device", "cpu", "--iterations", 1)


def logged(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_the_tutorial_s_two_phases_are_two_commands(place: Workspace, lookalike: Run) -> None:
    folder = place.model("sae")
    assert lookalike("train", place.folder, "--preset", "quick", *GUIDED).returncode == 0  # there is another model
    small = (*TINY[2:], "--batch-size", 2, "--iterations", 3)
    first = lookalike("train", place.folder, "--preset", "tutorial", *small)
    assert first.returncode == 0, first.stderr
    state = load_state(folder)
    assert state.model.model_dump()["multiscale_decoder"]
    assert state.options["sort_by_yaw"]
    assert state.options["apply_random_ct"] == "lct"
    second = lookalike("train", place.folder, "--iterations", 5, "--batch-size", 3, "--pixel-loss")
    assert second.returncode == 0, second.stderr
    assert "going on from iteration 3 of sae" in second.stdout
    state = load_state(folder)
    assert (state.step, state.options["batch_size"], state.options["pixel_loss"]) == (5, 3, True)
    assert state.options["sort_by_yaw"]  # what was not given stayed
    assert [row["iteration"] for row in logged(folder)] == [1, 2, 3, 4, 5]
    merged = lookalike("timelapse", place.folder)
    assert merged.returncode == 0, merged.stderr
    assert (folder / "timelapse.mp4").stat().st_size > 1000


def test_a_config_file_says_the_same(place: Workspace, lookalike: Run, tmp_path: Path) -> None:
    (tmp_path / "phase.toml").write_text(
        '[train]\nmodel = "sae"\nresolution = 32\nae-dims = 16\ne-ch-dims = 2\nbatch-size = 2\niterations = 1\n'
        'sort-by-yaw = true\napply-random-ct = "mkl"\ndevice = "cpu"\n'
    )
    done = lookalike("train", place.folder, "--config", tmp_path / "phase.toml")
    assert done.returncode == 0, done.stderr
    options = load_state(place.model("sae")).options
    assert (options["sort_by_yaw"], options["apply_random_ct"], options["batch_size"]) == (True, "mkl", 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "sae", "--res-blocks", 2), "--res-blocks is no option of the model sae"),
        (("--model", "sae", "--resolution", 100), "--resolution: Input should be a multiple of 16"),
        (("--model", "saehd", "--archi", "dfx"), "archi is df or liae"),
        (("--batch-size", 0), "--batch-size: Input should be greater than or equal to 1"),
        (("--pretrain-faces", "."), "--pretrain-faces is only read with --pretrain"),
        (("--itterations", 3), "--iterations"),
    ],
)
def test_wrong_options_are_one_line_and_make_nothing(
    place: Workspace, lookalike: Run, arguments: tuple[object, ...], said: str
) -> None:
    done = lookalike("train", place.folder, *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (place.folder / "model").exists()


def start(place: Workspace, *arguments: object) -> subprocess.Popen[str]:
    """A training without an end, once it has done an iteration; its output comes as JSON lines."""
    return subprocess.Popen(
        command("train", place.folder, *TINY, "--batch-size", 2, "--json-lines", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


def read_until(process: subprocess.Popen[str], kind: str, containing: str = "") -> dict[str, object]:
    assert process.stdout is not None
    for line in process.stdout:
        event: dict[str, object] = json.loads(line)
        if event["event"] == kind and containing in line:
            return event
    raise AssertionError(f"the training ended: {process.stderr and process.stderr.read()}")


@pytest.mark.slow
def test_a_second_training_is_refused_and_ctrl_c_saves(place: Workspace, lookalike: Run) -> None:
    with start(place) as process:
        try:
            read_until(process, "progress")
            second = lookalike("train", place.folder, *TINY)
            assert second.returncode == 1
            assert f"another lookalike (process {process.pid}) is at work" in second.stderr
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        finally:
            process.kill()
    step = load_state(place.model("sae")).step
    assert step > 0
    assert len(logged(place.model("sae"))) == step
    assert not (place.model("sae") / "status.json").exists()
    done = lookalike("train", place.folder, "--iterations", step + 1)
    assert f"going on from iteration {step}" in done.stdout, done.stderr


@pytest.mark.slow
def test_the_page_shows_a_running_training(place: Workspace) -> None:
    with start(place, "--preview") as process:
        try:
            said = str(read_until(process, "message", "see how it goes at")["text"])
            url = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", said)
            assert url
            read_until(process, "progress")
            read_until(process, "progress")
            page, _, token = url[0].partition("?")
            with urllib.request.urlopen(f"{page}data.json?{token}", timeout=20) as answer:
                data = json.load(answer)
            assert data["status"]["pid"] == process.pid
        finally:
            process.kill()


@pytest.mark.slow
def test_torchrun_trains_with_two_processes(place: Workspace) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    arguments = ("train", place.folder, *TINY, "--batch-size", 4, "--iterations", 3)
    done = subprocess.run(
        [*torchrun, "-m", "lookalike", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT | {"OMP_NUM_THREADS": "1"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert load_state(place.model("sae")).step == 3
    assert len(logged(place.model("sae"))) == 3
    assert done.stdout.count("3 iterations in") == 1
    assert place.done("train")["iterations"] == 3
    assert (place.model("sae") / "preview.jpg").exists()
