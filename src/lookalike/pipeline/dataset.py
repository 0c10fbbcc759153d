"""Real and fake clips with masks and labels, for those who build detectors of fakes."""

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lookalike import __version__
from lookalike.errors import ConsentError
from lookalike.pipeline.dataset_clips import fake_clip, real_clip
from lookalike.pipeline.dataset_consent import Asked, ask
from lookalike.pipeline.dataset_files import DatasetFiles
from lookalike.pipeline.dataset_options import DatasetOptions, SplitName, parse_split
from lookalike.pipeline.dataset_pairs import STEP, Pair, find_pairs
from lookalike.pipeline.dataset_people import compare_people
from lookalike.pipeline.dataset_record import Clip, DatasetInfo, csv_of, info_of, jsonl_of
from lookalike.pipeline.dataset_split import connected, split_pairs
from lookalike.provenance.identity import open_identity
from lookalike.site_config import load_site_config
from lookalike.types import Event, Message


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A pair, where it goes, and who agreed."""

    pair: Pair
    asked: Asked
    split: SplitName


def dataset(folder: Path, sources: Sequence[Path], options: DatasetOptions) -> Generator[Event, None, DatasetInfo]:
    """Export finished swaps; run again, it makes only what is missing or changed, and never writes over others' files.

    Args:
        folder: the data set.
        sources: files of jobs, and workspaces.
        options: how.

    Returns:
        What `dataset.json` holds.

    Raises:
        BatchError, ConfigError: as `find_pairs`, `split_pairs` and `DatasetFiles`.
        ConsentError: consent is required and missing. VideoError, StorageError.
    """
    files = DatasetFiles(folder)
    pairs = yield from find_pairs(sources)
    if options.check_identities:
        yield from compare_people(pairs)
    asked = yield from _agreed(pairs, options)
    groups = len(connected([_people(pair) for pair, _ in asked]))
    chosen = _split(asked, options)
    identity = open_identity(load_site_config().signing) if any(one.pair.claim for one in chosen) else None
    clips: list[Clip] = []
    with files.alone():
        for one in chosen:
            if all(clip.id != one.pair.real_id for clip in clips):
                make = partial(real_clip, files, one.pair, options, one.split, one.asked.real)
                clips.append((yield from make()))
            clips.append((yield from fake_clip(files, one.pair, options, one.split, one.asked.fake, identity)))
        found = info_of(clips, options, groups, __version__)
        files.write("metadata.jsonl", jsonl_of(clips))
        files.write("metadata.csv", csv_of(clips))
        files.write("dataset.json", (json.dumps(found.model_dump(mode="json"), indent=2) + "\n").encode())
        files.clear()
    yield from _said(files, found)
    return found


def _agreed(pairs: Sequence[Pair], options: DatasetOptions) -> Generator[Event, None, list[tuple[Pair, Asked]]]:
    """The pairs that may be used, with what their people agreed to."""
    required = options.require_consent or load_site_config().policy.require_consent
    kept = []
    for pair in pairs:
        asked = yield from ask(pair.workspace)
        if asked.refused:
            yield Message(STEP, f"{pair.workspace.folder} is left out: {asked.refused}")
            continue
        if required and (asked.fake is None or pair.licence is None):
            what = asked.lacks if asked.fake is None else "no licence is said in the file of jobs"
            raise ConsentError(f"{pair.workspace.folder} may not be used in a data set: {what}")
        kept.append((pair, asked))
    if not kept:
        raise ConsentError("nobody in these swaps agreed to use in a data set; see lookalike consent list WORKSPACE")
    return kept


def _split(asked: Sequence[tuple[Pair, Asked]], options: DatasetOptions) -> list[_Chosen]:
    shares = parse_split(options.split)
    pairs = [pair for pair, _ in asked]
    edges: list[tuple[str, str]] = [_people(pair) for pair in pairs]
    if options.allow_leak and len(connected(edges)) < len(shares):
        edges = [(pair.real_id, pair.real_id) for pair in pairs]  # a real clip and its fakes still stay together
    splits = split_pairs(edges, shares, options.seed)
    return [_Chosen(pair, found, split) for (pair, found), split in zip(asked, splits, strict=True)]


def _people(pair: Pair) -> tuple[str, str]:
    return pair.src_identity, pair.dst_identity


def _said(files: DatasetFiles, found: DatasetInfo) -> Iterator[Event]:
    for name, count in found.clips.items():
        people = len(found.identities[name])
        yield Message(STEP, f"{name}: {count['real']} real, {count['fake']} fake clips of {people} people")
    if found.leak:
        yield Message(STEP, "somebody is in several of train, val and test, as --allow-leak allowed")
    left = files.left_over()
    if left:
        few = ", ".join(left[:3]) + (", ..." if len(left) > 3 else "")
        yield Message(STEP, f"{len(left)} files of earlier runs are not in the data set any more: {few}")
    yield Message(STEP, f"in {files.folder}; see dataset.json, metadata.jsonl and metadata.csv")
