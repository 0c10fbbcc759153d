"""What a file's credentials say, in words."""

from pathlib import Path

from lookalike.provenance.claim import Claim
from lookalike.provenance.verify import Ingredient, Verdict, verify

_STATES = {
    "trusted": "unchanged since it was signed, by a signer whose root you trust",
    "valid": "unchanged since it was signed; the signer is on no trust list known here",
    "tampered": "changed since it was signed; what it says of itself may not hold",
    "removed": "its content credentials were removed",
    "absent": "no content credentials",
}
_EXIT_CODES = {"trusted": 0, "valid": 0, "tampered": 1, "removed": 3, "absent": 3}
_LOCAL = "unchanged since it was signed on this machine"
_OVER = "signingCredential.expired"

__all__ = ["Verdict", "exit_code", "told", "verify"]


def exit_code(verdict: Verdict) -> int:
    """0 where the file is what its signer signed, 1 where it was changed, 3 where nobody says anything."""
    return _EXIT_CODES[verdict.state]


def told(path: Path, verdict: Verdict) -> list[str]:
    """Lines for people: the verdict, then who, when, what, of what."""
    lines = [f"{path}: {verdict.state}: {_LOCAL if verdict.local else _STATES[verdict.state]}"]
    if _OVER in verdict.problems:
        lines.append("the certificate is over, and no time stamp says that it held when this was signed")
    pairs = [
        ("signer", verdict.signer),
        ("made", " with ".join(filter(None, (verdict.made, verdict.software)))),
        ("what", verdict.what),
        *(_ingredient(one) for one in verdict.ingredients),
        *(_claimed(verdict.claim) if verdict.claim else []),
        ("where", "the credentials lie beside the file" if verdict.sidecar else ""),
        ("credentials", verdict.id),
        ("problems", ", ".join(verdict.problems)),
    ]
    return lines + [f"  {name:<13}{text}" for name, text in pairs if text]


def _ingredient(one: Ingredient) -> tuple[str, str]:
    own = {None: "", "valid": "; its own credentials hold", "tampered": "; it was changed since it was signed itself"}
    return "of" if one.relation == "parentOf" else "with", f"{one.title} ({one.said}){own[one.credentials]}"


def _claimed(claim: Claim) -> list[tuple[str, str]]:
    models = [
        ("model", f"{one.name} ({one.kind}), {one.iterations} iterations (SHA-256 {one.sha256})")
        for one in claim.models
    ]
    consents = f"{len(claim.consents)} on record" if claim.consents else "none on record"
    label = "the picture says that it is made" if claim.label else ""
    return [
        *models,
        ("consent", consents),
        ("content", claim.content_check),
        ("label", label),
    ]
