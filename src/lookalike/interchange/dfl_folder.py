"""Which files of a folder are one model of DeepFaceLab 2."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from lookalike.errors import ForeignFileError
from lookalike.interchange.refusals import shown_path
from lookalike.options import shown

DflKind = Literal["SAEHD", "AMP", "Quick96", "XSeg"]

_PARTS: Final = (
    "encoder|inter|inter_AB|inter_B|inter_src|inter_dst|decoder|decoder_src|decoder_dst|256|256_opt|data|"
    "code_discriminator|GAN|src_dst_opt|D_code_opt|GAN_opt"
)
_FILE: Final = re.compile(rf"(?:(?P<user>.+)_)?(?P<kind>{'|'.join(get_args(DflKind))})_(?P<part>{_PARTS})\.(?:npy|dat)")
_MOST_FILES: Final = 100_000


@dataclass(frozen=True, slots=True)
class DflModel:
    """The files of a model."""

    user: str
    """The name that its owner gave it; XSeg has none."""
    kind: DflKind
    files: Mapping[str, Path]
    """By part, such as `encoder` or `data`."""

    @property
    def title(self) -> str:
        """As its files begin."""
        return "_".join(filter(None, (self.user, self.kind)))


def find_dfl_model(path: Path, user: str | None = None) -> DflModel:
    """The model that lies at a path.

    Args:
        path: a folder of models, or one file of a model.
        user: the name of the model in that folder, or with its kind, as in `ann_SAEHD`; may be left out where there is
            one. A mask network is taken where it is named (`XSeg`), or where there is nothing else.

    Raises:
        ForeignFileError: there is none, or there are several and none is named.
    """
    folder = path if path.is_dir() else path.parent
    models = _models(folder)
    if path != folder:
        named = _FILE.fullmatch(path.name)
        owner = (named["user"] or "", named["kind"]) if named else None
        found = [model for model in models if (model.user, model.kind) == owner]
    elif user is not None:
        found = [model for model in models if user in (model.user, model.title)]
    else:
        found = [model for model in models if model.kind != "XSeg"] or models
    if len(found) == 1:
        return found[0]
    if not found:
        wanted = f" {shown(user)}" if user is not None and path == folder else ""
        raise ForeignFileError(
            f"{shown_path(path)} holds no model{wanted} of DeepFaceLab 2 (files such as NAME_SAEHD_encoder.npy and "
            "NAME_SAEHD_data.dat); see: lookalike inspect PATH"
        )
    names = ", ".join(shown(model.title) for model in found[:8])
    raise ForeignFileError(f"{shown_path(path)} holds the models {names}; say which with --model-name")


def _models(folder: Path) -> list[DflModel]:
    """The models of a folder by their names; a lone file of a mask network's options is none."""
    found: dict[tuple[str, str], dict[str, Path]] = {}
    try:
        files = sorted(file for _, file in zip(range(_MOST_FILES), folder.iterdir(), strict=False))
    except OSError as exc:
        raise ForeignFileError(f"{shown_path(folder)} cannot be read ({exc.strerror}); name another folder") from exc
    for file in files:
        named = _FILE.fullmatch(file.name)
        if named:
            found.setdefault((named["user"] or "", named["kind"]), {})[named["part"]] = file
    return [
        DflModel(user, kind, parts)
        for (user, name), parts in found.items()
        for kind in get_args(DflKind)
        if kind == name and ("encoder" in parts or "256" in parts or "data" in parts)
    ]
