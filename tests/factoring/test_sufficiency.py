"""When k numbers are enough, on tables made by hand."""

import pytest
import torch

from isthmus.factoring.sufficiency import is_sufficient, margins
from isthmus.tolerance import Tolerance

TENTH = Tolerance(0.1)


def smallest(excess, sizes, tolerance=TENTH, error=0.1):
    errors = torch.full((len(excess),), error)
    return int(is_sufficient(torch.tensor(excess), errors, torch.tensor(sizes), tolerance).int().argmax())


def test_margins_are_those_of_the_formula():
    found = margins(torch.tensor([100.0, 50.0, 15.0, 2.0, 0.5, 0.0]), TENTH)
    # 1 % of 100; a tenth of 100 and of 50 but at most 3; a tenth of 15; of 2 and of 0.5 less than 1 %.
    assert found.tolist() == pytest.approx([1.0, 3.0, 3.0, 1.5, 1.0, 1.0])


@pytest.mark.parametrize(
    ("excess", "sizes", "rank"),
    [
        ([100.0, 40.0, 0.9, 0.0], [1.0, 0.6, 0.02, 0.0], 2),  # within 1 %
        ([100.0, 40.0, 1.1, 0.0], [1.0, 0.6, 0.02, 0.0], 2),  # a fold: above 1 %, but a tenth of what was left before
        ([100.0, 5.0, 1.1, 0.0], [1.0, 0.6, 0.02, 0.0], 3),  # a direction: a fifth of what was left before
        ([100.0, 90.0, 3.1, 0.0], [1.0, 0.6, 0.02, 0.0], 3),  # above three margins
        ([100.0, 40.0, 0.9, 0.0], [1.0, 0.6, 0.11, 0.0], 3),  # the derivative has a third direction
        ([0.0, 0.0, 0.0], [1.0, 0.5, 0.0], 0),  # nothing is explained, whatever the derivative is
        ([100.0, 80.0, 60.0], [1.0, 0.9, 0.8], 2),  # nothing is enough: the last
    ],
)
def test_the_smallest_that_is_enough(excess, sizes, rank):
    assert smallest(excess, sizes) == rank


def test_a_direction_counts_only_where_it_is_of_use():
    excess, sizes = [100.0, 0.9, 0.0, 5.0], [1.0, 0.5, 0.4, 0.3]
    assert smallest(excess, sizes, error=0.1) == 2  # significantly worse through one number
    assert smallest(excess, sizes, error=0.5) == 1  # not significantly
    assert smallest([100.0, 0.0, 5.0, 9.0], sizes, error=0.1) == 1  # more numbers fit noise


def test_the_tolerance_is_the_scale_of_everything():
    assert smallest([100.0, 0.5, 0.0], [1.0, 0.05, 0.0]) == 1
    assert smallest([100.0, 0.5, 0.0], [1.0, 0.05, 0.0], Tolerance(0.01)) == 2


def test_tables_are_judged_side_by_side():
    excess = torch.tensor([[100.0, 0.5, 0.0], [0.0, 1.0, 2.0]])
    sizes = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert is_sufficient(excess, torch.zeros(3), sizes, TENTH).int().argmax(1).tolist() == [1, 0]
