"""Reading the logs of a training while it writes them, and thinning them out."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lookalike.training.curves import Curves, read_lines, span_starts, thin


def line(iteration: int, **more: object) -> str:
    return json.dumps({"iteration": iteration, "time": 1000.0 + iteration, **more}) + "\n"


def test_nothing_is_there_before_the_first_iteration(tmp_path: Path) -> None:
    curves = Curves(tmp_path / "log.jsonl")
    assert curves.update() == 0
    assert len(curves) == 0
    assert curves.keys == ()
    assert read_lines(tmp_path / "log.jsonl") == []


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(line(1, loss_src=3.0) + line(2, loss_src=2.5))
    curves = Curves(path)
    assert curves.update() == 2
    with path.open("a") as handle:
        handle.write(line(3, loss_src=2.25))
    assert curves.update() == 1
    assert curves.update() == 0
    assert curves.iterations.tolist() == [1, 2, 3]
    assert curves.values("loss_src").tolist() == [3.0, 2.5, 2.25]
    assert curves.values("time").tolist() == [1001, 1002, 1003]
    assert curves.generation == 0


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    whole = line(1, loss_src=1.5) + line(2, loss_src=1.25)
    path.write_text(whole[:-9])
    curves = Curves(path)
    assert curves.update() == 1
    assert [row["iteration"] for row in read_lines(path)] == [1]
    path.open("a").close()
    assert curves.update() == 0
    with path.open("a") as handle:
        handle.write(whole[-9:])
    assert curves.update() == 1
    assert curves.values("loss_src").tolist() == [1.5, 1.25]


def test_keys_may_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(line(1, loss_src=1.0) + line(2, loss_src=None, gan=0.5) + line(3, loss_src="x", gan=[1]))
    curves = Curves(path)
    curves.update()
    assert curves.keys == ("loss_src", "gan")
    assert curves.values("loss_src").tolist() == pytest.approx([1.0, np.nan, np.nan], nan_ok=True)
    assert curves.values("gan").tolist() == pytest.approx([np.nan, 0.5, np.nan], nan_ok=True)
    assert np.isnan(curves.values("never seen")).all()


@pytest.mark.parametrize(
    "junk", ["\n", "half\n", "[1, 2]\n", '{"iteration": "5"}\n', '{"time": 3}\n', "\x00\x00\n", "[" * 100_000 + "\n"]
)
def test_lines_that_are_none_of_ours_are_passed_over(tmp_path: Path, junk: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(line(1, loss_src=1.0) + junk + line(2, loss_src=2.0))
    curves = Curves(path)
    assert curves.update() == 2
    assert curves.values("loss_src").tolist() == [1, 2]
    assert len(read_lines(path)) == 2


def test_a_log_that_was_cut_back_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(line(n, loss_src=1.0) for n in range(1, 11)))
    curves = Curves(path)
    assert curves.update() == 10
    other = tmp_path / "new.jsonl"
    other.write_text("".join(line(n, loss_src=2.0) for n in range(1, 15)))  # longer, but another file
    other.replace(path)
    curves.update()
    assert len(curves) == 14
    assert (curves.values("loss_src") == 2).all()
    assert curves.generation == 1
    path.write_text(line(1, loss_src=3.0))  # the same file, shorter
    curves.update()
    assert curves.values("loss_src").tolist() == [3]
    path.unlink()
    curves.update()
    assert (len(curves), curves.generation) == (0, 3)


def test_a_training_that_went_back_loses_what_came_after(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(line(1, a=1.0) + line(2, a=1.0) + line(3, a=1.0) + line(2, a=9.0))
    curves = Curves(path)
    curves.update()
    assert curves.iterations.tolist() == [1, 2]
    assert curves.values("a").tolist() == [1, 9]
    with path.open("a") as handle:
        handle.write(line(2, a=5.0) + line(3, a=5.0))
    curves.update()
    assert curves.values("a").tolist() == [1, 5, 5]
    assert curves.generation == 1


def test_logs_longer_than_a_block(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(line(n, loss_src=n / 8) for n in range(1, 40_001)))
    assert path.stat().st_size > 2 << 20
    curves = Curves(path)
    assert curves.update() == 40_000
    assert np.array_equal(curves.iterations, np.arange(1, 40_001))
    assert np.array_equal(curves.values("loss_src"), np.arange(1, 40_001) / 8)
    assert curves.first_after(39_000) == 39_000
    assert curves.first_after(0) == 0
    assert curves.first_after(99_999) == 40_000


def test_lines_after_an_iteration(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(line(1) + line(5, note="as it is") + line(9))
    assert read_lines(path, after=1) == [
        {"iteration": 5, "time": 1005.0, "note": "as it is"},
        {"iteration": 9, "time": 1009.0},
    ]


@pytest.mark.parametrize(
    ("length", "count", "starts"),
    [(0, 5, []), (3, 5, [0, 1, 2]), (6, 3, [0, 2, 4]), (7, 3, [0, 2, 4]), (8, 3, [0, 2, 5]), (5, 0, [])],
)
def test_spans(length: int, count: int, starts: list[int]) -> None:
    assert span_starts(length, count).tolist() == starts


def test_thinning_keeps_lowest_highest_and_mean() -> None:
    assert thin(np.array([1.0, 3.0, 5.0, 2.0, 2.0, 8.0]), 2).tolist() == [[1, 5, 3], [2, 8, 4]]
    assert thin(np.array([1.0, 3.0]), 5).tolist() == [[1, 1, 1], [3, 3, 3]]
    assert thin(np.empty(0), 5).shape == (0, 3)
    assert thin(np.ones(3), 0).shape == (0, 3)


def test_thinning_leaves_out_what_is_no_number() -> None:
    thinned = thin(np.array([1.0, np.nan, np.inf, 3.0, np.nan, -np.inf]), 3)
    assert thinned[:2].tolist() == [[1, 1, 1], [3, 3, 3]]
    assert np.isnan(thinned[2]).all()


def test_a_long_curve_keeps_its_peaks() -> None:
    values = np.ones(1_000_000)
    values[765_432] = 7
    thinned = thin(values, 1000)
    assert thinned.shape == (1000, 3)
    assert np.flatnonzero(thinned[:, 1] == 7).tolist() == [765]


def test_no_torch_is_loaded() -> None:
    code = "import sys, lookalike.training.curves, lookalike.training.graph, lookalike.training.advice as a; "
    done = subprocess.run(
        [sys.executable, "-c", code + "print('torch' in sys.modules)"], capture_output=True, text=True
    )
    assert done.stdout.strip() == "False", done.stderr
