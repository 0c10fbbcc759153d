"""The look over dst: scores of the shipped network, samples, verdict, refusal. Nothing explicit is ever shown."""

import hashlib
import sys
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from lookalike.content.build import open_checker
from lookalike.content.checker import Checker
from lookalike.content.open_nsfw import OpenNsfw
from lookalike.errors import ContentError, ExtraMissingError, VideoOpenError, WeightsError
from lookalike.pipeline import content_look
from lookalike.pipeline.content_check import ContentVerdict, check_content, judged, refuse
from lookalike.pipeline.content_look import Sample, sampled, without_faces
from lookalike.pipeline.workspace import Workspace
from lookalike.sample import load_portraits
from lookalike.types import ColorSpace, ColorTags, Frame, Message, Picture, VideoInfo
from lookalike.video import EncodeOptions, VideoWriter
from lookalike.weights import EMBEDDED

RATE = 25


class Seer:
    """Takes bright pictures for explicit ones."""

    name, threshold, long_side = "seer", 0.8, 64

    def __init__(self, mistakes_faces: bool = False, sha256: str = "00") -> None:
        self.seen, self.mistakes_faces, self.sha256 = 0, mistakes_faces, sha256

    def scores(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen += len(rgb)
        return np.asarray(rgb.mean((1, 2, 3)) / 255, np.float32)


def workspace_of(folder: Path, codes: Sequence[int], rate: int = RATE) -> Workspace:
    """A grey dst with a picture for each code of luma."""
    video = folder / "dst.mkv"
    base = Fraction(1, rate)
    info = VideoInfo(
        path=video,
        size_wh=(96, 64),
        pixel_format="yuv420p",
        color=ColorSpace("bt709", True, 8),
        tags=ColorTags(1, 1, 1, 2),
        frame_count=len(codes),
        rate=Fraction(rate),
        time_base=base,
        sample_aspect_ratio=Fraction(1),
        rotation=0,
        duration_seconds=len(codes) / rate,
        audio_tracks=0,
    )
    with VideoWriter(video, info, EncodeOptions(codec="h264")) as writer:
        for number, code in enumerate(codes):
            y, c = np.full((64, 96), code, np.uint8), np.full((32, 48), 128, np.uint8)
            writer.write(Frame(Picture((y, c, c), info.color), number, number, base))
    workspace = Workspace.create(folder / "ws")
    workspace.set_video("dst", video)
    return workspace


def looked_at(workspace: Workspace, checker: Checker) -> tuple[ContentVerdict, list[str]]:
    """The verdict, and what was said on the way."""
    steps = check_content(workspace, "open-nsfw", using=checker)
    said: list[str] = []
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value, said
        if isinstance(event, Message):
            said.append(event.text)


class TestShippedNetwork:
    def test_scores_are_those_of_the_float32_original(self) -> None:
        """Stored ones, of Yahoo's weights before they were halved."""
        hopper, collins = (portrait.image for portrait in load_portraits())
        stored = [
            (collins[280:390, 180:290], 0.88770),
            (collins[280:390, 130:240], 0.77939),
            (hopper[320:430, 130:240], 0.24577),
            (skimage.data.retina(), 0.13978),  # type: ignore[no-untyped-call]
            (skimage.data.coffee(), 0.01279),  # type: ignore[no-untyped-call]
            (hopper, 0.00025),
        ]
        checker = OpenNsfw()
        for picture, score in stored:
            found = checker.scores(np.ascontiguousarray(picture)[None])
            assert found.shape == (1,)
            assert abs(float(found[0]) - score) < 0.01
        both = np.stack([collins, hopper])
        assert checker.scores(both) == pytest.approx([checker.scores(both[:1])[0], checker.scores(both[1:])[0]])

    def test_the_notice_names_the_file_that_is_used(self) -> None:
        folder = Path(content_look.__file__).parents[1] / "content" / "weights"
        (file,) = folder.glob("*.onnx")
        notice = (folder / "NOTICE").read_text()
        assert hashlib.sha256(file.read_bytes()).hexdigest() == OpenNsfw.sha256
        assert OpenNsfw.sha256 in notice
        assert file.name in notice
        assert "Copyright 2016, Yahoo Inc." in notice
        assert "open-nsfw" in {network.name for network in EMBEDDED}

    def test_other_weights_are_not_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("lookalike.content.open_nsfw._SHA256", "0" * 64)
        with pytest.raises(WeightsError, match="install Lookalike again"):
            OpenNsfw().scores(np.zeros((1, 8, 8, 3), np.uint8))

    def test_a_face_from_very_near_does_not_count(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        _, collins = load_portraits()
        near = np.ascontiguousarray(collins.image[100:400, 90:360])
        covered = without_faces(near)
        changed = (covered != near).any(2)
        assert 0.3 < changed.mean() < 0.9
        assert np.ptp(covered[changed], axis=0).max() == 0
        bright = workspace_of(tmp_path, [255] * 30)
        monkeypatch.setattr(content_look, "without_faces", np.zeros_like)
        assert looked_at(bright, Seer(mistakes_faces=True))[0].highest == 0
        assert looked_at(bright, Seer(sha256="other"))[0].explicit


class TestNudeNet:
    def test_bare_parts_count_and_others_do_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("nudenet")
        checker = open_checker("nudenet")
        assert len(checker.sha256) == 64
        _, collins = load_portraits()
        assert checker.scores(collins.image[None]) == [0]
        parts = [{"class": "FACE_FEMALE", "score": 0.9}, {"class": "MALE_GENITALIA_EXPOSED", "score": 0.6}]
        detector = type(
            "Detector", (), {"detect": lambda self, picture: [*parts, {"class": "ANUS_EXPOSED", "score": 0.3}]}
        )
        monkeypatch.setattr(checker, "_detector", detector())
        assert checker.scores(collins.image[None]) == pytest.approx([0.6])

    def test_without_the_package_it_is_said_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "nudenet", None)
        monkeypatch.setattr("lookalike.content.nude_detector.find_spec", lambda name: None)
        with pytest.raises(ExtraMissingError, match=r"pip install 'lookalike\[nudenet\]'"):
            open_checker("nudenet")


class TestSamples:
    @pytest.mark.parametrize("rate", [5, 24, 25, 29.97, 60, 144])
    def test_every_second_holds_two(self, rate: float) -> None:
        times = [number / rate for number in range(int(40 * rate))]
        chosen = [times[number] for number in sampled(times)]
        assert chosen[0] == times[0]
        assert chosen[-1] == times[-1]
        assert max(b - a for a, b in pairwise(chosen)) <= 0.4 + 1e-5
        assert len(chosen) < 40 * 2.5 * 1.3 or rate == 5

    def test_short_and_odd_videos(self) -> None:
        assert sampled([0.0]) == [0]
        assert sampled([0.0, 0.04, 0.08]) == [0, 1, 2]
        assert len(sampled([number / 25 for number in range(100)])) == 24
        assert sampled([0.0, 5.0, 1e9, 1e12]) == [0, 1, 2, 3]


def scored(*scores: float, apart: float = 0.4) -> list[Sample]:
    return [Sample(frame=n * 10 + 1, seconds=n * apart, score=score) for n, score in enumerate(scores)]


class TestVerdict:
    @pytest.mark.parametrize(
        ("scores", "apart", "explicit"),
        [
            ((0.1, 0.2, 0.79, 0.79, 0.79), 0.4, False),
            ((0.1, 0.95, 0.1, 0.99, 0.1), 0.4, False),
            ((0.1, 0.8, 0.8, 0.1), 0.4, True),
            ((0.9, 0.1, 0.1), 0.4, False),
            ((0.1, 0.9, 0.9), 0.4, True),
            ((0.1, 0.9, 0.1), 1.0, True),  # one picture, for a second
            ((0.1, 0.1, 0.9), 1.0, False),
            ((0.9,), 0.4, True),
            ((0.5,), 0.4, False),
        ],
    )
    def test_two_in_a_row(self, scores: tuple[float, ...], apart: float, explicit: bool) -> None:
        verdict = judged(scored(*scores, apart=apart), Seer())
        assert verdict.explicit == explicit
        assert verdict.highest == max(scores)
        assert verdict.samples == len(scores)

    def test_in_words(self) -> None:
        assert (
            judged(scored(*[0.02] * 311, 0.08), Seer()).text() == "seer: nothing explicit in 312 samples (highest 0.08)"
        )
        assert (
            judged(scored(0.02, 0.91, 0.1), Seer()).text()
            == "seer: nothing explicit in 3 samples (highest 0.91, alone)"
        )
        verdict = judged(scored(0.1, *[0.9] * 20, 0.99, 0.1), Seer())
        assert verdict.text() == "seer: explicit at 0:08.4, in 23 samples (highest 0.99)"
        assert (len(verdict.worst), verdict.worst[0].frame) == (8, 211)
        assert ContentVerdict.model_validate_json(verdict.model_dump_json()) == verdict

    def test_refused_in_a_line_that_says_what_to_do(self) -> None:
        refuse(judged(scored(0.1, 0.7), Seer()))
        verdict = judged(scored(*[0.1] * 160, 0.9, 0.97, apart=0.5), Seer())
        with pytest.raises(ContentError, match=r"at 1:20\.5 \(frame 1611, seer 0\.97\).*--content-check off") as caught:
            refuse(verdict)
        assert "\n" not in str(caught.value)
        assert "nudenet" in str(caught.value)
        with pytest.raises(ContentError, match=r"whoever wrote \[policy\] content_check"):
            refuse(verdict, fixed=True)


class TestCheck:
    def test_a_second_anywhere_is_found_and_remembered(self, tmp_path: Path) -> None:
        workspace = workspace_of(tmp_path, [20] * 203 + [250] * 25 + [20] * 400)
        seer = Seer()
        verdict, said = looked_at(workspace, seer)
        assert verdict.explicit
        assert 203 < verdict.worst[0].frame <= 228
        assert len(verdict.worst) >= 2
        assert 60 < seer.seen == verdict.samples < 80
        assert said == [verdict.text()]
        again, said = looked_at(workspace, Seer())
        assert again == verdict
        assert said == [f"{verdict.text()}; looked at before"]
        other = Seer(sha256="11")
        assert looked_at(workspace, other)[0].explicit
        assert other.seen == seer.seen

    def test_a_single_odd_frame_is_not_enough(self, tmp_path: Path) -> None:
        verdict, _ = looked_at(workspace_of(tmp_path, [20] * 40 + [250] + [20] * 40), Seer())
        assert not verdict.explicit

    def test_another_dst_is_looked_at_anew(self, tmp_path: Path) -> None:
        workspace = workspace_of(tmp_path, [20] * 30)
        assert not looked_at(workspace, Seer())[0].explicit
        other = tmp_path / "other"
        other.mkdir()
        bright = workspace_of(other, [250] * 30)
        video = workspace.video("dst")
        video.unlink()  # it shares its content with the original
        video.write_bytes(bright.video("dst").read_bytes())
        assert looked_at(workspace, Seer())[0].explicit

    def test_a_damaged_memory_is_no_pass(self, tmp_path: Path) -> None:
        workspace = workspace_of(tmp_path, [250] * 30)
        looked_at(workspace, Seer())
        noted = workspace.done("content")
        workspace.note("content", key=noted["key"], verdict={"explicit": False})
        assert looked_at(workspace, Seer())[0].explicit

    def test_folders_of_images_and_single_ones(self, tmp_path: Path) -> None:
        folder = tmp_path / "images"
        folder.mkdir()
        for number in range(60):
            shade = 250 if 30 <= number < 56 else 10
            cv2.imwrite(str(folder / f"{number:03d}.png"), np.full((40, 200 + number % 2, 3), shade, np.uint8))
        workspace = Workspace.create(tmp_path / "ws")
        workspace.set_video("dst", folder)
        verdict, _ = looked_at(workspace, Seer())
        assert verdict.explicit
        assert 31 <= verdict.worst[0].frame <= 56
        single = Workspace.create(tmp_path / "single")
        single.set_video("dst", folder / "040.png")
        assert looked_at(single, Seer())[0].explicit

    def test_a_video_that_cannot_be_decoded_is_no_pass(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        workspace = workspace_of(tmp_path, [20] * 30)
        monkeypatch.setattr(content_look, "small_frames", lambda *_: iter(()))
        with pytest.raises(VideoOpenError, match="no frame of"):
            looked_at(workspace, Seer())
