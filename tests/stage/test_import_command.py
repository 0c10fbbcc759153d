"""`lookalike import`, then training and merging with what it made."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from dfl_model_files import amp_model, optimizer, saehd_model, write, xseg_model
from lookalike.cli import run
from lookalike.faceset import list_faces, load_record
from lookalike.models.checkpoint import load_checkpoint
from lookalike.pipeline.import_model import XSEG_FILE
from lookalike.pipeline.workspace import Workspace
from lookalike.video import read_frames
from merge_workspace import merge_workspace


def command(*words: object) -> None:
    assert run([str(word) for word in words]) == 0


def test_training_goes_on_with_an_imported_model(
    place: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / "theirs"
    made = saehd_model(theirs, "liae-udt", face_type="f")
    write(theirs / f"{made.title}_src_dst_opt.npy", optimizer(made.files, 1234))
    command("import", theirs, place.folder)
    assert "go on with: lookalike train" in capsys.readouterr().out
    before = load_checkpoint(place.model("ann"))
    command("train", place.folder, "--iterations", 1237, "--device", "cpu")  # its only model
    after = load_checkpoint(place.model("ann"))
    assert after.state.step == 1237
    assert after.state.options["optimizer"] == "adabelief-dfl2"
    rows = [json.loads(line) for line in (place.model("ann") / "log.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows[-4:]] == [1234, 1235, 1236, 1237]
    name = "encoder.down.0.0.weight"
    assert after.beside[f"step/{name}"] == 1237  # of their 1234
    moved = (after.beside[f"raw/{name}"] - before.weights[name]).abs()
    assert 0 < moved.max() < 1
    left = torch.lerp(before.beside[f"exp_avg_var/{name}"], torch.zeros(()), 0.003)
    assert (after.beside[f"exp_avg_var/{name}"] > 0.9 * left).all()  # what was remembered counts on


@pytest.mark.parametrize("kind", ["saehd", "amp"])
def test_an_imported_model_and_mask_network_draw(kind: str, tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, 3, models=())
    theirs = tmp_path / "theirs"
    if kind == "amp":
        amp_model(theirs, face_type="f")
    else:
        saehd_model(theirs, "df-ud", face_type="f")
    xseg_model(theirs, face_type="wf")
    command("import", theirs, workspace.folder)
    command("import", theirs / "XSeg_256.npy", workspace.folder)
    network = workspace.model("dfl-xseg") / XSEG_FILE
    result = tmp_path / "out.mkv"
    words = ["--mask-network", network, "--device", "cpu", "--color-transfer", "none"]
    words += ["--morph-factor", 0.5] if kind == "amp" else []
    command("merge", workspace.folder, "-o", result, "--codec", "ffv1", *words)
    before, after = (
        np.stack([frame.picture.planes[0] for frame in read_frames(path)]).astype(int)
        for path in (tmp_path / "dst.mkv", result)
    )
    assert before.shape == after.shape
    assert np.abs(before - after).max((1, 2)).min() > 5  # a face was laid into every frame
    command("mask", "apply", workspace.folder, "dst", "--network", network, "--device", "cpu")
    masks = [load_record(path).mask for path in list_faces(workspace.aligned("dst"))]
    assert all(mask is not None and mask.source.startswith("XSeg of DeepFaceLab") for mask in masks)
