"""What a step needs of workers, wherever they run."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from lookalike.cluster.files import Files, LocalFiles

Spec = TypeVar("Spec")
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(slots=True)
class PoolReport:
    """What became of the work; filled as it goes on."""

    done: dict[str, int] = field(default_factory=dict)
    """Tasks that were done, by name of the worker."""
    lost: int = 0
    """Workers that died."""
    again: int = 0
    """Tasks that were done again, as their worker died."""
    sent_bytes: int = 0
    """Of files that workers did not see and were sent, once for each machine."""

    def says(self) -> str:
        """One line for people."""
        each = ", ".join(f"{name} {count}" for name, count in sorted(self.done.items()))
        who, what = (_counted(n, word) for n, word in ((len(self.done), "worker"), (sum(self.done.values()), "task")))
        parts = [f"{who} did {what} ({each})", f"{self.sent_bytes / 1e6:.1f} MB sent"]
        if self.lost:
            parts.append(f"{self.lost} lost on the way, {self.again} of their tasks done again")
        return "; ".join(parts)


class Pool(Protocol):
    """Workers that do tasks. What is given to them and what comes back must be able to travel between processes."""

    @property
    def files(self) -> Files:
        """How workers come by files; travels to them in a spec or a task."""
        ...

    @property
    def report(self) -> PoolReport | None:
        """What became of the work; None where there is nothing to tell, as nobody but this process did it."""
        ...

    def ordered(
        self, open_worker: Callable[[Spec], Callable[[Task], Result]], spec: Spec, tasks: Iterable[Task]
    ) -> Iterator[Result]:
        """The result of every task, in the order of the tasks; a few tasks for each worker are under way at a time.

        Args:
            open_worker: a function of a module, called once in every worker; what it returns does the tasks.
            spec: given to it.
            tasks: drawn as workers become free.

        Raises:
            ClusterError: no worker is left, or a task ends its worker again and again. Errors of a task that are ours
                (LookalikeError) are raised at its place in the order; a worker that is lost costs its tasks, which
                others do again.
        """
        ...


class Alone:
    """The pool of one: this process does the tasks one after the other, when they are asked for."""

    @property
    def files(self) -> Files:
        """See Pool."""
        return LocalFiles()

    @property
    def report(self) -> PoolReport | None:
        """See Pool."""
        return None

    def ordered(
        self, open_worker: Callable[[Spec], Callable[[Task], Result]], spec: Spec, tasks: Iterable[Task]
    ) -> Iterator[Result]:
        """See Pool."""
        work = open_worker(spec)
        yield from map(work, tasks)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
