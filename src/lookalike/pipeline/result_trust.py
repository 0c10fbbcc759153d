"""What a result says of itself, and what was asked before it was made. Imports no numpy."""

from pathlib import Path

from lookalike.pipeline.result import made_by
from lookalike.pipeline.workspace import Workspace
from lookalike.provenance.verify import verify
from lookalike.reporting.figures import TrustFacts

_STEPS = ("merge", "encode")


def trust_of(workspace: Workspace, result: Path) -> TrustFacts:
    """The state of a result's credentials as it lies there, and what the step that made it noted.

    Raises:
        CredentialsError: it cannot be read.
    """
    found = verify(result)
    resolved = result.resolve()
    made = (step for step in _STEPS if (path := made_by(workspace, step)) and path.resolve() == resolved)
    noted = workspace.done(next(made, ""))
    return TrustFacts(
        credentials=found.state,
        signer=found.signer or "",
        content_check=noted.get("content_check", ""),
        consents=len(noted.get("consents", [])),
    )
