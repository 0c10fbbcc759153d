"""Fixtures of the studio's tests; others have fixtures of these names of their own."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from acting_commands import acting_step, stand_in
from drawn_faces import DST, write_faceset
from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio.jobs import Jobs
from mask_page_client import MaskPage, serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four faces."""
    return write_faceset(tmp_path / "my_swap" / "data_dst" / "aligned", DST, 4)


@pytest.fixture
def page(folder: Path) -> Iterator[MaskPage]:
    with serving(folder) as page:
        yield page


@pytest.fixture(scope="module")
def still_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face that no test may change."""
    return write_faceset(tmp_path_factory.mktemp("w") / "my_swap" / "data_dst" / "aligned", DST, 1)


@pytest.fixture(scope="module")
def still(still_folder: Path) -> Iterator[MaskPage]:
    """For what changes nothing: to start and stop a page takes a quarter of a second."""
    with serving(still_folder) as page:
        yield page


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three workspaces."""
    root = tmp_path / "root"
    for name in ("a", "b", "c"):
        Workspace.create(root / name)
    return root


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """In which jobs run a stand-in for the command line."""
    return stand_in(tmp_path)


@pytest.fixture
def jobs(root: Path, environment: dict[str, str]) -> Iterator[Jobs]:
    """Runs the stand-in."""
    jobs = Jobs(root, environment)
    yield jobs
    for values in jobs.list():
        jobs.cancel(values["number"])
        jobs.cancel(values["number"])
    jobs.close()


@pytest.fixture
def real(root: Path, tmp_path: Path) -> Iterator[Jobs]:
    """Runs the real command line, with a step that acts."""
    jobs = Jobs(root, acting_step(tmp_path))
    yield jobs
    for name in ("a", "b", "c"):
        (root / name / "enough").touch()
    jobs.close()


@pytest.fixture
def no_traceback(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing may be said on the terminal, whatever is asked."""
    yield
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == []
    assert "Traceback" not in capfd.readouterr().err
