"""Commands for the queue to run: a stand-in for all of `lookalike`, and the real one with a stand-in for a step."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lookalike.web.studio.job import Job
from lookalike.web.studio.jobs import Jobs

SECONDS = 60

QUICK = "(folder.parent / 'ran').open('a').write(folder.name + '\\n'); print('I was', folder.name)"
POLITE = """
import signal
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
print("ready", flush=True)
while not asked:
    time.sleep(0.01)
(folder / "saved").touch()
sys.exit(130)
"""
DEAF = """
import signal, subprocess
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(folder / "child").write_text(str(child.pid))
print("ready", flush=True)
time.sleep(600)
"""

_STAND_IN = """
import os, pathlib, sys, time
folder = pathlib.Path(sys.argv[2])
exec((folder / "act.py").read_text())
"""

_STEP = """
import sys, time, types

def shots(place, *, replace=False):
    from lookalike.errors import WorkspaceError
    from lookalike.types import Message, Progress
    exec((place.folder / "act.py").read_text(), globals() | locals())
    number = 0
    try:
        yield Message("shots", "here I am")
        while not (place.folder / "enough").exists():
            number += 1
            yield Progress("shots", number, 100, "steps", "so far")
            time.sleep(0.02)
    finally:
        (place.folder / "saved").write_text(str(number))

module = types.ModuleType("lookalike.pipeline.shots")
module.shots = shots
sys.modules[module.__name__] = module
"""


def stand_in(folder: Path) -> dict[str, str]:
    """Variables with which `python -m lookalike COMMAND FOLDER` does what FOLDER/act.py says."""
    package = folder / "stand_in" / "lookalike"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(_STAND_IN)
    return {"PYTHONPATH": str(package.parent)}


def acting_step(folder: Path) -> dict[str, str]:
    """Variables with which `lookalike shots` does what act.py of the workspace says, then counts until told enough."""
    place = folder / "step"
    place.mkdir()
    (place / "sitecustomize.py").write_text(_STEP)
    return {"PYTHONPATH": str(place)}


def until(asked: Callable[[], Any], what: str) -> Any:
    """Wait for a value that is true."""
    end = time.monotonic() + SECONDS
    while not (value := asked()):
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)
    return value


def act(root: Path, workspace: str, what: str) -> None:
    """What the command of a workspace does."""
    (root / workspace / "act.py").write_text(what)


def over(jobs: Jobs, number: int) -> Job:
    """A job when it has ended."""
    until(lambda: jobs.get(number).is_over, f"the end of job {number}")
    return jobs.get(number)


def ready(jobs: Jobs, number: int, line: str = "ready") -> None:
    """Wait until a job has said something."""
    until(lambda: line in jobs.get(number).lines, f"job {number} at work")


def is_alive(process: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
