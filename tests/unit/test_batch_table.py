"""The table of a batch: figures from workspaces, lines, and a page that says no more than it should."""

from pathlib import Path

from lookalike.pipeline.batch_file import read_batch
from lookalike.pipeline.batch_page import render_batch
from lookalike.pipeline.batch_state import Ledger, alone
from lookalike.pipeline.batch_table import BatchTable, make_table, table_lines
from lookalike.pipeline.workspace import Workspace


def table_of(folder: Path) -> BatchTable:
    for name in ("a", "b"):
        (folder / f"{name}.mp4").write_bytes(b"")
    path = folder / "jobs.toml"
    path.write_text(
        'job = [{name = "good", src = "a.mp4", dst = "b.mp4"}, {name = "<b>bad", src = "a.mp4", dst = "b.mp4"}]'
    )
    batch = read_batch(path)
    place = Workspace.create(batch.jobs[0].workspace)
    place.note("train", iterations=1200)
    place.note("merge", stamp="1-2")
    place.note("report", stamp="1-2", nearer_to_src=0.97, landmark_error=0.071, seam=0.5, frames_lost=0)
    place.report.mkdir()
    (place.report / "index.html").write_text("")
    with alone(batch):
        ledger = Ledger(batch)
        ledger.note(batch.jobs[0], state="done", attempts=2, seconds=61.5)
        ledger.note(batch.jobs[1], state="failed", attempts=1, error="<script>alert(1)</script> cannot be read")
        return make_table(batch, ledger)


def test_figures_are_those_of_the_report(tmp_path: Path) -> None:
    good, bad = table_of(tmp_path).jobs
    assert (good.iterations, good.nearer_to_src, good.landmark_error, good.frames_lost) == (1200, 0.97, 0.071, 0)
    assert good.warping_error is None
    assert good.report == "../good_workspace/report/index.html"
    assert (bad.iterations, bad.report) == (None, None)


def test_a_report_on_another_result_does_not_count(tmp_path: Path) -> None:
    table_of(tmp_path)
    Workspace(tmp_path / "good_workspace").note("merge", stamp="3-4")
    batch = read_batch(tmp_path / "jobs.toml")
    row = make_table(batch, Ledger(batch)).jobs[0]
    assert (row.iterations, row.nearer_to_src, row.report) == (1200, None, None)


def test_lines_stand_in_columns(tmp_path: Path) -> None:
    head, good, bad = table_lines(table_of(tmp_path))
    assert good.index("1,200") + len("1,200") == head.index("iterations") + len("iterations")
    assert "97.0%" in good
    assert bad.split()[:2] == ["-b-bad", "failed"]


def test_the_page_marks_what_is_bad_and_escapes(tmp_path: Path) -> None:
    page = render_batch(table_of(tmp_path))
    assert "<span class='verdict good'>97.0%</span>" in page
    assert "<span class='verdict bad'>0.071</span>" in page
    assert "href='../good_workspace/report/index.html'" in page
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
