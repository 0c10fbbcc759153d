"""What a file's credentials say, and whether to believe them. Nothing is asked of the network."""

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from lookalike.errors import CredentialsError
from lookalike.options import Options
from lookalike.provenance.claim import LABEL, Claim
from lookalike.provenance.identity import local_roots
from lookalike.provenance.library import UNTRUSTED
from lookalike.provenance.public import one_line
from lookalike.provenance.reading import Found, find

State = Literal["trusted", "valid", "tampered", "removed", "absent"]
"""trusted: whole, and somebody on a list vouches for the signer. valid: whole, signer on no list known here.
tampered: changed since it was signed. removed: none, and the metadata says that there were. absent: none."""

_OVER: Final = {"signingCredential.expired", "claimSignature.outsideValidity"}
"""Whole, but nothing says that it was signed while the certificate held."""
_MOST_ANCHOR_BYTES: Final = 1 << 20
_MOST_LISTED: Final = 50


class Ingredient(Options):
    """A file that something was made of."""

    title: str
    relation: str
    """parentOf: it was opened and changed. componentOf: it was put in."""
    said: str = ""
    """What identifies it: hash, count."""
    credentials: Literal["valid", "tampered"] | None = None
    """Of its own credentials, which travel along; None without any."""


class Verdict(Options):
    """What is known of a file."""

    state: State
    local: bool = False
    """Signed on this machine, and trusted for that; nobody else vouches."""
    signer: str | None = None
    serial: str | None = None
    """Of the signer's certificate, decimal."""
    made: str | None = None
    """When, as the signer says; UTC."""
    software: str | None = None
    what: str = ""
    """What was done, in words."""
    ingredients: list[Ingredient] = Field(default_factory=list)
    claim: Claim | None = None
    """What Lookalike says of a result; None in files of others, and in those that were changed."""
    sidecar: bool = False
    """The credentials lie beside the file."""
    id: str | None = None
    """Of the claim that belongs or belonged to the file."""
    problems: list[str] = Field(default_factory=list)
    """Codes, as C2PA names them."""


def verify(path: Path, *, anchors: list[Path] | None = None) -> Verdict:
    """Check a file's credentials, within it or beside it.

    Args:
        anchors: PEM files of roots that are trusted, besides those of this machine's own identities.

    Raises:
        CredentialsError: the file, or one of the anchors, cannot be read.
    """
    own = local_roots()
    found = find(path, "\n".join([own.pem, *map(_anchor, anchors or [])]).strip())
    if found.state is None:
        return _without(found)
    manifest = found.manifest
    actions = _actions(manifest)
    signature = _dict(manifest.get("signature_info"))
    state = _state(found)
    problems = [code for code in found.failures if code != UNTRUSTED or state != "trusted"]
    claim = _claim(manifest, problems) if state != "tampered" else None
    return Verdict(
        state=state,
        local=state == "trusted" and str(signature.get("cert_serial_number")) in own.serials,
        signer=_signer(signature),
        serial=_line(signature.get("cert_serial_number")) or None,
        made=_line(signature.get("time")) or next(filter(None, (_line(one.get("when")) for one in actions)), None),
        software=_software(manifest),
        what=_done(actions),
        ingredients=[_ingredient(_dict(one)) for one in _list(manifest.get("ingredients"))],
        claim=claim,
        sidecar=found.beside,
        id=claim.id if claim else None,
        problems=problems,
    )


def _without(found: Found) -> Verdict:
    if found.damaged:
        what = "There are credentials that cannot be read."
        return Verdict(state="tampered", what=what, sidecar=found.beside, problems=["credentials.unreadable"])
    if found.token is None:
        return Verdict(state="absent")
    what = "A face was replaced with Lookalike; the content credentials that belonged to this file were removed."
    return Verdict(state="removed", what=what, id=found.token, problems=["credentials.removed"])


def _state(found: Found) -> State:
    if found.state == "Trusted":
        return "trusted"
    whole = found.state == "Valid" or (found.failures and set(found.failures) <= _OVER | {UNTRUSTED})
    return "valid" if whole else "tampered"


def _claim(manifest: dict[str, Any], problems: list[str]) -> Claim | None:
    for assertion in map(_dict, _list(manifest.get("assertions"))):
        if assertion.get("label") == LABEL:
            try:
                return Claim.model_validate(assertion.get("data"))
            except (ValidationError, RecursionError):
                problems.append("claim.unreadable")
    return None


def _signer(signature: dict[str, Any]) -> str | None:
    names = dict.fromkeys(_line(signature.get(key)) for key in ("common_name", "issuer"))
    return ", ".join(name for name in names if name) or None


def _software(manifest: dict[str, Any]) -> str | None:
    info = _dict(next(iter(_list(manifest.get("claim_generator_info"))), None))
    return " ".join(filter(None, (_line(info.get("name")), _line(info.get("version"))))) or None


def _actions(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """What was done, first things first; opening a file says nothing."""
    found = []
    for assertion in map(_dict, _list(manifest.get("assertions"))):
        if str(assertion.get("label")).startswith("c2pa.actions"):
            found += [_dict(one) for one in _list(_dict(assertion.get("data")).get("actions"))]
    return [one for one in found if one.get("action") != "c2pa.opened"]


def _done(actions: list[dict[str, Any]]) -> str:
    """The descriptions of actions; where one has none, its name."""
    return " ".join(filter(None, (_line(one.get("description")) or _line(one.get("action")) for one in actions)))


def _ingredient(one: dict[str, Any]) -> Ingredient:
    results = _dict(_dict(one.get("validation_results")).get("activeManifest"))
    codes = {_dict(failure).get("code") for failure in _list(results.get("failure"))} - {UNTRUSTED}
    return Ingredient(
        title=_line(one.get("title")),
        relation=_line(one.get("relationship")),
        said=_line(one.get("description")),
        credentials=("tampered" if codes else "valid") if one.get("active_manifest") else None,
    )


def _anchor(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_ANCHOR_BYTES).decode("ascii", "replace")
    except OSError as exc:
        raise CredentialsError(f"{path} cannot be read ({exc.strerror or exc}); name a PEM file of a root") from exc
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise CredentialsError(f"{path} holds no PEM certificate; name the root of who may sign")
    return text


def _line(value: object) -> str:
    return one_line(value) if isinstance(value, str) else ""


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value[:_MOST_LISTED] if isinstance(value, list) else []
