"""Figures and masks of a cluster are those of one machine."""

import shutil
from pathlib import Path

import pytest
from extracting import contents
from running import SRC_FRAMES

from copying_pool import CLUSTER, Copying, use
from far_workspace import MEASURED, measured_workspace, report_files
from lookalike.errors import RecordError
from lookalike.faceset import list_faces, load_record, replace_record
from lookalike.masks.config import MaskApply
from lookalike.pipeline import far_masks, far_report, frame_runs
from lookalike.pipeline.far_report import Stretch
from lookalike.pipeline.masks import apply
from lookalike.pipeline.report import report
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.figures import Report
from lookalike.types import Event, Message

CPU = MaskApply(device="cpu")


def said(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Message)]


@pytest.fixture
def pair(whole_faceset: Path, tmp_path: Path) -> tuple[Workspace, Workspace]:
    """Two workspaces alike."""
    here = measured_workspace(tmp_path / "here", Workspace(whole_faceset))
    return here, Workspace(Path(shutil.copytree(here.folder, tmp_path / "there", symlinks=True)))


def test_the_same_figures(pair: tuple[Workspace, Workspace], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_runs, "_SHORTEST", 3)
    here, there = pair
    result = here.folder / "result.mp4"
    list(report(here, result=result))
    pool = Copying()
    use(monkeypatch, pool, far_report)
    list(report(there, result=result, cluster=CLUSTER))
    assert report_files(there) == report_files(here)
    assert sum(isinstance(task, Stretch) for task in pool.tasks) > SRC_FRAMES // 4
    found = Report.model_validate_json((there.report / "report.json").read_text())
    assert (found.frames.dst, found.frames.result, found.frames.with_face) == (SRC_FRAMES, MEASURED, SRC_FRAMES - 2)
    assert found.identity.nearer_to_src is not None
    assert found.temporal.ratio is not None


def test_the_same_masks(pair: tuple[Workspace, Workspace], monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = pair
    pool = Copying(under_way=2)
    use(monkeypatch, pool, far_masks)
    for name in [path.name for path in list_faces(here.aligned("dst"))][10:]:
        for workspace in pair:
            (workspace.aligned("dst") / name).unlink()
    expected = said(list(apply(here, "dst", CPU)))
    assert said(list(apply(there, "dst", CPU, cluster=CLUSTER)))[1:] == expected
    assert contents(there.aligned("dst")) == contents(here.aligned("dst"))
    assert [len(task.faces) for task in pool.tasks] == [8, 2]
    second = list_faces(there.aligned("dst"))[1]
    replace_record(second, load_record(second).model_copy(update={"mask": None}))
    assert "masked 1 of 10 faces" in said(list(apply(there, "dst", CPU, cluster=CLUSTER)))[-1]
    assert "masked 0 of 10 faces" in said(list(apply(there, "dst", CPU, cluster=CLUSTER)))[-1]
    assert contents(there.aligned("dst")) == contents(here.aligned("dst"))


def test_a_damaged_face_is_named(pair: tuple[Workspace, Workspace], monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Copying(), far_masks)
    path = list_faces(pair[1].aligned("dst"))[2]
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(RecordError, match=rf"dst/aligned/{path.name} cannot be read as an image"):
        list(apply(pair[1], "dst", CPU, cluster=CLUSTER))
