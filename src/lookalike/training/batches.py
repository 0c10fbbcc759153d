"""The batches of a step, which depend on its number, the seed and the facesets alone."""

from dataclasses import dataclass, fields

import torch

from lookalike.models.checkpoint import TrainState
from lookalike.training.augment import Augmentation, Batch, draw_batch, plain_batch, step_generator
from lookalike.training.config import TrainConfig
from lookalike.training.data import Person, hold_out
from lookalike.training.distributed import ALONE, Group
from lookalike.training.preview import Sample
from lookalike.training.sampling import Order, Picks, pick, plain_order, yaw_order

_ROLLED_BACK = 7_919
"""Added to the seed for each time that a model was put back: the draws that made it collapse do not come again."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The faces that one side is trained on, and in which order."""

    person: Person
    trained: torch.Tensor
    """(T,) numbers of the faces that are trained on."""
    held: torch.Tensor
    """(H,) numbers of the faces that are held out."""
    order: Order
    how: Augmentation


Sources = tuple[Source, Source]
"""src's and dst's."""


def make_sources(src: Person, dst: Person, options: TrainConfig, seed: int) -> Sources:
    """What src and dst are drawn from; in pretraining all faces alike, mirrored at random, in their own colours."""
    if options.pretrain:
        alike = {"random_flip": True, "sort_by_yaw": False, "uniform_yaw": False, "apply_random_ct": "none"}
        options = options.model_copy(update=alike)
    src_in, src_out = hold_out(len(src), options.held_out)
    dst_in, dst_out = hold_out(len(dst), options.held_out)
    flip_src, flip_dst = (options.random_flip or one for one in (options.random_src_flip, options.random_dst_flip))
    src_how = Augmentation(
        options.random_warp,
        flip_src,
        enlarge=options.src_face_scale / 100,
        colors=options.apply_random_ct,
        hsv=options.random_hsv_power,
        blur=options.random_blur,
    )
    dst_how = Augmentation(options.random_warp, flip_dst, blur=options.random_blur)
    wanted = dst.yaw[dst_in] if options.sort_by_yaw else src.yaw[src_in]
    by_yaw = options.sort_by_yaw or options.uniform_yaw
    src_order = yaw_order(src.yaw[src_in], wanted, f"{seed} src") if by_yaw else plain_order(len(src_in), f"{seed} src")
    dst_order = plain_order(len(dst_in), f"{seed} dst")
    if options.uniform_yaw:
        dst_order = yaw_order(dst.yaw[dst_in], dst.yaw[dst_in], f"{seed} dst")
    return Source(src, src_in, src_out, src_order, src_how), Source(dst, dst_in, dst_out, dst_order, dst_how)


def step_batches(
    state: TrainState,
    sources: Sources,
    options: TrainConfig,
    device: torch.device,
    group: Group = ALONE,
) -> list[tuple[Batch, Batch]]:
    """The pairs of batches of a step, one for each that is accumulated; this process's share of them."""
    pairs = []
    for number in range(options.accumulate):
        src, dst = (_shared_out(_draw(state, number, sources, side, options, device), group) for side in (0, 1))
        pairs.append((src, dst))
    return pairs


def held_sample(sources: Sources, resolution: int, device: torch.device) -> Sample | None:
    """The faces held out, as many of src as of dst, or none; src's in dst's colours if they are trained so."""
    count = min(len(source.held) for source in sources)
    if not count:
        return None
    picks = [s.held[torch.linspace(0, len(s.held) - 1, count).round().long()] for s in sources]
    src, dst = (source.person for source in sources)
    colors = (sources[0].how.colors, dst, picks[1])
    return Sample(
        plain_batch(src, picks[0], resolution, device, colors), plain_batch(dst, picks[1], resolution, device)
    )


def _draw(
    state: TrainState,
    number: int,
    sources: Sources,
    side: int,
    options: TrainConfig,
    device: torch.device,
) -> Batch:
    source, other = sources[side], sources[1 - side]
    seed = state.seed + state.rollbacks * _ROLLED_BACK
    turn = state.step * options.accumulate + number
    picks = pick(source.order, (turn + state.rollbacks * _ROLLED_BACK) * options.batch_size, options.batch_size)
    return draw_batch(
        source.person,
        Picks(source.trained[picks.index], picks.mirrored),
        state.model.resolution,
        step_generator(seed, turn, ("src", "dst")[side]),
        source.how,
        device,
        colors_of=other.person,
    )


def _shared_out(batch: Batch, group: Group) -> Batch:
    if group.world == 1:
        return batch
    return Batch(*(getattr(batch, field.name)[group.rank :: group.world] for field in fields(batch)))
