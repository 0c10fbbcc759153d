"""Models of DeepFaceLab 2 in a workspace: what is taken over, what is said of it, what is refused; and written back."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dfl_model_files import (
    E,
    amp_model,
    optimizer,
    saehd_model,
    write,
    xseg_model,
)
from drawn_workspace import said
from hostile_pickles import PAYLOADS
from lookalike.cli import run
from lookalike.errors import CheckpointError, ConfigError, ExportError, ForeignFileError
from lookalike.interchange.dfl_folder import find_dfl_model
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, load_checkpoint, load_state, save_checkpoint
from lookalike.models.config import GuidedConfig, SaehdConfig
from lookalike.pipeline.export_dfl import export_dfl_model
from lookalike.pipeline.import_model import XSEG_FILE, import_model
from lookalike.pipeline.workspace import Workspace


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws")


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return tmp_path / "theirs"


def refused(empty: Workspace, path: Path, **options: Any) -> str:
    """The one line of a refusal; nothing was made."""
    with pytest.raises(ForeignFileError) as raised:
        list(import_model(empty, path, **options))
    assert str(raised.value).isprintable()
    assert not (empty.folder / "model").exists()
    return str(raised.value)


def arrays(path: Path) -> dict[str, Any]:
    """What Python's own reader makes of a file that we wrote."""
    found = pickle.loads(path.read_bytes())
    assert isinstance(found, dict)
    return found


def test_sizes_options_and_losses_are_taken_over(empty: Workspace, theirs: Path) -> None:
    saehd_model(
        theirs, "liae-ud", lr_dropout="y", ct_mode="sot", target_iter=5000, session_name="x", eyes_mouth_prio=True
    )
    lines = said(import_model(empty, theirs))
    state = load_state(empty.model("ann"))
    assert isinstance(state.model, SaehdConfig)
    assert (state.model.archi, state.model.resolution, state.model.face_type, state.model.geometry) == (
        "liae-ud", 64, "whole", "dfl2",
    )  # fmt: skip
    assert state.step == 1234
    wanted = {"lr_dropout": True, "apply_random_ct": "sot", "iterations": 5000, "random_warp": False}
    wanted |= {"optimizer": "adabelief-dfl2", "eyes_mouth_prio": True, "batch_size": 2, "learning_rate": 5e-5}
    assert {name: state.options[name] for name in wanted} == wanted
    rows = [json.loads(line) for line in (empty.model("ann") / "log.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows] == list(range(1215, 1235))
    assert rows[0]["loss_src"] == 0.5
    assert rows[-1]["loss_dst"] == pytest.approx(0.4 - 19e-4)
    assert any("session_name" in line for line in lines)
    assert any("liae-ud, 64 px, whole face, iteration 1234" in line for line in lines)


def test_what_adabelief_remembers_is_turned_as_the_weights_are(empty: Workspace, theirs: Path) -> None:
    made = saehd_model(theirs, "df-ud")
    remembered: dict[str, Any] = {"iters:0": np.array(777, np.int64)}
    for part, of_part in made.files.items():
        for name, array in of_part.items():
            whole = f"{part}/{name}".replace(":", "_")
            remembered |= {f"ms_{whole}:0": array, f"vs_{whole}:0": array * 2}
    write(theirs / "ann_SAEHD_src_dst_opt.npy", remembered)
    lines = said(import_model(empty, theirs))
    assert any("memory is taken over" in line for line in lines)
    checkpoint = load_checkpoint(empty.model("ann"))
    for name, weight in checkpoint.weights.items():
        assert torch.equal(checkpoint.beside[f"exp_avg/{name}"], weight)
        assert torch.equal(checkpoint.beside[f"exp_avg_var/{name}"], weight * 2)
        assert checkpoint.beside[f"step/{name}"] == 777


def test_rmsprop_is_not_taken_over_and_that_is_said(empty: Workspace, theirs: Path) -> None:
    made = saehd_model(theirs, "df", true_face_power=0.01, gan_power=0.1)
    other = {
        f"acc_{part}/{name.replace(':', '_')}:0": array for part, of in made.files.items() for name, array in of.items()
    }
    write(theirs / "ann_SAEHD_src_dst_opt.npy", {"iters:0": np.array(3), **other})
    write(theirs / "ann_SAEHD_GAN.npy", {"in_conv/weight:0": np.zeros((1, 1, 3, 16), np.float32)})
    lines = said(import_model(empty, theirs))
    assert any("RMSprop" in line for line in lines)
    assert any("discriminator of patches has another shape" in line for line in lines)
    assert not load_checkpoint(empty.model("ann")).beside
    assert load_state(empty.model("ann")).options["true_face_power"] == 0.01


def test_layers_that_are_missing_begin_anew_and_others_are_reshaped(empty: Workspace, theirs: Path) -> None:
    made = saehd_model(theirs, "df")
    decoder = dict(made.files["decoder_src"])
    gone = [name for name in decoder if name.startswith(("upscalem", "out_convm"))]
    kept = {name: array for name, array in decoder.items() if name not in gone}
    kept["out_conv/bias:0"] = kept["out_conv/bias:0"].reshape(1, 1, 1, 3)
    kept["res0/conv1/weight:0"] = kept["res0/conv1/weight:0"].astype(np.float64)
    write(theirs / "ann_SAEHD_decoder_src.npy", kept)
    lines = said(import_model(empty, theirs))
    assert any(f"{len(gone)} layers are not in its files" in line for line in lines)
    checkpoint = load_checkpoint(empty.model("ann"))
    wanted = build_model(checkpoint.state.model).state_dict()["decoder_src.mask.0.0.weight"]
    assert torch.equal(checkpoint.weights["decoder_src.mask.0.0.weight"], wanted)
    assert checkpoint.weights["decoder_src.out.bias"].tolist() == decoder["out_conv/bias:0"][::-1].tolist()


def test_wrong_shapes_name_the_layer(empty: Workspace, theirs: Path) -> None:
    made = saehd_model(theirs, "df-ud")
    saehd_model(theirs, "df-udt", user="bob")
    encoder = dict(made.files["encoder"])
    encoder["down1/downs_1/conv1/weight:0"] = np.zeros((5, 5, E, 9), np.float32)
    write(theirs / "ann_SAEHD_encoder.npy", encoder)
    text = refused(empty, theirs, model_name="ann")
    assert "down1/downs_1/conv1/weight:0 is 5x5x4x9, and 5x5x4x8 was expected" in text
    (theirs / "ann_SAEHD_encoder.npy").write_bytes((theirs / "bob_SAEHD_encoder.npy").read_bytes())
    assert "it has down1/conv1/weight:0, and down1/downs_0/conv1/weight:0 was expected" in refused(
        empty, theirs, model_name="ann"
    )


@pytest.mark.parametrize(("options", "words"), [
    ({"resolution": 10**9}, "resolution"),
    ({"resolution": 65}, "resolution"),
    ({"ae_dims": 60000}, "ae_dims"),
    ({"e_dims": "64"}, "e_dims"),
    ({"archi": "dfhd"}, "archi"),
    ({"archi": ["df"]}, "archi"),
    ({"face_type": "custom"}, "--face-type"),
])  # fmt: skip
def test_absurd_options_are_refused_before_memory_is_taken(
    options: dict[str, Any], words: str, empty: Workspace, theirs: Path
) -> None:
    saehd_model(theirs, "df", **options)
    assert words in refused(empty, theirs)


def test_the_face_type_can_be_told(empty: Workspace, theirs: Path) -> None:
    saehd_model(theirs, "df", face_type="custom")
    with pytest.raises(ConfigError, match="--face-type"):
        list(import_model(empty, theirs, face_type="avatar"))
    list(import_model(empty, theirs, face_type="head"))
    assert load_state(empty.model("ann")).model.face_type == "head"


def test_files_that_are_missing_cut_short_or_not_finite_are_refused(empty: Workspace, theirs: Path) -> None:
    made = saehd_model(theirs, "df")
    encoder = theirs / "ann_SAEHD_encoder.npy"
    whole = encoder.read_bytes()
    encoder.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in refused(empty, theirs)
    weights = dict(made.files["encoder"])
    weights["down1/downs_0/conv1/bias:0"] = np.full(E, np.nan, np.float32)
    write(encoder, weights)
    assert "not finite" in refused(empty, theirs)
    encoder.unlink()
    assert "lacks the file of encoder" in refused(empty, theirs)
    encoder.write_bytes(whole)
    (theirs / "ann_SAEHD_data.dat").unlink()
    assert "lacks ann_SAEHD_data.dat" in refused(empty, theirs)
    assert "holds no model" in refused(empty, theirs, model_name="bob")
    assert "holds no model" in refused(empty, theirs.parent / "ws")


@pytest.mark.parametrize("part", ["encoder.npy", "src_dst_opt.npy", "data.dat"])
@pytest.mark.parametrize("name", ["os.system", "exec", "INST", "NEWOBJ", "BUILD", "torch", "array of objects"])
def test_no_code_in_a_file_is_run(
    name: str, part: str, empty: Workspace, theirs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saehd_model(theirs, "df")
    (theirs / f"ann_SAEHD_{part}").write_bytes(PAYLOADS[name](theirs / "made"))
    assert run(["import", str(theirs), str(empty.folder)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("error: ")
    assert not (theirs / "made").exists()
    assert not (empty.folder / "model").exists()


def test_changed_bytes_are_read_or_refused(empty: Workspace, theirs: Path) -> None:
    saehd_model(theirs, "df")
    files = sorted(theirs.iterdir())
    for seed in range(18):
        rng, path = np.random.default_rng(seed), files[seed % len(files)]
        whole = path.read_bytes()
        changed = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 1500), 3).tolist():
            changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        refusal = ""
        try:
            list(import_model(empty, theirs, name=f"m{seed}"))
        except ForeignFileError as exc:
            refusal = str(exc)
        assert refusal.isprintable()
        assert bool(refusal) != empty.model(f"m{seed}").exists()
        path.write_bytes(whole)


def test_which_model_is_meant(empty: Workspace, theirs: Path) -> None:
    saehd_model(theirs, "df", user="my_SAEHD_model")
    amp_model(theirs, user="ann")
    xseg_model(theirs)
    assert "my_SAEHD_model_SAEHD, ann_AMP" in refused(empty, theirs) or "ann_AMP, my_SAEHD" in refused(empty, theirs)
    assert find_dfl_model(theirs, "my_SAEHD_model").kind == "SAEHD"
    assert find_dfl_model(theirs, "ann_AMP").kind == "AMP"
    assert find_dfl_model(theirs / "XSeg_data.dat").kind == "XSeg"
    assert find_dfl_model(theirs / "ann_AMP_inter_src.npy").title == "ann_AMP"


def test_names_and_models_that_are_there(empty: Workspace, theirs: Path) -> None:
    saehd_model(theirs, "df", user="../evil")
    assert "holds no model" in refused(empty, theirs)  # a name in a folder has no folder in it
    saehd_model(theirs, "df", user="-x y")
    list(import_model(empty, theirs))
    assert load_state(empty.model("saehd")).step == 1234
    with pytest.raises(CheckpointError, match="another --name"):
        list(import_model(empty, theirs))
    for name in ("../out", "xseg", "", ".hidden"):
        with pytest.raises(ConfigError, match="--name"):
            list(import_model(empty, theirs, name=name))
    list(import_model(empty, theirs, name="again"))


@pytest.mark.parametrize("archi", ["df", "liae-udt", "df-udtc", "amp"])
def test_a_model_comes_back_to_the_bit(archi: str, empty: Workspace, theirs: Path, tmp_path: Path) -> None:
    made = amp_model(theirs) if archi == "amp" else saehd_model(theirs, archi)
    remembered = optimizer(made.files, 1234)
    write(theirs / f"{made.title}_src_dst_opt.npy", remembered)
    list(import_model(empty, theirs))
    list(export_dfl_model(empty, None, tmp_path / "back"))
    for part, of_part in made.files.items():
        assert_same(arrays(tmp_path / "back" / f"{made.title}_{part}.npy"), of_part)
    assert_same(arrays(tmp_path / "back" / f"{made.title}_src_dst_opt.npy"), remembered)
    before, after = (arrays(folder / f"{made.title}_data.dat") for folder in (theirs, tmp_path / "back"))
    assert after["iter"] == before["iter"]
    assert {name: after["options"][name] for name in before["options"]} == before["options"]
    assert np.allclose(after["loss_history"], before["loss_history"])
    assert after["sample_for_preview"] is None
    again = Workspace.create(tmp_path / "ws2")
    list(import_model(again, tmp_path / "back"))
    assert load_state(again.model("ann")) == load_state(empty.model("ann"))


def test_xseg_comes_back_to_the_bit(empty: Workspace, theirs: Path, tmp_path: Path) -> None:
    made = xseg_model(theirs, face_type="head")
    lines = said(import_model(empty, theirs))
    assert any(f"--network {empty.model('dfl-xseg') / XSEG_FILE}" in line for line in lines)
    list(export_dfl_model(empty, "dfl-xseg", tmp_path / "back"))
    assert_same(arrays(tmp_path / "back" / "XSeg_256.npy"), made.files["256"])
    data = arrays(tmp_path / "back" / "XSeg_data.dat")
    assert (data["iter"], data["options"]["face_type"]) == (1234, "head")


def test_what_deepfacelab_has_not_is_not_written(empty: Workspace, tmp_path: Path) -> None:
    sizes = {"resolution": 32, "ae_dims": 16, "e_dims": 4, "d_dims": 4}
    for name, config in (
        ("own", GuidedConfig.model_validate(sizes)),
        ("upright", SaehdConfig.model_validate(sizes | {"d_mask_dims": 4, "face_type": "head-no-align"})),
    ):
        save_checkpoint(empty.model(name), build_model(config).state_dict(), {}, TrainState(model=config))
        with pytest.raises(ExportError, match="DeepFaceLab 2 has not"):
            list(export_dfl_model(empty, name, tmp_path / "back"))
    assert not (tmp_path / "back").exists()


def assert_same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array), name
