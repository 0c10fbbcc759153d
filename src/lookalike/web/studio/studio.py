"""What all pages of a studio share: the workspaces and the jobs."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.requests import Request

from lookalike.errors import StorageError
from lookalike.pipeline.workspace import Workspace
from lookalike.web.answers import Statuses
from lookalike.web.studio.jobs import Jobs, NoJobError
from lookalike.web.studio.places import NoWorkspaceError, Places

STATUSES: Final[Statuses] = {NoWorkspaceError: 404, NoJobError: 404, StorageError: 507}
"""Of an answer, by what went wrong."""


class Studio:
    """All that the pages share: the workspaces and the jobs."""

    def __init__(self, folder: Path) -> None:
        """Serve a folder of workspaces, or a workspace and its neighbours.

        Raises:
            WorkspaceError: the folder is missing or a file.
        """
        self.places = Places(folder)
        self.jobs = Jobs(self.places.root)
        self.at_end: list[Callable[[], None]] = []
        """What pages want done when the studio ends."""

    def workspace(self, request: Request) -> Workspace:
        """The workspace of a request's address.

        Raises:
            NoWorkspaceError: it is not served here.
        """
        return self.places.workspace(request.path_params["ws"])

    def close(self) -> None:
        """End the jobs; what runs saves its state."""
        self.jobs.close()
        for end in self.at_end:
            end()
