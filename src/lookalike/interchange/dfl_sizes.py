"""What fixes the shapes of a DeepFaceLab 2 network, out of its options, and its options out of that."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from lookalike.errors import ForeignFileError
from lookalike.interchange.checks import text, whole
from lookalike.interchange.dfl_folder import DflKind
from lookalike.interchange.refusals import shown_path
from lookalike.models.config import AmpConfig, ModelConfig, SaehdConfig
from lookalike.options import FaceType, first_problem, shown

FACE_TYPES: Final[dict[str, FaceType]] = {
    "h": "half",
    "mf": "mid-full",
    "f": "full",
    "wf": "whole",
    "head": "head",
}
"""Ours by theirs, as options write it."""
QUICK96: Final[dict[str, Any]] = {
    "archi": "df-ud",
    "resolution": 96,
    "ae_dims": 128,
    "e_dims": 64,
    "d_dims": 64,
    "d_mask_dims": 16,
    "face_type": "f",
}
"""Options of every Quick96, which its files do not tell."""
_SIZES: Final = ("resolution", "ae_dims", "e_dims", "d_dims", "d_mask_dims")
_LARGEST: Final = 1 << 16


def sizes_of(kind: DflKind, options: Mapping[str, Any], origin: str, face_type: FaceType | None = None) -> ModelConfig:
    """Sizes of a SAEHD, AMP or Quick96 network.

    Args:
        kind: which of them.
        options: of `*_data.dat`; not looked at for Quick96, which has none.
        origin: names that file in errors.
        face_type: in the place of the one in the options.

    Raises:
        ForeignFileError: an option is missing, or none that a network of ours can have.
    """
    held = QUICK96 if kind == "Quick96" else options
    sizes: dict[str, Any] = {name: _size(held, name, origin) for name in _SIZES}
    sizes["face_type"] = face_type or face_type_of(held.get("face_type"), origin)
    sizes["geometry"] = "dfl2"
    try:
        if kind == "AMP":
            return AmpConfig.model_validate(sizes | {"inter_dims": _size(held, "inter_dims", origin)})
        archi = text(held.get("archi"), "option archi", origin, 40).lower()
        return SaehdConfig.model_validate(sizes | {"archi": archi})
    except ValidationError as exc:
        raise ForeignFileError(
            f"{shown_path(origin)} asks for a network that is not here ({first_problem(exc)}); "
            "only models of DeepFaceLab 2 within its own bounds are taken over"
        ) from exc


def face_type_of(name: object, origin: str) -> FaceType:
    """Ours for a face type as options write it.

    Raises:
        ForeignFileError: another one, such as `custom`, which says nothing of how faces lie.
    """
    if not isinstance(name, str) or name not in FACE_TYPES:
        raise ForeignFileError(
            f"{shown_path(origin)} has the face type {shown(name)}, which does not say how its faces lie; "
            "add --face-type, such as whole"
        )
    return FACE_TYPES[name]


def face_type_there(face_type: FaceType) -> str | None:
    """Theirs for one of ours; None if there is none."""
    return next((theirs for theirs, ours in FACE_TYPES.items() if ours == face_type), None)


def _size(options: Mapping[str, Any], name: str, origin: str) -> int:
    if name not in options:
        raise ForeignFileError(
            f"{shown_path(origin)} has no option {name}; it is of an older DeepFaceLab, open it there once"
        )
    return whole(options[name], 1, _LARGEST, f"option {name}", origin)
