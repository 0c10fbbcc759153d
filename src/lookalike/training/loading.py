"""Reading both facesets, with progress: twenty thousand faces take minutes to decode."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import torch

from lookalike.models.config import ModelConfig
from lookalike.training.data import Person, load_person
from lookalike.types import Event, Progress

_EVENT_SECONDS = 0.5


class _StoppedError(Exception):
    """Nobody waits for the faces any more."""


class _Count:
    """How far a faceset is read; raises in the reader once it is stopped."""

    def __init__(self) -> None:
        self.done, self.total, self.stopped = 0, 0, False

    def __call__(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self.stopped:
            raise _StoppedError


def load_people(
    facesets: tuple[Path, Path], caches: tuple[Path | None, Path | None], size: ModelConfig, device: torch.device
) -> Generator[Event, None, tuple[Person, Person]]:
    """Read src's and dst's faceset for a network of this size; see load_person."""
    people = []
    for side, folder, cache in zip(("src", "dst"), facesets, caches, strict=True):
        count = _Count()
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(
                load_person,
                folder,
                size.resolution,
                size.face_type,
                size.geometry,
                device=device,
                cache=cache,
                noted=count,
            )
            try:
                while not wait([work], _EVENT_SECONDS).done:
                    yield Progress("train", count.done, count.total, "faces", f"reading the faces of {side}")
            finally:
                count.stopped = True
            people.append(work.result())
    return people[0], people[1]
