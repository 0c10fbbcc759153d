"""Losses for TensorBoard, read back by TensorBoard itself."""

import sys
from pathlib import Path

import pytest

from lookalike.errors import ExtraMissingError
from lookalike.training.tensorboard import make_writer


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    write = make_writer(tmp_path, 7)
    write([{"loss_src": 3.0, "loss_dst": 2.0}, {"loss_src": 2.5, "loss_dst": 1.5}])
    write([{"loss_src": 2.25, "loss_dst": 1.0}])
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss_src")] == [(8, 3.0), (9, 2.5), (10, 2.25)]
    assert [event.value for event in events.Scalars("loss_dst")] == [2.0, 1.5, 1.0]


def test_without_tensorboard_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ExtraMissingError, match=r"pip install 'lookalike\[tensorboard\]'"):
        make_writer(tmp_path, 0)
