"""A claim as the definition of a C2PA manifest: what was opened, what was done to it, and with what."""

from typing import Any, Final

from lookalike.provenance.claim import LABEL, Claim
from lookalike.provenance.marks import SOURCE_TYPE

PARENT, FACES = "lookalike:parent", "lookalike:faces"
"""Names of the ingredients within a definition."""
FACE_PICTURE: Final = "face.jpg"
"""Name of the resource that shows a face, where one is shown."""
NAME: Final = "Lookalike"
SWAPPED: Final = "The face of a person was replaced by one that a trained model drew."
CHANGED: Final = "The result was changed afterwards, with other tools. It holds a face that a trained model drew."
SIGNED_ANEW: Final = "Another signer signed the result, unchanged. It holds a face that a trained model drew."


def parent_of(title: str, mime: str, said: str) -> dict[str, Any]:
    """The ingredient that was opened.

    Args:
        said: what identifies it, in words.
    """
    return {"title": title, "format": mime, "relationship": "parentOf", "description": said, **_named(PARENT)}


def dst_of(claim: Claim) -> dict[str, Any]:
    """The video that received the face."""
    if claim.dst is None:
        return parent_of("footage", "application/octet-stream", "not named")
    return parent_of(claim.dst.title, claim.dst.mime, f"SHA-256 {claim.dst.sha256}")


def swap(claim: Claim, title: str, mime: str, *, show_face: bool) -> dict[str, Any]:
    """The manifest of a result; its parent is to be added.

    Args:
        title: name of the file.
        show_face: refer to the resource `FACE_PICTURE`; else nothing of the faces is shown.
    """
    src = claim.src
    faces: dict[str, Any] = {
        "title": src.title,
        "format": "application/octet-stream",
        "relationship": "componentOf",
        "description": f"{src.faces} pictures of the face put in; SHA-256 over all of them {src.sha256}",
        **_named(FACES),
    }
    if show_face:
        faces["thumbnail"] = {"format": "image/jpeg", "identifier": FACE_PICTURE}
    parameters = {
        "ingredientIds": [FACES],
        "alt.lookalike.models": [model.sha256 for model in claim.models],
        "alt.lookalike.settings": claim.settings,
        "alt.lookalike.consents": claim.consents,
    }
    return _definition(claim, claim.version, claim.made, title, mime, SWAPPED, parameters) | {"ingredients": [faces]}


def change(claim: Claim, version: str, when: str, title: str, mime: str, *, same: bool) -> dict[str, Any]:
    """The manifest of a result that was changed with other tools; its parent is to be added.

    Args:
        version: of Lookalike, which signs now.
        when: that is; UTC, ISO 8601.
        same: nothing was changed, only the signer is another.
    """
    return _definition(claim, version, when, title, mime, SIGNED_ANEW if same else CHANGED, {})


def _definition(
    claim: Claim, version: str, when: str, title: str, mime: str, done: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    agent = {"name": NAME, "version": version}
    edited = {
        "action": "c2pa.edited.metadata" if done == SIGNED_ANEW else "c2pa.edited",
        "description": done,
        "when": when,
        "digitalSourceType": SOURCE_TYPE,
        "softwareAgent": agent,
        "parameters": parameters,
    }
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [PARENT]}}
    return {
        "claim_generator_info": [agent],
        "title": title,
        "format": mime,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [opened, edited]}},
            {"label": LABEL, "data": claim.model_dump(mode="json")},
        ],
    }


def _named(name: str) -> dict[str, str]:
    return {"instance_id": name, "label": name}
