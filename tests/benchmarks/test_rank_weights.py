import json

import numpy as np
import pytest

pytest.importorskip("scipy")


def recorded(benchmarks):
    return json.loads((benchmarks / "results" / "rank_weights.json").read_text())["figures"]


def test_the_weights_of_the_package_are_those_of_the_record(benchmarks):
    from _environment import PACKAGE, as_lines
    from rank_weights import in_the_package

    content = {"fitted_by": "benchmarks/rank_weights.py", **in_the_package(recorded(benchmarks)["rows"])}
    assert as_lines(content) + "\n" == (PACKAGE / "selection" / "weights.json").read_text()


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_weights_left_out_by_family_decide_as_in_the_record(benchmarks, task):
    from rank_weights import COLUMNS, left_out, tasks_of

    figures = recorded(benchmarks)
    found, before = left_out(tasks_of(figures["rows"], task), COLUMNS[task]), figures[task]["left_out"]
    for name in ("brier", "mean_probability_of_the_answer"):
        assert found.pop(name) == pytest.approx(before.pop(name), rel=1e-9)
    assert found == before


def test_outputs_are_of_the_procedure_that_keeps_residuals(benchmarks):
    from rank_weights import tasks_of

    assert all("residual_lines" in row for row in tasks_of(recorded(benchmarks)["rows"], "regression"))


def test_logistic_regression_has_no_slope_left(benchmarks):
    """At the weights the gradient of the ridged log likelihood vanishes, by finite differences of the objective."""
    from rank_weights import FEATURES, OWN, RIDGE, feature_table, logistic_regression

    rows = [row for row in recorded(benchmarks)["rows"] if row["family"] in ("relu", "smooth")]
    columns = [FEATURES.index(name) for name in OWN]
    weights = logistic_regression(rows, OWN)[columns]
    tables = [feature_table(row)[1 : min(len(row["errors"]) - 1, row["k"] + 2), columns] for row in rows]
    x = np.concatenate(tables)
    y = np.concatenate([np.arange(1, len(t) + 1) >= row["k"] for t, row in zip(tables, rows, strict=True)])
    scale = x[:, 1:].std(0)

    def loss(w):
        return np.logaddexp(0.0, np.where(y, -1.0, 1.0) * (x @ w)).sum() + RIDGE / 2 * np.square(w[1:] * scale).sum()

    steps = 1e-5 * np.eye(len(OWN))
    slopes = [(loss(weights + step) - loss(weights - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(slopes, 0.0, atol=1e-4)
