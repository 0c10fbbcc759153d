"""A merge on two machines, one of which dies in the middle: the frames are those of one machine."""

from pathlib import Path
from typing import Any, Literal

import pytest

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.pool import Pool
from lookalike.merging.config import MergeConfig
from lookalike.pipeline import merge as merging
from lookalike.pipeline import segments
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Message, Progress
from lookalike.video import EncodeOptions, read_frames
from merge_workspace import merge_workspace
from ray_cluster import TwoNodes, both_at_work, noted_pools

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

FFV1 = EncodeOptions(codec="ffv1")
PLAIN = TrustOptions(credentials=False, content_check="off")
FRAMES, SEGMENT = 64, 8
HOLES = frozenset({5, 30, 31})


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Frames, three of them without a face."""
    return merge_workspace(tmp_path_factory.mktemp("far"), FRAMES, without_face=HOLES)


@pytest.fixture(scope="module")
def local(template: Workspace) -> list[Any]:
    """What one machine makes."""
    output = template.folder / "local.mkv"
    list(merging.merge(template, MergeConfig(), FFV1, trust=PLAIN, output=output))
    return list(read_frames(output))


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> list[Pool]:
    """The pools that merges open, to see how far they are."""
    return noted_pools(monkeypatch, merging)


@pytest.mark.parametrize("files", ["shared", "send"])
def test_a_node_that_dies_costs_its_segments_and_no_frame(
    template: Workspace,
    local: list[Any],
    pools: list[Pool],
    two_nodes: TwoNodes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: Literal["shared", "send"],
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_FRAMES", SEGMENT)
    output, said = tmp_path / "far.mkv", []
    cluster = ClusterOptions(ray=two_nodes.address, ray_files=files)
    for event in merging.merge(template, MergeConfig(), FFV1, trust=PLAIN, output=output, cluster=cluster):
        if isinstance(event, Message):
            said.append(event.text)
        if isinstance(event, Progress) and both_at_work(pools) and "killed" not in said:
            two_nodes.kill_second()
            said.append("killed")
    report = pools[0].report
    assert report is not None
    assert "killed" in said
    assert report.lost >= 1
    assert report.again >= 1
    assert sum(report.done.values()) == FRAMES // SEGMENT
    assert (report.sent_bytes > 0) == (files == "send")
    swapped = FRAMES - len(HOLES)
    assert f"{FRAMES} frames: {swapped} faces replaced in {swapped}, 3 without a face left as they are" in said[-1]
    assert template.done("merge")["frames"] == FRAMES
    far = list(read_frames(output))
    assert [frame.pts for frame in far] == [frame.pts for frame in local]
    for one, other in zip(local, far, strict=True):
        assert all((a == b).all() for a, b in zip(one.picture.planes, other.picture.planes, strict=True)), one.index
