"""Consent for a card: cheap, so a video that was never hashed is not read, and faces are not looked at."""

import shlex
from datetime import UTC, datetime
from typing import Any

from lookalike.errors import LookalikeError
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.consent import SIDES, command_for, consent_required
from lookalike.pipeline.consent_material import SideMaterial, is_remembered, returned, side_material
from lookalike.pipeline.consent_record import RecordFile, read_records
from lookalike.pipeline.consent_states import Asked, FacesUsed, judge, judge_side
from lookalike.pipeline.workspace import Side, Workspace


def glance_at_consents(workspace: Workspace) -> dict[str, Any]:
    """By side the state, what is missing and how to add it; whether merging needs it. `consent check` looks closer."""
    try:
        required = consent_required(TrustOptions())
        files = read_records(workspace)
        sides = {side: _side(workspace, side, files) for side in SIDES}
    except LookalikeError as exc:
        return {"error": str(exc)}
    return {"required": required, "sides": sides}


def _side(workspace: Workspace, side: Side, files: list[RecordFile]) -> dict[str, str]:
    own = [file for file in files if file.record.person == side]
    if own and not is_remembered(workspace, side):
        command = f"lookalike consent check {shlex.quote(str(workspace.folder))}"
        return {"state": "not looked at", "lacks": "its video has to be read first", "command": command}
    material = returned(side_material(workspace, side)) if own else SideMaterial(has_video=False)
    asked = Asked(datetime.now(UTC), material)
    seen = judge_side(side, [judge(file, asked) for file in own], FacesUsed())
    return {"state": seen.state, "lacks": seen.lacks, "command": command_for(workspace, side)}
