import numpy as np
import pytest

pytest.importorskip("sklearn")


def bent(rng, n, d_in, d_out):
    x = rng.standard_normal((n, d_in)) * rng.uniform(0.5, 3.0, d_in) + 1.0
    return x, np.tanh(x @ rng.standard_normal((d_in, d_out))) + 0.1 * rng.standard_normal((n, d_out))


def test_reduced_rank_errors_are_those_of_truncated_fits_to_augmented_rows():
    from _rank_linear import RIDGES, reduced_rank_errors

    rng = np.random.default_rng(0)
    (x, y), (x_test, y_test) = bent(rng, 60, 7, 5), bent(rng, 30, 7, 5)
    errors = reduced_rank_errors(x, y, x_test, y_test)
    rows, rows_test = ((each - x.mean(0)) / x.std(0) for each in (x, x_test))
    assert errors.shape == (6, len(RIDGES))
    for j, ridge in enumerate(RIDGES * 60):
        augmented = np.concatenate([rows, np.sqrt(ridge) * np.eye(7)])
        padded = np.concatenate([y - y.mean(0), np.zeros((7, 5))])
        u, s, vt = np.linalg.svd(augmented @ np.linalg.lstsq(augmented, padded)[0], full_matrices=False)
        for k in range(6):
            slopes = np.linalg.lstsq(augmented, (u[:, :k] * s[:k]) @ vt[:k])[0]
            residuals = y_test - y.mean(0) - rows_test @ slopes
            assert errors[k, j] == pytest.approx(np.square(residuals).sum(1).mean(), rel=1e-10)


def test_reduced_rank_regression_finds_the_rank_of_a_linear_map():
    from _rank_linear import reduced_rank

    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 8))
    y = x @ rng.standard_normal((8, 3)) @ rng.standard_normal((3, 6)) + 0.1 * rng.standard_normal((200, 6))
    assert reduced_rank(x, y, 0) == 3


def test_one_standard_error_takes_the_first_row_within_it():
    from _rank_linear import one_standard_error

    folds = np.array([[3.0, 3.0, 3.0], [1.4, 1.2, 1.0], [1.3, 0.7, 1.0], [0.9, 1.0, 1.1]])
    # rows 2 and 3 have mean 1, and row 2, the first of them, a standard error of 0.3 / sqrt(3) = 0.17 < 0.2
    assert one_standard_error(folds[:, None]) == 2
    folds[1] -= 0.05
    assert one_standard_error(folds[:, None]) == 1


def test_the_derivative_of_kernel_ridge_is_its_finite_difference():
    from _rank_kernel import derivative, kernel_ridge

    rng = np.random.default_rng(2)
    x, y = bent(rng, 60, 4, 3)
    model, point, step = kernel_ridge(x, y, 0), x[3] + 0.1, 1e-5
    ends = [model.predict(point + sign * step * np.eye(4)) for sign in (1.0, -1.0)]
    np.testing.assert_allclose(derivative(model, point), (ends[0] - ends[1]).T / (2.0 * step), atol=1e-7)


def test_gaps_and_shares_of_spectra():
    from _rank_kernel import largest_gap
    from _rank_linear import components_of_trace

    assert largest_gap(np.array([5.0, 4.0, 3.0, 0.1, 0.09]), 10) == 3
    assert largest_gap(np.array([5.0, 4.0, 3.0, 0.1, 0.09]), 2) == 2
    assert largest_gap(np.array([1.0, 0.5, 1e-30, 0.0]), 10) == 2
    assert components_of_trace(np.array([0.9, 0.04, 0.03, 0.03])) == 3
