"""Jobs of a batch at work, with a program in place of `lookalike` that does what the src file says."""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from lookalike.cluster.config import ClusterOptions
from lookalike.errors import BatchError
from lookalike.pipeline.batch import batch
from lookalike.pipeline.batch_file import read_batch
from lookalike.pipeline.batch_run import RunOptions
from lookalike.pipeline.batch_said import may_pass
from lookalike.pipeline.batch_state import alone
from lookalike.pipeline.batch_table import BatchTable
from lookalike.types import Event, Message

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
given = dict(word[2:].split("=", 1) for word in sys.argv[2:] if "=" in word)
todo, output = Path(given["src"]).read_text(), Path(given["output"])
tries = output.with_suffix(".tries")
tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
if todo == "killed once" and tries.read_text() == "x":
    os.kill(os.getpid(), signal.SIGKILL)
if todo == "no memory":
    sys.exit("error: out of memory; close other programs")
if todo == "refused":
    sys.exit("error: dst shows what is refused")
if todo == "usage":
    print("error: no such option", file=sys.stderr)
    sys.exit(2)
if todo == "slow":
    def save(*_):
        output.with_suffix(".saved").write_text("x")
        sys.exit(130)
    signal.signal(signal.SIGINT, save)
    output.with_suffix(".ready").write_text("x")
    time.sleep(60)
print('{"event": "progress", "step": "train", "done": 1, "total": 2, "unit": "", "note": ""}')
print('{"event": "message", "step": "train", "text": "trained"}')
output.write_text(given.get("iterations", ""))
"""


@pytest.fixture
def options(tmp_path: Path) -> RunOptions:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    return RunOptions(program=(sys.executable, "-S", str(program)), pause=0.05)


def jobs(folder: Path, **todo: str) -> Path:
    """A file of jobs, one for each src."""
    lines = ["[defaults]", "iterations = 7"]
    for name, text in todo.items():
        (folder / f"{name}.mp4").write_text(text)
        (folder / f"dst_{name}.mp4").write_bytes(b"")
        lines += [
            "[[job]]",
            f'name = "{name}"',
            f'src = "{name}.mp4"',
            f'dst = "dst_{name}.mp4"',
            'output = "out_{name}.mp4"',
        ]
    path = folder / "jobs.toml"
    path.write_text("\n".join(lines))
    return path


def said(events: Iterable[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Message)]


def states(folder: Path) -> dict[str, tuple[str, int]]:
    table = BatchTable.model_validate_json((folder / "jobs.batch" / "batch.json").read_bytes())
    return {row.name: (row.state, row.attempts) for row in table.jobs}


def test_jobs_are_done_once(tmp_path: Path, options: RunOptions) -> None:
    path = jobs(tmp_path, one="", two="")
    said(batch(path, options))
    assert states(tmp_path) == {"one": ("done", 1), "two": ("done", 1)}
    assert "train: trained" in (tmp_path / "jobs.batch" / "logs" / "one.log").read_text()
    assert "2 done" in (tmp_path / "jobs.batch" / "batch.html").read_text()
    again = said(batch(path, options))
    assert sum("reused" in line for line in again) == 2
    assert (tmp_path / "out_one.tries").read_text() == "x"


def test_what_changed_is_done_again(tmp_path: Path, options: RunOptions) -> None:
    path = jobs(tmp_path, one="", two="")
    said(batch(path, options))
    path.write_text(path.read_text().replace("iterations = 7", "iterations = 8"))
    (tmp_path / "out_two.mp4").unlink()
    said(batch(path, options, only=["one"]))
    assert (tmp_path / "out_one.mp4").read_text() == "8"
    assert not (tmp_path / "out_two.mp4").exists()  # it was not asked for
    said(batch(path, options))
    assert (tmp_path / "out_two.mp4").read_text() == "8"


def test_errors_that_may_pass_are_tried_again_and_others_are_not(tmp_path: Path, options: RunOptions) -> None:
    path = jobs(tmp_path, killed="killed once", memory="no memory", refused="refused", usage="usage", good="")
    with pytest.raises(BatchError, match=r"3 of 5 jobs are not done \(memory, refused, usage\)"):
        said(batch(path, RunOptions(program=options.program, pause=0.05, retry=2)))
    assert states(tmp_path) == {
        "killed": ("done", 2),
        "memory": ("failed", 3),
        "refused": ("failed", 1),
        "usage": ("failed", 1),
        "good": ("done", 1),
    }
    (tmp_path / "refused.mp4").write_text("")  # mended
    with pytest.raises(BatchError, match="2 of 5 jobs"):
        said(batch(path, RunOptions(program=options.program, retry=0)))
    assert states(tmp_path)["refused"] == ("done", 1)
    assert (tmp_path / "out_good.tries").read_text() == "x"


@pytest.mark.parametrize(
    ("code", "error", "passes"),
    [
        (-9, "the command was killed", True),
        (-11, "the command ended by signal 11", True),
        (1, "the command ended with code 1: RuntimeError: CUDA error", True),
        (1, "no space left while writing x; free some", True),
        (1, "another lookalike (process 3) is at work in x; wait for it", True),
        (1, "x.mp4 cannot be read; give another", False),
        (1, "no valid consent for src", False),
        (2, "out of memory is no option", False),
    ],
)
def test_what_may_pass(code: int, error: str, passes: bool) -> None:
    assert may_pass(code, error) is passes


def test_fail_fast_stops_all(tmp_path: Path, options: RunOptions) -> None:
    path = jobs(tmp_path, slow="slow", bad="refused", late="")
    with pytest.raises(BatchError, match="3 of 3"):
        said(batch(path, RunOptions(program=options.program, at_once=2, fail_fast=True)))
    assert states(tmp_path)["bad"] == ("failed", 1)
    assert states(tmp_path)["late"] == ("waiting", 0)
    assert states(tmp_path)["slow"][0] == "interrupted"


def test_a_stopped_batch_lets_jobs_save_and_goes_on(tmp_path: Path, options: RunOptions) -> None:
    path = jobs(tmp_path, slow="slow", late="")
    events = batch(path, options)
    until = time.monotonic() + 30
    while not (tmp_path / "out_slow.ready").exists() and time.monotonic() < until:
        next(events)
    with pytest.raises(BatchError, match="another batch"), alone(read_batch(path)):
        pass
    events.close()
    assert (tmp_path / "out_slow.saved").exists()
    assert states(tmp_path) == {"slow": ("interrupted", 1), "late": ("waiting", 0)}
    (tmp_path / "slow.mp4").write_text("")
    said(batch(path, options))
    assert states(tmp_path) == {"slow": ("done", 1), "late": ("done", 1)}


def test_a_dry_run_touches_nothing(tmp_path: Path, options: RunOptions) -> None:
    path = jobs(tmp_path, one="")
    before = sorted(tmp_path.iterdir())
    lines = said(batch(path, options, dry_run=True))
    assert sorted(tmp_path.iterdir()) == before
    assert lines[0].startswith("one: lookalike swap --src=")


def test_a_damaged_state_is_told(tmp_path: Path, options: RunOptions) -> None:
    path = jobs(tmp_path, one="")
    said(batch(path, options))
    state = tmp_path / "jobs.batch" / "state.json"
    value = json.loads(state.read_text())
    for damaged, words in (({**value, "format": 99}, "update Lookalike"), ({**value, "jobs": 3}, "cannot be read")):
        state.write_text(json.dumps(damaged))
        with pytest.raises(BatchError, match=words):
            said(batch(path, options))


def test_a_pool_of_workers_runs_jobs(tmp_path: Path, options: RunOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    from lookalike.cluster.pool import Alone
    from lookalike.pipeline import batch_pool

    monkeypatch.setattr(batch_pool, "open_pool", contextmanager(lambda *_, **__: iter([Alone()])))
    path = jobs(tmp_path, killed="killed once", refused="refused", good="")
    with pytest.raises(BatchError, match=r"1 of 3 jobs are not done \(refused\)"):
        said(batch(path, options, cluster=ClusterOptions(ray="auto")))
    assert states(tmp_path) == {"killed": ("done", 2), "refused": ("failed", 1), "good": ("done", 1)}


def test_two_jobs_do_not_look_for_the_same_faces(tmp_path: Path, options: RunOptions) -> None:
    path = jobs(tmp_path, slow="slow", other="", same="")
    path.write_text(path.read_text().replace("dst_same.mp4", "dst_slow.mp4"))
    events = batch(path, RunOptions(program=options.program, at_once=2))
    begun = []
    for event in events:
        begun += [event.text.split(":")[0] for event in [event] if isinstance(event, Message) and "begun" in event.text]
        if (tmp_path / "out_other.mp4").exists() and (tmp_path / "out_slow.ready").exists():
            break
    events.close()
    assert begun == ["slow", "other"]
