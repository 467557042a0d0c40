"""One procedure from rows to the rank: known ranks, laws that hold bit for bit, and what an interruption leaves."""

from dataclasses import asdict, replace

import joblib
import numpy as np
import pytest
import torch

from isthmus.data.sample import Sample
from isthmus.errors import OptionError, ShapeError
from isthmus.selection import SelectionConfig, select_rank, select_rank_of
from isthmus.selection.fold_networks import FoldNetworks
from isthmus.selection.folds import folds_of
from isthmus.selection.procedure import seed_from
from selection.quick import QUICK, SCHEDULE, assert_same, corners, curve, selected


@pytest.fixture(scope="module")
def of_a_curve():
    x, y = curve()
    return selected(x, y), x, y


@pytest.fixture(scope="module")
def of_corners():
    x, y = corners()
    return selected(x, y, task="classification"), x, y


# Ranks that are known


def test_a_curve_is_one_number(of_a_curve):
    found, x, y = of_a_curve
    assert found.rank == 1
    assert found.lower <= 1 <= found.upper
    assert found.probabilities[1] > 0.9
    assert sum(found.probabilities) == pytest.approx(1.0, abs=1e-12)
    z = found.encode(torch.tensor(x))
    assert z.shape == (60, 1)
    np.testing.assert_array_equal(found.predict(torch.tensor(x)), found.decode(z))
    assert float((found.predict(torch.tensor(x)) - torch.tensor(y)).square().mean()) < 0.05
    assert found.evidence.rows == 60
    assert found.evidence.folds == 3
    assert [len(each) for each in asdict(found.evidence).values() if isinstance(each, tuple)] == [3] * 13
    assert found.not_done == ()


def test_two_numbers_of_four_are_two():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((150, 4))
    a, b = (x @ np.linalg.qr(rng.standard_normal((4, 2)))[0]).T
    y = np.c_[np.abs(a), a, np.abs(b), b, np.maximum(a, b)] + 0.01 * rng.standard_normal((150, 5))
    found = selected(x, y, cv=2)
    assert found.rank == 2
    assert found.interval == (2, 2)
    # finite differences: the function changes along two directions only
    step = 1e-6 * torch.eye(4, dtype=torch.float64)
    slopes = (found.predict(torch.tensor(x[:1]) + step) - found.predict(torch.tensor(x[:1]) - step)) / 2e-6
    sizes = torch.linalg.svdvals(slopes)
    assert float(sizes[2]) < 1e-6 * float(sizes[0])


def test_a_line_is_one_number_and_a_linear_map_enough():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 3))
    y = x @ rng.standard_normal((3, 1)) @ rng.standard_normal((1, 3)) + 0.3 * rng.standard_normal((80, 3))
    found = selected(x, y)
    assert found.rank == 1
    assert found.evidence.linear[0] > 5.0 > found.evidence.linear[1]
    assert not found.verdict.comparisons[1].is_worse


def test_of_noise_nothing_is_learned():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 3))
    for y, task in ((rng.standard_normal((80, 2)), "regression"), (np.arange(80) % 3, "classification")):
        found = selected(x, y, task=task)
        assert found.rank == 0
        assert found.factorization is None
        assert found.encode(torch.tensor(x)).shape == (80, 0)
        rows = found.predict(torch.tensor(x))
        assert bool((rows == rows[0]).all())
        expected = y.mean(0) if task == "regression" else np.bincount(y) / 80
        np.testing.assert_allclose(rows[0], expected, rtol=1e-6)


def test_noise_that_the_chosen_network_seems_to_predict_is_noise():
    rng = np.random.default_rng(
        [103, 40, 4, 4, 7]
    )  # 2.3 standard errors of independent rows: before, rank 1, 0.98 sure
    x, y = rng.standard_normal((40, 4)), rng.standard_normal((40, 4))
    found = selected(x, y, config=SelectionConfig(), cv=None, random_state=103)
    assert found.evidence.errors[0] - found.evidence.errors[1] > 2.0 * found.evidence.standard_errors[0]
    assert found.rank == 0
    assert found.probabilities[0] > 0.5


def test_three_classes_at_corners_need_both_numbers(of_corners):
    found, x, y = of_corners
    assert found.rank == 2
    np.testing.assert_array_equal(found.predict(torch.tensor(x)).argmax(1), y)
    np.testing.assert_allclose(found.predict(torch.tensor(x)).sum(1), 1.0)


# k is at most what inputs and outputs can need


@pytest.mark.parametrize(
    ("inputs", "outputs", "task", "most"),
    [
        (4, 1, "regression", 1),
        (1, 4, "regression", 1),
        (2, 4, "regression", 2),
        (4, 2, "classification", 1),
        (1, 4, "classification", 1),
        (4, 3, "classification", 2),
        (2, 0, "autoencoder", 2),
    ],
)
def test_no_more_numbers_are_looked_at_than_there_are_inputs_or_outputs(inputs, outputs, task, most):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, inputs))
    y = rng.standard_normal((50, outputs)) if task == "regression" else np.arange(50) % max(outputs, 1)
    found = selected(x, y, task=task, cv=2)
    assert found.upper <= most
    assert len(found.evidence.weighed) <= most + 1
    assert found.probabilities is None or len(found.probabilities) <= most + 1


# A weight is a number of repetitions, and the order of the rows is nothing: bit for bit


@pytest.mark.parametrize("task", ["regression", "classification", "autoencoder"])
def test_a_row_of_weight_two_is_there_twice_and_one_of_weight_zero_is_not(task):
    x, y = corners() if task == "classification" else curve()
    counts = np.random.default_rng(0).integers(0, 4, 60)
    order = np.random.default_rng(1).permutation(60)
    of = {"task": task, "cv": 2}
    weighted = selected(x[order], y[order], sample_weight=counts[order], **of)
    assert_same(weighted, selected(x.repeat(counts, 0), y.repeat(counts, 0), **of), x)
    assert weighted.evidence.rows == np.count_nonzero(counts)
    assert asdict(weighted.evidence) != asdict(selected(x[counts > 0], y[counts > 0], **of).evidence)  # they do count


def test_the_order_of_the_rows_and_what_holds_them_do_not_matter(of_a_curve):
    found, x, y = of_a_curve
    order = np.random.default_rng(2).permutation(60)
    frozen = x[order], y[order]
    for array in frozen:
        array.flags.writeable = False
    assert_same(selected(*frozen, sample_weight=np.full(60, 2.5)), found, x)
    assert_same(selected(torch.tensor(x), y.tolist()), found, x)


def test_one_output_may_be_a_vector(of_a_curve):
    _, x, y = of_a_curve
    assert_same(selected(x, y[:, 0], cv=2), selected(x, y[:, :1], cv=2), x)


def test_an_autoencoder_needs_no_y(of_a_curve):
    _, x, _ = of_a_curve
    assert_same(selected(x, task="autoencoder", cv=2), selected(x, x, task="autoencoder", cv=2), x)


# Randomness is an argument


def test_a_random_state_is_a_number_or_a_state_or_none(of_a_curve):
    found, x, y = of_a_curve
    assert_same(selected(x, y, random_state=np.random.RandomState(0)), found, x)
    assert seed_from(0) == seed_from(np.int64(0)) == seed_from(np.random.RandomState(0)) != seed_from(1)
    going_on = np.random.RandomState(0)
    assert seed_from(going_on) == seed_from(0) != seed_from(going_on)
    assert len({seed_from(None) for _ in range(4)}) == 4
    assert all(0 <= seed_from(None) < 2**31 for _ in range(9))
    for bad in ("a", -1, 0.5):
        with pytest.raises(OptionError, match=r"random_state is .* but must be a whole number from 0 to"):
            selected(x, y, random_state=bad)


def test_another_seed_draws_other_folds(of_a_curve):
    found, x, y = of_a_curve
    assert asdict(selected(x, y, random_state=1).evidence) != asdict(found.evidence)


# Fewer folds are the same rule with less evidence


def test_fewer_folds_are_the_first_ones(of_a_curve):
    found, x, y = of_a_curve
    assert_same(selected(x, y, config=replace(QUICK, max_folds=3)), found, x)
    one = selected(x, y, config=replace(QUICK, max_folds=1))
    assert (one.evidence.folds, one.evidence.rows, one.not_done) == (1, 20, ())
    with pytest.raises(OptionError, match="max_folds is 0 but must be at least 1"):
        replace(QUICK, max_folds=0)
    # its rows are a third of those of the whole evidence: the losses of all three average to it
    sample = Sample.merged(x, y, np.ones(60), "regression")
    of_each = []
    parts = folds_of(sample, 3, seed_from(0))
    for first in range(3):
        order = np.empty(60, np.int64)
        for at, fold in enumerate([first, (first + 1) % 3, (first + 2) % 3]):
            order[parts[fold][1]] = at
        config = replace(QUICK, max_folds=1)
        of_each.append(select_rank_of(sample, config, cv=order, seed=seed_from(0)).evidence.errors)
    np.testing.assert_allclose(np.mean(of_each, 0), found.evidence.errors, rtol=1e-9)


# Of what nothing can be learned


def test_what_does_not_vary_is_rank_0():
    x, y = curve(20)
    weights = np.arange(20.0)
    same = selected(x, np.full((20, 2), 3.0))
    assert (same.rank, same.interval, same.probabilities, same.verdict.level) == (0, (0, 0), (1.0,), "rely")
    assert (same.network, same.factorization, same.hyperparameters, same.n_evaluations) == (None, None, None, 0)
    np.testing.assert_array_equal(same.predict(torch.tensor(x)), np.full((20, 2), 3.0))
    blind = selected(np.ones((20, 2)), y, sample_weight=weights)
    np.testing.assert_allclose(blind.predict(torch.ones(1, 2))[0], np.average(y, axis=0, weights=weights), rtol=1e-12)
    assert blind.evidence.errors == (pytest.approx(2.0, rel=1e-12),)  # two outputs of variance 1
    one = selected(x, np.zeros(20), task="classification")
    np.testing.assert_array_equal(one.predict(torch.tensor(x)), np.ones((20, 1)))
    with pytest.raises(ShapeError, match="z has 1 columns but the rank is 0"):
        same.decode(torch.zeros(3, 1))


def test_what_varies_in_one_part_alone_is_no_reason_to_rely_on_rank_0():
    x, _ = curve(20)
    found = selected(x, np.arange(20) == 7)
    assert found.rank == 0
    assert (found.verdict.level, found.verdict.sentence) == (
        "caution",
        "All that varies was held out at once: too few rows differ.",
    )
    np.testing.assert_allclose(found.predict(torch.tensor(x)), np.full((20, 1), 0.05), rtol=1e-12)


# Folds side by side


LADDER = SelectionConfig(width=8, schedule=SCHEDULE)


@pytest.mark.parametrize(
    ("backend", "task", "config"),
    [("loky", "regression", LADDER), ("loky", "classification", QUICK), ("threading", "autoencoder", LADDER)],
)
def test_any_number_of_workers_gives_the_same_numbers(backend, task, config):
    x, y = corners(120) if task == "classification" else curve(120)
    y = None if task == "autoencoder" else y
    alone = selected(x, y, task=task, config=config)
    with joblib.parallel_config(backend=backend):
        assert_same(selected(x, y, task=task, config=config, n_jobs=2), alone, x)


def test_what_has_descended_ahead_is_what_the_folds_go_on_from(monkeypatch):
    """Of 120 rows and two outputs the depth is known beforehand: nobody descends twice."""
    descended = []
    descend = FoldNetworks.descend

    def noted(networks, fold, depth, report):
        is_new = (fold, depth) not in networks._descents
        found = descend(networks, fold, depth, report)
        descended.extend([(fold, depth)] * is_new)
        return found

    monkeypatch.setattr(FoldNetworks, "descend", noted)
    with joblib.parallel_config(backend="threading"):
        selected(*curve(120), config=LADDER, n_jobs=2)
    assert sorted(descended, key=str) == [(0, 6), (1, 6), (2, 6), (None, 6)]


@pytest.mark.parametrize("n_jobs", [0, 1.5, True, "two"])
def test_no_number_of_workers_is_refused(n_jobs):
    with pytest.raises(OptionError, match="n_jobs"):
        selected(*curve(), n_jobs=n_jobs)


# Whether the weights of the evidence hold


def test_where_nothing_is_given_the_evidence_was_weighed_there():
    x, y = curve()
    found = selected(x, y, config=SelectionConfig(width=8, schedule=SCHEDULE), cv=2)
    assert found.is_calibrated
    assert found.probabilities == found.evidence.weighed
    assert len(found.hyperparameters.trials) >= 2
    assert "Of 60 held-out rows" not in found.hyperparameters.reason
    assert " 60 held-out rows " in found.hyperparameters.reason


@pytest.mark.parametrize("change", [{"depth": 13}, {"ridge": 1.0}, {"ridge": 1e-3}, {"tolerance": 0.2}])
def test_elsewhere_the_rank_has_no_probability(change):
    x, y = curve()
    found = selected(x, y, config=replace(QUICK, **change), cv=2)
    assert not found.is_calibrated
    assert found.probabilities is None
    assert sum(found.evidence.weighed) == pytest.approx(1.0, abs=1e-12)
    assert found.verdict.accuracy == ""
    assert found.is_undecided
    if found.verdict.level == "caution":
        assert "cannot be said" in found.verdict.sentence


def two_noisy_lines():
    """Two linear numbers of equal strength under as much noise."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((100, 4))
    return x, np.stack([x[:, 0] + rng.standard_normal(100), x[:, 1] + rng.standard_normal(100)], 1)


def test_numbers_that_a_strong_ridge_costs_more_than_a_constant_are_still_seen():
    """The network has stopped on its way to a constant, whose objective is lower, and predicts with both numbers."""
    found = select_rank(*two_noisy_lines(), config=SelectionConfig(max_folds=2))
    assert found.evidence.objectives[-1] > 1.0
    assert found.evidence.errors[2] < 0.9 * found.evidence.errors[1]
    assert found.rank == 2


def test_networks_that_are_constants_give_no_probabilities():
    x, y = two_noisy_lines()
    found = select_rank(x, y, config=SelectionConfig(depth=6, ridge=2.0, max_folds=2))
    assert found.evidence.whole_error == pytest.approx(found.evidence.errors[0], rel=1e-3)
    assert (found.probabilities, found.verdict.level) == (None, "do not rely")
    assert found.index is not None
    assert found.index.rank == 2  # what is not known about the rank says nothing of it
