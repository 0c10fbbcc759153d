"""Runs attacks in a child process that has little memory and little time, and says what became of each.

A test names a function of its own module and the arguments of many cases; one child calls it for each of them, as
starting Python and the libraries takes longer than most attacks.
"""

import hashlib
import importlib
import json
import os
import queue
import resource
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from peak import peak_mebibytes

SECONDS: Final = 10.0
"""That a case may take, times LOOKALIKE_PATIENCE, for machines that do something else meanwhile."""
MOST_MIB: Final = 1024
"""Of memory that a child may ever have held, Python and its libraries included."""
_START_SECONDS: Final = 60.0
_ADDRESSES: Final = 12 << 30
"""Bytes of address space: a child that runs away is stopped before the machine is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case."""

    kind: str
    """The name of an error of ours, `ok`, or `crash` for anything else."""
    said: str
    """Text of the error, or what the attack returned; a crash's traceback."""
    seconds: float
    peak_mib: int
    """The most that the child held up to here."""


def patience() -> float:
    """By how much slower than a quiet one this machine may be."""
    return float(os.environ.get("LOOKALIKE_PATIENCE", "3"))


def run_attacks(module: str, cases: Mapping[str, Sequence[Any]], function: str = "attack") -> dict[str, Outcome]:
    """Call a function of a test module once for each case, in one child process.

    Args:
        module: of the tests, such as `test_hostile_images`.
        cases: arguments by name; what JSON can carry.
        function: its name; what it returns is told as text.

    Raises:
        AssertionError: a case did not end in time, or took the child with it.
    """
    folder = str(Path(sys.modules[module].__file__ or "").parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([folder, str(Path(__file__).parent)])}
    child = subprocess.Popen(
        [sys.executable, "-W", "error", __file__, module, function],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        threading.Thread(target=_tell, args=(child.stdin, list(cases.values())), daemon=True).start()
        answers = _answers(child.stdout)
        next(answers)
        return {name: next(answers) for name in _named(cases)}
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def assert_bounded(outcomes: Mapping[str, Outcome]) -> None:
    """Nothing crashed, no text has more than a line, and none took more time or memory than is allowed."""
    assert outcomes
    crashes = {name: one.said for name, one in outcomes.items() if one.kind == "crash"}
    assert not crashes, "\n".join(f"{name}: {said}" for name, said in crashes.items())
    assert {name: one.said for name, one in outcomes.items() if "\n" in one.said} == {}
    assert {name: one.seconds for name, one in outcomes.items() if one.seconds > SECONDS * patience()} == {}
    assert {name: one.peak_mib for name, one in outcomes.items() if one.peak_mib > MOST_MIB} == {}


def snapshot(folder: Path) -> dict[str, str]:
    """What every file under a folder holds, what every link points to, by their paths."""
    return {str(path.relative_to(folder)): _contents(path) for path in sorted(folder.rglob("*"))}


def _contents(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"


def _tell(pipe: IO[str], cases: list[Sequence[Any]]) -> None:
    try:
        with pipe:
            pipe.write("".join(f"{json.dumps(case)}\n" for case in cases))
    except BrokenPipeError:
        return


def _named(cases: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for name in cases:
        _under_way[0] = name
        yield name


_under_way = ["the start"]


def _answers(pipe: IO[str]) -> Iterator[Outcome]:
    """What the child says, the first time when it is ready."""
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
            raise AssertionError(f"{_under_way[0]}: not done within {limit * patience():.0f} s") from None
        assert line, f"{_under_way[0]}: the process died"
        yield Outcome(**json.loads(line))
        limit = SECONDS


def _serve(attack: Callable[..., object]) -> None:
    from lookalike.errors import LookalikeError

    with os.fdopen(os.dup(1), "w") as out:  # what an attack prints goes elsewhere
        os.dup2(2, 1)
        _answer(out, Outcome("ok", "ready", 0, peak_mebibytes()))
        for line in sys.stdin:
            began = time.monotonic()
            try:
                kind, said = "ok", str(attack(*json.loads(line)))
            except LookalikeError as exc:
                kind, said = type(exc).__name__, str(exc)
            except BaseException:
                kind, said = "crash", traceback.format_exc()
            _answer(out, Outcome(kind, said, time.monotonic() - began, peak_mebibytes()))


def _answer(out: IO[str], outcome: Outcome) -> None:
    values = {name: getattr(outcome, name) for name in Outcome.__slots__}
    out.write(json.dumps(values) + "\n")
    out.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    _serve(getattr(importlib.import_module(sys.argv[1]), sys.argv[2]))
