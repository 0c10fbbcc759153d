"""Architectures: sizes, shapes, numbers of weights, and that each survives a save."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lookalike.errors import ConfigError
from lookalike.models.aware import aware_weights
from lookalike.models.build import build_model, parameter_count
from lookalike.models.checkpoint import (
    TrainState,
    load_checkpoint,
    restore_model,
    restore_optimizer,
)
from lookalike.models.choice import ModelChoice, given_sizes
from lookalike.models.config import MODELS, ModelConfig, model_config
from small_models import CPU, TINY, adam, flipped, inputs, same, save, swapped, tiny, update


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
