"""Losses for TensorBoard, beside our own log."""

from collections.abc import Callable
from pathlib import Path

from lookalike.errors import ExtraMissingError


def make_writer(folder: Path, step: int) -> Callable[[list[dict[str, float]]], None]:
    """What writes the losses of the iterations after `step`, a row each, into `folder`/tensorboard.

    Raises:
        ExtraMissingError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as exc:
        raise ExtraMissingError("--tensorboard needs TensorBoard; pip install 'lookalike[tensorboard]'") from exc
    writer = SummaryWriter(folder / "tensorboard", purge_step=step + 1)
    place = step

    def write(rows: list[dict[str, float]]) -> None:
        nonlocal place
        for row in rows:
            place += 1
            for name, value in row.items():
                writer.add_scalar(name, value, place)
        writer.flush()

    return write
