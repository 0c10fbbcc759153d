"""The command `train`: options in, events out."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from lookalike.cluster.config import ClusterOptions
from lookalike.errors import ConfigError
from lookalike.masks.config import MASK_OPTIONS, MaskTrainConfig
from lookalike.models.choice import ModelChoice, given_sizes
from lookalike.pipeline.workspace import Workspace
from lookalike.training.config import Preset, TrainConfig

if TYPE_CHECKING:
    from lookalike.types import Event  # costs numpy, which help can do without

Flat = Parameter(name="*")


def train(
    workspace: Annotated[Path, Parameter(help="The workspace.")],
    *,
    preset: Annotated[Preset | None, Parameter(help="Sizes and options of a new model [balanced].")] = None,
    name: Annotated[
        str | None,
        Parameter(help="The model's folder under model/; the one trained last, or named as its architecture."),
    ] = None,
    backup: Annotated[int | None, Parameter(help="Go back to this backup first.")] = None,
    pretrain_faces: Annotated[Path | None, Parameter(help="Faceset of many people, for --pretrain.")] = None,
    preview: Annotated[bool, Parameter(negative="", help="Serve a page that shows how the training goes.")] = False,
    port: Annotated[int, Parameter(help="Where that page is served; 0 for any free port.")] = 0,
    pictures: Annotated[bool, Parameter(negative="", help="Show previews in the terminal, if it can.")] = False,
    mask_faces: Annotated[
        tuple[Path, ...], Parameter(help="Facesets with polygons or masks that xseg learns from, too.")
    ] = (),
    model: Annotated[ModelChoice | None, Flat] = None,
    config: Annotated[TrainConfig | None, Flat] = None,
    cluster: Annotated[ClusterOptions | None, Flat] = None,
) -> None:
    """Train the model on both facesets; it goes on from its last checkpoint. Ctrl-C saves and stops.

    With --model xseg it is the mask network that is trained, by the polygons drawn on the faces.
    """
    from lookalike.cli.show import show
    from lookalike.pipeline.models import architecture_asked, name_to_train, plan_training
    from lookalike.pipeline.train import leading_process
    from lookalike.pipeline.train import train as run
    from lookalike.types import Message

    place = Workspace(workspace)
    sizes = given_sizes(model)
    changes = config.model_dump(include=config.model_fields_set) if config else {}
    if sizes.get("model") == "xseg":
        if cluster is not None:
            raise ConfigError("--model xseg is trained on one machine; leave out --ray")
        _train_masks(place, sizes, changes, mask_faces)
        return
    if mask_faces:
        raise ConfigError("--mask-faces belongs to --model xseg")
    leads = leading_process()
    with ExitStack() as stack:
        if leads:
            stack.enter_context(place.locked())
        name = name_to_train(place, name, architecture_asked(preset, sizes))
        network, options = plan_training(place, name, preset, sizes, changes, backup)
        events: Iterator[Event] = run(
            place, network, options, name=name, backup=backup, pretrain_faces=pretrain_faces, cluster=cluster
        )
        folder = place.model(name)
        if preview and leads:
            from lookalike.web.train_page import TrainPage

            page = TrainPage(folder, port=port)
            page.start()
            stack.callback(page.stop)
            events = chain([Message("train", f"see how it goes at {page.url}")], events)
        if pictures and leads:
            from lookalike.cli.terminal import with_pictures

            events = with_pictures(events, folder / "preview.jpg")
        if leads:
            show(events, json_lines=os.environ.get("LOOKALIKE_JSON_LINES") == "1")
        else:
            for _ in events:
                pass


def _train_masks(
    place: Workspace,
    sizes: dict[str, Any],
    changes: dict[str, Any],
    mask_faces: tuple[Path, ...],
) -> None:
    from lookalike.cli.show import show
    from lookalike.pipeline.train_masks import train_masks

    foreign = [key for key in (*sizes, *changes) if key != "model" and key not in MASK_OPTIONS]
    if foreign:
        known = ", ".join(sorted(MASK_OPTIONS))
        raise ConfigError(f"--{foreign[0].replace('_', '-')} is no option of the model xseg; it has {known}")
    options = MaskTrainConfig.model_validate(changes)
    with place.locked():
        events = train_masks(place, options, mask_faces=mask_faces)
        show(events, json_lines=os.environ.get("LOOKALIKE_JSON_LINES") == "1")
