"""Axes of a span, against numpy's SVD."""

import numpy as np
import pytest
import torch

from isthmus.foundation.span import is_wide, span_axes


@pytest.mark.parametrize(("n", "d"), [(20, 50), (50, 20), (30, 30), (1, 5), (9000, 4)])
def test_axes_are_the_right_singular_vectors(n, d):
    rows = np.random.default_rng(0).standard_normal((n, d)) * np.geomspace(1.0, 0.01, d)
    axes = span_axes(torch.from_numpy(rows)).numpy()
    expected = np.linalg.svd(rows, full_matrices=False)[2]
    assert axes.shape == (d, min(n, d))
    np.testing.assert_allclose(axes.T @ axes, np.eye(min(n, d)), atol=1e-12)
    np.testing.assert_allclose(np.abs(np.sum(axes.T * expected, 1)), 1.0, atol=1e-8)
    np.testing.assert_allclose(rows @ axes @ axes.T, rows, atol=1e-9)


@pytest.mark.parametrize("shape", [(40, 200), (200, 40), (300, 700), (700, 300)])
def test_directions_that_are_rounding_are_left_out_and_short_ones_are_orthonormal(shape):
    rng = np.random.default_rng(1)
    u, v = (np.linalg.qr(rng.standard_normal((side, 6)))[0] for side in shape)
    rows = u @ np.diag([1.0, 0.5, 1e-2, 1e-4, 1e-5, 1e-8]) @ v.T
    axes = span_axes(torch.from_numpy(rows)).numpy()
    assert axes.shape[1] == 5
    np.testing.assert_allclose(axes.T @ axes, np.eye(5), atol=1e-12)
    assert np.abs(rows - rows @ axes @ axes.T).max() <= 1e-6


@pytest.mark.parametrize(
    ("n", "d", "expected"),
    [(10, 63, False), (63, 64, True), (64, 64, False), (1000, 255, False), (1000, 256, True), (300, 301, True)],
)
def test_rows_are_wide_with_more_columns_than_rows_or_with_very_many(n, d, expected):
    assert is_wide(torch.zeros(n, d)) == expected
