"""Models of DeepFaceLab 2 as files, of random numbers, by the layout that docs/models-of-deepfacelab.md tells."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dfl_numpy import Array, amp_shapes, drawn, saehd_shapes, xseg_shapes

RESOLUTION, AE, E, D, M, INTER = 64, 16, 4, 4, 4, 20
SIZES: Final = {"resolution": RESOLUTION, "ae_dims": AE, "e_dims": E, "d_dims": D, "d_mask_dims": M}
OPTIONS: Final[dict[str, Any]] = {
    "face_type": "wf",
    "batch_size": 2,
    "adabelief": True,
    "lr_dropout": "n",
    "random_warp": False,
    "ct_mode": "rct",
    "random_src_flip": False,
    "random_dst_flip": True,
    "gan_power": 0.0,
    "gan_patch_size": 8,
    "gan_dims": 16,
    "target_iter": 0,
    "autobackup_hour": 0,
    "models_opt_on_gpu": True,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A model and the folder it lies in."""

    folder: Path
    title: str
    files: dict[str, dict[str, Array]]
    """Arrays by part."""


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, 4))


def write_data(folder: Path, title: str, options: Mapping[str, Any], iteration: int = 1234) -> None:
    previews = [[np.zeros((4, 32, 32, 3), np.float32)]] * 2
    losses = [[0.5 - number / 1e4, 0.4 - number / 1e4] for number in range(20)]
    data = {"iter": iteration, "options": dict(options), "loss_history": losses, "sample_for_preview": previews}
    write(folder / f"{title}_data.dat", data | {"choosed_gpu_indexes": [0]})


def optimizer(files: Mapping[str, Mapping[str, Array]], steps: int, seed: int = 9) -> dict[str, NDArray[np.generic]]:
    """What AdaBelief remembers of every array."""
    rng = np.random.default_rng(seed)
    made: dict[str, NDArray[np.generic]] = {"iters:0": np.array(steps, np.int64)}
    for part, arrays in files.items():
        for name, array in arrays.items():
            whole = f"{part}/{name}".replace(":", "_")
            made[f"ms_{whole}:0"] = (rng.normal(size=array.shape) * 1e-4).astype(np.float32)
            made[f"vs_{whole}:0"] = (rng.uniform(1e-9, 1e-8, array.shape)).astype(np.float32)
    return made


def saehd_model(folder: Path, archi: str, /, *, user: str = "ann", seed: int = 0, **options: Any) -> Made:
    shapes = saehd_shapes(archi, RESOLUTION, AE, E, D, M)
    gain = 0.6 if "c" in archi else 1.0  # x cos x makes noise of rounding where x is large
    made = _made(folder, f"{user}_SAEHD", shapes, seed, gain)
    write_data(folder, made.title, {**SIZES, **OPTIONS, "archi": archi, **options})
    return made


def quick96_model(folder: Path, *, user: str = "ann", seed: int = 0) -> Made:
    """Of small sizes, which the reader must be told."""
    made = _made(folder, f"{user}_Quick96", saehd_shapes("df-ud", 96, AE, E, D, M), seed)
    write_data(folder, made.title, {"batch_size": 4})
    return made


def amp_model(folder: Path, *, user: str = "ann", seed: int = 0, **options: Any) -> Made:
    made = _made(folder, f"{user}_AMP", amp_shapes(RESOLUTION, AE, INTER, E, D, M), seed)
    write_data(folder, made.title, {**SIZES, **OPTIONS, "inter_dims": INTER, "morph_factor": 0.5, **options})
    return made


def xseg_model(folder: Path, *, base: int = 2, seed: int = 0, face_type: str = "wf") -> Made:
    arrays = drawn(xseg_shapes(base), seed)
    arrays["out_conv/bias:0"] -= 1.5  # so that some of it is not seen at all
    write(folder / "XSeg_256.npy", arrays)
    write_data(folder, "XSeg", {"face_type": face_type})
    return Made(folder, "XSeg", {"256": arrays})


def _made(
    folder: Path, title: str, shapes: Mapping[str, Mapping[str, tuple[int, ...]]], seed: int, gain: float = 1.0
) -> Made:
    files = {part: drawn(of_part, seed + number, gain) for number, (part, of_part) in enumerate(shapes.items())}
    for part, arrays in files.items():
        write(folder / f"{title}_{part}.npy", arrays)
    return Made(folder, title, files)
