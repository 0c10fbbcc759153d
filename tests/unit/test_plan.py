"""Which model is meant, and what it is trained with: what is kept, what a preset says, what was given."""

from pathlib import Path
from typing import Any

import pytest

from lookalike.errors import CheckpointError, ConfigError
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, save_checkpoint
from lookalike.models.config import MODELS, model_config
from lookalike.pipeline.models import architecture_asked, model_name, name_to_train, plan_training
from lookalike.pipeline.workspace import Workspace
from lookalike.training.config import BEGINNINGS, PRESETS, TrainConfig, changed_options, preset_options

SIZES: dict[str, Any] = {"model": "sae", "resolution": 32, "ae_dims": 16, "e_ch_dims": 2}


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws")


def add(workspace: Workspace, name: str, sizes: dict[str, Any] = SIZES, **options: Any) -> None:
    config = model_config(sizes)
    state = TrainState(model=config, step=5, options=options)
    save_checkpoint(workspace.model(name), build_model(config).state_dict(), {}, state)


def test_the_only_model_needs_no_name(empty: Workspace) -> None:
    add(empty, "a")
    assert model_name(empty, None) == model_name(empty, "a") == "a"


def test_of_several_the_one_trained_last_is_meant(empty: Workspace) -> None:
    add(empty, "a")
    add(empty, "b")
    with pytest.raises(CheckpointError, match="has the models a, b; say which with --name"):
        model_name(empty, None)
    empty.note("train", name="b")
    assert model_name(empty, None) == "b"
    assert model_name(empty, "a") == "a"


def test_a_model_that_is_not_there_is_an_error(empty: Workspace) -> None:
    with pytest.raises(CheckpointError, match=r"no model in .*; run train first"):
        model_name(empty, None)
    add(empty, "a")
    with pytest.raises(CheckpointError, match="has no model x; it has a"):
        model_name(empty, "x")


def test_a_new_model_is_called_as_its_architecture(empty: Workspace) -> None:
    assert name_to_train(empty, None, None) == "guided"
    assert name_to_train(empty, None, "sae") == "sae"
    assert name_to_train(empty, "mine", "sae") == "mine"


def test_a_preset_asks_for_its_architecture() -> None:
    assert architecture_asked(None, {}) is None
    assert architecture_asked("tutorial", {}) == "sae"
    assert architecture_asked("quick", {}) == "guided"
    assert architecture_asked("quick", {"model": "amp"}) == "amp"


def test_an_architecture_means_the_model_that_has_it(empty: Workspace) -> None:
    for name in ("first", "second"):
        add(empty, name)
    add(empty, "third", SIZES | {"archi": "liae"})
    add(empty, "other", {"model": "guided", "resolution": 32, "ae_dims": 16, "e_dims": 4, "d_dims": 2})
    assert name_to_train(empty, None, "sae") == "first"
    assert name_to_train(empty, None, "guided") == "other"
    empty.note("train", name="second")
    assert name_to_train(empty, None, "sae") == "second"
    assert name_to_train(empty, None, None) == "second"
    assert name_to_train(empty, None, "amp") == "amp"


def test_the_tutorial_in_two_commands(empty: Workspace) -> None:
    """Phase one is a preset; phase two changes three options and keeps all others."""
    sizes, options = plan_training(empty, "sae", "tutorial", {}, {})
    assert sizes.model_dump() | {
        "model": "sae", "archi": "df", "resolution": 128, "face_type": "full", "learn_mask": True, "ae_dims": 512,
        "e_ch_dims": 42, "d_ch_dims": 21, "multiscale_decoder": True, "ca_weights": False,
    } == sizes.model_dump()  # fmt: skip
    wanted = {
        "iterations": 40_000, "batch_size": 8, "sort_by_yaw": True, "random_flip": False, "src_face_scale": 0,
        "optimizer_mode": 1, "pixel_loss": False, "face_style_power": 0, "bg_style_power": 0,
        "apply_random_ct": "lct", "clipgrad": False, "pretrain": False,
    }  # fmt: skip
    assert options.model_dump() | wanted == options.model_dump()
    add(empty, "sae", SIZES, **options.model_dump(mode="json"))
    _, rest = plan_training(empty, "sae", None, {}, {"iterations": 0, "batch_size": 12, "pixel_loss": True})
    assert rest == options.model_copy(update={"iterations": 0, "batch_size": 12, "pixel_loss": True})


def test_the_target_is_kept_from_run_to_run(empty: Workspace) -> None:
    add(empty, "sae", SIZES, iterations=40_000, sort_by_yaw=True)
    _, options = plan_training(empty, "sae", None, {}, {"batch_size": 3})
    assert (options.iterations, options.batch_size, options.sort_by_yaw) == (40_000, 3, True)
    assert options.learning_rate == BEGINNINGS["sae"]["learning_rate"]


def test_one_limit_lifts_the_other(empty: Workspace) -> None:
    options = changed_options(TrainConfig(iterations=100), {"minutes": 5})
    assert (options.iterations, options.minutes) == (0, 5)
    options = changed_options(options, {"iterations": 7})
    assert (options.iterations, options.minutes) == (7, 0)
    options = changed_options(options, {"iterations": 7, "minutes": 3})
    assert (options.iterations, options.minutes) == (7, 3)
    assert changed_options(options, {"batch_size": 2}).minutes == 3


def test_a_preset_on_a_model_that_is_there_changes_its_options_not_its_sizes(empty: Workspace) -> None:
    add(empty, "sae", SIZES, batch_size=2)
    sizes, options = plan_training(empty, "sae", "tutorial", {}, {})
    assert sizes == model_config(SIZES)
    assert (options.batch_size, options.iterations) == (8, 40_000)
    _, options = plan_training(
        empty, "sae", "quick", {}, {}
    )  # a preset of another architecture says nothing of this one
    assert options.batch_size == 2


def test_other_sizes_than_the_model_has_are_passed_on_to_be_refused(empty: Workspace) -> None:
    add(empty, "sae")
    sizes, _ = plan_training(empty, "sae", None, {"ae_dims": 32}, {})
    assert sizes == model_config(SIZES | {"ae_dims": 32})


def test_an_architecture_of_its_own_begins_with_its_own_options(empty: Workspace) -> None:
    sizes, options = plan_training(empty, "saehd", None, {"model": "saehd", "archi": "df-ud"}, {"gan_power": 0.1})
    assert sizes == model_config({"model": "saehd", "archi": "df-ud"})
    assert options == changed_options(TrainConfig.model_validate(BEGINNINGS["saehd"]), {"gan_power": 0.1})


def test_without_anything_it_is_balanced(empty: Workspace) -> None:
    assert plan_training(empty, "guided", None, {}, {}) == (PRESETS["balanced"][0], preset_options("balanced"))


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_whole(preset: Any) -> None:
    network = PRESETS[preset][0]
    assert model_config(network.model_dump()) == network
    assert network.model in MODELS
    options = preset_options(preset)
    assert options.minutes or options.iterations  # a swap ends by itself


def test_a_value_that_cannot_be_is_one_line(empty: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"--batch-size: .*greater than or equal to 1"):
        changed_options(TrainConfig(), {"batch_size": 0})
    add(empty, "sae", SIZES, unheard_of=1)
    with pytest.raises(ConfigError, match="--unheard-of: "):
        plan_training(empty, "sae", None, {}, {})
