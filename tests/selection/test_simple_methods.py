"""Simpler methods against scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from isthmus.factorization import linear_baseline
from isthmus.factorization.kernel_ridge import kernel_prediction
from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN
from isthmus.selection import simple_methods
from isthmus.selection.simple_methods import FULL, full_errors, linear_errors
from isthmus.spectra import spaced
from isthmus.training import Objective


def rows(n, seed):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def outputs(x):
    return torch.stack([x[:, 0] + x[:, 1].square() - 1.0, 2.0 * x[:, 2]], 1)


def classes(x, noise=0):
    drawn = torch.rand(len(x), generator=torch.Generator().manual_seed(noise), dtype=torch.float64)
    return (x[:, 0] + 0.5 * drawn > 0).long() + (x[:, 1] > 0.5).long()


def test_the_linear_method_is_reduced_rank_regression_through_each_number():
    x, fresh = rows(200, 0), rows(50, 1)
    found = linear_errors(Objective(x, outputs(x), GAUSSIAN, 0.1), (fresh, outputs(fresh)), 2, 2)
    np.testing.assert_allclose(found[0], (outputs(fresh) - outputs(x).mean(0)).square().sum(1), rtol=1e-12)
    design = np.column_stack([x, np.ones(200)])
    least_squares = np.column_stack([fresh, np.ones(50)]) @ np.linalg.lstsq(design, outputs(x).numpy(), rcond=None)[0]
    np.testing.assert_allclose(found[2], ((least_squares - outputs(fresh).numpy()) ** 2).sum(1), rtol=0.05, atol=0.05)
    assert float(found[2].mean()) < float(found[1].mean()) < float(found[0].mean())


def test_of_an_autoencoder_it_is_pca():
    x, fresh = rows(200, 0) * torch.tensor([3.0, 1.0, 0.3]), rows(50, 1)
    found = linear_errors(Objective(x, x, GAUSSIAN, 0.1), (fresh, fresh), 3, 3)
    for k in (1, 2, 3):
        pca = PCA(k).fit(x.numpy())
        passed = pca.inverse_transform(pca.transform(fresh.numpy()))
        np.testing.assert_allclose(found[k], ((passed - fresh.numpy()) ** 2).sum(1), rtol=1e-9, atol=1e-12)


def test_weights_are_repetitions_to_the_linear_method():
    x, fresh, counts = rows(60, 0), rows(50, 1), torch.arange(60) % 3 + 1
    weighted = Objective(x, outputs(x), GAUSSIAN, 0.1, counts.double())
    found = linear_errors(weighted, (fresh, outputs(fresh)), 2, 1)
    expected = linear_baseline(x, outputs(x), weights=counts.double())(fresh, 1)
    torch.testing.assert_close(found[1], (expected - outputs(fresh)).square().sum(1))


def test_kernel_ridge_regression_sees_some_of_many_rows(monkeypatch):
    x, fresh = rows(120, 0), rows(40, 1)
    objective = Objective(x, outputs(x), GAUSSIAN, 0.1)
    (found,) = full_errors(objective, (fresh, outputs(fresh)), 2, "regression")
    expected = (kernel_prediction(x, outputs(x), fresh) - outputs(fresh)).square().sum(1)
    torch.testing.assert_close(found, expected)
    monkeypatch.setattr(simple_methods, "_ROWS", 60)
    (some,) = full_errors(objective, (fresh, outputs(fresh)), 2, "regression")
    half = spaced(x, 60)
    assert len(half) == 60
    torch.testing.assert_close(some, (kernel_prediction(half, outputs(half), fresh) - outputs(fresh)).square().sum(1))


def test_classes_are_predicted_as_scikit_learns_logistic_regression_does():
    x, fresh = rows(300, 0), rows(400, 1)
    labels, truths = classes(x), classes(fresh, noise=1)
    found = full_errors(Objective(x, labels, CATEGORICAL, 0.1), (fresh, truths), 3, "classification")
    assert found.shape == (len(FULL["classification"]), 400) == (2, 400)
    shares = np.bincount(labels) / 300
    constant = -(shares * np.log(shares)).sum()
    # λ ‖w‖² on the mean loss is scikit-learn's ‖w‖²/2 on C times the sum; it leaves the intercept alone.
    model = LogisticRegression(C=1.0 / (2.0 * 300 * 1e-3 * constant), max_iter=2000).fit(x, labels)
    disagree = found[1].numpy() != (model.predict(fresh.numpy()) != truths.numpy())
    assert disagree.mean() < 0.03
    assert float(found[1].mean()) < 0.5 * float((truths != np.argmax(shares)).double().mean())


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_that_count_more_move_the_logistic_regression(weighted):
    x = torch.cat([rows(100, 0), rows(100, 0)])
    labels = torch.cat([(x[:100, 0] > 0).long(), (x[:100, 1] > 0).long()])  # which half counts?
    weights = torch.cat([torch.full((100,), 1.9), torch.full((100,), 0.1)]).double() if weighted else None
    found = full_errors(Objective(x, labels, CATEGORICAL, 0.1, weights), (x[:100], labels[:100]), 2, "classification")
    assert (float(found[1].mean()) < 0.06) == weighted


def test_an_autoencoder_has_no_others():
    x = rows(20, 0)
    assert full_errors(Objective(x, x, GAUSSIAN, 0.1), (x[:5], x[:5]), 3, "autoencoder").shape == (0, 5)
