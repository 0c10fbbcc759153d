"""Whether people agreed that a clip of theirs goes into a data set."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lookalike.pipeline.consent import Consents, look_at_consents
from lookalike.pipeline.consent_record import Purpose, Record
from lookalike.pipeline.consent_states import SideSeen
from lookalike.pipeline.dataset_record import Consent, SideConsent
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event

USES: Final[tuple[Purpose, ...]] = ("dataset", "research")
"""What somebody must have agreed to; either will do."""
_SILENT: Final = ("none", "other material")
"""States of sides of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the records of a workspace say."""

    fake: Consent | None
    """Of the result, which shows both people; None where one is not on record for it."""
    real: Consent | None
    """Of dst's own video."""
    refused: str = ""
    """Why it must not be used: somebody is on record, and not for this."""
    lacks: str = ""
    """What is missing; empty if nothing is."""


def ask(workspace: Workspace) -> Generator[Event, None, Asked]:
    """Hold the records of a workspace against the use in a data set.

    Records that say their use in words only say nothing to a program, and do not count.

    Raises:
        ConsentError: a record is damaged, or a video cannot be read.
    """
    now = datetime.now(UTC)
    found: list[Consents] = []
    for use in USES:
        found.append((yield from look_at_consents(workspace, now, purpose=use)))
    sides = [[consents.sides[number] for consents in found] for number in (0, 1)]
    refused = [f"{seen[0].side}: {seen[0].lacks}" for seen in sides if _refuses(seen)]
    src, dst = (_agreed(seen) for seen in sides)
    lacks = [_lacks(seen) for seen, agreed in zip(sides, (src, dst), strict=True) if agreed is None]
    return Asked(
        fake=Consent(src=src, dst=dst) if src and dst else None,
        real=Consent(dst=dst) if dst else None,
        refused="; ".join(refused),
        lacks="; ".join(lacks),
    )


def _refuses(seen: list[SideSeen]) -> bool:
    """Whether people are on record, and for neither use: they withdrew, it is over, or it is for films alone."""
    return all(side.state not in ("valid", *_SILENT) for side in seen)


def _lacks(seen: list[SideSeen]) -> str:
    words = seen[0].lacks or f"no record says {' or '.join(USES)} as its purpose"
    return f"{seen[0].side}: {words}"


def _agreed(seen: list[SideSeen]) -> SideConsent | None:
    for side in seen:
        records = [one.file.record for one in side.valid]
        if side.state == "valid" and all(record.name is None or record.purpose for record in records):
            return SideConsent(
                records=[one.file.sha256 for one in side.valid],
                purposes=_common(records),
                valid_until=min((str(one.valid_until) for one in records if one.valid_until), default=None),
            )
    return None


def _common(records: list[Record]) -> list[str]:
    purposes: list[set[str]] = [set(record.purpose) for record in records if record.name is not None]
    return sorted(set.intersection(*purposes)) if purposes else []
