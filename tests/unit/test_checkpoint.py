"""Checkpoints that survive a kill at any moment, and files that are no checkpoint."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import save_file

from lookalike.errors import CheckpointError
from lookalike.models.autoencoder import Autoencoder
from lookalike.models.build import ARCHITECTURES, build_model
from lookalike.models.checkpoint import (
    TrainState,
    has_checkpoint,
    load_checkpoint,
    restore_model,
    restore_optimizer,
    upgrade_v1_to_v2,
)
from lookalike.models.config import MODELS, model_config
from small_models import CPU, adam, same, save, tiny, update


def test_a_model_is_saved_before_its_first_step(tmp_path: Path) -> None:
    model = build_model(tiny())
    save(tmp_path, model, adam(model), TrainState(model=tiny()))
    found = load_checkpoint(tmp_path)
    assert found.beside == {}
    again = restore_model(found, CPU)
    optimizer = adam(again)
    restore_optimizer(optimizer, again, found.beside)
    update(again, optimizer)


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
