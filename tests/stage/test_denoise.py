"""denoise on drawn clips."""

from pathlib import Path
from unittest.mock import Mock

import av
import numpy as np
import pytest
from drawn_clips import BT709, digests, draw, seconds_of
from PIL import Image
from video_steps import names, said, stopped_after, workspace_of

from lookalike.errors import WorkspaceError
from lookalike.pipeline.config import DenoiseOptions
from lookalike.pipeline.denoise import denoise
from lookalike.video import EncodeOptions, frame_times, probe, read_frames

FAST = EncodeOptions(preset="ultrafast")
LOSSLESS = EncodeOptions(codec="ffv1")


class TestDenoise:
    def test_a_copy_takes_the_place_of_the_video(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", sounds=1, tags=BT709, rotation=90)
        workspace = workspace_of(tmp_path, clip)
        before = (workspace.folder / "data_src.mp4").read_bytes()
        text = said(denoise(workspace, "src", DenoiseOptions(factor=8)))
        assert "src is" in text
        assert "data_src_denoised.mp4 from now on; the original stays in" in text
        new = workspace.video("src")
        assert new.name == "data_src_denoised.mp4"
        assert workspace.origin("src") == clip
        assert (workspace.folder / "data_src.mp4").read_bytes() == before
        assert seconds_of(new) == seconds_of(clip)
        assert (probe(new).tags, probe(new).rotation, probe(new).audio_tracks) == (BT709, 90, 1)
        workspace.set_video("src", clip)  # as a later `swap` of the same video does
        assert workspace.video("src") == new
        assert "reused" in said(denoise(workspace, "src", DenoiseOptions(factor=8)))
        names_there = {path.name for path in workspace.folder.iterdir()}
        assert names_there == {"workspace.toml", "data_src.mp4", "data_src_denoised.mp4"}

    def test_another_factor_starts_from_the_original(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", pts=range(5))
        workspace = workspace_of(tmp_path, clip)
        list(denoise(workspace, "src", DenoiseOptions(factor=2)))
        list(denoise(workspace, "src", DenoiseOptions(factor=20)))
        once = workspace_of(tmp_path / "other", clip)
        list(denoise(once, "src", DenoiseOptions(factor=20)))
        assert digests(read_frames(workspace.video("src"))) == digests(read_frames(once.video("src")))
        assert sorted(workspace.folder.glob("data_src*")) == [
            workspace.folder / "data_src.mp4",
            workspace.folder / "data_src_denoised.mp4",
        ]

    def test_goes_on_where_it_was(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", pts=range(300))
        cut_off, whole = workspace_of(tmp_path / "1", clip), workspace_of(tmp_path / "2", clip)
        stopped_after(denoise(cut_off, "src", DenoiseOptions()), 260)
        assert cut_off.video("src").name == "data_src.mp4"
        assert "reused 240 frames" in said(denoise(cut_off, "src", DenoiseOptions()))
        list(denoise(whole, "src", DenoiseOptions()))
        assert cut_off.video("src").read_bytes() == whole.video("src").read_bytes()

    def test_images_go_to_a_new_folder(self, tmp_path: Path) -> None:
        folder = tmp_path / "images"
        folder.mkdir()
        rng = np.random.default_rng(0)
        for number in range(130):
            Image.fromarray(rng.integers(100, 110, (20, 30, 3), np.uint8)).save(folder / f"shot_{number}.png")
        workspace = workspace_of(tmp_path, folder)
        stopped_after(denoise(workspace, "src", DenoiseOptions(factor=10)), 126)
        assert workspace.video("src") == folder.resolve()
        assert "reused 120 images" in said(denoise(workspace, "src", DenoiseOptions(factor=10)))
        new = workspace.video("src")
        assert new == workspace.folder / "data_src_denoised"
        assert names(new) == names(folder)
        old_spread, new_spread = (
            np.std([frame.picture.planes[0][10, 15] for frame in read_frames(place)]) for place in (folder, new)
        )
        assert new_spread < 0.6 * old_spread

    def test_stopped_between_a_piece_and_its_state(self, tmp_path: Path) -> None:
        folder = tmp_path / "images"
        folder.mkdir()
        rng = np.random.default_rng(0)
        for number in range(250):
            Image.fromarray(rng.integers(100, 110, (20, 30, 3), np.uint8)).save(folder / f"{number}.png")
        cut_off, whole = workspace_of(tmp_path / "1", folder), workspace_of(tmp_path / "2", folder)
        list(denoise(whole, "src", DenoiseOptions(factor=10)))
        stopped_after(denoise(cut_off, "src", DenoiseOptions(factor=10)), 240)
        assert [path.name for path in cut_off.folder.rglob("state-*")] == ["state-000120.npz"]
        assert "reused 120 images" in said(denoise(cut_off, "src", DenoiseOptions(factor=10)))
        new, want = cut_off.video("src"), whole.video("src")
        assert [(new / name).read_bytes() for name in names(want)] == [(want / n).read_bytes() for n in names(want)]

    def test_a_lost_state_is_an_error(self, tmp_path: Path) -> None:
        workspace = workspace_of(tmp_path, draw(tmp_path / "a.mp4", pts=range(130)))
        stopped_after(denoise(workspace, "src", DenoiseOptions()), 125)
        (state,) = workspace.folder.rglob("state-*")
        state.unlink()
        with pytest.raises(WorkspaceError, match=r"state-000120\.npz is missing; delete .* and run denoise again"):
            list(denoise(workspace, "src", DenoiseOptions()))

    def test_a_video_of_whole_pieces_stopped_at_its_end(self, tmp_path: Path) -> None:
        workspace = workspace_of(tmp_path, draw(tmp_path / "a.mp4", pts=range(120)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lookalike.pipeline.segments.join_segments", Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                list(denoise(workspace, "src", DenoiseOptions()))
        assert "reused 120 frames" in said(denoise(workspace, "src", DenoiseOptions()))

    def test_lost_pictures_keep_the_numbers_of_the_others(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mkv", codec="mpeg4", options={"g": "4"}, pts=range(40), size_wh=(192, 128))
        data = bytearray(clip.read_bytes())
        with av.open(str(clip)) as container:
            places = [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size]
        for number in (9, 21):
            position, size = places[number]
            data[position + 8 : position + size] = bytes(size - 8)
        clip.write_bytes(data)
        there = [frame.index for frame in read_frames(clip)]
        assert len(there) < 40
        workspace = workspace_of(tmp_path, clip)
        list(denoise(workspace, "src", DenoiseOptions()))
        new = workspace.video("src")
        assert [frame.index for frame in read_frames(new)] == list(range(40))
        times = frame_times(probe(clip))
        for index, frame in enumerate(read_frames(new)):
            assert frame.seconds == pytest.approx(float(times[index] * probe(clip).time_base), abs=0.0006)
