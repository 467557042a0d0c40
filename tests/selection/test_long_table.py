"""A selection from a very long table says of how many rows it is."""

import numpy as np
import pytest

from isthmus.data import row_draw
from isthmus.errors import NonFiniteError
from isthmus.selection import SelectionConfig, rows, select_rank
from selection.quick import SCHEDULE, curve

CONFIG = SelectionConfig(depth=3, ridge=0.01, width=8, schedule=SCHEDULE)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(row_draw, "MOST_ROWS", 60)
    monkeypatch.setattr(rows, "MOST_ROWS", 60)


def test_the_answer_says_it():
    x, y = curve(200)
    found = select_rank(x, y, config=CONFIG, cv=3)
    assert found.rank == 1
    assert found.evidence.rows == 60
    assert found.hyperparameters.reason.endswith("Of 200 rows 60 different ones were drawn.")


def test_a_memory_map_stays_in_its_file_and_says_the_same(tmp_path):
    x, y = curve(200)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(rows.as_sample(mapped, y, "regression", None)[1], mapped)
    parts = np.arange(200) % 3
    splits = [(np.flatnonzero(parts != part), np.flatnonzero(parts == part)) for part in range(3)]
    ours, theirs = (select_rank(each, y, config=CONFIG, cv=splits) for each in (mapped, x))
    assert ours.evidence == theirs.evidence


def test_what_is_not_finite_is_refused_by_row():
    x, y = curve(200)
    x[150, 0] = np.inf
    with pytest.raises(NonFiniteError, match="150"):
        select_rank(x, y, config=CONFIG, cv=3)
