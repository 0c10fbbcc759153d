"""Reading facesets says how far it is, and ends when nobody waits."""

import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest
import torch

from lookalike.errors import EmptyFacesetError
from lookalike.faceset import load_face
from lookalike.models.config import GuidedConfig
from lookalike.training import data, loading
from lookalike.training.data import Person
from lookalike.training.loading import load_people
from lookalike.types import Event, Progress

SIZE = GuidedConfig(resolution=32)
CPU = torch.device("cpu")
Loading = Generator[Event, None, tuple[Person, Person]]


def result(work: Loading) -> tuple[list[Event], tuple[Person, Person]]:
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as stop:
            return events, stop.value


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every face takes some time, and events come often."""

    def load_slowly(path: Path) -> object:
        time.sleep(0.02)
        return load_face(path)

    monkeypatch.setattr(data, "load_face", load_slowly)
    monkeypatch.setattr(loading, "_EVENT_SECONDS", 0.005)


def test_both_facesets_are_read(facesets: tuple[Path, Path]) -> None:
    _, people = result(load_people(facesets, (None, None), SIZE, CPU))
    assert [len(person) for person in people] == [8, 8]
    assert not torch.equal(people[0].faces, people[1].faces)


@pytest.mark.usefixtures("slow")
def test_it_says_how_far_it_is(facesets: tuple[Path, Path]) -> None:
    events, _ = result(load_people(facesets, (None, None), SIZE, CPU))
    notes = [event.note for event in events if isinstance(event, Progress)]
    assert {"reading the faces of src", "reading the faces of dst"} <= set(notes)
    assert any(isinstance(event, Progress) and event.total == 8 and event.done > 0 for event in events)


@pytest.mark.usefixtures("slow")
def test_it_ends_when_nobody_waits(facesets: tuple[Path, Path], tmp_path: Path) -> None:
    with closing(load_people(facesets, (tmp_path, tmp_path), SIZE, CPU)) as work:
        next(work)
    assert not list(tmp_path.glob("*.npy"))  # what was begun is not taken for whole


def test_an_error_of_the_reader_is_raised(facesets: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmptyFacesetError, match="no faces in"):
        result(load_people((facesets[0], tmp_path / "empty"), (None, None), SIZE, CPU))
