"""Architectures, and checkpoints that survive a kill at any moment."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from lookalike.errors import CheckpointError, ConfigError
from lookalike.landmarks import GUIDE_POINTS
from lookalike.models.autoencoder import Autoencoder, Faces
from lookalike.models.aware import aware_weights
from lookalike.models.build import ARCHITECTURES, build_model, parameter_count
from lookalike.models.checkpoint import (
    TrainState,
    has_checkpoint,
    load_checkpoint,
    moments_of,
    restore_model,
    restore_optimizer,
    save_checkpoint,
    upgrade_v1_to_v2,
)
from lookalike.models.choice import ModelChoice, given_sizes
from lookalike.models.config import MODELS, ModelConfig, model_config

CPU = torch.device("cpu")
TINY: dict[str, dict[str, Any]] = {
    "guided": {"model": "guided", "resolution": 32, "ae_dims": 16, "e_dims": 4, "d_dims": 2},
    "guided without guide": {
        "model": "guided", "resolution": 48, "ae_dims": 16, "e_dims": 4, "d_dims": 2, "guide": False,
    },
    "guided deep": {"model": "guided", "resolution": 32, "ae_dims": 16, "e_dims": 4, "d_dims": 2, "res_blocks": 2},
    **{
        f"sae {archi}{' with all' if extra else ''}": {
            "model": "sae", "archi": archi, "resolution": 48, "ae_dims": 16, "e_ch_dims": 2,
            "learn_mask": not extra, "multiscale_decoder": extra, "ca_weights": extra,
        }
        for archi in ("df", "liae")
        for extra in (False, True)
    },
    **{
        f"saehd {archi}{variant}": {
            "model": "saehd", "archi": archi + variant, "resolution": 32, "ae_dims": 16, "e_dims": 4, "d_dims": 4,
            "d_mask_dims": 4,
        }
        for archi in ("df", "liae")
        for variant in ("", "-u", "-d", "-t", "-c", "-ud", "-udtc")
    },
    "amp": {
        "model": "amp", "resolution": 64, "ae_dims": 16, "inter_dims": 16, "e_dims": 4, "d_dims": 4, "d_mask_dims": 4,
    },
}  # fmt: skip
"""A small network of every architecture and variant."""


def tiny(name: str = "guided", **sizes: int | bool | str) -> ModelConfig:
    return model_config({**TINY[name], **sizes})


def adam(model: Autoencoder) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))


def inputs(resolution: int = 32) -> Faces:
    generator = torch.Generator().manual_seed(5)
    faces = torch.rand(2, 3, resolution, resolution, generator=generator)
    return Faces(faces, torch.rand(2, GUIDE_POINTS, 2, generator=generator) * 2 - 1)


def flipped(faces: Faces) -> Faces:
    return Faces(faces.picture.flip(0), faces.points.flip(0))


def update(model: Autoencoder, optimizer: torch.optim.Optimizer, steps: int = 1, resolution: int = 32) -> None:
    faces = inputs(resolution)
    for step in range(steps):
        drawn = model(faces, flipped(faces), generator=torch.Generator().manual_seed(step))
        loss = drawn.src.picture.mean() + drawn.dst.picture.square().mean()
        for mask in (drawn.src.mask, drawn.dst.mask):
            loss = loss if mask is None else loss + mask.square().mean()
        for small in (*drawn.src.smaller, *drawn.dst.smaller):
            loss = loss + small.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.inference_mode()
def swapped(model: Autoencoder, resolution: int = 32) -> list[Tensor]:
    drawing, seen = model.eval().swap(inputs(resolution))
    return [tensor for tensor in (drawing.picture, *drawing.smaller, drawing.mask, seen) if tensor is not None]


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def save(folder: Path, model: Autoencoder, optimizer: torch.optim.Optimizer, state: TrainState) -> None:
    save_checkpoint(folder, model.state_dict(), moments_of(model, optimizer), state)


@pytest.mark.parametrize("name", TINY)
def test_trained_saved_and_loaded_a_model_is_itself(name: str, tmp_path: Path) -> None:
    config = tiny(name)
    model = build_model(config, 1)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = adam(model)
    update(model, optimizer, 2, config.resolution)
    assert not any(torch.equal(value, before[key]) for key, value in model.state_dict().items() if "weight" in key)
    state = TrainState(model=config, step=2, seconds=1.5, precision="bfloat16", seed=1, options={"batch_size": 3})
    save(tmp_path, model, optimizer, state)

    found = load_checkpoint(tmp_path)
    assert found.state == state
    again = restore_model(found, CPU)
    side = config.resolution
    assert all(torch.equal(a, b) for a, b in zip(swapped(model, side), swapped(again, side), strict=True))

    optimizer_again = adam(again)
    restore_optimizer(optimizer_again, again, found.beside)
    model.train(), again.train()
    update(model, optimizer, 1, side)
    update(again, optimizer_again, 1, side)
    assert same(model.state_dict(), again.state_dict())


@pytest.mark.parametrize("name", TINY)
def test_drawings_have_the_network_s_side(name: str) -> None:
    config = tiny(name)
    faces, side = inputs(config.resolution), config.resolution
    with torch.inference_mode():
        drawn = build_model(config)(faces, faces, swap=True)
    assert drawn.swap is not None
    for drawing in (drawn.src, drawn.dst, drawn.swap):
        assert drawing.picture.shape == (2, 3, side, side)
        assert 0 <= drawing.picture.min() < drawing.picture.max() <= 1
        assert [small.shape[-1] for small in drawing.smaller] == ([side // 2, side // 4] if "all" in name else [])
        if "all" in name:
            assert drawing.mask is None
        else:
            assert drawing.mask is not None
            assert drawing.mask.shape == (2, 1, side, side)
    assert drawn.src_code.shape == drawn.dst_code.shape


@pytest.mark.parametrize("name", TINY)
def test_swap_is_what_a_pass_calls_swap(name: str) -> None:
    config = tiny(name)
    model, faces = build_model(config, 1).eval(), inputs(config.resolution)
    with torch.inference_mode():
        drawing, seen = model.swap(faces)
        drawn = model(flipped(faces), faces, swap=True)
    torch.testing.assert_close(drawing.picture, drawn.swap.picture)
    if seen is not None:
        torch.testing.assert_close(seen, drawn.dst.mask)


@pytest.mark.parametrize("name", [name for name in TINY if "liae" not in name and name != "amp"])
def test_a_df_swap_is_dst_drawn_by_src_s_decoder(name: str) -> None:
    config = tiny(name)
    model, faces = build_model(config, 1).eval(), inputs(config.resolution)
    with torch.inference_mode():
        torch.testing.assert_close(model.swap(faces)[0].picture, model(faces, faces).src.picture)


def test_morph_goes_from_dst_to_src() -> None:
    config = tiny("amp")
    model, faces = build_model(config, 1).eval(), inputs(64)
    with torch.inference_mode():
        drawn = model(faces, faces)
        torch.testing.assert_close(model.swap(faces, 0.0)[0].picture, drawn.dst.picture)
        torch.testing.assert_close(model.swap(faces, 1.0)[0].picture, drawn.src.picture)
        half = model.swap(faces, 0.5)[0].picture
    assert not torch.allclose(half, drawn.dst.picture)
    assert not torch.allclose(half, drawn.src.picture)


def test_amp_draws_src_from_both_parts_while_it_trains() -> None:
    model, faces = build_model(tiny("amp"), 1), inputs(64)
    with torch.inference_mode():
        code = model(faces, faces, generator=torch.Generator().manual_seed(1)).src_code
        own, other = (model(faces, faces).src_code, model(faces, faces).dst_code)
    from_own = (code == own).all((2, 3))
    assert (from_own | (code == other).all((2, 3))).all()
    assert 0.2 < from_own.float().mean() < 0.8


@pytest.mark.parametrize("name", TINY)
def test_parts_that_begin_anew_are_parts(name: str) -> None:
    model = build_model(tiny(name))
    assert model.begins_anew
    for part in model.begins_anew:
        assert parameter_count(model.get_submodule(part)) > 0


TUTORIAL = {"model": "sae", "resolution": 128, "multiscale_decoder": True}


@pytest.mark.parametrize(
    ("sizes", "parts", "total"),
    [
        (TUTORIAL, {("encoder", "inter"): 75_961_012, ("decoder_src.mask",): 3_733_843}, 137_589_816),
        (
            TUTORIAL | {"archi": "liae", "ae_dims": 256},
            {
                ("encoder",): 16_681_140,
                ("inter_ab",): 34_375_936,
                ("inter_b",): 34_375_936,
                ("decoder.mask",): 6_830_419,
            },
            128_633_718,
        ),
    ],
    ids=["df", "liae"],
)
def test_the_sae_has_the_reference_s_numbers_of_weights(
    sizes: dict[str, Any], parts: dict[tuple[str, ...], int], total: int
) -> None:
    model = build_model(model_config(sizes))
    for names, count in parts.items():
        assert sum(parameter_count(model.get_submodule(name)) for name in names) == count, names
    assert parameter_count(model) == total
    decoder = model.get_submodule("decoder_src" if sizes.get("archi") != "liae" else "decoder")
    picture = parameter_count(decoder) - parameter_count(decoder.get_submodule("mask"))
    assert picture == (27_080_559 if sizes.get("archi") != "liae" else 36_370_287)


@torch.inference_mode()
def test_the_sae_has_the_reference_s_shapes() -> None:
    model = build_model(model_config({**TUTORIAL, "e_ch_dims": 4, "d_ch_dims": 2, "ae_dims": 32}))
    shapes: dict[str, tuple[int, ...]] = {}
    for name, part in model.named_modules():
        part.register_forward_hook(
            lambda _part, _in, out, name=name: shapes.update(
                {name: tuple(out.shape)} if isinstance(out, Tensor) else {}
            )
        )
    model.swap(inputs(128))
    e, d = 12, 6
    assert [shapes[f"encoder.down.{n}"][1:] for n in range(4)] == [
        (e, 64, 64), (2 * e, 32, 32), (4 * e, 16, 16), (8 * e, 8, 8),
    ]  # fmt: skip
    assert shapes["inter.squeeze"][1:] == (32,)
    assert shapes["inter.expand"][1:] == (8 * 8 * 32,)
    assert shapes["inter.up"][1:] == (32, 16, 16)
    assert [shapes[f"decoder_src.stages.{n}"][1:] for n in range(3)] == [
        (8 * d, 32, 32), (4 * d, 64, 64), (2 * d, 128, 128),
    ]  # fmt: skip
    assert [shapes[f"decoder_src.mask.{n}"][1:] for n in range(4)] == [
        (16, 32, 32),
        (8, 64, 64),
        (4, 128, 128),
        (1, 128, 128),
    ]


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"model": "sae", "res_blocks": 1}, "--res-blocks is no option of the model sae; it has ae_dims, archi"),
        ({"model": "sae", "resolution": 100}, "--resolution: .*multiple of 16"),
        ({"model": "sae", "resolution": 528}, "--resolution: .*less than or equal to 512"),
        ({"model": "saehd", "archi": "df-x"}, "archi is df or liae, and after a dash any of u, d, t, c; got df-x"),
        ({"model": "saehd", "archi": "df-uu"}, "got df-uu"),
        ({"model": "saehd", "archi": "df-d", "resolution": 144}, "multiple of 32 with -d, got 144; try 128"),
        ({"model": "unet"}, "there is no model unet; choose one of guided, sae, saehd, amp"),
        ({}, "there is no model None"),
    ],
)
def test_sizes_that_cannot_be_are_refused_in_one_line(sizes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        model_config(sizes)
    assert "\n" not in str(caught.value)


def test_defaults_that_follow_others() -> None:
    assert model_config({"model": "sae"}).model_dump() | {"ae_dims": 512, "e_ch_dims": 42, "d_ch_dims": 21} == (
        model_config({"model": "sae"}).model_dump()
    )
    liae = model_config({"model": "sae", "archi": "liae", "e_ch_dims": 30}).model_dump()
    assert (liae["ae_dims"], liae["d_ch_dims"]) == (256, 15)


def test_every_option_of_every_architecture_can_be_given() -> None:
    wanted = {name for kind in MODELS.values() for name in kind.model_fields}
    assert set(ModelChoice.model_fields) == wanted
    assert all(field.description for field in ModelChoice.model_fields.values())
    assert given_sizes(ModelChoice.model_validate({"model": "sae", "e_ch_dims": 30})) == {
        "model": "sae",
        "e_ch_dims": 30,
    }


def test_convolution_aware_weights_are_spread_in_the_frequency_domain() -> None:
    def likeness(filters: Tensor) -> float:
        """Mean cosine between the spectra of two filters of one output."""
        spectra = torch.fft.rfft2(filters).flatten(2)
        spectra = spectra / torch.linalg.vector_norm(spectra, dim=2, keepdim=True)
        return float(((spectra @ spectra.mH).abs() - torch.eye(6)).mean())

    weights = aware_weights((64, 6, 3, 3), torch.Generator().manual_seed(0))
    assert weights.shape == (64, 6, 3, 3)
    assert weights.var(correction=0) == pytest.approx(2 / (6 * 9), rel=1e-5)
    assert likeness(weights) < 0.8 * likeness(torch.randn(64, 6, 3, 3, generator=torch.Generator().manual_seed(0)))


def test_weights_depend_on_the_seed_alone() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        first = build_model(tiny(), 7).state_dict()
        torch.manual_seed(2)
        assert same(first, build_model(tiny(), 7).state_dict())
    assert not same(first, build_model(tiny(), 8).state_dict())


def test_a_model_is_saved_before_its_first_step(tmp_path: Path) -> None:
    model = build_model(tiny())
    save(tmp_path, model, adam(model), TrainState(model=tiny()))
    found = load_checkpoint(tmp_path)
    assert found.beside == {}
    again = restore_model(found, CPU)
    optimizer = adam(again)
    restore_optimizer(optimizer, again, found.beside)
    update(again, optimizer)


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (tiny(res_blocks=0), 61_412),
        (tiny(), 73_028),
        (model_config({"model": "guided", "resolution": 96, "ae_dims": 256, "e_dims": 48, "d_dims": 16}), 12_196_272),
    ],
)
def test_parameter_counts(config: ModelConfig, count: int) -> None:
    assert parameter_count(build_model(config)) == count


def test_no_model_is_an_error_that_says_what_to_run(tmp_path: Path) -> None:
    assert not has_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match=r"no model in .*; run train first"):
        load_checkpoint(tmp_path)


def saved(folder: Path, steps: int = 1, seed: int = 0) -> Autoencoder:
    """Save a tiny model after some steps."""
    model = build_model(tiny(), seed)
    optimizer = adam(model)
    update(model, optimizer, steps)
    save(folder, model, optimizer, TrainState(model=tiny(), step=steps, seed=seed))
    return model


def test_weights_of_another_size_do_not_fit(tmp_path: Path) -> None:
    saved(tmp_path)
    state = json.loads((tmp_path / "state.json").read_text())
    state["model"]["ae_dims"] = 32
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(CheckpointError, match="weights do not fit"):
        restore_model(load_checkpoint(tmp_path), CPU)


@pytest.mark.parametrize("part", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_a_file_cut_short_is_a_damaged_model(tmp_path: Path, part: str, share: float) -> None:
    saved(tmp_path)
    data = (tmp_path / part).read_bytes()
    (tmp_path / part).write_bytes(data[: int(len(data.rstrip()) * share)])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("part", ["model.safetensors", "optimizer.safetensors"])
def test_a_missing_file_is_a_damaged_model(tmp_path: Path, part: str) -> None:
    saved(tmp_path)
    (tmp_path / part).unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("change", [{"step": "many"}, {"colour": 1}, {"model": {"resolution": 33}}])
def test_a_state_that_makes_no_sense_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    saved(tmp_path)
    state = json.loads((tmp_path / "state.json").read_text()) | change
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(CheckpointError, match=f"cannot be read .*{next(iter(change))}.*put a backup back") as caught:
        load_checkpoint(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_newer_format_asks_for_an_update(tmp_path: Path) -> None:
    saved(tmp_path)
    state = json.loads((tmp_path / "state.json").read_text()) | {"format": 3, "unheard_of": True}
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(CheckpointError, match="has format 3; update Lookalike"):
        load_checkpoint(tmp_path)


class Killed(BaseException):
    """What a kill is to the process: nothing that follows is run."""


class Countdown:
    """Stands before an operation on files; at the n-th one the process is gone."""

    def __init__(self, left: int) -> None:
        self.left = left

    def before(self, operation: Callable[..., object]) -> Callable[..., object]:
        def guarded(*args: object, **kwargs: object) -> object:
            if self.left == 0:
                raise Killed
            self.left -= 1
            return operation(*args, **kwargs)

        return guarded


def killed_while_saving(folder: Path, operation: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Save a second model, but die before the n-th operation on files; False if there are not so many."""
    count = Countdown(operation)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", count.before(Path.replace))
        patch.setattr(Path, "write_bytes", count.before(Path.write_bytes))
        patch.setattr("lookalike.models.checkpoint.save_file", count.before(save_file))
        # A process that is killed does not clean up behind itself.
        patch.setattr(Path, "unlink", lambda self, missing_ok=False: None)
        try:
            saved(folder, steps=2, seed=1)
        except Killed:
            return True
    return False


@pytest.mark.parametrize("there", [True, False], ids=["second", "first"])
def test_a_kill_while_saving_leaves_one_whole_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    old, new = saved(tmp_path / "old").state_dict(), saved(tmp_path / "new", steps=2, seed=1).state_dict()
    outcomes = []
    for operation in range(20):
        folder = tmp_path / str(operation)
        if there:
            saved(folder)
        was_killed = killed_while_saving(folder, operation, monkeypatch)
        if not has_checkpoint(folder):
            outcomes.append("none")
        else:
            found = load_checkpoint(folder)
            outcomes.append("old" if found.state.step == 1 else "new")
            assert same(found.weights, old if found.state.step == 1 else new)
            assert {int(found.beside[key]) for key in found.beside if key.startswith("step/")} == {found.state.step}
        saved(folder, steps=3, seed=2)  # and the next save goes well
        assert load_checkpoint(folder).state.step == 3
        assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == [
            "model.safetensors",
            "optimizer.safetensors",
            "state.json",
        ]
        if not was_killed:
            break
    # Weights, moments, the state's bytes and its rename come before the change; three renames are after it.
    assert outcomes == ["old" if there else "none"] * 4 + ["new"] * 4


def test_a_write_cut_short_leaves_the_old_model(tmp_path: Path) -> None:
    old = saved(tmp_path).state_dict()
    (tmp_path / "model.new.safetensors").write_bytes(b"half")
    assert same(load_checkpoint(tmp_path).weights, old)


def test_a_model_of_format_1_is_a_guided_one() -> None:
    old = {
        "format": 1,
        "model": {
            "archi": "df",
            "resolution": 96,
            "ae_dims": 256,
            "encoder_dims": 48,
            "decoder_dims": 16,
            "guide": False,
        },
        "step": 7,
    }
    state = TrainState.model_validate(upgrade_v1_to_v2(old))
    assert state.step == 7
    assert state.model == model_config(
        {"model": "guided", "resolution": 96, "ae_dims": 256, "e_dims": 48, "d_dims": 16, "guide": False}
    )


def test_a_folder_of_format_1_is_read(tmp_path: Path) -> None:
    model = saved(tmp_path)
    state = json.loads((tmp_path / "state.json").read_text())
    state["model"] = {"archi": "df", "resolution": 32, "ae_dims": 16, "encoder_dims": 4, "decoder_dims": 2}
    state = {key: state[key] for key in ("model", "step", "seconds", "precision", "seed")} | {"format": 1}
    (tmp_path / "state.json").write_text(json.dumps(state))
    again = restore_model(load_checkpoint(tmp_path), CPU)
    assert same(model.state_dict(), again.state_dict())
    assert ARCHITECTURES.keys() == MODELS.keys()
