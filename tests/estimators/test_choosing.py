"""How λ climbs its ladder."""

import pytest

from isthmus.estimators.choosing import climbed
from isthmus.runs import FitOptions

RUNGS = [FitOptions(ridge=float(i)) for i in range(6)]


def stopped(errors, start):
    asked = []

    def error(options):
        asked.append(int(options.ridge))
        return errors[int(options.ridge)]

    return int(climbed(RUNGS[: len(errors)], error, start=start).ridge), sorted(set(asked))


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
