"""Linear functions through k numbers, by principal components, least squares and scikit-learn's ridge regression."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from isthmus.factorization import linear_baseline


def data(d, n=300, seed=1):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_principal_components_are_the_baseline_of_an_autoencoder():
    x = data(6) @ torch.diag(torch.tensor([5.0, 3.0, 1.0, 0.5, 0.2, 0.1]).double())
    pca = linear_baseline(x, x)
    s = torch.linalg.svdvals(x - x.mean(0))
    for k in range(7):
        assert float((pca(x, k) - x).norm()) == pytest.approx(float(s[k:].square().sum().sqrt()), abs=1e-9)


def test_reduced_rank_regression_is_least_squares_at_full_rank():
    x, y = data(5), data(5)[:, :3]
    reduced = linear_baseline(x, y)  # without noise the least ridge there is predicts best
    design = torch.cat([x, torch.ones(300, 1).double()], 1)
    expected = design @ torch.linalg.lstsq(design, y).solution
    torch.testing.assert_close(reduced(x, 3), expected, rtol=1e-6, atol=1e-6)
    assert int(torch.linalg.matrix_rank(reduced(x, 2) - reduced(x, 2).mean(0), rtol=1e-9)) == 2


@pytest.mark.parametrize("weighted", [False, True])
def test_the_ridge_is_the_one_that_leaving_out_every_row_prefers(weighted):
    """By fitting anew without each row."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((30, 8)) * 10.0 ** np.linspace(-1, 1, 8)
    y = x[:, -2:] + rng.standard_normal((30, 2))
    v = rng.uniform(0.2, 3.0, 30) if weighted else np.ones(30)
    roots = np.sqrt(v)[:, None]
    largest = np.linalg.svd(roots * (x - np.average(x, 0, v)), compute_uv=False)[0] ** 2
    errors = []
    for power in range(-10, 1):
        total = 0.0
        for i in range(30):
            rest = np.arange(30) != i
            model = Ridge(alpha=10.0**power * largest, tol=1e-12).fit(x[rest], y[rest], v[rest])
            total += v[i] * float(((model.predict(x[i : i + 1])[0] - y[i]) ** 2).sum())
        errors.append(total)
    assert 0 < np.argmin(errors) < 10, "a case worth choosing in"
    expected = Ridge(alpha=10.0 ** (np.argmin(errors) - 10.0) * largest, tol=1e-12).fit(x, y, v).predict(x)
    weights = torch.from_numpy(v) if weighted else None
    found = linear_baseline(torch.from_numpy(x), torch.from_numpy(y), weights=weights)
    np.testing.assert_allclose(found(torch.from_numpy(x), 2).numpy(), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("is_autoencoder", [False, True])
def test_a_weight_is_a_number_of_repetitions(is_autoencoder):
    counts = torch.arange(60) % 3 + 1
    x = data(5, n=60) @ torch.diag(torch.tensor([3.0, 2.0, 1.0, 0.5, 0.2]).double())
    y = x if is_autoencoder else x[:, :3] @ data(3, n=3, seed=5)  # without noise both prefer the least ridge
    often = x.repeat_interleave(counts, 0)
    repeated = linear_baseline(often, often if is_autoencoder else y.repeat_interleave(counts, 0))
    weighted = linear_baseline(x, y, weights=counts.double())
    for k in range(4):
        torch.testing.assert_close(weighted(x, k), repeated(x, k), rtol=1e-9, atol=1e-9)
