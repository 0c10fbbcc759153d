"""Several processes training one model, as torchrun or Ray Train starts them: each takes its share of a batch.

Every process draws the whole batch and keeps its own faces of it, so the model becomes the one that a single process
would have made, but for rounding. Tried with two processes on a processor (gloo); never on graphics cards (nccl).
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from lookalike.errors import ConfigError
from lookalike.models.device import Precision


@dataclass(frozen=True, slots=True)
class Group:
    """Where this process stands among those that train together."""

    rank: int = 0
    world: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0


ALONE = Group()
"""One process, no others."""


def is_torchrun() -> bool:
    """Was this process started beside others, by torchrun or on a cluster?"""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def join(device: str) -> tuple[Group, str]:
    """Meet the other processes, if there are any; this one's place, and its device.

    Args:
        device: the one asked for; with several graphics cards each process takes its own.
    """
    if not is_torchrun():
        return ALONE, device
    cuda = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    if cuda:
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    return Group(dist.get_rank(), dist.get_world_size()), device


def check_share(batch_size: int, group: Group) -> None:
    """Refuse a batch that cannot be shared out.

    Raises:
        ConfigError: the batch does not divide among the processes.
    """
    if batch_size % group.world:
        near = max(1, round(batch_size / group.world)) * group.world
        raise ConfigError(f"--batch-size {batch_size} does not divide among {group.world} processes; try {near}")


def average(gradients: Iterable[Tensor | None], group: Group) -> None:
    """Replace each gradient by its mean over the processes, in one message for all."""
    if group.world == 1:
        return
    found = [gradient for gradient in gradients if gradient is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in found])
    dist.all_reduce(flat)
    flat /= group.world
    place = 0
    for gradient in found:
        gradient.copy_(flat[place : place + gradient.numel()].view(gradient.shape))
        place += gradient.numel()


@contextmanager
def in_turn(group: Group) -> Iterator[None]:
    """Let the leading process do something first, then the others."""
    if group.world > 1 and not group.leads:
        dist.barrier()
    yield
    if group.world > 1 and group.leads:
        dist.barrier()


@dataclass(frozen=True, slots=True)
class Course:
    """What all processes must do alike after a step."""

    progress: float
    """How much is done, of 1."""
    put_back: bool = False
    """Whether the model must be put back to its last checkpoint."""
    stop: bool = False
    """Whether somebody asked that the training end here."""


def agree(course: Course, group: Group, device: torch.device) -> Course:
    """The leading process's course, told to all."""
    if group.world == 1:
        return course
    said = torch.tensor([course.progress, course.put_back, course.stop], dtype=torch.float64, device=device)
    dist.broadcast(said, 0)
    return Course(float(said[0]), bool(said[1]), bool(said[2]))


def same_precision(precision: Precision, group: Group, device: torch.device) -> Precision:
    """The precision that the leading process chose, which others, timed on other machines, might not."""
    if group.world == 1:
        return precision
    said = torch.tensor([precision == "bfloat16"], dtype=torch.float64, device=device)
    dist.broadcast(said, 0)
    return "bfloat16" if said[0] else "float32"


def share_weights(model: nn.Module, group: Group) -> None:
    """Give every process the leading one's weights."""
    if group.world > 1:
        for tensor in model.state_dict().values():
            dist.broadcast(tensor, 0)


def leave(group: Group, *, together: bool) -> None:
    """Part from the other processes.

    Args:
        group: this process's place.
        together: wait for the others, the leading one's last save included; not after an error, when they may not come.
    """
    if group.world == 1 or not dist.is_initialized():
        return
    if together:
        dist.barrier()
    dist.destroy_process_group()
