"""The command line and the estimators give the same rows the same answer, to the last bit."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest

from finished_runs import two_numbers
from isthmus.cli.main import run
from isthmus.estimators import RankAutoencoder, RankClassifier, RankRegressor
from isthmus.runs import Run, load_run
from isthmus.selection.config import SHORT_SCHEDULE

FLAGS = ["--depth", "3", "--width", "8", "--steps", "80", "--rounds", "1", "--cv", "3"]
ALL_ROWS = ["--test", "0", "--seed", "0"]
PARAMETERS = {"depth": 3, "width": 8, "cv": 3, "schedule": replace(SHORT_SCHEDULE, steps=80, rounds=1)}
RIDGE = 0.02  # where it is not chosen
LABELS = np.array([0, 2, 5])  # 1, 3 and 4 do not occur


@dataclass(frozen=True)
class Case:
    """The same data for both doors, and new rows."""

    estimator: type
    x: object
    y: object = None
    weights: object = None
    flags: tuple = ()
    parameters: dict = field(default_factory=dict)

    def with_ridge(self):
        """The same with a given λ, which takes less time than choosing it."""
        flags, parameters = (*self.flags, "--ridge", str(RIDGE)), {**self.parameters, "ridge": RIDGE}
        return replace(self, flags=flags, parameters=parameters)


def arrays(task, rows, *, is_weighted=False):
    x, y = two_numbers(rows, seed=4)
    y = y if task is RankRegressor else LABELS[np.digitize(y[:, 0], [-0.5, 0.5])] if task is RankClassifier else None
    weights = np.random.default_rng(5).integers(0, 3, len(x)) / 2.0 if is_weighted else None
    return x, y, weights


def mixed_table(rows=60):
    """Numbers, dates and texts, and a target that depends on all of them."""
    x, y = two_numbers(rows, seed=6)
    rng = np.random.default_rng(7)
    colours, days = rng.choice(["blue", "green", "red"], rows), rng.integers(0, 900, rows)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 2], "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, "D")})
    frame["colour"] = colours
    return frame.assign(out=y[:, 0] + (colours == "red"), other=y[:, 1] + days / 300.0)


def by_hand(frame):
    """The inputs as a user of the estimators would encode them."""
    plain = frame[["a", "b", "when", "colour"]].copy()
    plain["when"] = (plain["when"] - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    return pd.get_dummies(plain, columns=["colour"], prefix_sep="=").astype(float).to_numpy()


def case_of(name):
    if name == "table":
        frame = mixed_table()
        return Case(RankRegressor, by_hand(frame), frame[["out", "other"]].to_numpy(), flags=("--target", "out,other"))
    kind, _, rest = name.partition(", ")
    task = {"regression": RankRegressor, "classification": RankClassifier, "autoencoder": RankAutoencoder}[kind]
    # From 100 rows on λ is chosen by one fold, which takes a third of the time.
    x, y, weights = arrays(task, 105 if name in CHOSEN[:2] else 60, is_weighted=rest == "weighted")
    case = Case(task, x, y, weights, ("--task", "classification") if task is RankClassifier else ())
    if rest == "scaled together":
        flags, parameters = ("--standardize", "global", "--tolerance", "0.2"), {"standardize": "global"}
        return replace(case, flags=flags, parameters={**parameters, "tolerance": 0.2})
    return case


CHOSEN = ["regression", "classification", "autoencoder"]
GIVEN = ["regression, weighted", "regression, scaled together", "classification, weighted", "autoencoder, weighted"]


@pytest.fixture(scope="module", params=[*CHOSEN, *GIVEN, "table"])
def doors(request, tmp_path_factory):
    """The run and the estimator of a case."""
    case, folder = case_of(request.param), tmp_path_factory.mktemp("doors")
    case = case if request.param in CHOSEN else case.with_ridge()
    if request.param == "table":
        file = folder / "t.csv"
        mixed_table().to_csv(file, index=False)
    else:
        file = folder / "t.npz"
        held = {"y": case.y, "sample_weight": case.weights}
        np.savez(file, x=case.x, **{name: array for name, array in held.items() if array is not None})
    assert run(["fit", str(file), *FLAGS, *ALL_ROWS, *case.flags, "--out", str(folder / "r")]) == 0
    estimator = case.estimator(**PARAMETERS, **case.parameters, random_state=0)
    estimator.fit(case.x, *([] if case.y is None else [case.y]), sample_weight=case.weights)
    return load_run(folder / "r"), estimator, case


def new_rows(case):
    return case.x[:20] + 0.125


def same(a, b):
    """Equal to the last bit."""
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    assert a.tobytes() == b.tobytes()
    return True


def test_the_answer_is_the_same(doors):
    found, estimator, _ = doors
    record = found.record
    assert record.rank == estimator.rank_
    assert (record.rank_lower, record.rank_upper) == estimator.rank_interval_
    p = estimator.rank_probabilities_
    assert record.rank_probabilities == (None if p is None else {str(k): each for k, each in p.items()})
    assert record.evidence.errors == estimator.error_curve_.tolist()
    verdict = estimator.selection_.verdict
    assert (record.verdict.level, record.verdict.sentence) == (verdict.level, verdict.sentence)
    assert record.detection_limit == estimator.selection_.detection_limit
    assert record.constant == estimator.selection_.constant.tolist()
    assert record.hyperparameters.ridge == estimator.selection_.hyperparameters.ridge
    assert record.jacobian.points <= len(estimator.selection_.network.objective.sample()[0])


def test_predictions_are_the_same(doors):
    found, estimator, case = doors
    predicted = found.predict(new_rows(case))
    if case.estimator is RankClassifier:
        assert predicted.tolist() == [str(label) for label in estimator.predict(new_rows(case))]
        assert same(found.predict_proba(new_rows(case)), estimator.predict_proba(new_rows(case)))
        assert found.record.data.output_names == [str(label) for label in LABELS]
    elif case.estimator is RankAutoencoder:
        assert same(predicted, estimator.inverse_transform(estimator.transform(new_rows(case))))
    else:
        assert same(predicted, estimator.predict(new_rows(case)))


def test_encodings_are_the_same(doors):
    found, estimator, case = doors
    z = estimator.transform(new_rows(case))
    assert same(found.encode(new_rows(case)), z)
    assert same(found.decode(z), estimator.decode(z))
    assert found.latent_names == tuple(estimator.get_feature_names_out())


def test_coordinates_depend_on_the_same_inputs(doors):
    found, estimator, _ = doors
    if estimator.rank_ == 0:
        assert found.record.attribution is None
        return
    rounded = [[float(f"{v:.5g}") for v in row] for row in estimator.attribution_.effects.tolist()]
    assert found.record.attribution.effects == rounded


def test_the_cases_are_worth_comparing(doors):
    found, _, case = doors
    assert isinstance(found, Run)
    assert found.record.rank > 0
    assert (found.record.options["cv"], found.record.options["depth"]) == (3, 3)
    is_chosen = "--ridge" not in case.flags and case.estimator is not RankAutoencoder  # whose ladder has one rung
    assert is_chosen == (len(found.record.hyperparameters.trials) > 1)
    assert found.record.data.is_weighted == (case.weights is not None)
    if case.estimator is RankClassifier:
        assert found.record.rank_probabilities is not None
    if case.weights is not None:
        assert 0.0 in case.weights
        assert found.record.evidence.rows == int((case.weights > 0).sum())
    if found.record.data.source.endswith("t.csv"):
        assert found.record.data.input_names == ["a", "b", "when [days]", "colour=blue", "colour=green", "colour=red"]
        assert same(found.predict(mixed_table()), found.predict(case.x))
