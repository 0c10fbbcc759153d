"""What is asked before faces are merged: has everybody agreed, and may dst be used at all?"""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.consent import ask_consent
from lookalike.pipeline.content_check import check_content, refuse
from lookalike.pipeline.workspace import Workspace
from lookalike.site_config import load_site_config
from lookalike.types import Event, Message

_STEP = "trust"
UNCHECKED = "off: nobody looked for explicit pictures"


@dataclass(frozen=True, slots=True)
class Admission:
    """What was found when a merge was admitted; a part of what its result says of itself."""

    content_check: str = UNCHECKED
    """In words."""
    consents: list[str] = field(default_factory=list)
    """Hashes of the records that are valid now."""


def admit(workspace: Workspace, trust: TrustOptions) -> Generator[Event, None, Admission]:
    """Let a merge begin, or refuse it.

    Raises:
        ConsentError: records of consent are required, and one is missing, over, or for other material.
        ContentError: dst shows what is refused. ExtraMissingError: the checker is not installed.
        ConfigError: config.toml cannot be read. VideoError: dst cannot be read.
    """
    now, policy = datetime.now(UTC), load_site_config().policy
    consents = yield from ask_consent(workspace, trust, now)
    checker = policy.content_check or trust.content_check
    if checker == "off":
        yield Message(_STEP, "dst is not looked at for explicit pictures; the result and the report say so")
        return Admission(consents=consents)
    verdict = yield from check_content(workspace, checker)
    refuse(verdict, fixed=policy.content_check is not None)
    return Admission(verdict.text(), consents)


def noted(workspace: Workspace) -> Admission:
    """What the last merge was admitted with; nothing is asked anew."""
    merged = workspace.done("merge") or workspace.done("encode")
    return Admission(merged.get("content_check", UNCHECKED), merged.get("consents", []))
