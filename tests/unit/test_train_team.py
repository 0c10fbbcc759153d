"""Who trains on a cluster, and what the workers and the one that started them tell each other."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor

import pytest

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.line import Line
from lookalike.cluster.ray_train import Team, choose_team
from lookalike.errors import CheckpointError, ClusterError, ConfigError
from lookalike.pipeline.train import train
from lookalike.pipeline.workspace import Workspace
from lookalike.training.config import TrainConfig
from lookalike.types import Message, Progress


@pytest.mark.parametrize(
    ("resources", "asked", "device", "team"),
    [
        ({"CPU": 2.0}, 2, "auto", Team(2, gpu=False)),
        ({"CPU": 7.0}, None, "auto", Team(4, gpu=False)),  # the batch is 8
        ({"CPU": 64.0}, None, "cpu", Team(8, gpu=False)),
        ({"CPU": 64.0, "GPU": 2.0}, None, "auto", Team(2, gpu=True)),
        ({"CPU": 64.0, "GPU": 2.0}, 8, "cpu", Team(8, gpu=False)),
    ],
)
def test_workers_share_the_batch(resources: dict[str, float], asked: int | None, device: str, team: Team) -> None:
    assert choose_team(resources, asked, 8, device) == team


def test_more_workers_than_there_are_is_refused() -> None:
    with pytest.raises(ClusterError, match="has 2 processors, and 4 are needed"):
        choose_team({"CPU": 2.0}, 4, 8, "auto")
    with pytest.raises(ClusterError, match="has 0 graphics cards, and 1 are needed"):
        choose_team({"CPU": 2.0}, None, 8, "cuda")


@pytest.mark.parametrize(
    ("cluster", "batch", "said"),
    [
        (
            ClusterOptions(ray="127.0.0.1:1", ray_workers=3),
            8,
            "--batch-size 8 does not divide among 3 processes; try 9",
        ),
        (ClusterOptions(ray_workers=2), 8, "belong to --ray ADDRESS"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything_is_started(
    place: Workspace, cluster: ClusterOptions, batch: int, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        list(train(place, None, TrainConfig(batch_size=batch), cluster=cluster))
    assert not (place.folder / "model").exists()


def test_the_line_counts_beginnings_that_lead_nowhere() -> None:
    async def life() -> None:
        line = Line()
        assert await line.begin()
        for _ in range(4):
            await line.say(Progress("train", 7, 50, "iterations"))
            assert await line.begin()
        await line.say(Progress("train", 8, 50, "iterations"))  # further than ever: it is worth going on
        assert await line.begin()
        await line.grumble("RuntimeError: connection closed")
        for _ in range(3):
            assert await line.begin()
        assert not await line.begin()
        events, error, begun = await line.news(0)
        assert events[-1] == Message("train", "a worker was lost; all go on from the last checkpoint")
        assert str(error) == "workers were lost 5 times at the same place (RuntimeError: connection closed)"
        assert begun == 10

    _lived(life)


def test_after_an_error_or_a_stop_nobody_begins_again() -> None:
    async def life() -> None:
        failed, stopped = Line(), Line()
        await failed.begin()
        await failed.fail(CheckpointError("damaged"))
        await failed.fail(CheckpointError("seen by another worker"))
        assert not await failed.begin()
        assert str((await failed.news(0))[1]) == "damaged"
        assert await stopped.stop() == 0
        await asyncio.wait_for(stopped.stopped(), 10)
        assert not await stopped.begin()

    _lived(life)


def _lived(life: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run it in a thread of its own: where a browser is open, this thread has a loop already."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, life()).result()
