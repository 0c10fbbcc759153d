"""Masks of faces asked of a cluster: faces' files go out, masks come back, this process writes them."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.files import FileRef, Files, file_ref
from lookalike.cluster.ray_pool import open_pool
from lookalike.errors import RecordError
from lookalike.faceset import load_face, load_record
from lookalike.masks.segmenter import Segmenter, open_segmenter
from lookalike.models.device import Precision, choose_device
from lookalike.models.xseg import generic_weights
from lookalike.pipeline.mask_faces import Asked, Found, Seen, keep_mask, see
from lookalike.types import Message

_BATCH: Final = 8
"""Faces of a task."""


@dataclass(frozen=True, slots=True)
class MaskSpec:
    """What all workers know."""

    network: FileRef | None
    """None for the generic one, which each has."""
    files: Files
    device: str
    precision: Precision | None
    source: str
    """What records call the masks."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Faces to be masked: where each lies, and its file's bytes."""

    faces: list[tuple[Path, bytes]]

    def __str__(self) -> str:
        return f"{len(self.faces)} faces from {self.faces[0][0].name} on"


def open_far_masks(spec: MaskSpec) -> Callable[[Batch], list[Seen]]:
    """A worker's side of `mask_on`.

    Raises:
        WeightsError, ExtraMissingError: the network cannot be used there. ClusterError: it cannot be had there.
    """
    network = generic_weights() if spec.network is None else spec.files.here([spec.network])[0]
    segmenter = open_segmenter(network, spec.device, spec.precision)

    def work(batch: Batch) -> list[Seen]:
        return [see(segmenter, spec.source, *load_face(path, data)) for path, data in batch.faces]

    return work


def mask_on(
    cluster: ClusterOptions, paths: Sequence[Path], asked: Asked, network: Path, segmenter: Segmenter, device: str
) -> Iterator[Found | Message]:
    """What became of every face, in order, its mask written if it got one; at the end a message about the workers.

    Args:
        network: file of the segmenter.
        segmenter: as this machine opened it.
        device: that it was opened on.

    Raises:
        RecordError: a face cannot be read. ClusterError: the workers cannot be had. StorageError: the disk is full.
    """
    kind = choose_device(device).type
    file = None if network == generic_weights() else file_ref(network)
    plans: deque[list[Path | Found]] = deque()
    with open_pool(cluster, gpus=int(kind == "cuda")) as pool:
        spec = MaskSpec(file, pool.files, kind, segmenter.precision, asked.source)
        for seen in pool.ordered(open_far_masks, spec, _batches(paths, asked, plans)):
            rows = iter(seen)
            for one in plans.popleft():
                yield _kept(one, next(rows)) if isinstance(one, Path) else one
        if pool.report is not None:
            yield Message("mask", pool.report.says())
    for plan in plans:  # the last faces, if none of them needs a mask
        yield from (one for one in plan if not isinstance(one, Path))


def _batches(paths: Sequence[Path], asked: Asked, plans: deque[list[Path | Found]]) -> Iterator[Batch]:
    """Faces that need masks, some at a time; what is known of the others goes into `plans`, among their paths."""
    plan: list[Path | Found] = []
    faces: list[tuple[Path, bytes]] = []
    for path in paths:
        try:
            known = asked.known(load_record(path))
            data = b"" if known else path.read_bytes()
        except (RecordError, FileNotFoundError):
            if path.exists():
                raise
            plan.append(None)  # put aside meanwhile
            continue
        plan.append(known or path)
        if known is None:
            faces.append((path, data))
        if len(faces) == _BATCH:
            plans.append(plan)
            yield Batch(faces)
            plan, faces = [], []
    plans.append(plan)
    if faces:
        yield Batch(faces)


def _kept(path: Path, seen: Seen) -> Found:
    try:
        return keep_mask(path, seen)
    except (RecordError, FileNotFoundError):
        if path.exists():
            raise
        return None
