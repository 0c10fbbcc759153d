"""Putting faces aside by what is known of them, bringing them back, and giving them their names again."""

from collections.abc import Iterator

from lookalike.curation.choose import objections
from lookalike.curation.faceset_config import FilterConfig, parse_range
from lookalike.curation.facts import Facts
from lookalike.errors import ConfigError, FacesetError
from lookalike.faceset import FaceRecord, face_name, list_faces
from lookalike.faceset.mend import follow, mend
from lookalike.faceset.rename import rename_all
from lookalike.faceset.trash import bring_back, put_aside
from lookalike.pipeline.faceset_reading import open_faces, read_facts, read_records
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message, Progress

_REASON = "filter: "
_SWITCHES = {"invert", "dry_run"}


def filter_faces(workspace: Workspace, side: Side, config: FilterConfig) -> Iterator[Event]:
    """Put the faces that do not pass into aligned_trash, the reason in their record.

    Raises:
        ConfigError: nothing to filter by, or a range that is none.
        FacesetError: no faceset, or people are asked for and were never told apart.
    """
    step = f"filter_{side}"
    if all(getattr(config, name) is None for name in type(config).model_fields if name not in _SWITCHES):
        raise ConfigError(
            "nothing to filter by; give at least one of --person, --track, --frames, --yaw, --min-size..."
        )
    for text in (config.frames, config.yaw, config.pitch):
        if text is not None:
            parse_range(text)
    facts = yield from read_facts(open_faces(workspace, side), step)
    if config.person is not None and all(face.person is None for face in facts):
        raise FacesetError(
            f"no face of {side} says whose it is; extract again with --all-people to have people told apart"
        )
    rejects = list(_rejects(facts, config))
    would = "would put" if config.dry_run else "put"
    for face, why in rejects[:5] if config.dry_run else ():
        yield Message(step, f"{face.name}: {why.removeprefix(_REASON)}")
    for done, (face, why) in enumerate(() if config.dry_run else rejects, 1):
        put_aside(workspace.aligned(side) / face.name, workspace.trash(side), why)
        yield Progress(step, done, len(rejects), "faces")
    kept = len(facts) - len(rejects)
    yield Message(step, f"{would} {len(rejects)} faces aside into {workspace.trash(side).name}, {kept} stay")


def _rejects(facts: list[Facts], config: FilterConfig) -> Iterator[tuple[Facts, str]]:
    for face in facts:
        found = objections(face, config)
        if bool(found) != config.invert:
            yield face, f"{_REASON}{'; '.join(found) or 'passed an inverted filter'}"


def restore(workspace: Workspace, side: Side, reason: str | None = None) -> Iterator[Event]:
    """Bring faces back from aligned_trash: all, or those whose reason has `reason` in it.

    Raises:
        FacesetError: nothing is in the trash.
    """
    step = f"restore_{side}"
    trash, aligned = workspace.trash(side), workspace.aligned(side)
    mend(aligned)
    paths = list_faces(trash) if trash.is_dir() else []
    if not paths:
        raise FacesetError(f"nothing to restore: {trash} has no faces")
    back, others = 0, dict[str, int]()
    for item in read_records(paths, step):
        if not isinstance(item, tuple):
            yield item
            continue
        path, record = item
        why = record.reason or ""
        if reason is None or reason.casefold() in why.casefold():
            bring_back(path, aligned)
            back += 1
        else:
            kind = why.split(":")[0] or "no reason"
            others[kind] = others.get(kind, 0) + 1
    left = ", ".join(f"{number} ({kind})" for kind, number in sorted(others.items()))
    yield Message(step, f"brought {back} faces back to {aligned}" + (f"; left in the trash: {left}" if left else ""))


def restore_names(workspace: Workspace, side: Side) -> Iterator[Event]:
    """Name every face after its frame and number again, as extraction did; a second face of a name takes the next one.

    Raises:
        FacesetError: no faceset.
        StorageError: the disk refuses.
    """
    step = f"names_{side}"
    paths = open_faces(workspace, side)
    known: list[tuple[str, FaceRecord]] = []
    for item in read_records(paths, step):
        if isinstance(item, tuple):
            light = item[1].model_copy(update={"mesh": "", "landmarks": [], "identity": None})
            known.append((item[0].name, light))
        else:
            yield item
    faces = {name for name, _ in known}
    names = names_of(known, {path.name for path in paths if path.name not in faces})
    changed = rename_all(workspace.aligned(side), {old: new for old, new in names.items() if old != new}, step)
    follow(workspace.aligned(side), changed)
    doubles = sum(new != face_name(record, _suffix(name)) for (name, record) in known for new in (names[name],))
    extra = f"; {doubles} share frame and number with another face and took a free one" if doubles else ""
    yield Message(step, f"renamed {len(changed)} of {len(known)} faces after their frames{extra}")


def names_of(known: list[tuple[str, FaceRecord]], taken: set[str]) -> dict[str, str]:
    """Old to new file name; the first face of a frame and number in name order has its name, later ones a free number.

    Args:
        known: file names and records.
        taken: names that other files keep.
    """
    used = {name.casefold() for name in taken}
    names: dict[str, str] = {}
    late: list[tuple[str, FaceRecord]] = []
    for name, record in sorted(known, key=lambda one: one[0]):
        wanted = face_name(record, _suffix(name))
        if wanted.casefold() in used:
            late.append((name, record))
        else:
            used.add(wanted.casefold())
            names[name] = wanted
    for name, record in late:
        number = record.number
        while (wanted := face_name(record.model_copy(update={"number": number}), _suffix(name))).casefold() in used:
            number += 1
        used.add(wanted.casefold())
        names[name] = wanted
    return names


def _suffix(name: str) -> str:
    suffix = name[name.rindex(".") :].lower()
    return ".jpg" if suffix == ".jpeg" else suffix
