"""A process that has everything loaded, so that each run of the command is a quick fork of it."""

import gc
import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from faults import hook
from lookalike.faces import Recogniser
from lookalike.models.config import GuidedConfig
from lookalike.models.device import Compute
from lookalike.training.config import PRESETS
from lookalike.types import Face

STEPS: Final = ("start", "extract", "train", "merge", "report")
ITERATIONS: Final = 3
TRACEBACK: Final = 70
"""Exit code of a command that ended in one."""
ends: list[Callable[[], object]] = []
"""To be done when the command of this process has ended."""
_NETWORK = GuidedConfig(resolution=32, ae_dims=16, e_dims=4, d_dims=2)
_TRAINING: dict[str, Any] = {
    "iterations": ITERATIONS,
    "batch_size": 2,
    "held_out": 0,
    "autobackup": True,
    "save_seconds": 1e-9,
    "device": "cpu",
}
_EMBEDDED = 2
"""Frames of the report whose face is embedded; 100 would cost more than all else."""


def warm() -> None:
    """Load all that a swap needs, and make it small: a tiny network that saves after every iteration.

    What only costs time and touches no file of the swap is left out: the measurement by which a precision is chosen,
    the plots of the report, the network that tells people apart. To be called before the first fork.
    """
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    PRESETS["quick"] = (_NETWORK, _TRAINING)
    from lookalike.masks import segmenter
    from lookalike.merging import predict
    from lookalike.pipeline import report, report_survey, swap
    from lookalike.training import session

    for module in (session, segmenter, predict):
        if hasattr(module, "choose_compute"):
            _put(module, "choose_compute", lambda *_: Compute(torch.device("cpu"), "float32"))
    _put(report_survey, "_EMBED_FRAMES", _EMBEDDED)
    _put(report, "draw_plots", lambda *_: "")
    _put(Recogniser, "__init__", lambda _: None)
    _put(Recogniser, "embed", lambda _, rgb, face: _likeness(rgb, face))
    for step in STEPS[1:]:
        _put(swap, step, _noted(step, getattr(swap, step)))


def load_modules(names: list[str]) -> None:
    """Import what a run was found to import, and keep it out of the collector's way."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # some are only importable from where they were imported
            continue
    gc.collect()
    gc.freeze()


def threads() -> int:
    """Threads of this process; more than one must not be there when it forks."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 1


def run_command(arguments: list[str]) -> int:
    """The command line in this process; its exit code, 70 where it ended in a traceback."""
    from lookalike.cli import run

    try:
        return run(arguments)
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return TRACEBACK
    finally:
        for end in ends:
            end()


def _put(module: Any, name: str, value: object) -> None:
    setattr(module, name, value)


def _likeness(rgb: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    """(128,) numbers in place of dlib's, which take 0.1 s: what is about the face, much reduced."""
    left, top, right, bottom = (max(0, int(v)) for v in face.box_xyxy)
    small = cv2.resize(rgb[top : bottom + 1, left : right + 1], (8, 16), interpolation=cv2.INTER_AREA)
    row = small.mean(2, dtype=np.float32).reshape(128)
    return np.asarray(row / np.linalg.norm(row) / 2, np.float32)


def _noted(step: str, work: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    def noted(*arguments: Any, **options: Any) -> Iterator[Any]:
        hook.enter(STEPS.index(step))
        return (yield from work(*arguments, **options))

    return noted


def list_modules_at_end(path: Path) -> None:
    """Have this process write down, when its command has ended, what it imported."""
    before = set(sys.modules)
    ends.append(lambda: path.write_text("\n".join(sorted(set(sys.modules) - before))))
