"""What a merge is to make: of which it is a function, and what is said of it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lookalike.merging.config import MergeRun
from lookalike.models.checkpoint import TrainState
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.covers import Covers
from lookalike.pipeline.merge_settings import Settings
from lookalike.pipeline.result import stamp
from lookalike.pipeline.seal import Told
from lookalike.pipeline.trust import Admission
from lookalike.pipeline.workspace import Workspace, fingerprint
from lookalike.stopwatch import Stopwatch
from lookalike.tone_map import HLG, PQ
from lookalike.types import Event, Message, VideoInfo
from lookalike.video import EncodeOptions


@dataclass(frozen=True)
class MergePlan:
    """What is to be merged, and with what."""

    workspace: Workspace
    info: VideoInfo
    """Of dst."""
    encoding: EncodeOptions
    trust: TrustOptions
    admission: Admission
    output: Path
    """The video."""
    sequence: bool
    """Images are made instead of it."""
    faces: dict[int, list[Path]]
    """Files that show the faces of each frame."""
    settings: Settings
    run: MergeRun
    models: dict[int | None, str]
    """See models_of."""
    states: dict[str, TrainState]
    """Where each model stands."""
    network: Path | None
    """File of the mask network, if one is asked for."""
    covers: Covers
    clock: Stopwatch = field(default_factory=Stopwatch)
    began: float = field(default_factory=time.monotonic)

    @property
    def alpha(self) -> bool:
        """Whether the video has a channel for what is transparent."""
        return has_alpha(self.settings, self.run)

    @cached_property
    def key(self) -> str:
        """Stands for the files and options that decide every picture."""
        return fingerprint(self._inputs(), self.encoding, self.sequence, self.covers)

    def _inputs(self) -> str:
        workspace = self.workspace
        listing = [(p.name, p.stat().st_mtime_ns) for paths in self.faces.values() for p in paths]
        weights = [(one, stamp(workspace.model(one) / "model.safetensors")) for one in sorted(self.states)]
        said = stamp(self.network) if self.network else ""
        dst = stamp(workspace.video("dst"))
        return fingerprint(dst, weights, self.settings, self.run.model_dump_json(), said, sorted(listing))

    @cached_property
    def trust_key(self) -> str:
        """Stands for what was asked before, and what the result says of itself."""
        return fingerprint(self.trust, self.admission)

    @cached_property
    def told(self) -> Told:
        """What the credentials say of how it was made."""
        return told_of(self.states, self.settings, self.run, self.encoding)

    def is_made(self) -> bool:
        """Whether the video that is there is the one asked for."""
        noted = self.workspace.done("merge")
        made = noted.get("key"), noted.get("trust"), noted.get("output")
        asked = self.key, self.trust_key, str(self.output)
        return made == asked and self.output.is_file() and stamp(self.output) == noted.get("stamp")

    def facts(self, frames: int) -> dict[str, Any]:
        """What the workspace notes of the video, once it is made.

        Args:
            frames: how many it has.
        """
        return {
            "key": self.key,
            "trust": self.trust_key,
            "frames": frames,
            "frames_with_face": len(self.faces),
            "model": ", ".join(sorted(self.states)),
            "iterations": max(self.told.models.values()),
            "options": self.told.settings["merging"],
            **{name: self.told.settings[name] for name in ("shots", "run", "encoding")},
            "content_check": self.admission.content_check,
            "consents": self.admission.consents,
            "seconds": round(time.monotonic() - self.began, 1),
            "seconds_by_part": self.clock.seconds(),
        }


def has_alpha(settings: Settings, run: MergeRun) -> bool:
    """Whether a video has a channel for what is transparent."""
    return run.alpha or any(one.mode == "raw-rgb-mask" for one in settings.all())


def told_of(states: dict[str, TrainState], settings: Settings, run: MergeRun, encoding: EncodeOptions) -> Told:
    """What the credentials of a merge say of how it was made."""
    return Told(
        models={name: state.step for name, state in states.items()},
        settings={
            "merging": settings.base.model_dump(mode="json", exclude_none=True),
            "shots": len(settings.shots),
            "run": run.model_dump(mode="json", exclude_none=True),
            "encoding": encoding.model_dump(mode="json", exclude_none=True),
        },
        label=bool(run.label),
    )


def warnings(info: VideoInfo, settings: Settings, states: dict[str, TrainState]) -> Iterator[Event]:
    """What is possible and hardly meant."""
    if info.tags.transfer in (PQ, HLG) and any(config.color_transfer == "none" for config in settings.all()):
        yield Message(
            "merge", "dst is HDR, and a drawn face is not; without a colour transfer it comes out grey, so use one"
        )
    learned = [config.mask for config in settings.all() if config.mask.startswith("learned")]
    for name, state in states.items():
        if learned and not getattr(state.model, "learn_mask", True):
            yield Message("merge", f"the model {name} learns no masks; dst's own outline stands in for {learned[0]}")
