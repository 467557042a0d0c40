"""The evidence of embedded processes beside dense Gaussian densities, and their gradients beside differences."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from isthmus.selection.embedded_process import EmbeddedProcess

NOISES = np.exp(np.linspace(np.log(1e-6), np.log(30.0), 4001))


def problem(n=40, d=5, outputs=2, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    y = np.sin(x[:, :outputs]) + 0.3 * rng.standard_normal((n, outputs))
    return x, y, 0.5 * rng.standard_normal((3, d)), rng.uniform(0.3, 2.0, n)


def dense_surprise(x, y, b, weights, kernels):
    """−log of the density of y with a whole covariance matrix, noise on a fine ladder, amplitude in closed form."""
    z = x @ b.T
    weights = weights / weights.mean()
    own = np.round(np.linspace(0, len(x) - 1, kernels)).astype(int)
    within = np.exp(-0.5 * cdist(z[own], z[own], "sqeuclidean")) + 1e-6 * np.eye(kernels)
    across = np.exp(-0.5 * cdist(z, z[own], "sqeuclidean"))
    clean = across @ np.linalg.solve(within, across.T)
    centred = y - weights @ y / weights.sum()
    values, vectors = np.linalg.eigh(np.sqrt(weights)[:, None] * clean * np.sqrt(weights))
    squares = ((vectors.T @ (np.sqrt(weights)[:, None] * centred)) ** 2).sum(1)
    spread = np.linalg.svd(np.sqrt(weights)[:, None] * centred)[1] ** 2
    outputs, n = spread.sum() ** 2 / (spread**2).sum(), len(x)
    found = [
        0.5 * outputs * (n * np.log((squares / (values + noise)).sum()) + np.log(values + noise).sum())
        for noise in NOISES
    ]
    return min(found)


@pytest.mark.parametrize("kernels", [12, 40])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_evidence_is_that_of_the_dense_gaussian(kernels, is_weighted):
    x, y, b, weights = problem()
    weights = weights if is_weighted else np.ones(len(x))
    process = EmbeddedProcess(
        *map(torch.from_numpy, (x, y)), torch.from_numpy(weights) if is_weighted else None, inducing=kernels
    )
    found, _ = process.surprise(torch.from_numpy(b))
    assert found == pytest.approx(dense_surprise(x, y, b, weights, kernels), abs=2e-3)
    # A constant explains nothing.
    assert process.surprise(torch.from_numpy(0.0 * b))[0] >= process.surprise_of_noise - 1e-9


@pytest.mark.parametrize("is_weighted", [False, True])
def test_gradients_are_those_of_differences(is_weighted):
    x, y, b, weights = map(torch.from_numpy, problem())
    process = EmbeddedProcess(x, y, weights if is_weighted else None, inducing=15)
    _, gradient = process.surprise(b)
    step, differences = 1e-5, torch.zeros_like(b)
    for at in np.ndindex(*b.shape):
        moved = torch.zeros_like(b)
        moved[at] = step
        differences[at] = (process.surprise(b + moved)[0] - process.surprise(b - moved)[0]) / (2 * step)
    torch.testing.assert_close(gradient, differences, rtol=1e-6, atol=1e-6 * float(gradient.abs().max()))


def test_slopes_are_those_of_its_own_predictions():
    x, y, b, weights = map(torch.from_numpy, problem())
    process, step = EmbeddedProcess(x, y, weights, inducing=20), 1e-5
    inverse = torch.linalg.pinv(b)  # moves z alone
    slopes = torch.stack(
        [
            (process.predict(b, x + step * inverse[:, j]) - process.predict(b, x - step * inverse[:, j])) / (2 * step)
            for j in range(len(b))
        ]
    )
    expected = torch.einsum("inp,jnp,n->ij", slopes, slopes, weights / weights.sum())
    torch.testing.assert_close(process.gradient_products(b), expected, rtol=1e-6, atol=1e-9)


def test_copies_of_an_output_are_no_further_witnesses():
    x, y, b, _ = problem(outputs=1)
    one, twice = (EmbeddedProcess(*map(torch.from_numpy, (x, each)), inducing=20) for each in (y, np.hstack([y, y])))
    torch.testing.assert_close(one.surprise(torch.from_numpy(b))[1], twice.surprise(torch.from_numpy(b))[1])


def test_a_fit_has_more_evidence_and_predicts_new_rows():
    rng = np.random.default_rng(1)
    x = torch.from_numpy(rng.standard_normal((150, 4)))
    y = torch.cos(1.5 * x[:, :1])
    process = EmbeddedProcess(x[:100], y[:100])
    start = torch.tensor([[0.6, 0.3, 0.3, 0.3]], dtype=torch.float64)
    b, surprise = process.fit(start, 40)
    assert surprise == pytest.approx(process.surprise(b)[0], abs=1e-9)
    assert surprise < process.surprise(start)[0] - 100
    assert float((process.predict(b, x[100:]) - y[100:]).square().mean()) < 1e-3
    assert float(b[0, 1:].abs().max()) < 0.01 * abs(float(b[0, 0]))
