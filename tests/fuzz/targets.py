"""All readers of files that may come from elsewhere, by name."""

from typing import Final

from fuzz.broken import BROKEN
from fuzz.foreign import FOREIGN
from fuzz.own_faces import OWN_FACES
from fuzz.own_texts import OWN_TEXTS
from fuzz.signed import SIGNED
from fuzz.target import Target

TARGETS: Final[tuple[Target, ...]] = (*OWN_FACES, *FOREIGN, *OWN_TEXTS, *SIGNED)


def target_named(name: str) -> Target:
    """The target of that name."""
    return next(target for target in (*TARGETS, *BROKEN) if target.name == name)
