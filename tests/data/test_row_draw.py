"""Which rows of a very long table are drawn."""

import numpy as np
import pytest

from isthmus.data import Sample, row_draw
from isthmus.data.row_draw import drawn_rows
from isthmus.errors import NonFiniteError


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(row_draw, "MOST_ROWS", 60)
    monkeypatch.setattr(row_draw, "_CHUNK", 37)


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 3)), rng.standard_normal((n, 2))


def test_up_to_the_limit_all_rows_are_taken():
    x, y = table(60)
    assert drawn_rows(x, y, np.ones(60)) is None
    again = np.concatenate([x, x]), np.concatenate([y, y])
    drawn = drawn_rows(again[0], again[1], np.ones(120))
    assert (drawn.rows.tolist(), drawn.weights.tolist(), drawn.of) == (list(range(60)), [2.0] * 60, 0)
    merged = Sample.merged(*again, np.ones(120), "regression")
    assert (len(merged.x), merged.drawn_from) == (60, 0)


def test_the_draw_is_of_rows_and_not_of_their_order_or_number():
    x, y = table(600)
    drawn = Sample.merged(x, y, np.ones(600), "regression")
    assert (len(drawn.x), drawn.drawn_from) == (60, 600)
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 4, 600)
    order = rng.permutation(counts.sum())
    other = Sample.merged(x.repeat(counts, 0)[order], y.repeat(counts, 0)[order], np.ones(counts.sum()), "regression")
    np.testing.assert_array_equal(other.x, drawn.x)
    np.testing.assert_array_equal(other.y, drawn.y)
    of_row = {row.tobytes(): count for row, count in zip(x, counts, strict=True)}
    np.testing.assert_array_equal(other.weights, [of_row[row.tobytes()] for row in other.x])
    # A row of weight 0 does not exist, whatever it holds.
    weights = (x[:, 0] > 0).astype(float)
    kept = drawn_rows(x, y, weights)
    assert kept.of == weights.sum()
    assert (x[kept.rows, 0] > 0).all()


def test_the_draw_is_fair():
    x = np.arange(20_000.0)[:, None]
    kept = np.concatenate([drawn_rows(x + shift, None, np.ones(20_000)).rows for shift in range(0, 10**6, 10**5)])
    assert len(kept) == 600
    observed = np.histogram(kept, bins=6, range=(0, 20_000))[0]
    assert np.square(observed - 100.0).sum() / 100.0 < 20.5  # chi-squared of 5 degrees of freedom, p = 0.001


def test_no_class_is_lost():
    x = np.arange(600.0)[:, None]
    labels = (np.arange(600) % 50 == 0).astype(np.int64) + 2 * (np.arange(600) == 3)
    counts = np.bincount(Sample.merged(x, labels, np.ones(600), "classification").y)
    assert counts[2] == 1  # the only row of its class
    assert counts[1] == 10  # of twelve, of which the share would be two
    assert counts.sum() == 60


def test_what_was_drawn_is_not_drawn_from_again():
    x = np.arange(600.0)[:, None]
    labels = (np.arange(600) % 50 == 0).astype(np.int64)  # the ten of one class are more than its share
    once = Sample.merged(x, labels, np.ones(600), "classification")
    again = Sample.merged(once.x, once.y, once.weights, "classification")
    assert (len(once.x), once.drawn_from, again.drawn_from) == (60, 600, 0)


def test_zeros_of_either_sign_are_one_row_and_an_autoencoder_has_one_side():
    x = np.concatenate([np.zeros((50, 1)), -np.zeros((50, 1)), np.arange(1.0, 60.0)[:, None]])
    drawn = drawn_rows(x, None, np.ones(len(x)))
    assert (len(drawn.rows), drawn.weights[0], drawn.of) == (60, 100.0, 0)
    drawn = Sample.merged(y := table(200)[0], y, np.ones(200), "autoencoder")
    assert drawn.y is drawn.x


def test_an_entry_that_is_not_finite_is_named_whether_it_is_drawn_or_not():
    x, y = table(600)
    y[517, 1] = np.nan
    with pytest.raises(NonFiniteError, match="517"):
        Sample.merged(x, y, np.ones(600), "regression")
