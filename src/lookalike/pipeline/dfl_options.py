"""Options of training as DeepFaceLab 2 keeps them in `*_data.dat`, and ours."""

from collections.abc import Mapping
from typing import Any, Final

from lookalike.errors import ConfigError
from lookalike.interchange.dfl_folder import DflKind
from lookalike.interchange.dfl_sizes import face_type_there
from lookalike.models.config import ModelConfig, SaehdConfig
from lookalike.training.config import TrainConfig, beginning, changed_options

_SAME: Final = (
    "batch_size",
    "random_warp",
    "random_flip",
    "random_src_flip",
    "random_dst_flip",
    "masked_training",
    "eyes_mouth_prio",
    "uniform_yaw",
    "blur_out_mask",
    "random_hsv_power",
    "true_face_power",
    "face_style_power",
    "bg_style_power",
    "clipgrad",
    "gan_power",
    "gan_patch_size",
    "gan_dims",
    "pretrain",
    "write_preview_history",
)
"""Options that have one name and meaning there and here."""
_READ: Final = {"ct_mode", "lr_dropout", "target_iter", "autobackup_hour", "adabelief", "models_opt_on_gpu"}
_SIZES: Final = {"resolution", "face_type", "archi", "ae_dims", "inter_dims", "e_dims", "d_dims", "d_mask_dims"}
_MORPH: Final = 0.5
"""Share of AMP's code that src's part makes in training, here always."""
_SAEHD_ONLY: Final = {"random_flip", "true_face_power", "face_style_power", "bg_style_power"}


def options_here(config: ModelConfig, theirs: Mapping[str, Any]) -> tuple[TrainConfig, list[str]]:
    """Options that a model goes on with, and the names of those that are not taken over.

    Args:
        config: sizes of the network.
        theirs: options as they are there; what they leave out is as a new model of the architecture begins.
    """
    wanted: dict[str, Any] = {name: theirs[name] for name in _SAME if name in theirs}
    wanted["optimizer"] = "adabelief-dfl2"
    if "ct_mode" in theirs:
        wanted["apply_random_ct"] = "sot" if theirs["ct_mode"] == "sot-m" else theirs["ct_mode"]
    if "lr_dropout" in theirs:
        wanted["lr_dropout"] = theirs["lr_dropout"] not in ("n", False)
    if "target_iter" in theirs:
        wanted["iterations"] = theirs["target_iter"]
    if "autobackup_hour" in theirs:
        wanted["autobackup"] = bool(theirs["autobackup_hour"])
    if theirs.get("models_opt_on_gpu") is False:
        wanted["optimizer_mode"] = 2
    left = [name for name in theirs if name not in {*_SAME, *_READ, *_SIZES}]
    if theirs.get("morph_factor") == _MORPH:
        left.remove("morph_factor")
    options = beginning(config.model)
    for name, value in wanted.items():
        try:
            options = changed_options(options, {name: value})
        except ConfigError:
            left.append(name)
    if options.true_face_power and not (isinstance(config, SaehdConfig) and config.archi.startswith("df")):
        options = changed_options(options, {"true_face_power": 0})
    return options, left


def options_there(kind: DflKind, config: ModelConfig, ours: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a model of ours as DeepFaceLab 2 keeps them.

    Args:
        kind: what it shall be there.
        config: sizes of the network; their face type must be one that DeepFaceLab 2 has.
        ours: options of the last run, as `state.json` keeps them.
    """
    options = changed_options(beginning(config.model), dict(ours))
    held = options.model_dump()
    sizes = {name: value for name, value in config.model_dump().items() if name in _SIZES}
    without = _SAEHD_ONLY if kind == "AMP" else {"random_flip"}
    made = sizes | {name: held[name] for name in _SAME if name not in without}
    made["face_type"] = face_type_there(config.face_type)
    made["ct_mode"] = options.apply_random_ct
    made["lr_dropout"] = "y" if options.lr_dropout else "n"
    made["target_iter"] = options.iterations
    made["autobackup_hour"] = int(options.autobackup)
    made["models_opt_on_gpu"] = options.optimizer_mode == 1
    made["gan_patch_size"] = options.gan_patch_size or max(3, config.resolution // 8)
    made["adabelief"] = True
    if kind == "AMP":
        made["morph_factor"] = _MORPH
    if options.random_flip:
        made["random_src_flip"] = made["random_dst_flip"] = True
    return made
