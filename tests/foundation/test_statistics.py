"""Means over rows that count differently, and how well they are known."""

import numpy as np
import pytest
import torch

from isthmus.foundation.statistics import effective_rows, standard_error, weighted_mean

VALUES = torch.tensor([1.0, 4.0, 2.0, 8.0, 5.0], dtype=torch.float64)


def test_a_weight_is_a_number_of_repetitions_to_the_mean():
    counts = torch.tensor([1, 3, 2, 1, 4])
    columns = torch.stack([VALUES, VALUES.square()], 1)
    for values in (VALUES, columns):
        expected = values.repeat_interleave(counts, 0).mean(0)
        torch.testing.assert_close(weighted_mean(values, counts.double()), expected)
    assert torch.equal(weighted_mean(columns, None), columns.mean(0))


def test_equal_weights_count_every_row_and_one_weight_one():
    assert effective_rows(torch.full((7,), 3.0)) == pytest.approx(7.0)
    assert effective_rows(torch.tensor([1.0, 1e-9, 1e-9])) == pytest.approx(1.0)


def test_the_standard_error_goes_by_the_effective_number_of_rows():
    assert standard_error(VALUES, None) == pytest.approx(float(np.std(VALUES.numpy(), ddof=1) / np.sqrt(5)))
    assert standard_error(VALUES, torch.full((5,), 3.0).double()) == pytest.approx(standard_error(VALUES, None))
    assert np.isnan(standard_error(VALUES[:1], torch.ones(1).double()))
    assert np.isnan(standard_error(VALUES[:1], None))
    # Independent unit normals under weights v: the variance of the weighted mean is Σv² / (Σv)².
    v = torch.rand(30, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    draws = torch.randn(4000, 30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    deviation = float((draws @ v / v.sum()).std())
    expected = np.mean([standard_error(draw, v) ** 2 for draw in draws[:1000]]) ** 0.5
    assert expected == pytest.approx(deviation, rel=0.05)
