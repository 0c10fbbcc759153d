"""The work that follows what is set by hand: faces read and judged, frames made, in a thread of its own."""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from lookalike.errors import LookalikeError, WorkspaceError
from lookalike.pipeline.align_apply import Applier, Edited
from lookalike.pipeline.align_edits import EditBook, Step
from lookalike.pipeline.align_faces import FaceFiles
from lookalike.pipeline.align_frames import FrameStore
from lookalike.pipeline.align_worst import Judge, Suspect
from lookalike.pipeline.workspace import Side, Workspace

_RETRY_SECONDS: Final = 1.0
"""Until it is asked again whether the workspace is free."""

_one_at_a_time = threading.Lock()
"""Held while faces are made: the networks take the whole machine."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the work has come to."""

    version: int
    """Changes with anything that a page shows."""
    state: str = ""
    """What goes on, or what is waited for, in words; empty if nothing is."""
    waiting: tuple[int, ...] = ()
    """Frames whose faces are not yet what is set by hand."""
    failed: dict[int, str] = field(default_factory=dict)
    """Frames that cannot be made, and why."""
    suspects: tuple[Suspect, ...] = ()
    """Worst first."""


class AlignWork:
    """Keeps the faces of one side in step with its `edits.json`. Safe in threads; the files may change at any time."""

    def __init__(
        self, workspace: Workspace, side: Side, frames: Callable[[], FrameStore], holder: Callable[[], str | None]
    ) -> None:
        """Nothing is done before `look_after` or a step.

        Args:
            frames: the frames of the side's video.
            holder: which job is at work in the workspace, if any.
        """
        self._workspace, self._side, self._frames, self._holder = workspace, side, frames, holder
        self.aligned, self.trash = FaceFiles(workspace.aligned(side)), FaceFiles(workspace.trash(side))
        self.book = EditBook(workspace.data(side) / "edits.json")
        self._applier = Applier(workspace, side, self.aligned, self.trash)
        self._judge = Judge()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._waiting: set[int] = set()
        self._failed: dict[int, str] = {}
        self._suspects: tuple[Suspect, ...] = ()
        self._state, self._version = "", 1
        self._seen: object = None
        """What the edits were when it was last asked which frames they concern."""
        self._closed = threading.Event()

    @property
    def standing(self) -> Standing:
        """What it has come to."""
        with self._lock:
            waiting, failed = tuple(sorted(self._waiting)), dict(self._failed)
            return Standing(self._version, self._state, waiting, failed, self._suspects)

    def close(self) -> None:
        """End after the frame at hand."""
        self._closed.set()
        thread = self._thread
        if thread is not None:
            thread.join(10)

    def look_after(self) -> None:
        """Begin to work if there is anything to do."""
        if self._is_behind():
            self._wake()

    def take(self, change: Callable[[], Step]) -> tuple[Step, set[int]]:
        """Change the edits, and have the frames made that have other faces now; the frames.

        Raises:
            EditsError: as `change`.
        """
        with self._lock:
            self._take_in_edits()
            _, before = self.book.read()
            step = change()
            _, after = self.book.read()
            other = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
            self._waiting |= other
            for frame in other:
                self._failed.pop(frame, None)
            self._seen = after
            self._version += 1
        self._wake()
        return step, other

    def _is_behind(self) -> bool:
        try:
            new = self.book.read()[1] is not self._seen
        except LookalikeError:
            new = False  # told where the edits are shown
        return new or bool(self._waiting) or self.aligned.is_stale

    def _take_in_edits(self) -> None:
        """What another program wrote into `edits.json` is to be made, too."""
        with self._lock:
            _, every = self.book.read()
            if every is not self._seen:
                self._seen = every
                self._waiting |= self._applier.unlike(every)
                self._version += 1

    def _wake(self) -> None:
        with self._lock:
            if not self._closed.is_set() and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, name=f"align {self._side}", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        """Read what changed, judge it, make what waits; until nothing does."""
        while not self._closed.is_set():
            try:
                self._look()
                self._take_in_edits()
                rest = not self._make()
            except (LookalikeError, OSError) as exc:  # a file that went while it was read is looked at again
                self._say(str(exc))
                rest = True
            if rest:
                self._closed.wait(_RETRY_SECONDS)
            with self._lock:
                if not self._is_behind():
                    self._thread = None
                    return

    def _look(self) -> None:
        first = not self.aligned.is_read
        changed = self.aligned.refresh()
        self.trash.refresh()
        if not (first or changed):
            return
        sources = self._workspace.source_names(self._side)
        faces, others = self.aligned.by_frame(sources), self.trash.by_frame(sources)
        self._judge.judge(faces, None if first or len(changed) * 4 > len(faces) else changed)
        found = tuple(self._judge.suspects(faces, self._frames().info.frame_count, self._told(), others))
        with self._lock:
            self._suspects = found
            self._version += 1

    def _told(self) -> Edited:
        """The frames set by hand, none if that cannot be read."""
        try:
            return self.book.read()[1]
        except LookalikeError:
            return {}

    def _make(self) -> bool:
        """Make what waits; False if it has to wait on."""
        with self._lock:
            waiting = set(self._waiting)
            _, edited = self.book.read()
        if not waiting:
            self._say("")
            return True
        holder = self._holder()
        if not self._workspace.aligned(self._side).is_dir():
            self._say(f"waits until the faces of {self._side} are extracted")
        elif holder is not None:
            self._say(f"waits for {holder}")
        else:
            return self._make_alone(edited, waiting)
        return False

    def _make_alone(self, edited: Edited, waiting: set[int]) -> bool:
        with _one_at_a_time:
            try:
                with self._workspace.locked():
                    self._apply(edited, waiting)
            except WorkspaceError as exc:
                self._say(f"waits: {exc}")
                return False
        self._look()
        return True

    def _apply(self, edited: Edited, waiting: set[int]) -> None:
        left = set(waiting)
        self._say(_making(left))
        try:
            for done in self._applier.apply(edited, waiting, self._frames().frame, self._is_wanted):
                left -= done
                self._made(done, edited)
                self._say(_making(left))
        except WorkspaceError:
            raise
        except LookalikeError as exc:  # of the first that is left; the others get their turn
            with self._lock:
                self._failed[min(left)] = str(exc)
            self._made({min(left)}, edited)
        self._say("")

    def _made(self, frames: Collection[int], edited: Edited) -> None:
        """Frames wait no longer, unless they were changed while they were made."""
        with self._lock:
            _, now = self.book.read()
            self._waiting -= {frame for frame in frames if now.get(frame) == edited.get(frame)}
            self._version += 1

    def _is_wanted(self) -> bool:
        """Whether somebody else needs the workspace, or the studio ends."""
        return self._closed.is_set() or self._holder() is not None

    def _say(self, state: str) -> None:
        with self._lock:
            if state != self._state:
                self._state = state
                self._version += 1


def _making(left: Collection[int]) -> str:
    return f"making {len(left)} {'frame' if len(left) == 1 else 'frames'}" if left else ""
