"""One training step of the quick preset: float32 against bfloat16, and where the time goes."""

from functools import partial

import torch

from lookalike.models.build import build_model, parameter_count
from lookalike.models.checkpoint import TrainState
from lookalike.models.device import Compute
from lookalike.training.augment import draw_batch, step_generator
from lookalike.training.config import PRESETS
from lookalike.training.data import Person
from lookalike.training.loop import Session, train_step
from measure import finish, seconds

_FACES = 64


def noise_person(side: int, seed: int) -> Person:
    """Faces of smooth noise: the arithmetic does not care what they show."""
    generator = torch.Generator().manual_seed(seed)
    small = torch.rand(_FACES, 5, 12, 12, generator=generator)
    faces = torch.nn.functional.interpolate(small, (side, side), mode="bicubic").clamp(0, 1)
    points = torch.rand(_FACES, 78, 2, generator=generator) * 2 - 1
    colors = torch.full((_FACES, 3), 0.5), torch.full((_FACES, 3), 0.2)
    return Person((faces * 255).byte(), points, *colors)


def main() -> None:
    model_config, config = PRESETS["quick"]
    side = model_config.resolution
    src, dst = noise_person(2 * side, 1), noise_person(2 * side, 2)

    def batches() -> list[object]:
        return [draw_batch(p, config.batch_size, side, step_generator(0, 0, "src")) for p in (src, dst)]

    first = [draw_batch(p, config.batch_size, side, step_generator(0, 0, "src")) for p in (src, dst)]
    figures: dict[str, object] = {"batches_seconds": seconds(batches)}
    medians = {}
    for precision in ("float32", "bfloat16"):
        model = build_model(model_config)
        optimizer = torch.optim.Adam(model.parameters(), fused=True)
        compute = Compute(torch.device("cpu"), precision)
        session = Session(model, optimizer, compute, TrainState(model=model_config))
        taken = seconds(partial(train_step, session, first[0], first[1], 1e-4, config))
        figures[f"step_{precision}_seconds"], medians[precision] = taken, taken["median"]
        figures["parameters"] = parameter_count(model)
    figures["float32_over_bfloat16"] = medians["float32"] / medians["bfloat16"]
    finish("training", figures)


if __name__ == "__main__":
    main()
