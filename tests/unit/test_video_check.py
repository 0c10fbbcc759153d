"""A look at videos: which frames, what is found of them, and how it is kept."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drawn_faces import SRC, draw_person
from lookalike.curation.facts import Facts
from lookalike.pipeline.check_file import Finding, read_check
from lookalike.pipeline.demo import draw_clip
from lookalike.pipeline.video_check import check_workspace
from lookalike.pipeline.video_findings import Seen, findings, seen
from lookalike.pipeline.video_glimpses import Glimpse, Looked, evenness, spread
from lookalike.pipeline.video_pair import pair_findings
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.sample import load_portraits
from lookalike.types import ColorSpace, ColorTags, Message, Progress, VideoInfo

ANNA, BERT = np.eye(128, dtype=np.float32)[:2]


def info(size_wh: tuple[int, int] = (1920, 1080), seconds: float = 150) -> VideoInfo:
    return VideoInfo(
        path=Path("v.mp4"),
        size_wh=size_wh,
        pixel_format="yuv420p",
        color=ColorSpace("bt709", False, 8),
        tags=ColorTags(),
        frame_count=round(25 * seconds),
        rate=Fraction(25),
        time_base=Fraction(1, 25),
        sample_aspect_ratio=Fraction(1),
        rotation=0,
        duration_seconds=seconds,
        audio_tracks=0,
    )


def facts(frame: int, side: float, yaw: float, pitch: float, outside: float) -> Facts:
    return Facts(
        name=str(frame),
        source="v.mp4",
        frame=frame,
        number=0,
        track=0,
        person=None,
        score=0.9,
        box_xyxy=np.zeros(4),
        landmarks=np.zeros((68, 2), np.float32),
        side=side,
        pitch_degrees=pitch,
        yaw_degrees=yaw,
        sharpness=1,
        outside=outside,
        recovered=False,
        edited=False,
    )


def glimpse(
    frame: int,
    *,
    who: Any = ANNA,
    side: float = 300,
    yaw: float = 0,
    pitch: float = 0,
    outside: float = 0,
    **others: float,
) -> Glimpse:
    values: dict[str, Any] = {"sharpness": 2.2, "bright": 190, "burnt": 0, "evenness": 0.9, "hidden": 0.02}
    values |= {"mouth": 0.02 * (frame % 20), "eyes": 0.3 - 0.01 * (frame % 20), "skin": np.array([60.0, 15, 15])}
    return Glimpse(
        frame=frame,
        facts=facts(frame, side, yaw, pitch, outside),
        crop=np.zeros((256, 256, 3), np.uint8),
        embedding=who,
        **(values | others),
    )


def video(faces: Sequence[Glimpse | None], side: Side = "src", **of: Any) -> Seen:
    looked = [Looked(n, () if face is None else (face,)) for n, face in enumerate(faces)]
    return seen(info(**of), side, looked)


def turning(count: int = 40, **others: Any) -> list[Glimpse | None]:
    """A head that turns from left to right and nods."""
    return [glimpse(n, yaw=3 * n - 60, pitch=1.0 * (n % 5) * 8 - 16, **others) for n in range(count)]


def verdicts(found: Sequence[Finding]) -> dict[str, str]:
    return {one.what: one.verdict for one in found}


class TestSpread:
    def test_one_of_each_part(self) -> None:
        assert spread(40, 4) == [5, 15, 25, 35]
        assert spread(3, 40) == [0, 1, 2]

    def test_the_frame_after_a_keyframe_is_taken_where_there_is_one(self) -> None:
        keys = list(range(0, 1000, 250))
        assert spread(1000, 4, keys) == [1, 251, 501, 751]
        assert spread(1000, 8, keys) == [1, 187, 251, 437, 501, 687, 751, 937]


class TestFindings:
    def test_a_good_src(self) -> None:
        found = findings(video(turning()))
        assert set(verdicts(found).values()) == {"good"}
        assert all(one.found and one.advice for one in found)

    @pytest.mark.parametrize(
        ("what", "change", "verdict"),
        [
            ("Size of the face", {"side": 60.0}, "poor"),
            ("Size of the face", {"side": 150.0}, "fair"),
            ("Sharpness", {"sharpness": 1.2}, "poor"),
            ("Sharpness", {"sharpness": 1.6}, "fair"),
            ("Brightness", {"bright": 40.0}, "poor"),
            ("Brightness", {"burnt": 0.08}, "fair"),
            ("Even light", {"evenness": 0.6}, "fair"),
            ("Even light", {"evenness": 0.3}, "poor"),
            ("In full view", {"hidden": 0.3}, "poor"),
            ("In full view", {"outside": 0.3}, "poor"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_else(self, what: str, change: dict[str, Any], verdict: str) -> None:
        found = verdicts(findings(video(turning(**change))))
        assert found.pop(what) == verdict
        assert set(found.values()) == {"good"}

    def test_a_still_head_and_face(self) -> None:
        still = video([glimpse(n, mouth=0.1, eyes=0.3) for n in range(40)])
        found = verdicts(findings(still))
        assert (found["Angles"], found["Expressions"]) == ("poor", "poor")
        assert verdicts(findings(still, dst=still))["Angles"] == "good"
        assert "Expressions" not in verdicts(findings(video(turning(), side="dst")))

    def test_short_small_and_empty(self) -> None:
        empty = verdicts(findings(video([None] * 40, size_wh=(320, 240), seconds=5)))
        assert empty == {"Resolution": "poor", "Length": "poor", "Face in the picture": "poor"}
        assert verdicts(findings(video(turning(), size_wh=(320, 240))))["Resolution"] == "fair"
        assert verdicts(findings(video(turning(), side="dst", seconds=5)))["Length"] == "good"
        half = video([face if n % 2 else None for n, face in enumerate(turning())])
        assert verdicts(findings(half))["Face in the picture"] == "fair"


class TestPeople:
    def test_who_fills_most_is_taken(self) -> None:
        looked = [Looked(n, (glimpse(n, who=BERT, side=80), glimpse(n, side=300))) for n in range(20)]
        one = seen(info(), "src", looked)
        assert [face.facts.side for face in one.faces] == [300] * 20
        assert (one.others, one.crowded) == (1, 20)
        people = next(found for found in findings(one) if found.what == "People")
        assert (people.verdict, people.found) == ("fair", "about 2 people; 20 of 20 frames show more than one")

    def test_odd_sides_of_one_person_stay_together(self) -> None:
        odd = np.asarray(ANNA * np.cos(0.45) + BERT * np.sin(0.45), np.float32)
        one = video([glimpse(n, who=ANNA if n < 30 else odd) for n in range(40)])
        assert (len(one.faces), one.others) == (40, 0)


class TestPair:
    def test_what_dst_needs(self) -> None:
        src, dst = video(turning()), video(turning(), side="dst")
        assert set(verdicts(pair_findings(src, dst)).values()) == {"good"}

    def test_what_src_lacks(self) -> None:
        src = video([glimpse(n, mouth=0.05, eyes=0.3, side=100) for n in range(40)])
        dst = video(turning(mouth=0.5, skin=np.array([20.0, 15, 15])), side="dst")
        found = pair_findings(src, dst)
        assert set(verdicts(found).values()) == {"poor"}
        assert "left" in found[0].found
        assert "right" in found[0].advice

    def test_nobody_there(self) -> None:
        assert pair_findings(video([None]), video(turning(), side="dst")) == []


def test_light_from_one_side() -> None:
    points = draw_person(SRC, 0)[1].landmarks.copy()
    points[8, 0] = points[27, 0] = 100
    luma, skin = np.full((180, 200), 200, np.uint8), np.ones((180, 200), bool)
    assert evenness(luma, skin, points) == 1
    luma[:, :100] = 100
    assert evenness(luma, skin, points) == 0.5
    skin[:, 100:] = False
    assert evenness(luma, skin, points) == 1


@pytest.mark.parametrize("sides", [("src",), ("src", "dst")])
def test_a_workspace_is_checked_and_it_is_written_down(tmp_path: Path, sides: tuple[Side, ...]) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    for side, portrait in zip(sides, load_portraits(), strict=False):
        for _ in draw_clip(portrait, side, tmp_path / f"{side}.mp4", 6):
            pass
        workspace.set_video(side, tmp_path / f"{side}.mp4")
    assert read_check(workspace) is None
    events = list(check_workspace(workspace, 3))
    assert [e.done for e in events if isinstance(e, Progress) and e.step == "check src"] == [0, 1, 2, 3]
    check = read_check(workspace)
    assert check is not None
    assert check.src is not None
    assert check.src.video == workspace.video_stamp("src")
    assert [face.frame for face in check.src.faces] == [1, 3, 5]
    assert check.src.sheet == "check_src.jpg"
    assert (workspace.folder / ".studio" / "check_src.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    assert verdicts(check.src.findings)["Length"] == "poor"
    assert (check.dst is None, bool(check.pair)) == (len(sides) == 1, len(sides) == 2)
    said = [event.text for event in events if isinstance(event, Message)]
    assert len(said) == sum(len(one.findings) for one in (check.src, check.dst) if one) + len(check.pair)
    (workspace.folder / ".studio" / "check.json").write_text('{"format": 1')
    assert read_check(workspace) is None
