"""Held-out losses that ask for more numbers than the answer."""

import math
from dataclasses import replace

import pytest

from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.disagreement import Disagreement
from isthmus.selection.evidence import RankEvidence

SEEN = replace(
    RankEvidence.without_variation(1.0, 100),
    errors=(1.0, 0.5, 0.3, 0.25, 0.26),
    standard_errors=(0.1, 0.05, 0.01, 0.0, 0.01),
    sensitivities=(1.0, 0.8, 0.2, 0.15, 0.0),
    redundancies=(0.0, 0.1, 0.9, 0.5, 0.0),
)
EPSILON = Tolerance(0.1)


def test_the_number_of_least_loss_and_how_clearly():
    found = Disagreement.of(SEEN, 2, EPSILON)
    assert (found.rank, found.redundancy) == (3, 0.9)
    assert math.isclose(found.deviations, 5.0)
    assert math.isclose(Disagreement.of(SEEN, 1, EPSILON).deviations, 5.0)


@pytest.mark.parametrize(
    ("change", "rank"),
    [
        ({}, 3),  # the least itself
        ({}, 4),  # beyond it
        ({}, 0),  # noise is asked otherwise
        ({"standard_errors": (0.1, 0.05, 0.0126, 0.0, 0.01)}, 2),  # within four standard errors
        ({"sensitivities": (1.0, 0.8, 0.1, 0.15, 0.0)}, 2),  # the next number is below the tolerance
        ({"standard_errors": (0.0,) * 5}, 2),  # nothing was held out
    ],
)
def test_nothing_is_said_where_nothing_is_clear(change, rank):
    assert Disagreement.of(replace(SEEN, **change), rank, EPSILON) is None


def test_a_coarser_tolerance_counts_weaker_numbers_as_nothing():
    assert Disagreement.of(SEEN, 2, Tolerance(0.25)) is None
