"""Index ranks of functions that are known, and of inputs among which combinations cannot be told apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus.selection import IndexEvidence, IndexRank
from isthmus.selection.embedding_path import directions_of_all
from isthmus.selection.index_evidence import given_the_rank, index_features, index_weights
from selection.quick import corners, selected

D, ROWS = 6, 240


def inputs(n=ROWS, d=D, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def angle(found, true, x):
    """Largest principal angle between combinations over the rows, in degrees."""
    z, own = ((x - x.mean(0)) @ np.atleast_2d(each).T for each in (found, true))
    cosines = np.linalg.svd(np.linalg.qr(z)[0].T @ np.linalg.qr(own)[0])[1]
    return np.degrees(np.arccos(min(1.0, cosines.min())))


def noisy(y, seed=1, share=0.1):
    y = y.reshape(len(y), -1)
    return y / y.std(0) + share * np.random.default_rng(seed).standard_normal(y.shape)


A = np.random.default_rng(5).standard_normal((3, D))
FUNCTIONS = {
    "noise": (0, lambda z: np.random.default_rng(2).standard_normal(len(z))),
    "line": (1, lambda z: z[:, 0]),
    "even": (1, lambda z: np.abs(z[:, 0])),  # no slice of y has another mean of x
    "periodic": (1, lambda z: np.sin(1.2 * z[:, 0])),
    "product": (2, lambda z: z[:, 0] * z[:, 1]),
    "odd and even": (2, lambda z: np.tanh(z[:, 0]) + 0.3 * z[:, 1] ** 2),
    "three": (3, lambda z: z[:, 0] ** 2 / 4 + np.tanh(z[:, 1]) + np.cos(z[:, 2])),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_few_combinations(name):
    k, f = FUNCTIONS[name]
    x = inputs()
    selection = selected(x, noisy(f(x @ A.T)))
    found = selection.index
    assert (selection.index_rank, found.rank) == (k, k)
    assert found.lower <= k <= found.upper
    assert sum(found.probabilities) == pytest.approx(1.0)
    assert found.probabilities[k] > 0.5
    assert selection.index_directions is found.directions
    assert found.directions.shape == found.standard_errors.shape == (k, D)
    assert found.replicates.shape == (3, k, D)
    if k:
        assert angle(found.directions.numpy(), A[:k], x) < 15
        covariance = np.cov((x @ found.directions.numpy().T).T, bias=True)
        np.testing.assert_allclose(np.atleast_2d(covariance), np.eye(k), atol=1e-6)


def test_outputs_that_are_linear_need_as_many_as_the_matrix_has_rank():
    x, rng = inputs(), np.random.default_rng(3)
    matrix = rng.standard_normal((D, 3)) @ rng.standard_normal((3, 8))
    assert selected(x, noisy(x @ matrix)).index_rank == np.linalg.matrix_rank(matrix) == 3


def test_directions_are_the_eigenvectors_of_the_gradient_products():
    x = inputs(600, 4)
    turned = np.linalg.qr(np.random.default_rng(1).standard_normal((4, 4)))[0][:2]
    z = x @ turned.T
    y = z[:, 0] ** 2 + 3.0 * np.sin(z[:, 1])
    start = [torch.from_numpy(turned + 0.05)]
    found = directions_of_all(torch.from_numpy(x), torch.from_numpy(y[:, None]), torch.ones(600), start).numpy()
    slopes = np.column_stack([2.0 * z[:, 0], 3.0 * np.cos(z[:, 1])])
    root = np.linalg.cholesky(np.cov(z.T, bias=True))
    _, axes = np.linalg.eigh(root.T @ (slopes.T @ slopes / 600) @ root)
    true = axes[:, ::-1].T @ np.linalg.inv(root) @ turned
    np.testing.assert_allclose(np.abs((found @ true.T) / (true @ true.T).diagonal()).diagonal(), 1.0, atol=0.01)
    np.testing.assert_allclose(np.abs(found), np.abs(true), atol=0.03)
    assert (np.take_along_axis(found, np.abs(found).argmax(1)[:, None], 1) > 0).all()


def test_units_and_shifts_of_the_inputs_change_units_alone():
    x, units = inputs(), 10.0 ** np.array([-6, 4, 0, 2, -3, 1])
    y = noisy(np.abs(x @ A[0]) + x @ A[1])
    one, other = (selected(each, y).index for each in (x, x * units + 7.0 * units))
    assert one.rank == other.rank == 2
    assert one.probabilities == pytest.approx(other.probabilities, abs=0.05)
    np.testing.assert_allclose(other.directions.numpy() * units, one.directions.numpy(), atol=0.02)


def test_what_cannot_be_told_apart_is_said():
    core = inputs(d=3)
    spare = np.eye(3)[np.random.default_rng(4).integers(3, size=ROWS)]
    copy = (core[:, 0] * 5.0 - 1.0).round(3)  # as a table has it
    x = np.column_stack([core, copy, np.full(ROWS, 2.0), spare])
    found = selected(x, noisy(np.abs(core @ [1.0, 1.0, 0.0]))).index
    assert (found.rank, found.dimensions) == (1, 5)
    assert found.ties == ((0, 3), (4,), (5, 6, 7))
    weights = found.directions[0] * torch.tensor([1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 1.0])
    assert float(weights[0]) == pytest.approx(float(weights[3]), rel=0.05)  # spread evenly over copies
    assert abs(float(found.directions[0, 4])) < 1e-9
    assert angle(found.directions.numpy(), np.array([1.0, 1.0, 0, 0, 0, 0, 0, 0]), x) < 10


def test_more_columns_than_rows():
    x = inputs(60, 100)
    found = selected(x, noisy(x[:, :40] @ np.ones(40))).index
    assert found.directions.shape == (found.rank, 100)
    assert found.dimensions < 60
    if found.rank:
        z = x @ found.directions.numpy().T
        np.testing.assert_allclose(z.std(0), 1.0, atol=0.05)


def test_classes_and_copies_are_not_asked():
    assert selected(*corners(), task="classification").index is None
    copies = selected(inputs(40, 2), task="autoencoder")
    assert (copies.index_rank, copies.index_directions) == (None, None)


def test_where_nothing_varies_it_is_0():
    found = selected(inputs(20), np.ones(20))
    assert (found.index_rank, found.index.interval, found.index_directions.shape) == (0, (0, 0), (0, D))


def test_row_order_does_not_matter():
    x = inputs()
    y, order = noisy(np.abs(x @ A[0])), np.random.default_rng(0).permutation(ROWS)
    one, other = selected(x, y).index, selected(x[order], y[order]).index
    assert one.probabilities == other.probabilities
    np.testing.assert_array_equal(one.directions, other.directions)


def rank_of(probabilities, lower, upper, replicates=2, left=0.1):
    errors = (1.0, *[left] * (len(probabilities) - 1))
    k, evidence = int(np.argmax(probabilities)), IndexEvidence(probabilities, errors, (), (), ())
    directions = torch.arange(2.0 * replicates * k).reshape(replicates, k, 2).double()
    return IndexRank(k, lower, upper, evidence, 2, (), directions[:1].reshape(k, 2), directions)


def test_thin_evidence_is_said():
    assert "2 linear combinations of the 2 inputs (probability 95%)" in rank_of((0.0, 0.05, 0.95), 2, 2).sentence
    assert "another draw of rows may say 1 to 2" in rank_of((0.0, 0.1, 0.9), 1, 2).sentence
    thin = rank_of((0.3, 0.6, 0.1), 0, 2).sentence
    assert "is not settled: 1 has probability 60%, 0 to 2 agree" in thin
    assert rank_of((0.9, 0.1), 0, 0).sentence.startswith("No linear combination")
    noisy = rank_of((0.1, 0.9), 1, 1, left=0.2).sentence
    assert noisy.startswith("The outputs depend on at least 1 linear combination of the")
    assert noisy.endswith("20% of the variance: weaker ones may hide in it.")
    assert "hide" not in rank_of((0.1, 0.9), 1, 1).sentence
    all_of_them = replace(rank_of((0.1, 0.9), 1, 1, left=0.2), dimensions=1)
    assert "hide" not in all_of_them.sentence
    assert "of the 1 input (" in replace(all_of_them, directions=all_of_them.directions[:, :1]).sentence


def test_standard_errors_are_those_of_the_jackknife():
    found = rank_of((0.1, 0.9), 1, 1, replicates=3)
    values = found.replicates.numpy()
    expected = np.sqrt(2 / 3 * ((values - values.mean(0)) ** 2).sum(0))
    np.testing.assert_allclose(found.standard_errors, expected)
    assert all(rank_of((0.1, 0.9), 1, 1, replicates=few).standard_errors is None for few in (1, 2))


def test_evidence_for_one_more_speaks_against_enough():
    much, little = index_features([8.0, -1.0], [50.0, -3.0], [1.0, 0.0]).tolist()
    assert much == [1.0, 6.0, pytest.approx(np.log(30.0)), 1.0]
    assert little == [1.0, -1.0, pytest.approx(np.log(0.1)), 0.0]
    assert all(weight < 0 for weight in index_weights()[1:])


def test_combinations_agree_with_what_is_known_about_the_rank():
    chances = torch.tensor([0.5, 0.3, 0.15, 0.05]).double()
    of_rank = torch.tensor([0.2, 0.7, 0.1]).double()
    pairs = {(r, k): of_rank[r] * chances[k] for r in (1, 2) for k in (1, 2, 3) if r <= k}  # by counting them
    expected = [
        0.2,
        *(0.8 * float(sum(p for (_, k), p in pairs.items() if k == at) / sum(pairs.values())) for at in (1, 2, 3)),
    ]
    assert given_the_rank(chances, of_rank).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("chances", "of_rank", "expected"),
    [
        ([1.0, 0.0], [0.6, 0.4], [0.6, 0.4]),  # nothing and something are one question
        ([0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
        ([0.2, 0.8], [1.0, 0.0], [1.0, 0.0]),
        ([0.1, 0.9], [0.0, 0.1, 0.2, 0.7], [0.0, 1.0]),  # more combinations than were looked at
    ],
)
def test_no_rank_is_above_the_index_rank(chances, of_rank, expected):
    found = given_the_rank(torch.tensor(chances).double(), torch.tensor(of_rank).double())
    assert found.tolist() == pytest.approx(expected)
