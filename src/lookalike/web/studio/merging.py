"""Merge: one frame at once, and options by shot."""

import atexit
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from lookalike.errors import ConfigError, LookalikeError
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.options import Options
from lookalike.pipeline.workspace import Workspace
from lookalike.web.answers import answer, answer_sent, refusal
from lookalike.web.described import About, DescribedRoute, Files, Words
from lookalike.web.studio.kinds import MergeChoice, checked, stay_inside
from lookalike.web.studio.shapes import merging as shapes
from lookalike.web.studio.studio import STATUSES, Studio

if TYPE_CHECKING:
    from lookalike.pipeline.merge_edits import MergeEdits, MergeState
    from lookalike.pipeline.merge_preview import MergePreview

_OPEN: Final = 2
"""Workspaces whose networks are held in memory."""
_WIDEST: Final = 8192
Number = Annotated[int, Field(ge=1, le=10**8)]
"""Of a frame, from 1."""


class MergeAsked(Options):
    """What the page sends to change `merge.toml`."""

    revision: str
    """Of the settings that this changes."""
    act: Literal["defaults", "everywhere", "range", "split", "join", "remove", "name", "undo", "redo"]
    first: Number = 1
    last: Number = 1
    """Of the range; acts on a shot name its first frame."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What is changed; an option that is null is unset."""
    name: Annotated[str, Field(max_length=100)] = ""


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""
    desk = Desk()

    def look(request: Request) -> Response:
        return answer(lambda: desk.look(studio.workspace(request)), STATUSES)

    def settings(request: Request) -> Response:
        return answer(lambda: _told(desk.edits(studio.workspace(request)).state()), STATUSES)

    async def change(request: Request) -> Response:
        from lookalike.pipeline.merge_edits import ChangedError

        def call(asked: MergeAsked) -> dict[str, Any]:
            workspace = studio.workspace(request)
            return _told(_changed(desk.edits(workspace), asked, workspace))

        return await answer_sent(request, MergeAsked, call, {ChangedError: 409, **STATUSES})

    def picture(request: Request) -> Response:
        try:
            return desk.picture(studio.workspace(request), request)
        except LookalikeError as exc:
            return refusal(exc, STATUSES)

    def faces(request: Request) -> Response:
        def call() -> dict[str, Any]:
            found = desk.preview(studio.workspace(request)).stretches()
            return {"stretches": [[first + 1, last + 1] for first, last in found]}

        return answer(call, STATUSES)

    def made(request: Request) -> Response:
        from lookalike.pipeline.merge_overview import made_path

        which = request.path_params["which"]
        return _file(lambda: made_path(studio.workspace(request), which) if which in ("result", "piece") else None)

    def worst(request: Request) -> Response:
        from lookalike.pipeline.merge_overview import worst_picture

        return _file(lambda: worst_picture(studio.workspace(request), request.path_params["number"]))

    return [
        DescribedRoute("/api/w/{ws}/merge", look, _about("What can be merged, and what was.", shapes.MergeLook)),
        DescribedRoute("/api/w/{ws}/merge/settings", settings, _about("`merge.toml`.", shapes.MergeSettings)),
        DescribedRoute("/api/w/{ws}/merge/settings", change, _CHANGE),
        DescribedRoute("/api/w/{ws}/merge/picture", picture, _PICTURE),
        DescribedRoute("/api/w/{ws}/merge/faces", faces, _about("Where dst shows a face.", shapes.Stretches)),
        DescribedRoute("/api/w/{ws}/merge/video/{which}", made, _MADE),
        DescribedRoute("/api/w/{ws}/merge/worst/{number:int}", worst, _WORST),
    ]


def _about(text: str, answers: Any) -> About:
    return About(text, answers, refuses=STATUSES)


_CHANGE: Final = About(
    "Change `merge.toml`; refused (409) if it was changed since it was read.",
    shapes.MergeSettings,
    sends=MergeAsked,
    refuses=STATUSES,
    more={409: "`merge.toml` was changed elsewhere meanwhile."},
)
_PICTURE: Final = About(
    "One frame, merged at once.",
    Files(("image/jpeg",), "The picture; the header X-Faces has the boxes of its faces."),
    query={
        "kind": Words("What is shown.", Literal["result", "mask", "dst"], needed=True),
        "frame": Words("Its number, from 1.", int, needed=True),
        "width": Words("Most pixels across.", int, needed=True),
        "options": Words("A JSON object of options of merging."),
        "run": Words("A JSON object of options of the whole merge, and the name of the model."),
    },
    refuses=STATUSES,
)
_NO_FILE: Final = {404: "There is no such workspace or file."}
_MADE: Final = About(
    "The result, or the piece merged last.",
    Files(("video/*",)),
    path={"which": Words("Which of them.", Literal["result", "piece"])},
    refuses=STATUSES,
    more=_NO_FILE,
)
_WORST: Final = About(
    "The picture of one of the report's worst frames.",
    Files(("image/jpeg",)),
    path={"number": Words("Of the frame, from 1.", int)},
    refuses=STATUSES,
    more=_NO_FILE,
)


class Desk:
    """What is open of each workspace. Safe in threads."""

    def __init__(self) -> None:
        self._edits: dict[Path, MergeEdits] = {}
        self._previews: OrderedDict[Path, MergePreview] = OrderedDict()
        self._lock = threading.Lock()

    def edits(self, workspace: Workspace) -> "MergeEdits":
        """The options of a workspace."""
        from lookalike.pipeline.merge_edits import MergeEdits

        with self._lock:
            return self._edits.setdefault(workspace.folder, MergeEdits(workspace))

    def preview(self, workspace: Workspace) -> "MergePreview":
        """The preview of a workspace; the one that was used longest ago is closed."""
        from lookalike.pipeline.merge_preview import MergePreview

        with self._lock:
            if not self._previews:
                atexit.register(self.close)  # the interpreter must not end while a network computes
            found = self._previews.pop(workspace.folder, None) or MergePreview(workspace)
            self._previews[workspace.folder] = found
            old = self._previews.popitem(last=False)[1] if len(self._previews) > _OPEN else None
        if old is not None:
            old.close()
        return found

    def close(self) -> None:
        """Wait for what is under way, and let go of it."""
        with self._lock:
            for preview in self._previews.values():
                preview.close()
            self._previews.clear()

    def look(self, workspace: Workspace) -> dict[str, Any]:
        """All that the page shows besides pictures."""
        from lookalike.pipeline.merge_overview import overview

        return {**overview(workspace), "look": list(MergeConfig.model_fields)}

    def picture(self, workspace: Workspace, request: Request) -> Response:
        """A JPEG of what the address asks for: `kind` (result, mask or dst), `frame`, `width`, `options`, `run`."""
        asked = request.query_params
        kind, number, width = asked.get("kind", ""), _number(asked.get("frame")), _number(asked.get("width"))
        if kind not in ("result", "mask", "dst"):
            raise ConfigError(f"there is no picture {kind[:40]!r}; there are result, mask and dst")
        from lookalike.pipeline.merge_preview import jpeg

        preview = self.preview(workspace)
        if kind == "dst":
            return Response(jpeg(preview.dst(number - 1), min(width, _WIDEST)), media_type="image/jpeg")
        options = MergeConfig.model_validate(checked((MergeConfig,), _object(asked.get("options"))))
        given = checked((MergeChoice, MergeRun), _object(asked.get("run")))
        stay_inside(workspace.folder.parent, given)
        name = given.get("name")
        run = MergeRun.model_validate({key: given[key] for key in given if key in MergeRun.model_fields})
        look = preview.look(number - 1, options, run, name)
        pixels = look.mask() if kind == "mask" else look.picture()
        boxes = json.dumps(look.boxes())
        return Response(jpeg(pixels, min(width, _WIDEST)), media_type="image/jpeg", headers={"x-faces": boxes})


def _changed(edits: "MergeEdits", asked: MergeAsked, workspace: Workspace) -> "MergeState":
    from lookalike.pipeline import merge_ranges as ranges
    from lookalike.pipeline.merge_overview import video_facts

    if asked.act in ("undo", "redo"):
        return edits.go(asked.revision, -1 if asked.act == "undo" else 1)
    count = video_facts(workspace.video("dst"))["frames"]
    first, last = asked.first, min(asked.last, count)
    if asked.act in ("range", "split") and not first <= (last if asked.act == "range" else count):
        raise ConfigError(f"there are no frames {first} to {asked.last}; dst has the frames 1 to {count}")
    acts: dict[str, Callable[..., Any]] = {
        "defaults": partial(ranges.with_defaults, changes=asked.options),
        "everywhere": partial(ranges.with_defaults, changes=asked.options, everywhere=True),
        "range": partial(ranges.with_range, first=first, last=last, changes=asked.options),
        "split": partial(ranges.split, frame=first, count=count),
        "join": partial(ranges.joined, first=first),
        "remove": partial(ranges.without, first=first),
        "name": partial(ranges.named, first=first, name=asked.name),
    }
    return edits.change(asked.revision, acts[asked.act])


def _told(state: "MergeState") -> dict[str, Any]:
    content = state.content.model_dump(mode="json")
    shots = sorted(content["shots"], key=lambda shot: shot["first"])
    known = {"revision": state.revision, "undo": state.can_undo, "redo": state.can_redo}
    return known | {"defaults": content["defaults"], "shots": shots}


def _file(find: Callable[[], Path | None]) -> Response:
    try:
        path = find()
    except LookalikeError as exc:
        return refusal(exc, STATUSES)
    return PlainTextResponse("there is no such file\n", 404) if path is None else FileResponse(path)


def _number(text: str | None) -> int:
    if text is None or not text.isdecimal() or not 1 <= int(text[:12]) <= 10**8:
        raise ConfigError(f"a number from 1 on is needed, got {(text or 'nothing')[:40]!r}")
    return int(text[:12])


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError) as exc:
        raise ConfigError("options are an object of JSON") from exc
    if not isinstance(value, dict):
        raise ConfigError("options are an object of JSON")
    return value
