"""The files of consent: damaged, made by strangers, or written by several at once."""

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lookalike.cli import run
from lookalike.errors import ConsentError
from lookalike.pipeline.consent import require_consent, valid_consents
from lookalike.pipeline.consent_record import Material, Terms, add_record, read_records, record_hash
from lookalike.pipeline.workspace import Workspace

NOW = datetime.now(UTC)
MATERIAL = [Material(role="other", title="a.mp4", sha256="0" * 64)]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """With a record for each side, which has no video."""
    workspace = Workspace.create(tmp_path / "ws")
    add_record(workspace, Terms(name="A", use="film", valid_until=datetime(2020, 5, 1).date()), "src", MATERIAL)
    add_record(workspace, Terms(name="B", use="film"), "dst", MATERIAL)
    return workspace


def edit(workspace: Workspace, change: Callable[[dict[str, Any]], object], *, rehash: bool = False) -> None:
    path = workspace.folder / "consents" / "0001.json"
    value = json.loads(path.read_text())
    change(value)
    if rehash:
        value["sha256"] = record_hash(value["record"])
    path.write_text(json.dumps(value))


def record(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda stored: stored["record"].update({name: value})


HOSTILE: list[tuple[Callable[[dict[str, Any]], object], bool, str]] = [
    (record("valid_until", "2030-05-01"), False, "was changed after it was written"),
    (record("name", "another"), False, "was changed after it was written"),
    (record("id", 7), True, "holds record 7"),
    (record("name", "A\nsrc: valid"), True, "line breaks"),
    (record("name", "\x1b[2J"), True, "control characters"),
    (record("name", "A" * 10_000), True, "at most 300"),
    (record("name", None), True, "say who agreed"),
    (record("name", 3), True, "valid string"),
    (record("person", "both"), True, "'src' or 'dst'"),
    (record("material", [{"role": "other", "title": "a", "sha256": "x"}]), True, "sha256"),
    (record("material", MATERIAL[0].model_dump()), True, "valid list"),
    (record("valid_until", "0000-99-99"), True, "valid_until"),
    (record("valid_until", 1e300), True, "valid_until"),
    (record("added", "2026-05-01T10:00:00"), True, "timezone"),
    (record("document", {"file": "a", "sha256": "0" * 64, "size": 1, "kept": "../../x"}), True, "kept"),
    (record("more", 1), True, "Extra inputs"),
    (lambda stored: stored.update(format=99, unknown=1), False, "has format 99; update Lookalike"),
    (lambda stored: stored.update(sha256="0" * 64), False, "was changed after it was written"),
    (lambda stored: stored.update(record=[]), False, "record"),
    (lambda stored: stored.clear(), False, "record"),
    (lambda stored: stored.update(withdrawn=3), False, "withdrawn"),
]


@pytest.mark.parametrize(
    ("change", "rehash", "problem"), HOSTILE, ids=[f"{n}-{row[2]}" for n, row in enumerate(HOSTILE)]
)
def test_a_changed_record_is_no_consent(
    workspace: Workspace, change: Callable[[dict[str, Any]], object], rehash: bool, problem: str
) -> None:
    edit(workspace, change, rehash=rehash)
    for ask in (valid_consents, require_consent):
        with pytest.raises(ConsentError) as caught:
            ask(workspace, NOW)
        assert problem in str(caught.value)
        assert "0001.json" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe{}",
        b"[" * 200_000,
        b'{"a":' * 30_000,
        b"1" * 100_000,
        b'{"format": 1, "record": "\\ud800", "sha256": "", "withdrawn": NaN}',
        b" " * (300 << 10),
    ],
    ids=range(10),
)
def test_garbage_is_one_line(workspace: Workspace, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace.folder / "consents" / "0002.json").write_bytes(content)
    for command in ("list", "check"):
        assert run(["consent", command, str(workspace.folder)]) == 1
        error = capsys.readouterr().err
        assert "0002.json is damaged and is no consent" in error
        assert error.count("\n") == 1
    assert run(["consent", "add", str(workspace.folder), "src", "--not-needed", "x"]) == 1


def test_what_is_no_file_is_never_waited_for(workspace: Workspace) -> None:
    folder = workspace.folder / "consents"
    os.mkfifo(folder / "0003.json")
    with pytest.raises(ConsentError, match=r"0003\.json is damaged"):
        valid_consents(workspace, NOW)
    (folder / "0003.json").unlink()
    (folder / "0003.json").symlink_to("/dev/zero")
    with pytest.raises(ConsentError, match=r"0003\.json is damaged"):
        valid_consents(workspace, NOW)
    (folder / "0003.json").unlink()
    shutil.copy(folder / "0001.json", folder / "0001 (copy).json")
    with pytest.raises(ConsentError, match=r"0001 \(copy\).json is no record of consent; move it out"):
        valid_consents(workspace, NOW)
    shutil.rmtree(folder)
    folder.write_text("a file")
    with pytest.raises(ConsentError, match="consents is no folder that can be read"):
        valid_consents(workspace, NOW)


def test_records_of_another_workspace_hold_only_for_its_material(workspace: Workspace, tmp_path: Path) -> None:
    other = Workspace.create(tmp_path / "other")
    video = tmp_path / "dst.mp4"
    video.write_bytes(b"another video")
    other.set_video("dst", video)
    shutil.copytree(workspace.folder / "consents", other.folder / "consents")
    with pytest.raises(ConsentError, match="dst: record 2 is about other material"):
        require_consent(other, NOW)


def test_a_record_that_was_taken_away_is_missed(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    add_record(workspace, Terms(not_needed="drawn"), "src", MATERIAL)
    (workspace.folder / "consents" / "0001.json").unlink()
    assert run(["consent", "check", str(workspace.folder)]) == 0
    assert "no longer there: record 1; records are never deleted" in capsys.readouterr().out


def test_many_at_once_and_while_a_training_holds_the_workspace(workspace: Workspace) -> None:
    with workspace.locked(), ThreadPoolExecutor(8) as pool:
        terms = [Terms(name=f"person {number}", use="film") for number in range(8)]
        added = list(pool.map(lambda one: add_record(Workspace(workspace.folder), one, "src", MATERIAL), terms))
    assert sorted(file.record.id for file in added) == list(range(3, 11))
    assert [file.record.id for file in read_records(workspace)] == list(range(1, 11))


def test_numbers_are_not_given_twice(workspace: Workspace, tmp_path: Path) -> None:
    paper = tmp_path / "paper.json"
    paper.write_text("{}")
    command = ["consent", "add", str(workspace.folder), "src", "--not-needed", "x", "--material", str(paper)]
    assert run([*command, "--document", str(paper), "--keep-document"]) == 0
    (workspace.folder / "consents" / "0003.json").unlink()
    assert run(command) == 0
    assert [file.record.id for file in read_records(workspace)] == [1, 2, 4]
    assert (workspace.folder / "consents" / "0003-document.json").read_text() == "{}"
