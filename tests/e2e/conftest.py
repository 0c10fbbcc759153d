"""Short clips of real faces, and the command line in a process of its own."""

import subprocess
from pathlib import Path

import pytest
from running import DST_FRAMES, ENVIRONMENT, SRC_FRAMES, Run, command

from lookalike.pipeline.demo import draw_clip
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
