"""SIGKILL in the middle of each step; the same command again ends with the same result."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from media import packets
from running import DST_FRAMES, ENVIRONMENT, Run, command

ITERATIONS = 300


def kill_at(done: float, *arguments: object) -> None:
    """Start a command and kill it with SIGKILL at its first progress event that has done so much."""
    with subprocess.Popen(
        command(*arguments, "--json-lines"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "progress" and event["done"] >= done:
                break
        else:
            raise AssertionError(
                f"the command ended before it could be killed: {process.stderr and process.stderr.read()}"
            )
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def workspace(clips: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with both facesets, never disturbed."""
    folder = tmp_path_factory.mktemp("kill") / "ws"
    for arguments in (
        ("init", folder, "--src", clips[0], "--dst", clips[1]),
        ("extract", folder, "src"),
        ("extract", folder, "dst"),
        training(folder),
        ("merge", folder, "--sequence"),
        ("encode", folder, "-o", folder / "encoded.mp4"),
        ("merge", folder),
    ):
        subprocess.run(command(*arguments), check=True, env=ENVIRONMENT, capture_output=True)
    return folder


def training(folder: Path) -> tuple[object, ...]:
    return (
        "train", folder, "--preset", "quick", "--minutes", 0, "--iterations", ITERATIONS, "--resolution", 32,
        "--ae-dims", 32, "--e-dims", 8, "--d-dims", 4, "--save-seconds", 0.3, "--preview-seconds", 600,
    )  # fmt: skip


@pytest.mark.slow
def test_extract(workspace: Path, clips: tuple[Path, Path], lookalike: Run, tmp_path: Path) -> None:
    again = tmp_path / "ws"
    assert lookalike("init", again, "--src", clips[0], "--dst", clips[1]).returncode == 0
    kill_at(50, "extract", again, "dst")
    assert not (again / "data_dst" / "aligned").exists()
    done = lookalike("extract", again, "dst")
    assert "going on from frame" in done.stdout, done.stderr
    assert folder_bytes(again / "data_dst" / "aligned") == folder_bytes(workspace / "data_dst" / "aligned")


@pytest.mark.slow
def test_train(workspace: Path, lookalike: Run, tmp_path: Path) -> None:
    again = _copy(workspace, tmp_path, without=("model",))
    kill_at(150, *training(again))  # more than there are faces: those count as they are read
    done = lookalike(*training(again))
    assert "going on from iteration" in done.stdout, done.stderr
    for part in ("model.safetensors", "optimizer.safetensors"):
        assert (again / "model" / "guided" / part).read_bytes() == (workspace / "model" / "guided" / part).read_bytes()
    lines = (again / "model" / "guided" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["iteration"] for line in lines] == list(range(1, ITERATIONS + 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        (lambda ws: ("merge", ws), "result.mp4"),
        (lambda ws: ("encode", ws, "-o", ws / "encoded.mp4"), "encoded.mp4"),
    ],
    ids=["merge", "encode"],
)
def test_merge_and_encode(
    workspace: Path, lookalike: Run, tmp_path: Path, arguments: Callable[[Path], tuple[object, ...]], result: str
) -> None:
    again = _copy(workspace, tmp_path, without=("result.mp4", "encoded.mp4", "workspace.toml"))
    text = (workspace / "workspace.toml").read_text()
    (again / "workspace.toml").write_text(text.split("[steps.merge]")[0].split("[steps.encode]")[0])
    kill_at(125, *arguments(again))
    assert not (again / result).exists()
    done = lookalike(*arguments(again))
    assert "reused 120 frames" in done.stdout, done.stderr
    for kind in ("video", "audio"):
        assert packets(again / result, kind) == packets(workspace / result, kind)


@pytest.mark.slow
def test_merge_sequence(workspace: Path, lookalike: Run, tmp_path: Path) -> None:
    again = _copy(workspace, tmp_path, without=("merged",))
    kill_at(40, "merge", again, "--sequence")
    done = lookalike("merge", again, "--sequence")
    assert "images that were merged before" in done.stdout, done.stderr
    ours, theirs = (pixels(ws / "data_dst" / "merged") for ws in (again, workspace))
    assert len(ours) == DST_FRAMES
    assert ours == theirs


def pixels(folder: Path) -> dict[str, bytes]:
    """Of the images in a folder; their credentials tell when they were signed."""
    return {
        path.name: np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)).tobytes() for path in folder.glob("*.png")
    }


def _copy(workspace: Path, tmp_path: Path, without: tuple[str, ...]) -> Path:
    return Path(shutil.copytree(workspace, tmp_path / "ws", ignore=shutil.ignore_patterns(*without, ".lock")))
