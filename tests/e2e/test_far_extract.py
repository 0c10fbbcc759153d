"""Faces found on a cluster are those found on one machine, byte for byte, whichever of the two was killed halfway."""

from collections.abc import Callable
from pathlib import Path

import pytest
from extracting import contents, run

from copying_pool import CLUSTER, Copying, use
from lookalike.errors import ConfigError, WeightsError
from lookalike.pipeline import far_scan, frame_runs
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.demo import draw_clip
from lookalike.pipeline.extract import extract
from lookalike.pipeline.far_look import Box, Chips, Done, LookSpec, SentFace, Task, open_far_look
from lookalike.pipeline.frame_runs import Run
from lookalike.pipeline.workspace import Workspace
from lookalike.sample import load_portraits
from lookalike.types import Message, Progress

CONFIG = ExtractConfig(size=96)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Copying]:
    """Put a pool in the place of a cluster's, and have it do runs of five frames."""
    monkeypatch.setattr(frame_runs, "_SHORTEST", 5)

    def shared(**how: int) -> Copying:
        pool = Copying(**how)
        use(monkeypatch, pool, far_scan)
        return pool

    return shared


def fresh(folder: Path, clip: Path) -> Workspace:
    workspace = Workspace.create(folder)
    workspace.set_video("src", clip)
    return workspace


def on_cluster(workspace: Workspace, config: ExtractConfig = CONFIG) -> list[str]:
    events = extract(workspace, "src", config, cluster=CLUSTER)
    return [event.text for event in events if isinstance(event, Message)]


def found(workspace: Workspace) -> tuple[dict[str, bytes], bytes]:
    """The faceset, and the log of the search."""
    (search,) = (workspace.data("src") / ".extract").iterdir()
    return contents(workspace.aligned("src")), (search / "frames.jsonl").read_bytes()


def test_the_same_faces_and_the_same_log(
    clips: tuple[Path, Path],
    tmp_path: Path,
    blind: Callable[[range], None],
    shared: Callable[..., Copying],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blind(range(8, 13))  # over the edge of a run, so that one part of the closer looks is taken by whoever follows
    here, there = fresh(tmp_path / "here", clips[0]), fresh(tmp_path / "there", clips[0])
    said = run(here)
    pool = shared()
    taken: list[int] = []
    look = far_scan._Here.look_closer

    def noted(self: far_scan._Here, index: int, box: Box) -> SentFace | None:
        taken.append(index)
        return look(self, index, box)

    monkeypatch.setattr(far_scan._Here, "look_closer", noted)
    assert on_cluster(there)[-1] == said[-1]
    assert found(there) == found(here)
    assert taken == [10, 11, 12]
    assert [task.start for task in pool.tasks if isinstance(task, Run)] == [0, 5, 10, 15, 20]
    assert [len(task.chips) for task in pool.tasks if isinstance(task, Chips)] == [1, 1]


@pytest.mark.parametrize(("results", "logged"), [(1, 0), (5, 15)])
def test_a_cluster_is_killed_and_one_machine_goes_on(
    clips: tuple[Path, Path],
    tmp_path: Path,
    whole_faceset: Path,
    shared: Callable[..., Copying],
    results: int,
    logged: int,
) -> None:
    workspace = fresh(tmp_path / "ws", clips[0])
    shared(results=results)
    with pytest.raises(KeyboardInterrupt):
        on_cluster(workspace)
    assert run(workspace)[:-1] == ([f"going on from frame {logged}"] if logged else [])
    assert found(workspace) == found(Workspace(whole_faceset))


def test_one_machine_is_killed_and_a_cluster_goes_on(
    clips: tuple[Path, Path], tmp_path: Path, whole_faceset: Path, shared: Callable[..., Copying]
) -> None:
    workspace = fresh(tmp_path / "ws", clips[0])
    killed = extract(workspace, "src", CONFIG)
    while not (isinstance(event := next(killed), Progress) and event.done == 9):
        pass
    killed.close()  # type: ignore[attr-defined]
    pool = shared()
    assert on_cluster(workspace)[0] == "going on from frame 9"
    assert pool.tasks[0] == Run(8, 13)  # once more the last one, to see a cut after it
    assert found(workspace) == found(Workspace(whole_faceset))


def test_an_error_in_a_task_keeps_what_was_found_before(
    clips: tuple[Path, Path],
    tmp_path: Path,
    whole_faceset: Path,
    shared: Callable[..., Copying],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(spec: LookSpec) -> Callable[[Task], Done]:
        work = open_far_look(spec)

        def do(task: Task) -> Done:
            if isinstance(task, Run) and task.holds(17):
                raise WeightsError("the weights of this machine are gone")
            return work(task)

        return do

    workspace = fresh(tmp_path / "ws", clips[0])
    shared(under_way=2)
    with monkeypatch.context() as patch:
        patch.setattr(far_scan, "open_far_look", failing)
        with pytest.raises(WeightsError, match="of this machine are gone"):
            on_cluster(workspace)
    assert on_cluster(workspace)[0] == "going on from frame 15"
    assert found(workspace) == found(Workspace(whole_faceset))


def test_every_face_by_itself_and_as_png(tmp_path: Path, shared: Callable[..., Copying]) -> None:
    clip = tmp_path / "short.mp4"
    for _ in draw_clip(load_portraits()[0], "src", clip, 7):
        pass
    config = ExtractConfig(size=64, identity="face", face_type="whole", png=True, max_faces=1)
    here, there = fresh(tmp_path / "here", clip), fresh(tmp_path / "there", clip)
    run(here, config)
    pool = shared()
    on_cluster(there, config)
    assert found(there) == found(here)
    assert len(contents(there.aligned("src"))) == 7
    assert not any(isinstance(task, Chips) for task in pool.tasks)  # embedded where they were found


def test_what_a_cluster_has_no_part_in(clips: tuple[Path, Path], tmp_path: Path, workspace: Workspace) -> None:
    for how in ("only_missing", "redo"):
        with pytest.raises(ConfigError, match="look at few frames, on this machine; leave out --ray"):
            list(
                extract(
                    workspace, "src", CONFIG, cluster=CLUSTER, only_missing=how == "only_missing", redo=how == "redo"
                )
            )
    by_hand = fresh(tmp_path / "hand", clips[0])
    said = on_cluster(by_hand, ExtractConfig(detector="manual"))  # no cluster of that name could be joined
    assert said[0] == "done on this machine alone: nothing is looked for"
