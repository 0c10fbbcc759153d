"""Answers about jobs."""

from lookalike.options import Options
from lookalike.web.studio.job import Job


class JobList(Options):
    """Jobs, the newest first."""

    jobs: list[Job]


class JobNumber(Options):
    """The job that a request started, or is about."""

    number: int


class Refusal(Options):
    """Why a request was refused."""

    error: str
    """One line for people: what was found, what to do."""
