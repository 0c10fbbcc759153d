"""The base of every options class and of everything written to disk as JSON or TOML."""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Frozen, checked, and strict: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, ser_json_inf_nan="null")
