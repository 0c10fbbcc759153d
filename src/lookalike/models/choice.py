"""Sizes as they are given on a command line: any option of any architecture, each left out unless given."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model

from lookalike.models.config import MODELS, ModelConfig, ModelName
from lookalike.options import Options


def _offered() -> dict[str, Any]:
    """Every option once, its help with the default of each architecture that has it."""
    fields: dict[str, Any] = {
        "model": (ModelName | Literal["xseg"] | None, Field(None, description="Architecture; xseg: the mask network."))
    }
    for field in dict.fromkeys(name for kind in MODELS.values() for name in kind.model_fields if name != "model"):
        owners = {name: kind.model_fields[field] for name, kind in MODELS.items() if field in kind.model_fields}
        first = next(iter(owners.values()))
        description = next(info.description for info in owners.values() if info.description)
        defaults = {name: info.default for name, info in owners.items() if info.default is not None}
        if len(owners) == len(MODELS) and len(set(defaults.values())) <= 1:
            shown = "".join(f" [{value}]" for value in list(defaults.values())[:1])
        else:
            shown = f" [{', '.join(f'{name}: {value}' for name, value in defaults.items())}]"
        kind_of: Any = str if field == "archi" else first.annotation
        fields[field] = (kind_of | None, Field(None, description=f"{description}{shown}"))
    return fields


if TYPE_CHECKING:

    class ModelChoice(Options):
        """Any option of any architecture."""

        model: ModelName | Literal["xseg"] | None = None
else:
    ModelChoice = create_model("ModelChoice", __base__=Options, __doc__="Sizes of a new model.", **_offered())


def given_sizes(choice: ModelChoice | None) -> dict[str, Any]:
    """The options that were given, by name."""
    return choice.model_dump(exclude_none=True) if choice else {}


def base_sizes(config: ModelConfig, name: ModelName | None) -> dict[str, Any]:
    """What a preset sets for the architecture asked for; of another one nothing but the face."""
    if name in (None, config.model):
        return config.model_dump(exclude_unset=True) | {"model": config.model}
    shared = config.model_dump(include={"face_type", "geometry"} & config.model_fields_set)
    return shared | {"model": name}
