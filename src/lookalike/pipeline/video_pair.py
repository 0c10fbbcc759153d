"""How two videos that were looked at fit: does src show what dst needs? Pure."""

from collections.abc import Sequence

import numpy as np

from lookalike.curation.coverage import direction_name
from lookalike.pipeline.check_file import Finding
from lookalike.pipeline.video_findings import COVERED, Seen, graded, said, uncovered

_MOUTH, _EYES = 0.05, 0.15
"""How far beyond src's range an opening of dst may go: in eye distances, and of the person's widest eyes."""


def pair_findings(src: Seen, dst: Seen) -> list[Finding]:
    """How the two fit; nothing if one shows no face."""
    if not src.faces or not dst.faces:
        return []
    return [_covered(src, dst), _covered_expressions(src, dst), _detail(src, dst), _skin(src, dst)]


def _covered(src: Seen, dst: Seen) -> Finding:
    away = uncovered(src, dst)
    names: dict[str, int] = {}
    for yaw, pitch in dst.views[away]:
        names[direction_name(yaw, pitch)] = names.get(direction_name(yaw, pitch), 0) + 1
    lacking = ", ".join(name for name, _ in sorted(names.items(), key=lambda item: -item[1])[:3])
    return said(
        "dst's angles in src",
        f"src looks where dst does in {1 - away.mean():.0%} of the frames"
        + (f"; lacking: {lacking}" if lacking else ""),
        graded(float(1 - away.mean()), 0.75, COVERED),
        "src shows what dst needs.",
        f"Add src video that looks {lacking}; training may also mirror faces (random flip).",
    )


def _covered_expressions(src: Seen, dst: Seen) -> Finding:
    mouths = _inside([f.mouth for f in src.faces], [f.mouth for f in dst.faces], _MOUTH)
    eyes = _inside(_of_widest(src), _of_widest(dst), _EYES)
    return said(
        "dst's expressions in src",
        f"src opens the mouth as dst does in {mouths:.0%} of the frames, the eyes in {eyes:.0%}",
        graded(min(mouths, eyes), 0.4, COVERED),
        "src opens eyes and mouth as far as dst.",
        "Add src video with a wider range of expressions: what src never does, the result cannot show well.",
    )


def _inside(known: Sequence[float], asked: Sequence[float], room: float) -> float:
    """Share of what is asked that lies in the range of what is known, give or take `room`."""
    values = np.array(asked)
    return float(((values >= min(known) - room) & (values <= max(known) + room)).mean())


def _of_widest(one: Seen) -> list[float]:
    """How far the eyes are open, of how far this person opens them."""
    openings = [face.eyes for face in one.faces]
    widest = max(float(np.percentile(openings, 95)), 1e-6)
    return [opening / widest for opening in openings]


def _detail(src: Seen, dst: Seen) -> Finding:
    ratio = float(np.median([f.facts.side for f in src.faces]) / np.median([f.facts.side for f in dst.faces]))
    return said(
        "Detail of src for dst",
        f"src's face is {ratio:.1f} times as large as dst's",
        graded(ratio, 0.5, 0.8),
        "src has the detail that dst shows.",
        "src's face is smaller than dst's, so the result will be softer than dst; closer shots of src are better.",
    )


def _skin(src: Seen, dst: Seen) -> Finding:
    apart = np.median([f.skin for f in src.faces], 0) - np.median([f.skin for f in dst.faces], 0)
    difference = float(np.linalg.norm(apart))
    return said(
        "Skin and light alike",
        f"difference {difference:.0f} (CIE Lab)" + (", mostly brightness" if abs(apart[0]) > difference * 0.8 else ""),
        graded(-difference, -35, -15),
        "Colours are near to each other.",
        "Colours differ: keep a colour transfer on while training and merging.",
        "Colours differ much: colour transfer will not hide it all; src in a light like dst's is better.",
    )
