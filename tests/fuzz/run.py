"""Runs targets in child processes, and starts a new one where an input took the last one with it."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from fuzz.target import Target

SECONDS: Final = 10.0
"""That an input may take, times LOOKALIKE_PATIENCE, for machines that do something else meanwhile."""
MOST_MIB: Final = 1024
_START_SECONDS: Final = 120.0


@dataclass
class Tally:
    """What became of the inputs of a target."""

    name: str
    inputs: int = 0
    read: int = 0
    refused: int = 0
    crashes: list[tuple[int, str]] = field(default_factory=list)
    """Number of the input, and what happened."""
    slowest: float = 0.0
    """Seconds."""
    mib: int = 0
    """The most memory that a process ever held, Python and the libraries included."""


@dataclass(frozen=True)
class Job:
    """Inputs of a target."""

    target: Target
    first: int
    last: int
    """The number after the last one."""


def fuzz(jobs: Sequence[Job], seed: int, scratch: Path) -> dict[str, Tally]:
    """Give changed files to targets, one after the other; what became of them, by the target's name."""
    tallies = {job.target.name: Tally(job.target.name) for job in jobs}
    left = list(jobs)
    while left:
        left = _run(left, seed, scratch, tallies)
    return tallies


def patience() -> float:
    """By how much slower than a quiet one this machine may be."""
    return float(os.environ.get("LOOKALIKE_PATIENCE", "3"))


def _run(jobs: list[Job], seed: int, scratch: Path, tallies: dict[str, Tally]) -> list[Job]:
    """One process; the jobs that it left undone."""
    errors = scratch / "stderr"
    errors.parent.mkdir(parents=True, exist_ok=True)
    named = [f"{job.target.name}:{job.first}:{job.last}" for job in jobs]
    command = [sys.executable, "-m", "fuzz.child", str(seed), str(scratch / "place"), *named]
    due = deque((job, number) for job in jobs for number in range(job.first, job.last))
    trouble, began = "", False
    with errors.open("w+b") as stderr:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=_environment(scratch))
        assert child.stdout is not None
        try:
            for line in _lines(child.stdout):
                job, number = due.popleft()
                _note(json.loads(line), number, tallies[job.target.name])
                began = True
            child.wait(10)
        except TimeoutError:
            trouble = f"not done within {SECONDS * patience():.0f} s"
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        stderr.seek(0)
        trouble = (
            trouble or f"the process ended with {child.returncode}: {stderr.read()[-2000:].decode('utf-8', 'replace')}"
        )
    if not due:
        return []
    job, number = due.popleft()
    assert began or child.returncode != 1, f"{job.target.name} cannot be tried: {trouble}"
    tally = tallies[job.target.name]
    tally.inputs += 1
    tally.crashes.append((number, trouble))
    after = jobs[jobs.index(job) + 1 :]
    return [Job(job.target, number + 1, job.last), *after] if number + 1 < job.last else after


def _environment(scratch: Path) -> dict[str, str]:
    tests = str(Path(__file__).parents[1])
    home = {f"XDG_{name}_HOME": str(scratch / "home") for name in ("DATA", "CONFIG", "STATE")}
    return {**os.environ, **home, "PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])}


def _note(told: dict[str, object], number: int, tally: Tally) -> None:
    seconds, mib = float(str(told["seconds"])), int(str(told["mib"]))
    tally.inputs += 1
    tally.slowest, tally.mib = max(tally.slowest, seconds), max(tally.mib, mib)
    if told["outcome"] == "crashed" or seconds > SECONDS * patience():
        tally.crashes.append((number, str(told["said"]) or f"{seconds:.1f} s"))
    elif told["outcome"] == "read":
        tally.read += 1
    else:
        tally.refused += 1


def _lines(pipe: IO[str]) -> Iterator[str]:
    """Lines as they come.

    Raises:
        TimeoutError: one takes too long.
    """
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in pipe:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    limit = _START_SECONDS
    while True:
        try:
            line = lines.get(timeout=limit * patience())
        except queue.Empty:
            raise TimeoutError from None
        if not line:
            return
        yield line
        limit = SECONDS
