"""Putting a face that came from elsewhere into a faceset."""

from pathlib import Path

from lookalike.errors import RecordError
from lookalike.faceset import FaceRecord, list_faces, load_face, replace_record
from lookalike.files import storage_errors, unused_path, write_bytes

Sizes = dict[int, list[Path]]
"""A folder's files by their size in bytes."""


def sizes_of(folder: Path) -> Sizes:
    """The faces of a folder, which may be missing, by their size."""
    sizes: Sizes = {}
    for path in list_faces(folder) if folder.is_dir() else ():
        sizes.setdefault(path.stat().st_size, []).append(path)
    return sizes


def take_in(name: str, data: bytes, folder: Path, sizes: Sizes) -> tuple[Path | None, FaceRecord]:
    """Put a checked face into a folder under a free name; where it is, or none if the same file is there already.

    Args:
        name: of the file.
        data: the file, a face of ours.
        folder: of the faceset.
        sizes: of `sizes_of`; the new one is added.

    Raises:
        RecordError: no face of ours; nothing is left of it.
    """
    arrived = folder / f".import{Path(name).suffix}"
    write_bytes(arrived, data)
    try:
        record = load_face(arrived)[1]
        if record.reason is not None:
            record = record.model_copy(update={"reason": None})
            replace_record(arrived, record)
        data = arrived.read_bytes()
        alike = sizes.setdefault(len(data), [])
        if any(path.read_bytes() == data for path in alike):
            return None, record
        with storage_errors(folder):
            alike.append(arrived.rename(unused_path(folder / name)))
        return alike[-1], record
    except RecordError as exc:
        raise RecordError(str(exc).replace(str(arrived), name).replace(arrived.name, name)) from exc
    finally:
        arrived.unlink(missing_ok=True)
