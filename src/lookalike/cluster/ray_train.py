"""One training by many workers of a Ray cluster, each of which runs the whole training loop (Ray Train)."""

import os
import platform
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from lookalike import __version__
from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.connect import joined
from lookalike.cluster.files import Files
from lookalike.cluster.line import Line
from lookalike.cluster.ray_pool import open_pool
from lookalike.errors import ClusterError, ConfigError, LookalikeError
from lookalike.types import Event, Message, Progress

Spec = TypeVar("Spec")
_LISTENS_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 20.0
"""Time after which it is said that workers are waited for."""


@dataclass(frozen=True, slots=True)
class Team:
    """The workers of a training."""

    count: int
    gpu: bool
    """Each has a graphics card of its own."""


def train_together(
    options: ClusterOptions,
    run: Callable[[Spec, Files, Callable[[], bool]], Iterator[Event]],
    spec: Spec,
    *,
    batch_size: int,
    device: str,
) -> Iterator[Event]:
    """Run a training in several processes of a cluster; yields the events of the leading one.

    Args:
        options: the cluster.
        run: a function of a module, called in every worker with `spec`, how it comes by files, and a function that says
            whether to stop; the environment is that of torchrun, and the processes have met already.
        spec: given to it.
        batch_size: which the workers share.
        device: cpu, cuda, or auto for cuda where the cluster has graphics cards.

    Raises:
        ClusterError: no cluster, too few processors, or workers that are lost again and again. The errors of the
            training itself are raised as they are.
    """
    one = options.model_copy(update={"ray_workers": 1})  # only its files are needed
    with joined(options.ray or "auto") as ray, open_pool(one) as pool:
        team = choose_team(ray.cluster_resources(), options.ray_workers, batch_size, device)
        what = "graphics cards" if team.gpu else "processors"
        yield Message("train", f"{team.count} workers of the cluster, on {what}")
        here = ray.get_runtime_context().get_node_id()
        line = ray.remote(Line).options(num_cpus=0, label_selector={"ray.io/node-id": here}).remote()
        work = partial(_work, partial(run, spec, pool.files), line, __version__)
        with tempfile.TemporaryDirectory() as scratch, _started(team, work, scratch) as fit:
            yield from _heard(ray, line, fit, team)


def choose_team(resources: dict[str, float], asked: int | None, batch_size: int, device: str) -> Team:
    """How many workers, and on what: as many as asked for, else the most among which the batch divides.

    Raises:
        ClusterError: the cluster has not so many.
    """
    cards, processors = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
    gpu = device.startswith("cuda") or (device == "auto" and cards > 0)
    there, what = (cards, "graphics cards") if gpu else (processors, "processors")
    if (asked or 1) > there:
        raise ClusterError(f"the cluster has {there} {what}, and {asked or 1} are needed; lower --ray-workers")
    if asked is not None and batch_size % asked:
        raise ConfigError(f"--batch-size {batch_size} does not divide among {asked} workers")
    count = asked or max(n for n in range(1, there + 1) if batch_size % n == 0)
    return Team(count, gpu)


class _Fit:
    """Ray Train at work in a thread, which ends when Ray is left."""

    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def ended(self, seconds: float = 0) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._trainer.fit()
        except BaseException as exc:
            self.error = exc


@contextmanager
def _started(team: Team, work: Callable[[], None], scratch: str) -> Iterator[_Fit]:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    trainer = TorchTrainer(
        work,
        scaling_config=ScalingConfig(
            num_workers=team.count,
            use_gpu=team.gpu,
            resources_per_worker={"CPU": 1, "GPU": 1} if team.gpu else {"CPU": 1},
            placement_strategy="PACK" if team.gpu else "SPREAD",
        ),
        torch_config=TorchConfig(backend="nccl" if team.gpu else "gloo"),
        # Checkpoints are the training's own; Ray Train is told of none. How often to begin again, the line knows.
        run_config=RunConfig(storage_path=scratch, name="train", failure_config=FailureConfig(max_failures=-1)),
    )
    yield _Fit(trainer)


def _heard(ray: Any, line: Any, fit: _Fit, team: Team) -> Iterator[Event]:
    """What the leading worker says, and in between what says nothing new, so that Ctrl-C is heard."""
    last: Event = Progress("train", 0, 0, "")
    quiet = 0.0
    try:
        while True:
            over = fit.ended()
            events, error, begun = ray.get(line.news.remote(_LISTENS_SECONDS))
            for event in events:
                last = event if isinstance(event, Progress) else last
                yield event
            if error is not None:
                raise error
            if over:
                break
            quiet = 0 if events or begun else quiet + _LISTENS_SECONDS
            if quiet == _PATIENCE_SECONDS:
                yield Message("train", f"waiting for {team.count} workers; is all of the cluster at work elsewhere?")
            if not events:
                yield last
    except GeneratorExit:
        if ray.get(line.stop.remote()):
            while not fit.ended(_LISTENS_SECONDS):  # the leading worker saves
                pass
        raise
    if fit.error is not None:
        raise ClusterError(f"Ray Train gave up: {' '.join(str(fit.error).split())[:300]}") from fit.error


def _work(run: Callable[[Callable[[], bool]], Iterator[Event]], line: Any, version: str) -> None:
    """One worker's whole life."""
    import ray
    from ray.train.collective import broadcast_from_rank_zero
    from ray.train.torch import get_device

    leads = os.environ["RANK"] == "0"
    if not broadcast_from_rank_zero(ray.get(line.begin.remote()) if leads else None):
        return
    if (index := get_device().index) is not None:
        os.environ["LOCAL_RANK"] = str(index)
    stopped, said = line.stopped.remote(), None
    try:
        _check_version(version)
        with closing(run(lambda: bool(ray.wait([stopped], timeout=0)[0]))) as events:  # type: ignore[type-var]
            for event in events:
                said = line.say.remote(event) if leads else None
        ray.get([said] if said else [])
    except LookalikeError as exc:
        ray.get(line.fail.remote(exc))
        raise  # the others, who may wait for this one, are started again, and told that there is nothing left to do
    except Exception as exc:
        with suppress(Exception):
            ray.get(line.grumble.remote(f"{type(exc).__name__}: {' '.join(str(exc).split())[:200]}"))
        raise


def _check_version(version: str) -> None:
    if version != __version__:
        raise ClusterError(
            f"{platform.node()} has Lookalike {__version__}, this machine {version}; install the same everywhere"
        )
