"""Short clips of real faces, the command line in a process of its own, and the studio in a browser."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from extracting import Blind, run
from playwright.sync_api import Browser, sync_playwright
from running import DST_FRAMES, ENVIRONMENT, SRC_FRAMES, Run, command
from studio_desk import FLAGS, PROGRAMS, Desk, desk

from lookalike.faces import build, finder
from lookalike.faces.yunet import YuNet
from lookalike.pipeline.demo import draw_clip
from lookalike.pipeline.workspace import Workspace
from lookalike.sample import load_portraits
from ray_cluster import TwoNodes, two_nodes_cluster
from studio_workspace import studio_workspace


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


@pytest.fixture(scope="session")
def swap_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole small swap, not to be changed."""
    return studio_workspace(tmp_path_factory.mktemp("studio") / "my_swap").folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_studio(chromium: Browser) -> Iterator[Callable[..., Desk]]:
    """Serve a folder and open it in a fresh browser; at the end no page has complained and nothing left the machine."""
    with ExitStack() as stack:
        yield lambda folder, **context: stack.enter_context(desk(chromium, folder, **context))


@pytest.fixture
def studio(open_studio: Callable[..., Desk], swap_template: Path, tmp_path: Path) -> Desk:
    """The page of a copy of the whole swap."""
    return open_studio(Path(shutil.copytree(swap_template, tmp_path / "my_swap")))


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[TwoNodes]:
    """A Ray cluster that serves all tests."""
    with two_nodes_cluster() as nodes:
        yield nodes


@pytest.fixture
def two_nodes(ray_cluster: TwoNodes) -> TwoNodes:
    """A Ray cluster of two nodes, both alive: one that an earlier test killed is there again."""
    ray_cluster.mend()
    return ray_cluster
