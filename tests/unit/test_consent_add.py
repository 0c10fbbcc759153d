"""Adding records of consent: what is said, and what is refused."""

import os
import re
from pathlib import Path

import pytest

from drawn_workspace import said
from lookalike.cli import run
from lookalike.pipeline.consent_record import Terms, read_records
from lookalike.pipeline.consent_steps import add as add_step
from lookalike.pipeline.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """With a video of dst, which nobody decodes."""
    workspace = Workspace.create(tmp_path / "my swap")
    video = tmp_path / "dst_take.mp4"
    video.write_bytes(b"pictures")
    workspace.set_video("dst", video)
    return workspace


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ((), "say who agreed"),
        (("--name", "A"), "say what was agreed to"),
        (("--name", "A", "--not-needed", "B", "--use", "film"), "say who agreed"),
        (("--not-needed", "B", "--on-behalf-of", "C"), "give both"),
        (("--name", "A\nB", "--use", "film"), "--name: has line breaks"),
        (("--name", "\u202eA", "--use", "film"), "--name: has line breaks or control characters"),
        (("--name", " ", "--use", "film"), "--name: is empty"),
        (("--name", "A" * 301, "--use", "film"), "--name: String should have at most 300"),
        (("--name", "A", "--use", "film", "--valid-until", "yesterday"), "valid-until"),
        (("--name", "A", "--use", "f", "--valid-from", "2027-02-01", "--valid-until", "2027-01-01"), "it would end"),
        (("--name", "A", "--use", "film", "--keep-document"), "give both"),
        (("--name", "A", "--purpose", "fun"), "Input should be 'film'"),
    ],
)
def test_what_cannot_be_agreed_to(
    workspace: Workspace, options: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["consent", "add", str(workspace.folder), "dst", *options]) == 2
    error = capsys.readouterr().err
    assert problem in error
    assert error.count("\n") == 1
    assert read_records(workspace) == []


def test_files_that_cannot_be_taken_in(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.pdf").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for option, name in (
        ("--document", "none.pdf"),
        ("--document", "empty.pdf"),
        ("--document", "folder"),
        ("--document", "pipe"),
        ("--material", "none.mp4"),
        ("--material", "folder"),
        ("--material", "pipe"),
    ):
        command = ["consent", "add", str(workspace.folder), "dst", "--name", "A", "--use", "film"]
        assert run([*command, option, str(tmp_path / name)]) == 1
        assert re.fullmatch(rf"error: .*{name}.*\n", capsys.readouterr().err)
    assert read_records(workspace) == []


def test_messages_of_a_new_record(workspace: Workspace) -> None:
    terms = Terms(name="A. Guardian", on_behalf_of="Child 2", use="one film", number=1)
    first, second, third = said(add_step(workspace, "dst", terms))
    assert first == "record 1: A. Guardian for Child 2, person 1, dst, about dst_take.mp4"
    assert read_records(workspace)[0].sha256[:16] in second
    assert "no signed document" in third
