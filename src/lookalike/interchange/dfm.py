"""Models as ONNX files: as players of DeepFaceLab's .dfm take them, and plain.

Source: what DeepFaceLab 2 writes and DeepFaceLive, FaceFusion and VisoMaster read: names, order, shapes; see
docs/export.md.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lookalike.errors import ExportError, ExtraMissingError
from lookalike.landmarks import GUIDE_POINTS
from lookalike.models.amp import Amp
from lookalike.models.autoencoder import Autoencoder, Df, Drawing, Faces, Liae
from lookalike.models.checkpoint import load_checkpoint, restore_model
from lookalike.models.config import GuidedConfig, ModelConfig

if TYPE_CHECKING:
    from lookalike.interchange.onnx_graph import Port

Layout = Literal["dfm", "onnx"]
"""Names, order and colours: those of .dfm, or plain ones."""
Precision = Literal["float32", "float16"]
_MOST_BYTES: Final = (1 << 31) - 1
"""Of a file; ONNX's own container holds no more."""
_LARGEST_HALF: Final = float(np.finfo(np.float16).max)
_FAR: Final = 1e-3
"""Part of white by which runtimes never differ but by mistake."""
_SAID_MASK: Final = "1 where a face is; "


@dataclass(frozen=True, slots=True, eq=False)
class OnnxFile:
    """A model, written."""

    data: bytes
    error: float
    """How far its outputs were from the model's, with the same weights, at most."""
    rounding: float
    """How far the model's outputs were from what it draws with its weights unrounded, at most."""


def write_network(
    folder: Path, layout: Layout, *, precision: Precision = "float32", opset: int = 12, notes: Mapping[str, str]
) -> OnnxFile:
    """Write the model in `folder` as ONNX, and run what was written once, to see that it draws what the model does.

    Args:
        folder: of the model.
        layout: how inputs and outputs are named.
        precision: float16 keeps weights in half the bytes, and computes with them in float32.
        opset: 12 to 17.
        notes: for the file's metadata.

    Raises:
        CheckpointError: no model there, unreadable, or its numbers are not finite.
        ExportError: it cannot be said in this layout, or the file does not draw what the model does.
        ExtraMissingError: the packages that write and run ONNX are not installed.
    """
    _check_packages()
    checkpoint = load_checkpoint(folder, to_train=False)
    config = checkpoint.state.model
    if layout == "dfm" and takes_landmarks(config):
        raise ExportError(
            f"the model in {folder} is told where the landmarks are, which players of .dfm do not say; for them train "
            "one with --no-guide, or --model saehd; or write this one with --to onnx"
        )
    whole = restore_model(checkpoint, torch.device("cpu")).eval().requires_grad_(False)
    kept = _rounded(whole, folder) if precision == "float16" else whole
    doors = [_Door(model, config, layout) for model in (kept, whole)]
    data = _written(doors[0], ports(config, layout), folder, precision=precision, opset=opset, notes=notes)
    given = _trial(ports(config, layout)[0])
    drawn, unrounded = ([one.numpy() for one in door(*map(torch.from_numpy, given.values()))] for door in doors)
    error = _apart(_played(data, given), drawn)
    if not error < _FAR:  # nor if it is no number
        raise ExportError(
            f"ONNX Runtime draws with the model in {folder} something else than torch does ({error:.1e} apart); "
            "install another version of onnxruntime"
        )
    return OnnxFile(data, error, _apart(drawn, unrounded))


def _check_packages() -> None:
    try:
        for name in ("onnx", "onnxruntime"):
            import_module(name)
    except ImportError as exc:
        raise ExtraMissingError("export needs the packages for ONNX; pip install 'lookalike[export]'") from exc


def _written(
    door: nn.Module,
    ports: tuple[list["Port"], list["Port"]],
    folder: Path,
    *,
    precision: Precision,
    opset: int,
    notes: Mapping[str, str],
) -> bytes:
    """The bytes of the file, which holds to ONNX's rules."""
    import onnx

    from lookalike.interchange.onnx_graph import onnx_model

    made = onnx_model(door, *ports, opset=opset, half=precision == "float16", notes=notes)
    if made.ByteSize() > _MOST_BYTES:
        raise ExportError(
            f"the model in {folder} makes {made.ByteSize() / 2**30:.1f} GiB, an ONNX file holds 2; "
            "use --precision float16, or train a smaller one"
        )
    onnx.checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString(deterministic=True))


def _played(data: bytes, given: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """What a runtime draws."""
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return list(session.run(None, given))


def _apart(some: list[NDArray[np.float32]], others: list[NDArray[np.float32]]) -> float:
    """How far outputs are from others, at most."""
    return max(float(np.abs(one - other).max()) for one, other in zip(some, others, strict=True))


def takes_landmarks(config: ModelConfig) -> bool:
    """Whether a network has to be told where the landmarks are."""
    return isinstance(config, GuidedConfig) and config.guide


def ports(config: ModelConfig, layout: Layout) -> tuple[list["Port"], list["Port"]]:
    """Inputs and outputs of a model's file, in their order."""
    from lookalike.interchange.onnx_graph import Port

    side = config.resolution
    picture, mask = (0, side, side, 3), (0, side, side, 1)
    colours = "BGR in [0, 1]" if layout == "dfm" else "RGB in [0, 1]"
    face = "in_face:0" if layout == "dfm" else "face"
    inputs = [Port(face, picture, f"aligned face of dst, {colours}")]
    if takes_landmarks(config):
        points = "68 landmarks, then 10 points of the irises, as x and y of the crop in [-1, 1]"
        inputs.append(Port("landmarks", (0, GUIDE_POINTS, 2), points))
    if config.model == "amp":
        inputs.append(Port("morph_value:0" if layout == "dfm" else "morph", (1,), "how far dst becomes src, 0 to 1"))
    drawn = Port("out_celeb_face:0" if layout == "dfm" else "picture", picture, f"src's face, {colours}")
    own = Port("out_celeb_face_mask:0" if layout == "dfm" else "mask", mask, _SAID_MASK + "in the drawn picture")
    seen = Port("out_face_mask:0" if layout == "dfm" else "dst_mask", mask, _SAID_MASK + "in the picture given")
    if layout == "dfm":
        return inputs, [seen, drawn, own]
    return inputs, [drawn, own, seen] if learns_mask(config) else [drawn]


def learns_mask(config: ModelConfig) -> bool:
    """Whether a network draws masks."""
    return bool(getattr(config, "learn_mask", True))


class _Door(nn.Module):
    """A model as its file shows it: pictures with their colours last, every mask by itself."""

    order: Tensor
    nowhere: Tensor

    def __init__(self, model: Autoencoder, config: ModelConfig, layout: Layout) -> None:
        super().__init__()
        self.model = model
        self._dfm, self._takes_landmarks = layout == "dfm", takes_landmarks(config)
        self.register_buffer("order", torch.arange(getattr(config, "inter_dims", 1)).float()[None, :, None, None])
        self.register_buffer("nowhere", torch.zeros(1, GUIDE_POINTS, 2))

    def forward(self, face: Tensor, other: Tensor | None = None) -> tuple[Tensor, ...]:
        """(n, R, R, 3) faces, and landmarks or how far to go, where the model asks for one of them."""
        picture = face.permute(0, 3, 1, 2)
        points = other if other is not None and self._takes_landmarks else self.nowhere
        drawn, seen = self._drawn(Faces(picture.flip(1) if self._dfm else picture, points), other)
        if self._dfm:
            everywhere = drawn.picture[:, :1] * 0 + 1
            own = everywhere if drawn.mask is None else drawn.mask
            shown = [everywhere if seen is None else seen, drawn.picture.flip(1), own]
        else:
            shown = [drawn.picture, *(mask for mask in (drawn.mask, seen) if mask is not None)]
        return tuple(one.permute(0, 2, 3, 1) for one in shown)

    def _drawn(self, faces: Faces, morph: Tensor | None) -> tuple[Drawing, Tensor | None]:
        """As the model's `swap`, which draws dst for its mask; here nothing but that mask is computed."""
        model = self.model
        if isinstance(model, Df):
            code = model.inter(model.encoder(*faces))
            return model.decoder_src(code), model.decoder_dst(code).mask
        if isinstance(model, Liae):
            seen = model.encoder(*faces)
            ab, b = model.inter_ab(seen), model.inter_b(seen)
            return model.decoder(torch.cat([ab, ab], 1)), model.decoder(torch.cat([b, ab], 1)).mask
        assert isinstance(model, Amp)
        assert morph is not None
        seen = model.encoder(*faces)
        src, dst = model.inter_src(seen), model.inter_dst(seen)
        mixed = torch.where(self.order < (morph * self.order.shape[1]).floor(), src, dst)
        return model.decoder(mixed), model.decoder(dst).mask


def _rounded(model: Autoencoder, folder: Path) -> Autoencoder:
    """A copy with the weights that a file of float16 keeps."""
    rounded = copy.deepcopy(model)
    for parameter in rounded.parameters():
        if parameter.ndim >= 2:
            if parameter.abs().max() > _LARGEST_HALF:
                raise ExportError(f"a weight of the model in {folder} is too large for float16; write it as float32")
            parameter.copy_(parameter.half().float())
    return rounded


def _trial(inputs: list["Port"]) -> dict[str, NDArray[np.float32]]:
    """Something to draw, always the same."""
    rng = np.random.default_rng(0)
    return {port.name: rng.random([size or 1 for size in port.shape], np.float32) for port in inputs}
