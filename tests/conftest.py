"""Fixtures of more than one file."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before torch is loaded: its threads must not spin while they wait, which on a busy machine takes four times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from drawn_faces import DST, SRC, write_faceset
from drawn_workspace import drawn_workspace
from lookalike.pipeline.workspace import Workspace


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings and identities of the tests' own, for their commands, too; only caches are the user's."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_STATE_HOME"):
            patch.setenv(name, str(home / name.lower()))
        patch.delenv("LOOKALIKE_CONFIG", raising=False)
        yield


@pytest.fixture(scope="session")
def facesets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Eight drawn faces of src and eight of dst; not to be changed."""
    folder = tmp_path_factory.mktemp("facesets")
    return write_faceset(folder / "src", SRC, 8), write_faceset(folder / "dst", DST, 8)


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """A workspace with six drawn faces a side."""
    return drawn_workspace(tmp_path)
