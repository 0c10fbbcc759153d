"""A workspace's own mask network: the generic one, taught by the polygons that its user drew."""

import hashlib
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import EmptyFacesetError, RecordError
from lookalike.faceset import FaceRecord, list_faces, load_face, load_record
from lookalike.faceset.masks import known_mask
from lookalike.faceset.polygons import Mask
from lookalike.files import replacing
from lookalike.masks.config import MaskTrainConfig
from lookalike.masks.fit import fit
from lookalike.masks.labels import labelled_by, overlap, spread
from lookalike.masks.segmenter import XsegSegmenter, seen_of
from lookalike.models.device import choose_compute
from lookalike.models.xseg import Xseg, generic_weights, load_xseg, save_xseg
from lookalike.pipeline.mask_networks import own_network
from lookalike.pipeline.masks import FETCHED, is_drawn
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event, Message, Progress

_SAVE_SECONDS = 60
_HELD_EVERY = 8
"""Every eighth drawn face is not learned from but shows how well the network does, where there are many."""
_LEAST_TO_HOLD = 16
_CARRIED = 0.25
"""How often a face with carried polygons is drawn, against one on which somebody drew."""
_SHOWN = 12

Known = tuple[NDArray[np.uint8], FaceRecord, Mask]
"""A face, its record, and its mask over the whole crop."""


def train_masks(
    workspace: Workspace,
    options: MaskTrainConfig,
    *,
    mask_faces: Sequence[Path] = (),
) -> Generator[Event, None, None]:
    """Train the workspace's mask network on the faces with polygons of both sides; it goes on from where it stands.

    Args:
        options: of this run; its iterations count earlier runs in.
        mask_faces: more facesets, whose faces with polygons or masks are learned from as well.

    Raises:
        EmptyFacesetError: no face has polygons.
        WeightsError: weights cannot be read. StorageError: the disk is full.
    """
    target = own_network(workspace)
    begun = target.is_file()
    origin = target if begun else generic_weights()
    network, facts = load_xseg(origin)
    done = int(facts.get("step", "0")) if begun else 0
    faces = yield from _known_faces(workspace, mask_faces)
    drawn = [face for face in faces if is_drawn(face[1])]
    held = drawn[_HELD_EVERY // 2 :: _HELD_EVERY] if len(drawn) >= _LEAST_TO_HOLD else []
    apart = {id(face[1]) for face in held}
    learned = [face for face in faces if id(face[1]) not in apart]
    compute = choose_compute(options.device)
    start = f"goes on from iteration {done}" if begun else "begins with the generic weights"
    yield Message("train", f"mask network {start}, {len(learned)} faces, {len(held)} more held out, on {compute}")
    if done >= options.iterations:
        yield Message("train", "the limit is reached already; nothing to train (more with --iterations)")
        return
    before = _agreement(XsegSegmenter(origin, options.device), held)
    yield from _run(target, network, learned, options, done)
    segmenter = XsegSegmenter(target, options.device)
    if held:
        after = _agreement(segmenter, held)
        yield Message("train", f"overlap (IoU) with {len(held)} faces held out: {before:.3f} before, {after:.3f} now")
    preview = target.with_name("preview.jpg")
    _show(preview, segmenter, held or drawn)
    workspace.note("train_masks", iterations=options.iterations, faces=len(learned), size=network.size)
    yield Message("train", f"{target}; preview {preview}; mask apply and merge use it from now on")


def _run(target: Path, network: Xseg, learned: Sequence[Known], options: MaskTrainConfig, done: int) -> Iterator[Event]:
    labels = [labelled_by(*face) for face in learned]
    odds = np.array([1.0 if is_drawn(record) else _CARRIED for _, record, _ in learned])
    left = options.model_copy(update={"iterations": options.iterations - done, "seed": options.seed + done})
    saved = time.monotonic()
    for step in fit(network, labels, labels, left, choose_compute(options.device), odds):
        number = done + step.number
        facts = {"step": str(number), "trained": f"own, {number} iterations"}
        if time.monotonic() - saved > _SAVE_SECONDS or number == options.iterations:
            save_xseg(target, step.weights, network.size, facts)
            saved = time.monotonic()
        try:
            yield Progress("train", number, options.iterations, "iterations", f"loss {step.loss:.4f}")
        except GeneratorExit:  # the caller stops between two steps
            save_xseg(target, step.weights, network.size, facts)
            raise


def _known_faces(workspace: Workspace, more: Sequence[Path]) -> Generator[Event, None, list[Known]]:
    """Faces with polygons of the workspace, then faces with polygons or masks of other folders."""
    own = [workspace.aligned(side) for side in ("src", "dst")]
    own += [path.with_name(FETCHED) for path in own]
    found: list[Known] = []
    seen: set[bytes] = set()
    """Pictures: what `fetch` copied to another folder is the same face."""
    for folder in [*(path for path in own if path.is_dir()), *more]:
        paths = list_faces(folder)
        for number, path in enumerate(paths, 1):
            try:
                record = load_record(path)
                if record.polygons or (folder in more and record.mask is not None):
                    image, record = load_face(path)
                    mask = known_mask(record, len(image), str(path))
                    picture = hashlib.sha256(image.tobytes()).digest()
                    if mask is not None and picture not in seen:
                        seen.add(picture)
                        found.append((image, record, mask))
            except RecordError as exc:
                yield Message("train", f"left out: {exc}")
            yield Progress("train", number, len(paths), "faces")
    if not any(is_drawn(record) for _, record, _ in found):
        raise EmptyFacesetError(
            f"no face of {workspace.folder} has polygons that say where the face is; draw some with mask edit"
        )
    return found


def _agreement(segmenter: XsegSegmenter, faces: Sequence[Known]) -> float:
    """Mean overlap of what a network sees with what is known."""
    each = [overlap(seen_of(segmenter, image, record), mask) for image, record, mask in faces]
    return float(np.mean(each)) if each else 0.0


def _show(path: Path, segmenter: XsegSegmenter, faces: Sequence[Known]) -> None:
    """A picture of faces with what the network sees of them; the rest is dark."""
    tiles = []
    for place in spread(len(faces), _SHOWN):
        image, record, _ = faces[place]
        mask = seen_of(segmenter, image, record)[..., None]
        shown = cv2.resize(image * (0.25 + 0.75 * mask), (256, 256), interpolation=cv2.INTER_AREA)
        tiles.append(np.asarray(shown, np.uint8))
    while len(tiles) % 4:
        tiles.append(np.zeros((256, 256, 3), np.uint8))
    rows = [np.hstack(tiles[at : at + 4]) for at in range(0, len(tiles), 4)]
    with replacing(path) as temporary:
        Image.fromarray(np.vstack(rows)).save(temporary, quality=90)
