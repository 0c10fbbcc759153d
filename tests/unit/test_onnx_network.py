"""Models written as ONNX draw what they draw in torch."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from dfm_player import DfmPlayer, dfl2_matrix
from drawn_faces import DST, draw_person
from lookalike.errors import CheckpointError, ExportError, ExtraMissingError
from lookalike.geometry import align_matrix
from lookalike.interchange import dfm
from lookalike.interchange.dfm import Layout, Precision, write_network
from lookalike.models.autoencoder import Autoencoder, Faces
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, save_checkpoint
from lookalike.models.config import ModelConfig
from lookalike.options import FaceType
from small_models import tiny

PARITY = 1e-4
KINDS = [
    "guided without guide",
    "sae df",
    "sae liae with all",
    "saehd df",
    "saehd liae-ud",
    "saehd df-udtc",
    "amp",
]
IN_HALF = ["sae df", "saehd df-udtc", "amp"]
Outputs = list[NDArray[np.float32]]


def saved(folder: Path, kind: str, **sizes: Any) -> tuple[ModelConfig, Autoencoder]:
    """A model that was never trained, with weights larger than they begin, so that it draws more than grey."""
    config = tiny(kind, **sizes)
    model = build_model(config, 3).eval().requires_grad_(False)
    save_checkpoint(folder, model.state_dict(), {}, TrainState(model=config))
    return config, model


def written(folder: Path, layout: Layout, precision: Precision = "float32", opset: int = 12) -> bytes:
    return write_network(folder, layout, precision=precision, opset=opset, notes={"lookalike.format": "1"}).data


def played(data: bytes, **inputs: NDArray[np.float32]) -> Outputs:
    session: Any = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return list(session.run(None, inputs))


def faces(config: ModelConfig, count: int) -> NDArray[np.float32]:
    """(count, R, R, 3)."""
    return np.random.default_rng(5).random((count, config.resolution, config.resolution, 3), np.float32)


def drawn(model: Autoencoder, rgb: NDArray[np.float32], points: NDArray[np.float32], morph: float = 1.0) -> Outputs:
    """dst's mask, picture and mask as merging has them from torch, (n, R, R, channels); ones for no mask."""
    drawing, seen = model.swap(Faces(torch.from_numpy(rgb.transpose(0, 3, 1, 2)), torch.from_numpy(points)), morph)
    found = [seen, drawing.picture, drawing.mask]
    ones = torch.ones(len(rgb), 1, *rgb.shape[1:3])
    return [(ones if one is None else one).numpy().transpose(0, 2, 3, 1) for one in found]


def rounded(model: Autoencoder) -> Autoencoder:
    for parameter in model.parameters():
        if parameter.ndim >= 2:
            parameter.copy_(parameter.half().float())
    return model


def apart(one: Outputs, other: Outputs) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_dfm_draws_what_torch_draws(tmp_path: Path, kind: str) -> None:
    config, model = saved(tmp_path, kind)
    whole = written(tmp_path, "dfm")
    rgb, nowhere = faces(config, 1), np.zeros((1, 78, 2), np.float32)
    for morph in (0.0, 0.3, 1.0) if kind == "amp" else (1.0,):
        given = {"in_face:0": np.ascontiguousarray(rgb[..., ::-1])}
        if kind == "amp":
            given["morph_value:0"] = np.array([morph], np.float32)
        seen, bgr, mask = played(whole, **given)
        expected = drawn(model, rgb, nowhere, morph)
        assert apart([seen, bgr[..., ::-1], mask], expected) < PARITY
        assert np.ptp(bgr) > 0.01
        assert apart([bgr], [expected[1]]) > PARITY  # colours in the other order are another picture
    if kind in IN_HALF:
        seen, bgr, mask = played(written(tmp_path, "dfm", "float16"), **given)
        assert apart([seen, bgr[..., ::-1], mask], drawn(rounded(model), rgb, nowhere)) < PARITY


def test_names_order_and_shapes_are_those_that_players_know(tmp_path: Path) -> None:
    saved(tmp_path, "amp")
    model = onnx.load_from_string(written(tmp_path, "dfm"))
    onnx.checker.check_model(model, full_check=True)
    assert [(one.domain, one.version) for one in model.opset_import] == [("", 12)]
    assert model.ir_version <= 7
    sizes = {
        port.name: [size.dim_param or size.dim_value for size in port.type.tensor_type.shape.dim]
        for port in (*model.graph.input, *model.graph.output)
    }
    assert list(sizes) == [
        "in_face:0", "morph_value:0", "out_face_mask:0", "out_celeb_face:0", "out_celeb_face_mask:0",
    ]  # fmt: skip
    assert sizes["in_face:0"] == sizes["out_celeb_face:0"] == ["n", 64, 64, 3]
    assert sizes["out_face_mask:0"] == sizes["out_celeb_face_mask:0"] == ["n", 64, 64, 1]
    assert sizes["morph_value:0"] == [1]
    assert all(port.type.tensor_type.elem_type == onnx.TensorProto.FLOAT for port in model.graph.input)
    assert {one.key: one.value for one in model.metadata_props} == {"lookalike.format": "1"}
    assert not model.functions
    assert all(not node.domain for node in model.graph.node)


def test_float16_keeps_half_the_bytes_and_a_newer_opset_can_be_asked_for(tmp_path: Path) -> None:
    saved(tmp_path, "saehd df-u", e_dims=16)
    made = write_network(tmp_path, "dfm", precision="float16", opset=17, notes={})
    assert len(made.data) < 0.55 * (tmp_path / "model.safetensors").stat().st_size
    assert onnx.load_from_string(made.data).opset_import[0].version == 17
    assert made.error < PARITY
    assert 0 < made.rounding < 0.01


def test_plain_onnx_takes_landmarks_and_any_number_of_faces(tmp_path: Path) -> None:
    config, model = saved(tmp_path, "guided")
    data = written(tmp_path, "onnx")
    rgb, points = faces(config, 3), np.random.default_rng(6).uniform(-1, 1, (3, 78, 2)).astype(np.float32)
    picture, mask, seen = played(data, face=rgb, landmarks=points)
    assert apart([seen, picture, mask], drawn(model, rgb, points)) < PARITY
    elsewhere = played(data, face=rgb, landmarks=-points)
    assert apart([picture], [elsewhere[0]]) > PARITY


def test_plain_onnx_has_no_mask_where_the_model_draws_none(tmp_path: Path) -> None:
    config, model = saved(tmp_path, "sae df with all")
    rgb = faces(config, 2)
    (picture,) = played(written(tmp_path, "onnx"), face=rgb)
    assert apart([picture], [drawn(model, rgb, np.zeros((2, 78, 2), np.float32))[1]]) < PARITY


def test_what_cannot_be_written_is_refused_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "guided", "guided")
    with pytest.raises(ExportError, match="--no-guide"):
        written(tmp_path / "guided", "dfm")
    config, model = saved(tmp_path / "large", "sae df")
    model.get_parameter("encoder.down.0.0.weight")[0, 0, 0, 0] = 1e5
    save_checkpoint(tmp_path / "large", model.state_dict(), {}, TrainState(model=config))
    with pytest.raises(ExportError, match="too large for float16"):
        written(tmp_path / "large", "dfm", "float16")
    model.get_parameter("encoder.down.0.0.weight")[0, 0, 0, 0] = torch.nan
    save_checkpoint(tmp_path / "large", model.state_dict(), {}, TrainState(model=config))
    with pytest.raises(CheckpointError, match="is not finite"):
        written(tmp_path / "large", "dfm")
    saved(tmp_path / "mask", "sae df")
    with monkeypatch.context() as patch:
        patch.setattr(dfm, "_played", lambda data, given: [np.zeros((1, 48, 48, c), np.float32) for c in (1, 3, 1)])
        with pytest.raises(ExportError, match="something else than torch"):
            written(tmp_path / "mask", "dfm")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ExtraMissingError, match=r"pip install 'lookalike\[export\]'"):
        written(tmp_path / "large", "dfm")


@pytest.mark.parametrize("face_type", ["half", "mid-full", "full", "whole"])
def test_the_player_aligns_as_deepfacelab_2(face_type: FaceType) -> None:
    landmarks = draw_person(DST, 1)[1].landmarks + np.random.default_rng(0).normal(0, 2, (68, 2))
    mine, ours = dfl2_matrix(landmarks, 96, face_type), align_matrix(landmarks, 96, face_type, "dfl2")
    np.testing.assert_allclose(mine, ours, atol=1e-9)


def test_the_player_refuses_what_is_no_dfm(tmp_path: Path) -> None:
    saved(tmp_path / "model", "saehd df")
    (tmp_path / "x.onnx").write_bytes(written(tmp_path / "model", "onnx"))
    with pytest.raises(ValueError, match=r"no \.dfm"):
        DfmPlayer(tmp_path / "x.onnx")
