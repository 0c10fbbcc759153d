"""Who is given what, and what happens when a worker dies: the rules of `Pool.ordered`, without a cluster."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from lookalike import __version__
from lookalike.cluster import crew
from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.crew import Crew
from lookalike.cluster.pool import PoolReport
from lookalike.cluster.ray_pool import RayPool
from lookalike.cluster.ray_worker import Greeting, Outcome
from lookalike.errors import ClusterError, VideoError


class LostError(Exception):
    """Stands for all that Ray says of a dead worker."""


class TaskError(LostError):
    """Stands for what Ray says of a call that failed."""


@dataclass(eq=False)
class Ref:
    """What a call will give."""

    actor: "Actor"
    call: Callable[[], Any]


@dataclass(eq=False)
class Actor:
    """Does what it is told in order; dies of some tasks."""

    ray: "Cluster"
    number: int
    alive: bool = True
    placed: bool = False
    """Whether there was room for it."""
    calls: deque[Ref] = field(default_factory=deque)

    def __getattr__(self, name: str) -> Any:
        return Method(self, name)


@dataclass(eq=False)
class Method:
    actor: Actor
    name: str

    def remote(self, *values: Any) -> Ref:
        ref = Ref(self.actor, lambda: getattr(self.actor.ray, self.name)(self.actor, *values))
        if self.name == "prepare":  # nobody waits for it
            self.actor.ray.prepared.append(*values)
        else:
            self.actor.calls.append(ref)
        return ref


class Cluster:
    """As much of Ray as a crew asks for: one call of one worker ends with every wait, and workers take turns."""

    class exceptions:  # noqa: N801
        RayError = LostError
        RayTaskError = TaskError

    def __init__(self, room: int = 99, version: str | None = None) -> None:
        self.room, self.version = room, version
        self.actors: list[Actor] = []
        self.turn = 0
        self.killers: dict[int, int] = {}
        self.most_under_way = 0
        self.reasons: list[Exception] = []
        self.prepared: list[str] = []

    def put(self, value: Any) -> Any:
        return value

    def remote(self, **options: Any) -> Any:
        return lambda _: self

    def kill(self, actor: Actor) -> None:
        actor.alive = False

    def wait(self, refs: list[Ref], num_returns: int, timeout: float) -> tuple[list[Ref], list[Ref]]:
        ready = [ref for ref in refs if not ref.actor.alive or (ref is ref.actor.calls[0] and self._placed(ref.actor))]
        self.turn += 1
        return ([ready[self.turn % len(ready)]] if ready else []), []

    def get(self, ref: Ref) -> Any:
        if not ref.actor.alive:
            raise LostError("The actor died")
        ref.actor.calls.popleft()
        return ref.call()

    def hello(self, actor: Actor) -> Greeting:
        if self.reasons:
            raise self.reasons.pop()
        return Greeting(self.version or __version__, "node", actor.number)

    def do(self, actor: Actor, opening: Any, spec: Any, task: int) -> Outcome:
        self.most_under_way = max(self.most_under_way, len(actor.calls) + 1)
        if self.killers.get(task, 0):
            self.killers[task] -= 1
            actor.alive = False
            raise LostError("The actor died")
        if task == 1000:
            return Outcome(error=VideoError("this one cannot be done; leave it out"))
        return Outcome((spec, task))

    def _placed(self, actor: Actor) -> bool:
        actor.placed = actor.placed or sum(one.alive and one.placed for one in self.actors) < self.room
        return actor.placed


def hiring(cluster: Cluster) -> Any:
    """What makes an actor of the worker's class."""

    class Kind:
        @staticmethod
        def remote(threads: int) -> Actor:
            cluster.actors.append(Actor(cluster, len(cluster.actors)))
            return cluster.actors[-1]

    return Kind


def started(cluster: Cluster, size: int, report: PoolReport | None = None) -> Crew:
    cluster.remote = lambda **options: lambda _: hiring(cluster)  # type: ignore[method-assign]
    return Crew(cluster, size, 0, len, report or PoolReport())


def test_results_come_in_order_and_tasks_are_drawn_as_they_are_needed() -> None:
    drawn: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(50):
            drawn.append(number)
            yield number

    cluster, report = Cluster(), PoolReport()
    results = started(cluster, 3, report).results("spec", tasks())
    for number in range(50):
        assert next(results) == ("spec", number)
        assert len(drawn) <= number + 1 + 4 * 3
    assert next(results, None) is None
    assert cluster.most_under_way == 2
    assert sum(report.done.values()) == 50
    assert len(report.done) == 3
    assert report.lost == report.again == 0


def test_workers_import_what_their_work_needs_before_there_is_any() -> None:
    cluster = Cluster()
    started(cluster, 3)
    assert cluster.prepared == ["builtins"] * 3


def opening_none(_spec: str) -> Callable[[int], int]:
    return abs


def test_workers_that_got_no_work_end_with_the_pool_and_do_no_other() -> None:
    options = ClusterOptions(ray="fake:1", ray_workers=2, ray_files="shared")
    for ask in (False, True):
        cluster = Cluster()
        cluster.remote = lambda there=cluster, **_: lambda _: hiring(there)  # type: ignore[method-assign]
        pool = RayPool(cluster, options, opens=len)
        assert [actor.alive for actor in cluster.actors] == [True, True]
        if ask:
            with pytest.raises(ValueError, match="opened for"):
                list(pool.ordered(opening_none, "spec", [1]))
        pool.close()
        assert not any(actor.alive for actor in cluster.actors)


def test_tasks_of_a_dead_worker_are_done_by_others_and_another_takes_its_place() -> None:
    cluster, report = Cluster(), PoolReport()
    cluster.killers = {4: 1, 9: 2}
    assert list(started(cluster, 2, report).results("spec", range(12))) == [("spec", number) for number in range(12)]
    assert report.lost == 3
    assert 3 <= report.again <= 6
    assert len(cluster.actors) == 5
    assert sum(report.done.values()) == 12


def test_a_lost_machine_leaves_the_work_to_the_rest() -> None:
    """The worker that takes the place of a dead one finds no room, and nobody waits for it."""
    cluster = Cluster(room=2)
    cluster.killers = {4: 1}
    crew_of_two = started(cluster, 2)
    results = crew_of_two.results("spec", range(12))
    taken = [next(results) for _ in range(3)]
    cluster.room = 1
    assert [*taken, *results] == [("spec", number) for number in range(12)]
    crew_of_two.dismiss()
    assert not any(actor.alive for actor in cluster.actors)


def test_a_task_that_ends_its_worker_again_and_again_is_named() -> None:
    cluster = Cluster()
    cluster.killers = {4: 99}
    with pytest.raises(ClusterError, match="3 workers died of 4; see Ray's logs, or run without --ray"):
        list(started(cluster, 2).results("spec", range(12)))
    assert cluster.killers[4] == 96


def test_an_error_of_ours_is_raised_at_its_place() -> None:
    results = started(Cluster(), 2).results("spec", [0, 1, 1000, 3])
    assert [next(results), next(results)] == [("spec", 0), ("spec", 1)]
    with pytest.raises(VideoError, match="this one cannot be done"):
        next(results)


def test_an_error_while_drawing_tasks_is_raised() -> None:
    def tasks() -> Iterator[int]:
        yield 0
        raise VideoError("cut short; fetch it again")

    with pytest.raises(VideoError, match="cut short"):
        list(started(Cluster(), 1).results("spec", tasks()))


def test_other_versions_are_told_in_one_line() -> None:
    with pytest.raises(
        ClusterError, match=r"node/0 runs Lookalike 0\.0 and this machine .*; install the same"
    ) as caught:
        list(started(Cluster(version="0.0"), 1).results("spec", [1]))
    assert "\n" not in str(caught.value)


def test_machines_without_lookalike_are_told() -> None:
    cluster = Cluster()
    cluster.reasons = [TaskError("...\nModuleNotFoundError: No module named 'lookalike'")]
    with pytest.raises(ClusterError, match="a machine of the cluster lacks Lookalike"):
        list(started(cluster, 1).results("spec", [1]))


def test_workers_that_never_start_are_given_up() -> None:
    cluster = Cluster()
    cluster.reasons = [LostError("no\nmemory")] * 9
    with pytest.raises(ClusterError, match="cannot be started: no memory"):
        list(started(cluster, 2).results("spec", [1]))


def test_a_cluster_without_room_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_START_SECONDS", 0.0)
    with pytest.raises(ClusterError, match="no worker of the Ray cluster was ready in 0 s"):
        list(started(Cluster(room=0), 2).results("spec", [1]))
