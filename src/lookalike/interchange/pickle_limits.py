"""What reading a pickle may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one pickle may cost."""

    steps: int = 8_000_000
    """Opcodes; runs of numbers count as one."""
    memory: int = 512 * 2**20
    """Bytes, as estimated while values are made, and again if nothing of them were shared."""
    depth: int = 40
    """How deep values nest in each other."""
    text: int = 16 * 2**20
    """Bytes of one text."""
