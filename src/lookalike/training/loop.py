"""Training: facesets in, a checkpoint out, events along the way."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lookalike.errors import CheckpointError
from lookalike.models.build import parameter_count
from lookalike.models.config import ModelConfig
from lookalike.training.batches import Sources, held_sample, make_sources, step_batches
from lookalike.training.config import TrainConfig
from lookalike.training.desk import Desk, Looks
from lookalike.training.distributed import Course, Group, agree, check_share, in_turn, join, leave, share_weights
from lookalike.training.loading import load_people
from lookalike.training.preview import Judge, spread_sample
from lookalike.training.schedule import progress_of, rate_of
from lookalike.training.session import Session, open_session
from lookalike.training.status import clear_status
from lookalike.training.step import train_step
from lookalike.types import Event, Message

_MOST_ROLLBACKS = 5
"""Times in a row that a model is put back to the same iteration."""


def train(
    folder: Path,
    src: Path,
    dst: Path,
    model_config: ModelConfig | None,
    options: TrainConfig,
    *,
    cache: tuple[Path | None, Path | None] = (None, None),
    judge: Judge | None = None,
    stop: Callable[[], bool] = lambda: False,
    renew: Callable[[], None] = lambda: None,
) -> Iterator[Event]:
    """Train the model in `folder` on two facesets, from where it stands, until a limit of `options` is reached.

    Args:
        folder: of the model; made if it is not there.
        src, dst: facesets.
        model_config: sizes of a new model; of one that exists they must be the same, or None to take them as they are.
        options: of this run.
        cache: where decoded faces of src and dst are kept.
        judge: measures the swaps of faces that are held out.
        stop: asked by the leading process after each step; when it is true, all end there and the model is saved.
        renew: called before the last checkpoint is opened again, after a collapse.

    Raises:
        CheckpointError: the model in `folder` is of other sizes, or unreadable, or collapses again and again.
        ConfigError: options that do not go together.
        FacesetError: a faceset is missing or empty.
        StorageError: the disk is full; the last checkpoint stays.
    """
    group, device = join(options.device)
    check_share(options.batch_size, group)
    session = open_session(folder, model_config, options, device, group)
    if session.state.step:
        yield Message("train", f"going on from iteration {session.state.step} of {folder.name}")
    if progress_of(session.state, options) >= 1:
        if group.leads:
            clear_status(folder)  # of a run that was killed when it had just saved its last step
        yield Message("train", "the limit is reached already; nothing to train")
        return
    size, where = session.state.model, session.compute.device
    with in_turn(group):  # the first decodes the faces, the others find them
        people = yield from load_people((src, dst), cache, size, where)
    sources = make_sources(people[0], people[1], options, session.state.seed)
    looks = Looks(
        spread_sample(people[0], people[1], size.resolution, where),
        held_sample(sources, size.resolution, where),
        judge,
    )
    held = sum(len(source.held) for source in sources)
    yield Message(
        "train",
        f"{size.model}, {parameter_count(session.model) / 1e6:.1f} M parameters on {session.compute}, "
        f"{len(people[0])} src and {len(people[1])} dst faces" + (f", {held} of them held out" if held else ""),
    )
    whole = False
    try:
        yield from _run(session, folder, sources, looks, group, (stop, renew))
        whole = True
    finally:
        if group.leads:
            clear_status(folder)
        leave(group, together=whole)


def _run(
    session: Session,
    folder: Path,
    sources: Sources,
    looks: Looks,
    group: Group,
    asks: tuple[Callable[[], bool], Callable[[], None]],
) -> Iterator[Event]:
    stop, renew = asks
    options, device = session.options, session.compute.device
    share_weights(session.model, group)
    session.model.train()
    desk = Desk(folder, session, looks) if group.leads else None
    if desk and not session.state.step:
        desk.keep(session)
    course = agree(Course(progress_of(session.state, options)), group, device)
    falls = Falls()
    clock = time.monotonic()
    try:
        while course.progress < 1 and not course.stop:
            state = session.state
            pairs = step_batches(state, sources, options, device, group)
            losses = train_step(session, pairs, rate_of(state, course.progress, options), group)
            now = time.monotonic()
            session.state = state.model_copy(update={"step": state.step + 1, "seconds": state.seconds + now - clock})
            clock = now
            if desk:
                yield from desk.after(session, losses)
            trouble = desk.trouble if desk else None
            progress = progress_of(session.state, options)
            course = agree(Course(progress, trouble is not None, group.leads and stop()), group, device)
            if course.put_back:
                reached = session.state.step
                renew()
                session = _put_back(session, folder)
                falls.count(session.state.step, trouble)
                yield Message(
                    "train",
                    f"the model collapsed at iteration {reached} ({trouble or 'seen by another process'}); it is "
                    f"back at iteration {session.state.step} and goes on with other faces and a lower rate",
                )
                desk = Desk(folder, session, looks) if desk else None
                clock = time.monotonic()
    except GeneratorExit:
        # The caller stops between two steps; anything else may have cut a step in half, and is not saved.
        if desk:
            desk.keep(session)
        raise
    if desk:
        path = desk.finish(session)
        made = f"preview {path}" if path else f"not saved: {desk.trouble}; the last checkpoint stays"
        yield Message("train", f"{session.state.step} iterations in {session.state.seconds / 60:.1f} min; {made}")


def _put_back(session: Session, folder: Path) -> Session:
    """The session of the last checkpoint; the next one says how often this happened."""
    again = open_session(folder, None, session.options, str(session.compute.device))
    again.state = again.state.model_copy(update={"rollbacks": session.state.rollbacks + 1})
    again.model.train()
    return again


class Falls:
    """Counts how often a model came back to one and the same iteration."""

    def __init__(self) -> None:
        self._step, self._times = -1, 0

    def count(self, step: int, trouble: str | None) -> None:
        """Once more back at `step`.

        Raises:
            CheckpointError: too often.
        """
        self._times = self._times + 1 if step == self._step else 1
        self._step = step
        if self._times >= _MOST_ROLLBACKS:
            raise CheckpointError(
                f"the model collapsed {self._times} times from iteration {step} ({trouble}); "
                "lower --learning-rate, add --clipgrad, or go back with --backup NUMBER"
            )
