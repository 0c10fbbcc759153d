"""Who looks at pictures: what every checker has."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Checker(Protocol):
    """Scores pictures; made at once, its network is loaded with the first picture."""

    @property
    def name(self) -> str:
        """As it is chosen."""
        ...

    @property
    def sha256(self) -> str:
        """Of its weights."""
        ...

    @property
    def threshold(self) -> float:
        """Score from which a picture counts as explicit."""
        ...

    @property
    def long_side(self) -> int:
        """Pixels to which the longer side of a picture may be reduced before; more are of no use."""
        ...

    @property
    def mistakes_faces(self) -> bool:
        """A face alone, seen from very near, may reach the threshold: pictures are to be judged without their faces."""
        ...

    def scores(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N,) float32 in [0, 1], 1 for explicit, of (N, H, W, 3) uint8 RGB pictures.

        Raises:
            WeightsError: the weights are missing or damaged.
        """
        ...
