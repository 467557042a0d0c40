"""Which rows of a very long table are drawn."""

import numpy as np
import pytest

from isthmus.data import Sample
from isthmus.data.splitting import Parts
from isthmus.selection import SelectionConfig, long_table, select_rank
from isthmus.selection.long_table import drawn_rows
from selection.quick import SCHEDULE, curve


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(long_table, "MOST_ROWS", 60)


def sample(n, task="regression"):
    x = np.arange(float(n))[:, None]
    y = x if task == "regression" else (np.arange(n) % 50 == 0).astype(np.int64) + 2 * (np.arange(n) == 3)
    return Sample(x, y, np.arange(1.0, n + 1.0), task)


def test_up_to_the_limit_all_rows_are_taken():
    all_rows = sample(60)
    assert drawn_rows(all_rows, None, 0) == (all_rows, None, "")


def test_rows_keep_their_weights_order_and_parts():
    parts = np.arange(600) % 3
    found, cut, said = drawn_rows(sample(600), parts, 0)
    rows = found.x[:, 0].astype(int)
    assert len(set(rows.tolist())) == 60
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(found.weights, rows + 1.0)
    np.testing.assert_array_equal(cut, rows % 3)
    assert said == "Of 600 different rows 60 were drawn."
    forward = drawn_rows(sample(600), Parts(parts, is_forward=True), 0)[1]
    assert forward.is_forward
    np.testing.assert_array_equal(forward.of_row, rows % 3)
    assert drawn_rows(sample(600), 4, 0)[1] == 4
    assert drawn_rows(sample(600), None, 1)[0].x.tolist() != found.x.tolist()


def test_no_class_is_lost():
    found, _, said = drawn_rows(sample(600, "classification"), None, 0)
    counts = np.bincount(found.y)
    assert counts[2] == 1  # the only row of its class
    assert counts[1] == 10  # of twelve, of which the share would be two
    assert 55 <= counts[0] <= 60
    assert said == f"Of 600 different rows {len(found.x)} were drawn."


def test_the_answer_says_it():
    x, y = curve(200)
    found = select_rank(x, y, config=SelectionConfig(depth=3, ridge=0.01, width=8, schedule=SCHEDULE), cv=3)
    assert found.rank == 1
    assert found.evidence.rows == 60
    assert found.hyperparameters.reason.endswith("Of 200 different rows 60 were drawn.")
