"""`lookalike consent`: who agreed to what."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from lookalike.cli.commands import Folder, _show
from lookalike.pipeline.consent_record import Purpose, Terms
from lookalike.pipeline.workspace import Side, Workspace

consent = App(
    name="consent",
    help="Keep who agreed to what, for src, whose face is put in, and dst, who receives it.",
    help_format="plaintext",
)
"""The app of `lookalike consent`."""

Person = Annotated[Side, Parameter(help="src, whose face is put in, or dst, who receives it.")]
Json = Annotated[bool, Parameter(negative="", help="Print JSON instead.")]


@consent.command
def add(
    workspace: Folder,
    person: Person,
    *,
    document: Annotated[
        Path | None, Parameter(help="The signed paper; its hash is noted, and it stays where it is.")
    ] = None,
    keep_document: Annotated[
        bool, Parameter(negative="", help="Copy the paper into the workspace's folder consents, too.")
    ] = False,
    material: Annotated[
        list[Path] | None,
        Parameter(
            negative="",
            help="File, pack of faces, or folder of images that was agreed about besides the side's video; "
            "may be given several times.",
        ),
    ] = None,
    terms: Annotated[Terms | None, Parameter(name="*", negative_iterable=())] = None,
) -> None:
    """Write down who agreed to what, or why nobody has to be asked. Records are never changed or deleted."""
    from lookalike.errors import ConfigError
    from lookalike.pipeline.consent_steps import add as run

    if terms is None:
        raise ConfigError("say who agreed (--name) and to what (--purpose, --use), or why nobody has to (--not-needed)")
    if keep_document and document is None:
        raise ConfigError("--keep-document copies what --document names; give both")
    events = run(
        Workspace(workspace), person, terms, document=document, keep_document=keep_document, material=material or []
    )
    _show(events)


@consent.command(name="list")
def list_all(workspace: Folder, *, json: Json = False) -> None:
    """Every record: who, for what, until when, and whether it holds."""
    from lookalike.pipeline.consent_steps import json_of, list_records, look

    place = Workspace(workspace)
    if json:
        print(json_of(look(place)))  # noqa: T201
    else:
        _show(list_records(place))


@consent.command
def check(
    workspace: Folder,
    *,
    purpose: Annotated[
        Purpose | None, Parameter(help="What the swap is for; whatever was agreed to if left out.")
    ] = None,
    document: Annotated[
        list[Path] | None,
        Parameter(
            negative="",
            help="Signed paper, or folder of them, that is compared with what was signed; may be given several times.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Did everybody agree, on both sides? Ends with exit code 1 if not."""
    from lookalike.pipeline.consent import refuse_without
    from lookalike.pipeline.consent_steps import check as run
    from lookalike.pipeline.consent_steps import json_of, look

    place = Workspace(workspace)
    if json:
        found = look(place, purpose=purpose, papers=document or [])
        print(json_of(found))  # noqa: T201
        refuse_without(place, found)
    else:
        _show(run(place, purpose=purpose, papers=document or []))


@consent.command
def withdraw(
    workspace: Folder,
    number: Annotated[int, Parameter(help="Of the record, as `consent list` shows it.")],
    *,
    why: Annotated[str | None, Parameter(help="In words.")] = None,
    mistake: Annotated[
        bool, Parameter(negative="", help="The record was never right; it counts as if it were not there.")
    ] = False,
) -> None:
    """Write down that a record does not hold any more. It stays."""
    from lookalike.pipeline.consent_steps import withdraw as run

    _show(run(Workspace(workspace), number, why=why, mistake=mistake))
