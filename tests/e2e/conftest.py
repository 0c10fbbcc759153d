"""Short clips of real faces, and the command line in a process of its own."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from extracting import Blind, run
from running import DST_FRAMES, ENVIRONMENT, SRC_FRAMES, Run, command

from lookalike.faces import build, finder
from lookalike.faces.yunet import YuNet
from lookalike.pipeline.demo import draw_clip
from lookalike.pipeline.workspace import Workspace
from lookalike.sample import load_portraits


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A src clip without sound and a dst clip with sound, longer than one segment of a merge."""
    folder = tmp_path_factory.mktemp("clips")
    src, dst = load_portraits()
    paths = folder / "src.mp4", folder / "dst.mp4"
    for _ in draw_clip(src, "src", paths[0], SRC_FRAMES):
        pass
    for _ in draw_clip(dst, "dst", paths[1], DST_FRAMES):
        pass
    return paths


@pytest.fixture
def lookalike(tmp_path: Path) -> Run:
    """Run the command line in an empty folder."""

    def run(*arguments: object, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=600
        )

    return run


@pytest.fixture(scope="session")
def whole_faceset(clips: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with src's faces, not to be changed."""
    workspace = Workspace.create(tmp_path_factory.mktemp("extract") / "ws")
    workspace.set_video("src", clips[0])
    run(workspace)
    return workspace.folder


@pytest.fixture
def workspace(whole_faceset: Path, tmp_path: Path) -> Workspace:
    """A copy of it; file times are kept, as the video is told by its own."""
    return Workspace(Path(shutil.copytree(whole_faceset, tmp_path / "ws")))


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> Callable[[range], None]:
    """Make the detector miss some frames; a closer look at a face's place still finds it."""

    def miss(frames: range) -> None:
        kind = build.DetectorKind(lambda s: Blind(YuNet(s.min_score), frozenset(frames)), 0.7)
        monkeypatch.setitem(build.DETECTORS, "yunet", kind)
        monkeypatch.setattr(finder, "DETECTORS", build.DETECTORS)

    return miss
