"""Opening what a merge needs: the models that draw, the mask network, the upscaler."""

from collections.abc import Callable
from pathlib import Path

from lookalike.errors import ConfigError
from lookalike.masks.segmenter import open_segmenter
from lookalike.merging.config import MergeRun
from lookalike.merging.predict import FaceUpscaler, Predictor
from lookalike.merging.regions import needs_seg_dst, needs_seg_prd
from lookalike.merging.track import Spot, Tracks
from lookalike.models.checkpoint import TrainState, load_state
from lookalike.pipeline.mask_networks import network_of
from lookalike.pipeline.merge_job import MergeJob
from lookalike.pipeline.merge_settings import Settings
from lookalike.pipeline.models import model_name
from lookalike.pipeline.workspace import Workspace
from lookalike.tone_map import graphics_white
from lookalike.video import probe


def open_job(
    workspace: Workspace, faces: dict[int, list[Path]], settings: Settings, run: MergeRun, name: str | None
) -> MergeJob:
    """A job with all that its settings ask for.

    Args:
        workspace: whose models and networks are loaded.
        faces: the files of each frame.
        settings: of all frames.
        run: what holds for the whole merge.
        name: of the model; see model_name.

    Raises:
        CheckpointError: no such model. WeightsError: a network that cannot be read.
        ConfigError: see models_of.
    """
    models = models_of(workspace, name, run.people)
    network = asked_network(workspace, settings, run)
    return MergeJob(
        tracks=Tracks(faces, run.stabilize),
        settings=settings,
        run=run,
        predictors={one: Predictor(workspace.model(one), run.device) for one in set(models.values())},
        model_of=chooser(models),
        network=open_segmenter(network, run.device) if network else None,
        upscale=asked_upscaler(settings, run),
        white=graphics_white(probe(workspace.video("dst")).tags),
    )


def models_of(workspace: Workspace, name: str | None, people: str | None) -> dict[int | None, str]:
    """Which model draws whom; the key None stands for everybody.

    Raises:
        ConfigError: `people` is not a list such as 0=alice,1=bob. CheckpointError: no such model.
    """
    if people is None:
        return {None: model_name(workspace, name)}
    if name is not None:
        raise ConfigError("--name and --people both say which model draws; give one of them")
    models: dict[int | None, str] = {}
    for part in people.split(","):
        person, equals, model = part.strip().partition("=")
        if not equals or not person.isdecimal() or not model:
            raise ConfigError(f"--people is a list such as 0=alice,1=bob, got {people!r}")
        models[int(person)] = model_name(workspace, model)
    return models


def states_of(workspace: Workspace, models: dict[int | None, str]) -> dict[str, TrainState]:
    """Where each model stands, by its name.

    Raises:
        CheckpointError: one is damaged.
    """
    return {name: load_state(workspace.model(name)) for name in sorted(set(models.values()))}


def chooser(models: dict[int | None, str]) -> Callable[[Spot], str | None]:
    """Says which model draws a face; see `MergeJob.model_of`."""
    everybody = models.get(None)
    return lambda spot: everybody or models.get(spot.person)


def asked_upscaler(settings: Settings, run: MergeRun) -> FaceUpscaler | None:
    """The upscaler, if the settings ask for it."""
    return FaceUpscaler(run.device) if any(one.super_resolution for one in settings.all()) else None


def asked_network(workspace: Workspace, settings: Settings, run: MergeRun) -> Path | None:
    """The file of the mask network that the settings ask for, if they ask for one.

    Raises:
        WeightsError: there is none.
    """
    asks = any(needs_seg_dst(config.mask) or needs_seg_prd(config.mask) for config in settings.all())
    return network_of(workspace, run.mask_network) if asks else None
