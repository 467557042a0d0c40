"""How λ climbs its ladder."""

import math

import pytest

from isthmus.estimators.choosing import climbed
from isthmus.runs import FitOptions

RUNGS = [FitOptions(ridge=float(i)) for i in range(6)]


def stopped(errors, start, much=math.inf):
    asked = []

    def error(options):
        asked.append(int(options.ridge))
        return errors[int(options.ridge)]

    return int(climbed(RUNGS[: len(errors)], error, start=start, much=much).ridge), sorted(set(asked))


@pytest.mark.parametrize(
    ("errors", "start", "rung", "asked"),
    [
        ([9.0, 5.0, 4.0, 3.0, 8.0, 1.0], 1, 3, [1, 2, 3, 4]),  # up to the first rise
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, 0, [0, 1, 2, 3, 4]),  # down to the end
        ([9.0, 4.1, 4.0, 9.0, 9.0, 9.0], 2, 1, [0, 1, 2, 3]),  # a smaller λ that is nearly as good
        ([9.0, 4.3, 4.0, 9.0, 9.0, 9.0], 2, 2, [1, 2, 3]),  # not as good
        ([4.0, 9.0, 3.9, 9.0, 9.0, 9.0], 2, 2, [1, 2, 3]),  # nothing is jumped over
        ([5.0], 0, 0, []),
    ],
)
def test_up_then_down_then_a_little_further_down(errors, start, rung, asked):
    assert stopped(errors, start) == (rung, asked)


def test_where_the_error_is_large_every_rung_is_tried():
    errors = [0.957, 1.069, 0.789, 0.964, 0.775, 0.42]  # of a noisy table: two valleys
    assert stopped(errors, 1) == (2, [1, 2, 3])
    assert stopped(errors, 1, much=0.5) == (5, [0, 1, 2, 3, 4, 5])
    assert stopped(errors, 1, much=0.8) == (2, [1, 2, 3])
