"""A merge whose disguise is proved."""

from collections.abc import Callable, Generator, Iterator

from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.covers import add_covers
from lookalike.pipeline.protect import STEP, protect, require_protected
from lookalike.pipeline.report import newest_result
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.protection import Protection
from lookalike.types import Event, Message


def disguise(
    merging: Callable[[], Iterator[Event]], workspace: Workspace, trust: TrustOptions
) -> Generator[Event, None, Protection | None]:
    """Merge, and if asked for measure the disguise; with `trust.cover` cover what is left and do both again.

    Args:
        merging: makes the events of a merge or an encode, as often as it is called.

    Returns:
        What was found; None where nobody asked.

    Raises:
        LookalikeError: of the merge, or as `protect`.
    """
    yield from merging()
    if not trust.disguise:
        return None
    found = yield from protect(workspace, newest_result(workspace))
    if trust.cover and not found.protected:
        count = add_covers(workspace, found)
        yield Message(STEP, f"covering the face in {count} frames, then merging and looking again")
        yield from merging()
        found = yield from protect(workspace, newest_result(workspace))
    return found


def proved(merging: Callable[[], Iterator[Event]], workspace: Workspace, trust: TrustOptions) -> Iterator[Event]:
    """As `disguise`, and refuse what does not hold.

    Raises:
        ProtectionError: frames are left in which the person could be recognised.
    """
    found = yield from disguise(merging, workspace, trust)
    if found is not None:
        require_protected(found)
