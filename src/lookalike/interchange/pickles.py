"""Python pickles, read without running any of them.

What comes out is made of None, bool, int, float, str, bytes, list, tuple, dict, set, numpy arrays and numpy numbers,
and nothing else. `pickle` itself is imported nowhere in the package.
"""

from lookalike.interchange.file_bytes import Data
from lookalike.interchange.pickle_arrays import ArrayShape
from lookalike.interchange.pickle_limits import Limits
from lookalike.interchange.pickle_machine import Machine
from lookalike.interchange.pickle_opcodes import opcodes

__all__ = ["ArrayShape", "Limits", "read_pickle"]


def read_pickle(
    data: Data, origin: str, limits: Limits | None = None, *, shapes_only: bool = False, compact: bool = False
) -> object:
    """The value that a pickle of protocol 0 to 5 stands for.

    Members of DeepFaceLab's enumerations come as their numbers, paths as text, frozen sets as sets, ordered dicts as
    dicts, byte arrays as bytes. Arrays own their memory and are in the machine's byte order.

    Args:
        data: the pickle; what follows its end is not looked at.
        origin: names the file in errors.
        limits: what it may cost; enough for a hundred thousand small things if left out.
        shapes_only: give an ArrayShape in the place of every array, and leave the numbers in the file.
        compact: give an array in the place of a long list of numbers from 0 to 255 (uint8), of numbers with a point or
            of pairs of such (float64), which takes a tenth of the memory. A list of two numbers that is in the file
            once and meant in two places is then refused.

    Raises:
        ForeignFileError: it is damaged, costs too much, or mentions a class or function that is none of the few known.
    """
    machine = Machine(data, origin, limits or Limits(), shapes_only=shapes_only, compact=compact)
    return machine.run(opcodes(machine))
