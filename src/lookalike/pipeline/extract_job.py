"""What an extraction works on: its video, options, folders and log."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from lookalike.faces import trusted_score
from lookalike.faceset.rename import journal_path
from lookalike.files import storage_errors, unused_path
from lookalike.pipeline.again import Again
from lookalike.pipeline.choice import Choice, Verdict, choose, verdicts, wanted_face
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.known import known_faces
from lookalike.pipeline.result import watched
from lookalike.pipeline.scan import Looker
from lookalike.pipeline.scan_log import ScanLog
from lookalike.pipeline.workspace import Side, Workspace, fingerprint
from lookalike.types import Message, VideoInfo
from lookalike.video import probe


@dataclass(frozen=True, slots=True)
class Job:
    """One side's extraction with the options asked for; options left out are those of the faceset that is there."""

    workspace: Workspace
    side: Side
    config: ExtractConfig
    info: VideoInfo
    key: str
    """Changes with the video and with the options."""
    same_video: bool
    """Nothing but the video is asked for, and the faceset that is there is of it."""
    check: Callable[[], None]
    """See `watched`."""

    @classmethod
    def of(cls, workspace: Workspace, side: Side, asked: ExtractConfig) -> "Job":
        """Look at the video and at what is there.

        Raises:
            VideoError, WorkspaceError.
        """
        config = asked
        done, video = workspace.done(f"extract_{side}"), workspace.video_stamp(side)
        if workspace.aligned(side).is_dir():
            config = _as_before(asked, done.get("options", {}))
        check = watched(workspace.video(side))
        info = probe(workspace.video(side))
        named = {"person": Path(config.person or ""), "boxes": config.boxes or Path()}
        files = {name: fingerprint(path.read_bytes()) for name, path in named.items() if path.is_file()}
        parts = config.model_dump_json(exclude=set(files)), *files.values()
        same_video = not asked.model_fields_set and done.get("video") == video
        return cls(workspace, side, config, info, fingerprint(video, *parts), same_video, check)

    @property
    def step(self) -> str:
        """Its name in workspace.toml and in events."""
        return f"extract_{self.side}"

    @property
    def aligned(self) -> Path:
        """The faceset."""
        return self.workspace.aligned(self.side)

    @property
    def trash(self) -> Path:
        """Faces put aside."""
        return self.workspace.trash(self.side)

    @property
    def debug(self) -> Path:
        """Whole frames with their faces drawn."""
        return self.workspace.data(self.side) / "aligned_debug"

    @property
    def edits(self) -> Path:
        """Faces set by hand."""
        return self.workspace.data(self.side) / "edits.json"

    @property
    def folder(self) -> Path:
        """The log of the search, and until it is done the faces; each set of options has its own."""
        return self.workspace.data(self.side) / ".extract" / self.key

    @property
    def sources(self) -> tuple[str, ...]:
        """Names by which records call the video; new ones take the first."""
        return self.workspace.source_names(self.side)

    @property
    def trusted(self) -> float:
        """Score that a track reaches at least once."""
        return trusted_score(self.config.detector, self.config.min_score)

    def done(self) -> dict[str, Any]:
        """What is noted of the faceset that is there."""
        return self.workspace.done(self.step)

    def is_made(self) -> bool:
        """Whether the faceset that is there is the one asked for, or was brought by the user."""
        return self.aligned.is_dir() and (self.same_video or self.done().get("key") in (self.key, None))

    def wanted(self) -> NDArray[np.float32] | None:
        """(128,) embedding of the face on the reference picture, if there is one.

        Raises:
            FaceError: the picture cannot be read, or shows no face.
        """
        return wanted_face(self.config.person)

    def log(self) -> ScanLog:
        """What the search found so far."""
        return ScanLog.open(self.folder / "frames.jsonl")

    def finished_log(self) -> ScanLog | None:
        """The log that the faceset was made from, if it is of these options and whole."""
        done = self.done()
        if done.get("key") != self.key or not self.folder.is_dir():
            return None
        log = self.log()
        return log if len(log.frames) == done.get("frames") else None

    def forget_other_logs(self) -> None:
        """Remove searches of options that the faceset is not of."""
        for folder in self.folder.parent.iterdir():
            if folder != self.folder:
                shutil.rmtree(folder, ignore_errors=True)

    def looker(self) -> Looker:
        """What looks at frames, its networks loaded.

        Raises:
            WeightsError, ExtraMissingError: a network cannot be had.
        """
        looker = Looker(self.info, self.sources[0], self.config)
        _ = looker.finder
        return looker

    def again(self) -> Again:
        """What makes faces of single frames anew."""
        known = known_faces(self.sources, self.aligned)
        trash = known_faces(self.sources, self.trash)
        logged = (face.track for line in self.log().frames for face in line.faces) if self.folder.is_dir() else ()
        tracks = [face.track for faces in (*known.values(), *trash.values()) for face in faces]
        free = 1 + max((*tracks, *logged), default=-1)
        return Again(self.looker(), self.config, self.aligned, self.trash, self.step, known, free)

    def judged(self, log: ScanLog, wanted: NDArray[np.float32] | None) -> tuple[Choice, list[Verdict]]:
        """Who is in the log, and what becomes of each face."""
        choice = choose(log, self.config, self.trusted, wanted, self.sources[0])
        return choice, list(verdicts(log, choice, self.trusted, self.config.identity == "face"))

    def move_aside(self) -> list[Message]:
        """Make room for another faceset; nothing of the one that is there is lost."""
        said = []
        shutil.rmtree(self.debug.with_name(f".{self.debug.name}"), ignore_errors=True)
        for folder in (self.aligned, self.debug):
            if folder.is_dir():
                aside, journal = unused_path(folder), journal_path(folder)
                with storage_errors(aside):
                    folder.rename(aside)
                    if journal.is_file():
                        journal.rename(journal_path(aside))
                said.append(Message(self.step, f"moved the faces of other options to {aside}"))
        return said


def _as_before(asked: ExtractConfig, noted: dict[str, Any]) -> ExtractConfig:
    """The options asked for over those that a faceset was made with."""
    said = asked.model_dump(mode="json", exclude_unset=True)
    if said.get("detector", "file") != "file":
        noted = {name: value for name, value in noted.items() if name != "boxes"}
    if said.get("face_type"):
        noted = {name: value for name, value in noted.items() if name != "geometry"}
    try:
        return ExtractConfig.model_validate({**noted, **said})
    except ValidationError:
        return asked
