"""Architectures, and checkpoints that survive a kill at any moment."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from lookalike.errors import CheckpointError
from lookalike.landmarks import GUIDE_POINTS
from lookalike.models.build import ARCHITECTURES, build_model, parameter_count
from lookalike.models.checkpoint import (
    TrainState,
    has_checkpoint,
    load_checkpoint,
    restore_model,
    restore_optimizer,
    save_checkpoint,
)
from lookalike.models.config import ModelConfig
from lookalike.models.df import DF

CPU = torch.device("cpu")


def tiny(archi: str = "df", **sizes: int | bool | str) -> ModelConfig:
    small: dict[str, int | bool | str] = {"resolution": 32, "ae_dims": 16, "encoder_dims": 4, "decoder_dims": 2}
    return ModelConfig.model_validate({"archi": archi, **small, **sizes})


def adam(model: DF) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))


def inputs(resolution: int = 32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    faces = torch.rand(2, 3, resolution, resolution, generator=generator)
    return faces, torch.rand(2, GUIDE_POINTS, 2, generator=generator) * 2 - 1


def update(model: DF, optimizer: torch.optim.Optimizer, steps: int = 1) -> None:
    faces, points = inputs()
    for _ in range(steps):
        src, dst = model(faces, points, faces.flip(0), points.flip(0))
        optimizer.zero_grad()
        (src.picture.mean() + dst.picture.square().mean() + src.mask.mean() - dst.mask.mean()).backward()
        optimizer.step()


@torch.inference_mode()
def swapped(model: DF) -> list[Tensor]:
    drawing, seen = model.eval().swap(*inputs())
    return [drawing.picture, drawing.mask, seen]


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("archi", ARCHITECTURES)
def test_trained_saved_and_loaded_a_model_is_itself(archi: str, tmp_path: Path) -> None:
    config = tiny(archi)
    model = build_model(config, 1)
    optimizer = adam(model)
    update(model, optimizer, 2)
    state = TrainState(model=config, step=2, seconds=1.5, precision="bfloat16", seed=1)
    save_checkpoint(tmp_path, model, optimizer, state)

    found = load_checkpoint(tmp_path)
    assert found.state == state
    again = restore_model(found, CPU)
    assert all(torch.equal(a, b) for a, b in zip(swapped(model), swapped(again), strict=True))

    optimizer_again = adam(again)
    restore_optimizer(optimizer_again, again, found.moments)
    model.train(), again.train()
    update(model, optimizer)
    update(again, optimizer_again)
    assert same(model.state_dict(), again.state_dict())


@pytest.mark.parametrize("archi", ARCHITECTURES)
@pytest.mark.parametrize("sizes", [{"resolution": 48}, {"guide": False}, {"res_blocks": 0}, {"res_blocks": 2}])
def test_drawings_have_the_network_s_side(archi: str, sizes: dict[str, int | bool]) -> None:
    config = tiny(archi, **sizes)
    faces, points = inputs(config.resolution)
    with torch.inference_mode():
        src, dst = build_model(config)(faces, points, faces, points)
    for drawing in (src, dst):
        assert drawing.picture.shape == (2, 3, config.resolution, config.resolution)
        assert drawing.mask.shape == (2, 1, config.resolution, config.resolution)
        assert 0 <= drawing.picture.min() <= drawing.picture.max() <= 1


def test_weights_depend_on_the_seed_alone() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        first = build_model(tiny(), 7).state_dict()
        torch.manual_seed(2)
        assert same(first, build_model(tiny(), 7).state_dict())
    assert not same(first, build_model(tiny(), 8).state_dict())


def test_a_model_is_saved_before_its_first_step(tmp_path: Path) -> None:
    model = build_model(tiny())
    save_checkpoint(tmp_path, model, adam(model), TrainState(model=tiny()))
    found = load_checkpoint(tmp_path)
    assert found.moments == {}
    again = restore_model(found, CPU)
    optimizer = adam(again)
    restore_optimizer(optimizer, again, found.moments)
    update(again, optimizer)


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (tiny(res_blocks=0), 61_412),
        (tiny(), 73_028),
        (ModelConfig(resolution=96, ae_dims=256, encoder_dims=48, decoder_dims=16), 12_196_272),
    ],
)
def test_parameter_counts(config: ModelConfig, count: int) -> None:
    assert parameter_count(build_model(config)) == count


def test_swap_is_the_src_drawing_of_a_dst_face() -> None:
    model = build_model(tiny(), 1).eval()
    faces, points = inputs()
    with torch.inference_mode():
        drawing, seen = model.swap(faces, points)
        as_src, as_dst = model(faces, points, faces, points)
    torch.testing.assert_close(drawing.picture, as_src.picture)
    torch.testing.assert_close(seen, as_dst.mask)


def test_no_model_is_an_error_that_says_what_to_run(tmp_path: Path) -> None:
    assert not has_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match=r"no model in .*; run train first"):
        load_checkpoint(tmp_path)


def saved(folder: Path, steps: int = 1, seed: int = 0) -> DF:
    """Save a tiny model after some steps."""
    model = build_model(tiny(), seed)
    optimizer = adam(model)
    update(model, optimizer, steps)
    save_checkpoint(folder, model, optimizer, TrainState(model=tiny(), step=steps, seed=seed))
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
    state = json.loads((tmp_path / "state.json").read_text()) | {"format": 2, "unheard_of": True}
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(CheckpointError, match="has format 2; update Lookalike"):
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
            assert {int(found.moments[key]) for key in found.moments if key.startswith("step/")} == {found.state.step}
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
