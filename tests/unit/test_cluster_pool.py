"""The pool without Ray: how work is opened, in what order it comes back, how files are known, what errors say."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.connect import import_ray, joined
from lookalike.cluster.files import LocalFiles, file_ref
from lookalike.cluster.pool import Alone, PoolReport
from lookalike.cluster.ray_pool import open_pool
from lookalike.cluster.ray_worker import Outcome, Worker, attempted
from lookalike.errors import ClusterError, ConfigError, ExtraMissingError, VideoError


def open_adding(start: int) -> Callable[[int], int]:
    """Work of which each worker has its own."""
    if start < 0:
        raise VideoError("nothing below zero; give more")
    return lambda task: start + task


def test_without_ray_this_process_does_the_work_as_it_is_asked_for() -> None:
    drawn: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(4):
            drawn.append(number)
            yield number

    with open_pool(ClusterOptions()) as pool:
        results = pool.ordered(open_adding, 10, tasks())
        assert drawn == []
        assert next(results) == 10
        assert drawn == [0]
        assert list(results) == [11, 12, 13]
        assert pool.report is None
        assert list(Alone().ordered(open_adding, 1, [])) == []


@pytest.mark.parametrize("address", ["nowhere", "ray://host:1", ":6379", "host:port"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with (
        pytest.raises(ConfigError, match="--ray is HOST:PORT of a cluster, or auto"),
        open_pool(ClusterOptions(ray=address)),
    ):
        pass


def test_an_address_where_nobody_listens_is_told_in_one_line(unused_port: int) -> None:
    address = f"127.0.0.1:{unused_port}"
    with pytest.raises(ClusterError, match=f"no Ray cluster answers at {address}") as caught, joined(address):
        pass
    assert "\n" not in str(caught.value)


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ExtraMissingError, match=r"pip install 'lookalike\[ray\]'"):
        import_ray()


def test_a_worker_opens_its_work_once_and_its_errors_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worker, "_hold_threads", lambda self: None)  # those of this process stay as they are
    opened: list[int] = []

    def opening(spec: int) -> Callable[[int], int]:
        opened.append(spec)
        return open_adding(spec)

    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    try:
        worker = Worker(3)
        assert os.environ["OMP_NUM_THREADS"] == "3"
        assert [worker.do(opening, 5, task).value for task in (1, 2)] == [6, 7]
        assert opened == [5]
        error = Worker(1).do(opening, -1, 0).error
        assert isinstance(error, VideoError)
        assert str(error) == "nothing below zero; give more"
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def test_an_error_that_cannot_travel_is_told() -> None:
    class HomelyError(Exception):
        def __init__(self, one: int, other: int) -> None:
            super().__init__(f"{one} and {other}")

    def fail() -> None:
        raise HomelyError(1, 2)

    error = attempted(fail).error
    assert isinstance(error, ClusterError)
    assert str(error) == "a worker failed with HomelyError: 1 and 2"
    assert attempted(lambda: 3) == Outcome(3)


def test_a_report_says_who_did_what() -> None:
    report = PoolReport({"b": 2, "a": 1}, sent_bytes=2_500_000)
    assert report.says() == "2 workers did 3 tasks (a 1, b 2); 2.5 MB sent"
    report.lost, report.again = 1, 2
    assert report.says().endswith("; 1 lost on the way, 2 of their tasks done again")


def test_a_file_is_known_by_size_time_and_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a" * 200_000)
    ref = file_ref(path)
    assert ref.is_at(path)
    assert not ref.is_at(tmp_path / "gone.mp4")
    stat = path.stat()
    for changed in (b"a" * 199_999 + b"b", b"b" + b"a" * 199_999, b"a" * 199_999):
        path.write_bytes(changed)
        os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
        assert not ref.is_at(path)
    path.write_bytes(b"a" * 200_000)
    os.utime(path, ns=(0, 0))
    assert not ref.is_at(path)


def test_a_folder_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "00001.png").write_bytes(b"one")
    ref = file_ref(tmp_path)
    assert ref.is_at(tmp_path)
    (tmp_path / "00002.png").write_bytes(b"two")
    assert not ref.is_at(tmp_path)


def test_files_of_this_process_are_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    files = LocalFiles()
    assert files.sees(file_ref(path))
    assert files.here([file_ref(path)]) == [path]
    assert files.asked(max, 1, 2) == 2
