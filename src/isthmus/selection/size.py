"""What training needs at least, refused before it begins where the machine has less."""

from __future__ import annotations

from isthmus.data import Sample
from isthmus.foundation.memory import refuse_beyond_memory
from isthmus.selection.config import SelectionConfig

_NUMBER = 4  # bytes: networks are trained in single precision
_OF_A_WEIGHT = 4  # itself, its gradient and the two moments of the descent
_OF_A_NEURON = 2  # its value at a row, and the derivative by it


def refuse_too_large(sample: Sample, config: SelectionConfig) -> None:
    """Raise `TooLargeError` if one network of these options, in training, is larger than the memory of the machine.

    The estimate is a lower bound: the descent of one network, as wide as it begins, and of two layers where the depth
    is not given. What fits by it may still be too large.
    """
    rows, width, depth = len(sample.x), config.width, max(config.depths or (2,))
    d_in, d_out = (min(rows, each.shape[1]) if each.ndim > 1 else 1 for each in (sample.x, sample.y))  # their span
    weights = width * (d_in + 1 + d_out) + max(0, depth - 2) * width * (width + 1)
    neurons = config.schedule.rows_per_step(rows) * width * (depth - 1)
    needed = _NUMBER * (_OF_A_WEIGHT * weights + _OF_A_NEURON * neurons)
    what = f"training a network of {depth} layers that are {width} wide"
    refuse_beyond_memory(what, needed, "Use a smaller width or depth")
