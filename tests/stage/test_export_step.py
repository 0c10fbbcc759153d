"""Models written for other programs: what a player makes of them, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from dfm_player import DfmPlayer, Picture
from drawn_faces import SRC, write_faceset
from drawn_workspace import said
from lookalike import cli
from lookalike.color import eight_bit, picture_to_rgb
from lookalike.errors import ConfigError, ConsentError, WorkspaceError
from lookalike.faceset import faces_by_frame
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.models.config import model_config
from lookalike.models.device import Compute, Precision
from lookalike.pipeline.consent_record import Terms
from lookalike.pipeline.consent_steps import add
from lookalike.pipeline.export import export
from lookalike.pipeline.export_options import ExportOptions
from lookalike.pipeline.merge_open import open_job
from lookalike.pipeline.merge_settings import MergeFile, settings_of
from lookalike.pipeline.train import train
from lookalike.pipeline.wipe import wipe
from lookalike.pipeline.workspace import Workspace
from lookalike.provenance.claim import hash_of
from lookalike.training import session
from lookalike.training.config import TrainConfig
from lookalike.types import Frame
from lookalike.video import read_frames
from merge_workspace import merge_workspace

SIZES = {"model": "saehd", "archi": "liae-ud", "resolution": 32, "ae_dims": 16, "e_dims": 4, "d_dims": 4}
STEP = 1 / 255


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A drawn pair with a model that was trained for a few steps, in float32."""

    def choose(device: str, wanted: Precision | None) -> Compute:
        return Compute(torch.device("cpu"), "float32")

    workspace = merge_workspace(tmp_path_factory.mktemp("pair"), 6, models=())
    write_faceset(workspace.aligned("src"), SRC, 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "choose_compute", choose)
        config = model_config(SIZES | {"d_mask_dims": 4, "geometry": "dfl2"})
        options = TrainConfig(batch_size=4, iterations=20, device="cpu", held_out=0)
        list(train(workspace, config, options, name="live"))
    return workspace


def shown(frame: Frame) -> Picture:
    """A whole frame as a player has it, BGR."""
    picture = frame.picture
    return np.ascontiguousarray(eight_bit(picture_to_rgb(picture, (0, 0, *picture.size_wh)))[..., ::-1])


def notes_in(path: Path) -> dict[str, str]:
    return {one.key: one.value for one in onnx.load(path).metadata_props}


def test_a_player_draws_the_raw_face_of_the_merge(trained: Workspace, tmp_path: Path) -> None:
    """The player knows the format alone; it cuts the faces out itself. Only where they are it has from the merge."""
    output = tmp_path / "live.dfm"
    list(export(trained, "dfm", output=output))
    player = DfmPlayer(output)
    settings = settings_of(trained.folder / "merge.toml", MergeFile(), MergeConfig(mask="learned-prd*dst"))
    job = open_job(trained, faces_by_frame(trained.aligned("dst")), settings, MergeRun(), None)
    found = 0
    for frame in read_frames(trained.video("dst")):
        for face in job.drawn_alone(frame).faces:
            assert face.prediction is not None
            assert face.prediction.mask is not None
            assert face.prediction.dst_mask is not None
            crop = player.cut(shown(frame), face.target.spot.landmarks, "full")
            played = player.play(crop)
            assert np.abs(played.face[..., ::-1] - face.prediction.picture).max() <= STEP
            assert np.abs(played.mask - face.prediction.mask).max() <= STEP
            assert np.abs(played.dst_mask - face.prediction.dst_mask).max() <= STEP
            assert np.abs(played.face - face.prediction.picture).max() > STEP
            found += 1
    assert found == 6


def test_the_metadata_tell_what_the_file_is(trained: Workspace, tmp_path: Path) -> None:
    output = tmp_path / "live.dfm"
    texts = said(export(trained, "dfm", ExportOptions(licence="CC BY 4.0", precision="float16"), output=output))
    assert any("saehd of 20 iterations, 32x32, full (dfl2) faces" in text for text in texts)
    assert any("rounded to float16" in text for text in texts)
    notes = notes_in(output)
    assert notes["lookalike.model"] == "saehd"
    assert notes["lookalike.resolution"] == "32"
    assert (notes["lookalike.face_type"], notes["lookalike.geometry"]) == ("full", "dfl2")
    assert notes["lookalike.iterations"] == "20"
    assert notes["lookalike.weights_sha256"] == hash_of([trained.model("live") / "model.safetensors"])
    assert notes["lookalike.licence"] == "CC BY 4.0"
    assert notes["lookalike.precision"] == "float16"
    assert notes["lookalike.consents"] == "none on record"
    assert notes["lookalike.ai_generated"].startswith("AI-generated")
    assert "compositeWithTrainedAlgorithmicMedia" in notes["lookalike.ai_generated"]
    assert (notes["channels"], "archi=liae-ud" in notes["lookalike.sizes"]) == ("bgr", True)


def test_a_model_that_merging_draws_with_in_bfloat16_is_told_of(trained: Workspace, tmp_path: Path) -> None:
    copied = shutil.copytree(trained.model("live"), trained.model("brief"))
    state = copied / "state.json"
    state.write_text(state.read_text().replace('"precision": "float32"', '"precision": "bfloat16"'))
    texts = said(export(trained, "onnx", output=tmp_path / "brief.onnx", name="brief"))
    shutil.rmtree(copied)
    assert any("bfloat16" in text for text in texts)
    assert not any("FaceFusion" in text for text in texts)


def test_only_its_own_export_is_written_over(trained: Workspace, tmp_path: Path) -> None:
    strange = tmp_path / "live.dfm"
    strange.write_bytes(b"somebody's")
    with pytest.raises(WorkspaceError, match="--overwrite"):
        list(export(trained, "dfm", output=strange))
    assert strange.read_bytes() == b"somebody's"
    list(export(trained, "dfm", output=strange, overwrite=True))
    first = strange.read_bytes()
    list(export(trained, "dfm", output=strange))
    assert strange.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["live.dfm"]


def test_a_model_is_written_only_with_consent_where_that_is_asked(
    trained: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "live.onnx"
    config = tmp_path / "config.toml"
    config.write_text("[policy]\nrequire_consent = true\n")
    monkeypatch.setenv("LOOKALIKE_CONFIG", str(config))
    with pytest.raises(ConsentError, match="no valid consent for src"):
        list(export(trained, "onnx", output=output))
    assert not output.exists()
    faces = trained.aligned("src")
    terms = Terms(not_needed="drawn face")
    list(add(trained, "src", terms, material=[faces]))
    list(add(trained, "dst", terms))
    list(export(trained, "onnx", output=output))
    records = [json.loads(path.read_text()) for path in sorted((trained.folder / "consents").glob("????.json"))]
    notes = notes_in(output)
    assert notes["lookalike.consents"].split(",") == [record["sha256"] for record in records]
    assert notes["channels"] == "rgb"


def test_options_that_do_not_go_together(trained: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not end in \.dfm"):
        list(export(trained, "dfm", output=tmp_path / "live.onnx"))
    with pytest.raises(ConfigError, match="--precision"):
        list(export(trained, "dfl", ExportOptions(precision="float16")))


def test_the_command_writes_for_deepfacelab_and_wipe_takes_all_away(
    trained: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(trained.folder)
    for target in ("dfm", "dfl", "dfl"):
        assert cli.run(["export", place, "--to", target]) == 0
    assert (trained.folder / "live.dfm").is_file()
    assert (trained.folder / "live.dfl" / "live_SAEHD_data.dat").is_file()
    foreign = trained.folder / "mine.dfm"
    foreign.write_bytes(b"mine")
    assert cli.run(["export", place, "--to", "dfm", "--output", str(foreign)]) == 1
    assert cli.run(["export", place, "--to", "dfm", "--opset", "11"]) == 2
    assert "opset" in capsys.readouterr().err
    list(wipe(trained, None, yes=True))
    assert not (trained.folder / "live.dfm").exists()
    assert not (trained.folder / "live.dfl").exists()
    assert foreign.read_bytes() == b"mine"
