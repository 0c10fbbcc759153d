"""Whole files or none, and work on threads in order."""

import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lookalike.errors import StorageError
from lookalike.files import replacing, storage_errors, unused_path, write_bytes, write_json
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, load_checkpoint, save_checkpoint
from lookalike.models.config import GuidedConfig
from lookalike.parallel import ordered_map
from lookalike.training.log import TrainLog


def test_a_file_is_replaced_when_all_went_well(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.b.json"
    for text in ("old", "new"):
        with replacing(path) as temporary:
            assert temporary.suffix == ".json"
            assert temporary.parent == path.parent
            temporary.write_text(text)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("there", [True, False])
def test_an_exception_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: type[BaseException], there: bool
) -> None:
    path = tmp_path / "a.txt"
    if there:
        path.write_text("old")

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error("stop")

    with pytest.raises(error, match="stop"):
        write_half()
    assert [p.read_text() for p in tmp_path.iterdir()] == (["old"] if there else [])


def test_json_is_written_as_it_reads(tmp_path: Path) -> None:
    value = {"größe": [1, 2.5, None], "漢": {"b": True}}
    write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert "größe" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space left while writing .*a.txt; free some and run the same command again"),
        (errno.EDQUOT, "no space left while writing .*a.txt"),
        (errno.EROFS, r"a.txt cannot be written \(Read-only file system\); choose another folder"),
        (errno.EACCES, r"a.txt cannot be written \(Permission denied\); choose another folder"),
    ],
)
def test_a_disk_that_refuses_is_one_line(number: int, said: str) -> None:
    with pytest.raises(StorageError, match=said), storage_errors(Path("a.txt")):
        raise OSError(number, os.strerror(number))


def test_other_errors_of_the_system_are_not_hidden() -> None:
    with pytest.raises(FileNotFoundError, match="gone"), storage_errors(Path("a.txt")):
        raise FileNotFoundError(errno.ENOENT, "gone")


def test_unused_paths_count_up(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        path = unused_path(tmp_path / "aligned.x")
        path.mkdir()
        names.append(path.name)
    assert names == ["aligned.x", "aligned-2.x", "aligned-3.x"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux":
        pytest.skip("needs a tmpfs")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Fill a disk until only about `leave` bytes are free."""
    stat = os.statvfs(folder)
    path = folder / "filler"
    path.write_bytes(bytes(max(0, stat.f_bavail * stat.f_frsize - leave)))
    return path


def test_a_full_disk_keeps_the_old_file(small_disk: Path) -> None:
    path = small_disk / "a.bin"
    write_bytes(path, b"old")
    with pytest.raises(StorageError, match=r"no space left while writing .*a.bin"):
        write_bytes(path, bytes(1 << 20))
    assert path.read_bytes() == b"old"
    assert list(small_disk.iterdir()) == [path]
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("leave", [0, 8 << 10, 64 << 10, 120 << 10])
def test_a_full_disk_keeps_the_old_model(small_disk: Path, leave: int) -> None:
    config = GuidedConfig(resolution=32, ae_dims=16, e_dims=4, d_dims=2, guide=False, res_blocks=0)
    small, model = torch.nn.Linear(4, 4).state_dict(), build_model(config).state_dict()
    folder = small_disk / "model"
    save_checkpoint(folder, small, {}, TrainState(model=config, step=1))
    filler = fill(small_disk, leave)
    with pytest.raises(StorageError, match=r"no space left while writing .*model"):
        save_checkpoint(folder, model, {}, TrainState(model=config, step=2))
    found = load_checkpoint(folder)
    assert found.state.step == 1
    assert torch.equal(found.weights["weight"], small["weight"])
    filler.unlink()
    save_checkpoint(folder, small, {}, TrainState(model=config, step=3))
    assert load_checkpoint(folder).state.step == 3


def test_a_full_disk_stops_the_log_in_one_line(small_disk: Path) -> None:
    log = TrainLog(small_disk / "log.jsonl", 0)
    fill(small_disk, 0)
    for iteration in range(1, 100):
        log.add(iteration, {"loss_src": torch.ones(())})
    with pytest.raises(StorageError, match=r"no space left while writing .*log.jsonl"):
        log.flush()


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    def work(number: int) -> int:
        time.sleep(0.02 if number % 3 == 0 else 0)
        return number * number

    assert list(ordered_map(work, range(20), workers)) == [n * n for n in range(20)]
    assert list(ordered_map(work, [], workers)) == []


def test_work_is_done_side_by_side() -> None:
    barrier = threading.Barrier(3, timeout=5)

    def work(number: int) -> int:
        barrier.wait()
        return number

    assert list(ordered_map(work, range(6), 3)) == list(range(6))


def test_items_are_not_taken_far_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    for done, _ in enumerate(ordered_map(lambda number: number, items(), 2), 1):
        assert len(taken) <= done + 3


def test_an_error_is_raised_at_its_place_and_ends_the_rest() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise ValueError("third")
        time.sleep(0.01)
        return number

    start = time.monotonic()
    results = ordered_map(work, range(1000), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="third"):
        next(results)
    assert len(begun) < 12
    assert time.monotonic() - start < 5


def test_an_error_of_the_items_ends_the_work() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise OSError("items")

    with pytest.raises(OSError, match="items"):
        list(ordered_map(lambda number: number, items(), 2))
    assert threading.active_count() < 10


def test_whoever_stops_listening_stops_the_work() -> None:
    begun: list[int] = []
    results = ordered_map(begun.append, range(1000), 2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 5
