"""The pool of a Ray cluster: actors that each open their work once and are given tasks in order.

Actors, not Ray Data: its operators draw the whole list of tasks before they begin, repeat a task that ends its worker
without bound, and wrap errors; here tasks are drawn as workers become free, and every rule of `Pool` is a few lines.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice
from typing import Any, Final

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.connect import joined
from lookalike.cluster.crew import Crew
from lookalike.cluster.files import Files
from lookalike.cluster.pool import Alone, Pool, PoolReport, Result, Spec, Task
from lookalike.cluster.ray_files import RayFiles, Sender, drop_sent
from lookalike.errors import ClusterError

_TIDY_SECONDS: Final = 10.0
_SETTLE_SECONDS: Final = 3.0


@contextmanager
def open_pool(options: ClusterOptions, *, gpus: int = 0, opens: Callable[..., Any] | None = None) -> Iterator[Pool]:
    """The workers that the options ask for: this process alone, or those of a cluster.

    Args:
        gpus: whole graphics cards that each worker needs for itself.
        opens: what `ordered` will be given, if it is known before there is work: workers start now, and import what it
            needs while this process goes on.

    Raises:
        ExtraMissingError: Ray is not installed. ConfigError: no address.
        ClusterError: the cluster cannot be joined, or has nothing to work with.
    """
    if options.ray is None:
        yield Alone()
        return
    with joined(options.ray) as ray:
        pool = RayPool(ray, options, gpus, opens)
        try:
            yield pool
        finally:
            pool.close()


class RayPool:
    """See Pool."""

    def __init__(
        self, ray: Any, options: ClusterOptions, gpus: int = 0, opens: Callable[..., Any] | None = None
    ) -> None:
        """Of a cluster that was joined; see open_pool."""
        self._ray, self._gpus = ray, gpus
        self._workers = options.ray_workers or _free(ray, gpus)
        self._report = PoolReport()
        self._sender = None if options.ray_files == "shared" else self._open_sender()
        self._files = RayFiles(options.ray_files, uuid.uuid4().hex[:12], self._sender)
        self._early = None if opens is None else self._crew(opens)

    @property
    def files(self) -> Files:
        """See Pool."""
        return self._files

    @property
    def report(self) -> PoolReport | None:
        """See Pool."""
        self._count_sent()
        return self._report

    def ordered(
        self, open_worker: Callable[[Spec], Callable[[Task], Result]], spec: Spec, tasks: Iterable[Task]
    ) -> Iterator[Result]:
        """See Pool."""
        waiting = iter(tasks)
        first = list(islice(waiting, 1))
        if not first:
            return
        early, self._early = self._early, None
        crew = early or self._crew(open_worker)
        try:
            if crew.opens is not open_worker:
                raise ValueError(f"the pool was opened for {crew.opens}, not for {open_worker}")
            yield from crew.results(spec, chain(first, waiting))
        finally:
            crew.dismiss()

    def close(self) -> None:
        """End workers that got no work, and remove what machines were sent; only the report is left."""
        if self._early is not None:
            self._early.dismiss()
        if self._sender is None:
            return
        is_known = self._count_sent()
        sender, self._sender = self._sender, None
        with suppress(self._ray.exceptions.RayError):
            if self._report.sent_bytes or not is_known:
                self._drop_sent()
            self._ray.kill(sender)

    def _crew(self, opens: Callable[..., Any]) -> Crew:
        return Crew(self._ray, self._workers, self._gpus, opens, self._report)

    def _count_sent(self) -> bool:
        """Note how much was sent so far; whether that could be told."""
        if self._sender is None:
            return True
        with suppress(self._ray.exceptions.RayError):
            self._report.sent_bytes = self._ray.get(self._sender.sent.remote(), timeout=_TIDY_SECONDS)
            return True
        return False

    def _drop_sent(self) -> None:
        drop = self._ray.remote(num_cpus=0, max_retries=0)(drop_sent)
        nodes = [node["NodeID"] for node in self._ray.nodes() if node["Alive"]]
        tidying = [drop.options(scheduling_strategy=_only_on(node)).remote(self._files.token) for node in nodes]
        self._ray.wait(tidying, num_returns=len(tidying), timeout=_TIDY_SECONDS)

    def _open_sender(self) -> Any:
        """On the machine of this process, whose files it reads."""
        here = self._ray.get_runtime_context().get_node_id()
        return self._ray.remote(num_cpus=0)(Sender).options(scheduling_strategy=_only_on(here)).remote()


def _only_on(node: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)


def _free(ray: Any, gpus: int) -> int:
    """How many workers the cluster has room for."""
    kind, each = ("GPU", gpus) if gpus else ("CPU", 1)
    total = int(ray.cluster_resources().get(kind, 0)) // each
    if not total:
        raise ClusterError(f"the Ray cluster has no {kind} to work with; add a machine to it with `ray start`")
    patience = time.monotonic() + _SETTLE_SECONDS
    while (free := int(ray.available_resources().get(kind, 0)) // each) < total and time.monotonic() < patience:
        time.sleep(0.1)  # what has just ended is still counted for a moment
    return max(free, 1)
