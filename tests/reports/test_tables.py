"""The tables of a page: what a tile says is named in the unit it is in."""

import pytest

from isthmus.reports.tables import facts
from reports.records import fit_record


@pytest.mark.parametrize(
    ("task", "names"),
    [("regression", ("held-out error", "test error")), ("classification", ("held-out −log p", "test misclassified"))],
)
def test_the_two_errors_are_named_by_what_they_measure(task, names):
    shown = facts(fit_record(2, task=task))
    assert [f"<dt>{name}</dt>" in shown for name in names] == [True, True]
