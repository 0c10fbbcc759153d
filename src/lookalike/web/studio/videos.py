"""Videos: what each side's video is, and how good it is for a swap."""

from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute

from lookalike.errors import LookalikeError, WorkspaceError
from lookalike.pipeline.check_file import folder_of, read_check
from lookalike.pipeline.overview import count_faces
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.web.answers import answer, refusal
from lookalike.web.described import About, DescribedRoute, Files
from lookalike.web.studio import uploads
from lookalike.web.studio.kinds import SIDES
from lookalike.web.studio.places import inside
from lookalike.web.studio.shapes import videos as shapes
from lookalike.web.studio.studio import STATUSES, Studio
from lookalike.web.studio.uploads import NoSideError, asked

_WIDE: Final = 960
"""Pixels of the picture that stands in for a video."""
_TYPES: Final = {".mkv": "video/x-matroska", ".mov": "video/mp4", ".m4v": "video/mp4", ".video": "video/mp4"}
"""Of files for players; a browser looks inside."""


class NoPictureError(WorkspaceError):
    """There is no such file, or it lies outside of the studio's folder."""


_STATUSES: Final = {**STATUSES, NoSideError: 404, NoPictureError: 404}


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""

    def listed(request: Request) -> Response:
        return answer(lambda: look(studio.workspace(request)), _STATUSES)

    def facts(request: Request) -> Response:
        def call() -> dict[str, Any]:
            from lookalike.pipeline.video_facts import video_facts  # costs the media library

            workspace, side = asked(studio, request)
            return {"facts": video_facts(workspace.video(side))}

        return answer(call, _STATUSES)

    def film(request: Request) -> Response:
        try:
            path = _own(studio, *asked(studio, request))
        except LookalikeError as exc:
            return refusal(exc, _STATUSES)
        return FileResponse(path, media_type=_TYPES.get(path.suffix))

    def still(request: Request) -> Response:
        from lookalike.pipeline.video_facts import still_jpeg  # costs the media library

        try:
            content = still_jpeg(_own(studio, *asked(studio, request), folders=True), _WIDE)
        except LookalikeError as exc:
            return refusal(exc, _STATUSES)
        return Response(content, media_type="image/jpeg")

    def sheet(request: Request) -> Response:
        try:
            workspace, side = asked(studio, request)
        except LookalikeError as exc:
            return refusal(exc, _STATUSES)
        path = inside(folder_of(workspace), f"check_{side}.jpg")
        if path is None:
            return refusal(NoPictureError("the videos were not checked yet"), _STATUSES)
        return FileResponse(path)

    one = "/api/w/{ws}/videos/{side}"
    return [
        DescribedRoute("/api/w/{ws}/videos", listed, _about("Both videos, and what the check found.", shapes.Videos)),
        DescribedRoute(f"{one}/facts", facts, _about("What a video is, for people.", shapes.Facts)),
        DescribedRoute(
            f"{one}/file", film, _about("The video, if it lies in the studio's folder.", Files(("video/*",)))
        ),
        DescribedRoute(f"{one}/still", still, _about("A picture of the video.", Files(("image/jpeg",)))),
        DescribedRoute(f"{one}/sheet", sheet, _about("All faces that the check looked at.", Files(("image/jpeg",)))),
        *uploads.routes(studio),
    ]


def _about(text: str, answers: Any) -> About:
    return About(text, answers, refuses=_STATUSES)


def look(workspace: Workspace) -> dict[str, Any]:
    """Each side's video and faces, and what the check found, if it was of these videos."""
    check = read_check(workspace)
    return {
        "sides": {side: _side(workspace, side) for side in SIDES},
        "check": None
        if check is None
        else check.model_dump(mode="json") | {"old": [s for s in SIDES if not _is_of(workspace, s, getattr(check, s))]},
        "most_bytes": uploads.MOST_BYTES,
    }


def _side(workspace: Workspace, side: Side) -> dict[str, Any]:
    faces = count_faces(workspace.aligned(side))
    about: dict[str, Any] = {"video": None, "faces": faces, "extracted": bool(workspace.done(f"extract_{side}"))}
    if getattr(workspace.record, side) is None:
        return about
    about["video"] = workspace.origin(side).name
    try:
        path = workspace.video(side)
    except WorkspaceError as exc:
        return about | {"gone": str(exc)}
    return about | {
        "file": path.name,
        "images": path.is_dir(),
        "stamp": workspace.video_stamp(side),
        "denoised": workspace.done(f"denoise_{side}").get("output") == path.name,
    }


def _is_of(workspace: Workspace, side: Side, checked: Any) -> bool:
    """Whether a check still says how things are: of the video that there is now, or of none where there is none."""
    if getattr(workspace.record, side) is None or checked is None:
        return getattr(workspace.record, side) is None and checked is None
    try:
        return bool(checked.video == workspace.video_stamp(side))
    except WorkspaceError:
        return False


def _own(studio: Studio, workspace: Workspace, side: Side, *, folders: bool = False) -> Path:
    """The side's video, if the page may show it.

    Raises:
        NoPictureError: it lies outside of the studio's folder, or is a folder of images.
    """
    path = workspace.video(side)
    if not path.resolve().is_relative_to(studio.places.root):
        raise NoPictureError(f"the {side} video lies outside of {studio.places.root}; only its facts are shown")
    if path.is_dir() and not folders:
        raise NoPictureError(f"the {side} video is a folder of images, which no player plays")
    return path
