"""What runs in a worker's process of a Ray cluster."""

import os
import platform
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from lookalike import __version__
from lookalike.errors import ClusterError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task: a result or an error."""

    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a worker says when it is ready."""

    version: str
    machine: str
    process: int


def attempted(function: Callable[..., Any], *values: Any) -> Outcome:
    """What a function gives, or its error as one that can travel."""
    try:
        return Outcome(function(*values))
    except Exception as exc:
        return Outcome(error=_that_travels(exc))


class Worker:
    """Opens its work once and does one task after the other. Made an actor by the pool."""

    def __init__(self, threads: int) -> None:
        """Let libraries use as many threads as where the work is given out: sums come out bit for bit as there."""
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(threads)
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        self._threads = threads
        self._work: Callable[[Any], Any] | None = None

    def hello(self) -> Greeting:
        """Says that the process is up."""
        import ray

        node = ray.get_runtime_context().get_node_id()
        return Greeting(__version__, f"{platform.node()}-{node[:6]}", os.getpid())

    def prepare(self, module: str) -> None:
        """Import what the work will need, as far as it can be; an error comes again where it can be told."""
        with suppress(Exception):
            import_module(module)

    def do(self, open_worker: Callable[[Any], Callable[[Any], Any]], spec: Any, task: Any) -> Outcome:
        """Do a task; an error comes back as one that can travel."""
        return attempted(self._done, open_worker, spec, task)

    def _done(self, open_worker: Callable[[Any], Callable[[Any], Any]], spec: Any, task: Any) -> Any:
        if self._work is None:
            self._work = open_worker(spec)
            self._hold_threads()
        return self._work(task)

    def _hold_threads(self) -> None:
        """Libraries that were loaded before they could read the environment."""
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(self._threads)
        if cv2 := sys.modules.get("cv2"):
            cv2.setNumThreads(1)


def _that_travels(exc: Exception) -> BaseException:
    from ray import cloudpickle

    exc.add_note("in a worker:\n" + "".join(traceback.format_exception(exc)))
    try:
        if isinstance(cloudpickle.loads(cloudpickle.dumps(exc)), type(exc)):  # type: ignore[no-untyped-call]
            return exc.with_traceback(None)
    except Exception:  # whatever an error's own methods raise
        return ClusterError(f"a worker failed with {type(exc).__name__}: {exc}")
    return ClusterError(f"a worker failed with {type(exc).__name__}: {exc}")


def threads_here() -> int:
    """Threads that networks are computed with in this process."""
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    said = os.environ.get("OMP_NUM_THREADS", "")
    return int(said) if said.isdecimal() and int(said) else os.cpu_count() or 1
