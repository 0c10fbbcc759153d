"""Where a running training writes and looks: logs, previews, checkpoints, backups, and whether all is well."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from lookalike.models.checkpoint import TrainState
from lookalike.training.backups import back_up, is_due
from lookalike.training.config import TrainConfig
from lookalike.training.curves import Curves
from lookalike.training.graph import loss_graph, with_graph
from lookalike.training.guard import Guard
from lookalike.training.log import TrainLog, append_lines, cut_back
from lookalike.training.preview import Judge, Sample, preview_grids, save_picture, validate
from lookalike.training.schedule import progress_of
from lookalike.training.session import Session, is_sound, save_session
from lookalike.training.status import write_status
from lookalike.training.tensorboard import make_writer
from lookalike.types import Event, Progress

_EVENT_SECONDS = 1.0
_HISTORY_ITERATIONS = 10
"""Iterations from one picture of the preview history to the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """The faces by which a training is judged."""

    shown: Sample
    held: Sample | None
    judge: Judge | None


class Desk:
    """Begins where the session stands; lines of lost work are taken out of the logs."""

    def __init__(self, folder: Path, session: Session, looks: Looks) -> None:
        step = session.state.step
        self._folder, self._looks, self._options = folder, looks, session.options
        self._log = TrainLog(folder / "log.jsonl", step)
        cut_back(folder / "validation.jsonl", step)
        self._tensorboard = make_writer(folder, step) if session.options.tensorboard else None
        self._guard = Guard()
        self._curves = Curves(folder / "log.jsonl")
        self._event_at = self._saved_at = time.monotonic()
        self._looked_at = -math.inf
        self._event_step = step
        self.trouble: str | None = None
        """Why the model cannot be trained on as it is."""

    def after(self, session: Session, losses: Mapping[str, Tensor]) -> Iterator[Event]:
        """Do what is due after a step; with trouble nothing is shown or saved."""
        now, step = time.monotonic(), session.state.step
        self._log.add(step, losses)
        speaks = now - self._event_at >= _EVENT_SECONDS
        saves = now - self._saved_at >= self._options.save_seconds
        if speaks or saves:
            rows = self._note()
            self.trouble = self._guard.look(rows)
            if saves and self.trouble is None and not is_sound(session):
                self.trouble = "a weight is not a number"
            if self.trouble is not None:
                return
            if speaks:
                speed = (step - self._event_step) / (now - self._event_at)
                self._event_at, self._event_step = now, step
                yield self._event(session.state, rows, speed)
        keeps = self._options.write_preview_history and step % _HISTORY_ITERATIONS == 0
        looks = now - self._looked_at >= self._options.preview_seconds
        if keeps or looks:
            self._show(session, keep=keeps or not self._options.write_preview_history, measure=looks)
            self._looked_at = now if looks else self._looked_at
        if saves:
            self._save(session)
            self._saved_at = now

    def finish(self, session: Session) -> Path | None:
        """Save what is sound, and draw a last preview; its path, or none if the model is not sound."""
        if not self.keep(session):
            return None
        return self._show(session, keep=True, measure=True)

    def keep(self, session: Session) -> bool:
        """Save the model if it is sound."""
        self.trouble = self.trouble or self._guard.look(self._note())
        if self.trouble is None and not is_sound(session):
            self.trouble = "a weight is not a number"
        if self.trouble is None:
            self._save(session)
        return self.trouble is None

    def _note(self) -> list[dict[str, float]]:
        rows = self._log.flush()
        if self._tensorboard is not None:
            self._tensorboard(rows)
        return rows

    def _show(self, session: Session, *, keep: bool, measure: bool) -> Path:
        step, held = session.state.step, self._looks.held
        session.model.eval()
        with session.ema.applied(session.model) if session.ema is not None else nullcontext():
            grids = preview_grids(session, self._looks.shown)
            figures = validate(session, held, self._looks.judge) if measure and held is not None else {}
        session.model.train()
        for name, grid in grids.items():
            save_picture(self._folder / f"{name}.jpg", grid)
        path = self._folder / "preview.jpg"
        if keep:
            grid = grids["preview"]
            self._curves.update()
            losses = np.stack([self._curves.values("loss_src"), self._curves.values("loss_dst")], 1)
            graph = loss_graph(losses, grid.shape[1], iteration=step)
            path = save_picture(self._folder / "previews" / f"{step:07d}.jpg", with_graph(grid, graph))
        if figures:
            row = {"iteration": step, "time": round(time.time(), 3)} | figures
            append_lines(self._folder / "validation.jsonl", [row])
        return path

    def _save(self, session: Session) -> None:
        save_session(self._folder, session)
        if self._options.autobackup and is_due(self._folder):
            back_up(self._folder)

    def _event(self, state: TrainState, rows: list[dict[str, float]], speed: float) -> Progress:
        src, dst = (sum(row[name] for row in rows) / len(rows) for name in ("loss_src", "loss_dst"))
        note = f"iteration {state.step}, {speed:.2f}/s, src {src:.3f}, dst {dst:.3f}"
        progress = progress_of(state, self._options)
        left = state.seconds * (1 - progress) / progress if progress else None
        write_status(
            self._folder,
            iteration=state.step,
            per_second=speed,
            seconds_left=left,
            message=note,
            options=self._options,
        )
        if left is not None:
            note += f", {_clock(left)} left"
        return _bar(state, self._options, progress, note)


def _bar(state: TrainState, options: TrainConfig, progress: float, note: str) -> Progress:
    if options.iterations and state.step / options.iterations >= progress:
        return Progress("train", state.step, options.iterations, "iterations", note)
    if options.minutes:
        return Progress("train", state.seconds, 60 * options.minutes, "s", note)
    return Progress("train", state.step, 0, "iterations", note)


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
