"""What smoothing over time does to the landmarks and to the result of a trained workspace.

    python benchmarks/stability.py WORKSPACE [WORKSPACE ...] --json stability.json

Each workspace is merged with smoothing and without (into stable.mp4 and shaky.mp4 in it) and both are reported on.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import faces_by_frame
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.merging.track import Tracks
from lookalike.pipeline.merge import merge
from lookalike.pipeline.report import report
from lookalike.pipeline.workspace import Workspace
from lookalike.video import EncodeOptions
from measure import arguments, finish

_CUT = 0.25
"""Of half the frame rate: what is faster counts as tremble. 3.75 Hz at 30 frames a second."""
_LAGS = range(-5, 6)


def track_of(faces: dict[int, list[Path]], steady: bool) -> NDArray[np.float64]:
    """(N, 136) coordinates of the landmarks of the first face of each frame."""
    tracks = Tracks(faces, steady)
    return np.stack([tracks.spots(frame)[0].landmarks.ravel() for frame in sorted(faces)]).astype(np.float64)


def tremble(track: NDArray[np.float64]) -> float:
    """Root of the power above the cut, over all coordinates."""
    windowed = (track - track.mean(0)) * np.hanning(len(track))[:, None]
    power = np.abs(np.fft.rfft(windowed, axis=0)) ** 2
    return float(np.sqrt(power[np.fft.rfftfreq(len(track)) * 2 >= _CUT].sum()))


def lags(steady: NDArray[np.float64], raw: NDArray[np.float64]) -> dict[str, int]:
    """In how many coordinates the cross-correlation of the two tracks is largest at each lag."""
    one, other = (np.diff(track, axis=0) for track in (steady, raw))
    inside = slice(-_LAGS.start, len(one) - (_LAGS.stop - 1))
    found = []
    for column in range(one.shape[1]):
        values = [np.corrcoef(np.roll(one[:, column], -lag)[inside], other[inside, column])[0, 1] for lag in _LAGS]
        found.append(_LAGS[int(np.argmax(values))])
    return {str(lag): found.count(lag) for lag in sorted(set(found))}


def figures_of(folder: Path) -> dict[str, Any]:
    """All figures of a workspace."""
    workspace = Workspace(folder)
    faces = faces_by_frame(workspace.aligned("dst"))
    steady, raw = track_of(faces, True), track_of(faces, False)
    results: dict[str, Any] = {}
    for name, stabilize in (("stable", True), ("shaky", False)):
        output = folder / f"{name}.mp4"
        for _ in merge(
            workspace, MergeConfig(), EncodeOptions(), run=MergeRun(stabilize=stabilize), output=output, overwrite=True
        ):
            pass
        for _ in report(workspace, result=output):
            pass
        found = json.loads((workspace.report / "report.json").read_text())
        results[name] = {
            "warping_ratio": found["temporal"]["ratio"],
            "mouth": found["motion"]["mouth"]["value"],
            "eyes": found["motion"]["eyes"]["value"],
            "landmark_error": found["landmarks"]["mean"],
        }
    return {
        "frames": len(faces),
        "tremble_steady_over_raw": tremble(steady) / tremble(raw),
        "lag_frames_by_coordinates": lags(steady, raw),
        "results": results,
    }


def main() -> None:
    parser = arguments("stability")
    parser.add_argument("workspaces", type=Path, nargs="+", help="workspaces with a trained model")
    given = parser.parse_args()
    finish("stability", {folder.name: figures_of(folder) for folder in given.workspaces}, given)


if __name__ == "__main__":
    main()
