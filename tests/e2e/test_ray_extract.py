"""Faces found, masked and measured on two machines, one of which dies in the middle: all as one machine makes it."""

import shutil
from pathlib import Path

import pytest
from extracting import contents, run

from far_workspace import measured_workspace, report_files
from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.pool import Pool
from lookalike.masks.config import MaskApply
from lookalike.pipeline import far_scan, frame_runs
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.extract import extract
from lookalike.pipeline.masks import apply
from lookalike.pipeline.report import report
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Message, Progress
from ray_cluster import TwoNodes, both_at_work, noted_pools

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

CONFIG = ExtractConfig(size=96)


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> list[Pool]:
    """The pools that extractions open, to see how far they are."""
    return noted_pools(monkeypatch, far_scan)


def test_a_node_that_dies_costs_its_frames_and_no_face(
    clips: tuple[Path, Path],
    pools: list[Pool],
    two_nodes: TwoNodes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frame_runs, "_SHORTEST", 6)
    here, there = Workspace.create(tmp_path / "here"), Workspace.create(tmp_path / "there")
    for workspace in (here, there):
        workspace.set_video("src", clips[1])
    run(here, CONFIG)
    said, killed = [], False
    cluster = ClusterOptions(ray=two_nodes.address, ray_files="send")
    for event in extract(there, "src", CONFIG, cluster=cluster):
        if isinstance(event, Message):
            said.append(event.text)
        if isinstance(event, Progress) and not killed and both_at_work(pools):
            two_nodes.kill_second()
            killed = True
    assert killed
    assert pools[0].report is not None
    assert pools[0].report.lost >= 1
    assert pools[0].report.sent_bytes > 0
    assert any("lost on the way" in text for text in said)
    assert contents(there.aligned("src")) == contents(here.aligned("src"))
    assert logs(there) == logs(here)


def logs(workspace: Workspace) -> list[bytes]:
    return [path.read_bytes() for path in (workspace.data("src") / ".extract").glob("*/frames.jsonl")]


def test_masks_and_figures_of_a_cluster(
    whole_faceset: Path, two_nodes: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_runs, "_SHORTEST", 4)
    cluster = ClusterOptions(ray=two_nodes.address)
    here = measured_workspace(tmp_path / "here", Workspace(whole_faceset))
    there = Workspace(Path(shutil.copytree(here.folder, tmp_path / "there", symlinks=True)))
    result = here.folder / "result.mp4"
    list(report(here, result=result))
    list(report(there, result=result, cluster=cluster))
    assert report_files(there) == report_files(here)
    list(apply(here, "dst", MaskApply(device="cpu")))
    list(apply(there, "dst", MaskApply(device="cpu"), cluster=cluster))
    assert contents(there.aligned("dst")) == contents(here.aligned("dst"))
