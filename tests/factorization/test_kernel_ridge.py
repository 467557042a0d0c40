"""Kernel ridge regression against regressions that are solved anew without each row."""

import numpy as np
import pytest
import torch

from isthmus.factorization import kernel_ridge
from isthmus.factorization.kernel_ridge import _RIDGES, _WIDTHS, kernel_prediction, predicted_share


def normal(n, d, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_chosen_kernel_is_the_one_that_leaving_out_every_row_prefers():
    """By solving the regression anew without each row."""
    x, fresh = normal(25, 2, 107).numpy(), normal(4, 2, 108).numpy()
    y = np.sin(2 * x[:, 0]) + 0.3 * normal(25, 1, 109).numpy()[:, 0]
    y = y - y.mean()
    distances = ((x[:, None] - x) ** 2).sum(2)
    median = np.sort(distances[distances > 0])[(distances > 0).sum() // 2 - 1]  # torch's lower median
    best = (np.inf, None)
    for width in _WIDTHS:
        kernel = np.exp(-distances / (2 * width**2 * median))
        for ridge in (r for r in _RIDGES if r >= 1e-6):  # smaller ones are not resolved by a plain solve
            error = 0.0
            for i in range(25):
                rest = np.arange(25) != i
                weights = np.linalg.solve(kernel[np.ix_(rest, rest)] + ridge * 25 * np.eye(24), y[rest])
                error += float((kernel[i, rest] @ weights - y[i]) ** 2)
            across = np.exp(-((fresh[:, None] - x) ** 2).sum(2) / (2 * width**2 * median))
            if error < best[0]:
                best = error, across @ np.linalg.solve(kernel + ridge * 25 * np.eye(25), y)
    found = kernel_prediction(torch.from_numpy(x), torch.from_numpy(y)[:, None], torch.from_numpy(fresh))
    np.testing.assert_allclose(found[:, 0].numpy(), best[1], atol=1e-6)


def test_the_predicted_share_is_that_of_leaving_rows_out_by_hand():
    x = normal(30, 2, 0).numpy()
    y = np.sin(2 * x[:, 0]) + 0.3 * normal(30, 1, 1).numpy()[:, 0]
    distances = ((x[:, None] - x) ** 2).sum(2)
    median = np.sort(distances[distances > 0])[(distances > 0).sum() // 2 - 1]
    least, centred = np.inf, y - y.mean()
    for width in (0.25, 0.5, 1.0, 2.0, 4.0):
        kernel = np.exp(-distances / (2 * width**2 * median))
        for ridge in 10.0 ** np.arange(-6, 1):
            error = 0.0
            for i in range(30):
                rest = np.arange(30) != i
                weights = np.linalg.solve(kernel[np.ix_(rest, rest)] + ridge * 30 * np.eye(29), centred[rest])
                error += float((kernel[i, rest] @ weights - centred[i]) ** 2)
            least = min(least, error)
    found = predicted_share(torch.from_numpy(x), torch.from_numpy(np.stack([y, np.ones(30)], 1)))
    assert float(found[0]) == pytest.approx(1.0 - least / (centred**2).sum(), abs=1e-3)
    assert float(found[1]) == 0.0


def test_of_many_rows_the_width_is_that_which_some_of_them_prefer(monkeypatch):
    x, fresh = normal(450, 2, 3), normal(50, 2, 4)
    y = torch.stack([torch.sin(3 * x[:, 0]), x[:, 0] + x[:, 1], torch.cos(x[:, 1] ** 2)], 1) + 0.05 * normal(450, 3, 5)
    some = kernel_prediction(x, y, fresh)
    monkeypatch.setattr(kernel_ridge, "_MANY", 1000)
    every = kernel_prediction(x, y, fresh)
    truth = torch.stack([torch.sin(3 * fresh[:, 0]), fresh[:, 0] + fresh[:, 1], torch.cos(fresh[:, 1] ** 2)], 1)
    errors, least = ((each - truth).square().mean(0) for each in (some, every))
    assert bool((errors <= 1.1 * least).all())
    assert bool((some == every).all(0).any())  # where some and all rows prefer the same width


def test_fresh_rows_in_parts_are_predicted_as_at_once(monkeypatch):
    x, y, fresh = normal(30, 2, 0), normal(30, 70, 1), normal(11, 2, 2)
    whole = kernel_prediction(x, y, fresh)
    monkeypatch.setattr(kernel_ridge, "_FRESH", 4)
    torch.testing.assert_close(kernel_prediction(x, y, fresh), whole, rtol=1e-12, atol=1e-12)
