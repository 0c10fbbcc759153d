"""Answers about reports; what a report holds is described where it is read."""

from lookalike.options import Options


class Plots(Options):
    """The figures over time."""

    svg: str
    """Empty if the report has none."""
