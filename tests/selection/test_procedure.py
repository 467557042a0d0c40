"""The one procedure: answers that are known, what does not matter to them, and what is left after Ctrl-C."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus import SelectionConfig, select_rank
from isthmus.data import Sample
from isthmus.errors import OptionError, ShapeError
from isthmus.selection import seed_from
from isthmus.selection.cache import SelectionCache
from isthmus.selection.procedure import select_rank_of
from isthmus.training import Schedule

QUICK = SelectionConfig(depth=6, ridge=0.02, width=20, schedule=Schedule(steps=120, rounds=1, evaluations=40))


def two_numbers(n=150):
    rng = np.random.default_rng(100)
    x = rng.standard_normal((n, 5))
    z = x @ rng.standard_normal((5, 2)) / math.sqrt(5.0)
    return x, np.stack([z[:, 0], np.abs(z[:, 1]), z[:, 0] + z[:, 1], np.abs(z[:, 0]) - z[:, 1]], 1)


def selected(x, y, **options):
    return select_rank(x, y, **{"config": QUICK, "cv": 3, **options})


@pytest.fixture(scope="module")
def found():
    return selected(*two_numbers())


def test_a_function_of_two_numbers_has_rank_two(found):
    x, y = two_numbers()
    assert (found.rank, found.interval) == (2, (2, 2))
    assert not found.is_undecided
    assert sum(found.probabilities) == pytest.approx(1.0)
    z = found.encode(torch.from_numpy(x))
    assert z.shape == (150, 2)
    predicted = found.predict(torch.from_numpy(x))
    torch.testing.assert_close(found.decode(z), predicted)
    assert float((predicted - torch.from_numpy(y)).square().sum()) < 0.1 * float(((y - y.mean(0)) ** 2).sum())
    assert (found.hyperparameters.depth, found.hyperparameters.ridge, found.hyperparameters.trials) == (6, 0.02, ())
    assert (found.evidence.folds, found.evidence.rows) == (3, 150)
    assert found.verdict.level == "rely"


def is_same(one, other):
    pairs = zip(one.factorization.encoder.network.weights, other.factorization.encoder.network.weights, strict=True)
    return one.probabilities == other.probabilities and all(torch.equal(a, b) for a, b in pairs)


SHORT = replace(QUICK, schedule=Schedule(steps=40, rounds=0))


@pytest.fixture(scope="module")
def short():
    return selected(*two_numbers(60), config=SHORT)


def test_the_order_of_rows_and_rows_that_do_not_count_do_not_matter(short):
    x, y = two_numbers(60)
    order = np.random.default_rng(0).permutation(70)
    rows = np.concatenate([x, 7.0 * np.ones((10, 5))])[order], np.concatenate([y, np.zeros((10, 4))])[order]
    weights = np.concatenate([np.full(60, 2.5), np.zeros(10)])[order]
    assert is_same(selected(*rows, sample_weight=weights, config=SHORT), short)


def test_a_row_that_is_there_twice_is_a_row_of_weight_two():
    x, y = two_numbers(60)
    twice = np.concatenate([x, x[:20]]), np.concatenate([y, y[:20]])
    weights = np.concatenate([np.full(20, 2.0), np.ones(40)])
    assert is_same(selected(*twice, config=SHORT), selected(x, y, sample_weight=weights, config=SHORT))


def test_the_seed_matters(short):
    assert not is_same(selected(*two_numbers(60), config=SHORT, random_state=1), short)


def test_fewer_folds_are_the_same_rule_with_less_evidence(found):
    few = selected(*two_numbers(), config=replace(QUICK, max_folds=1))
    assert (few.rank, few.evidence.folds, few.evidence.rows) == (2, 1, 50)
    assert few.not_done == ()
    first = few.factorization.encoder.network.weights[0]
    assert torch.equal(first, found.factorization.encoder.network.weights[0])  # the network of all rows


def test_elsewhere_than_on_the_ladders_no_probabilities_are_given():
    with_other_depth = selected(*two_numbers(), config=replace(QUICK, depth=4, max_folds=1))
    assert with_other_depth.probabilities is None
    assert with_other_depth.is_undecided
    assert with_other_depth.verdict.level != "rely"


def test_noise_has_rank_zero():
    rng = np.random.default_rng(101)
    x, y = rng.standard_normal((120, 4)), rng.standard_normal((120, 3))
    noise = selected(x, y, config=replace(QUICK, ridge=0.3))
    assert (noise.rank, noise.factorization) == (0, None)
    assert noise.encode(torch.from_numpy(x)).shape == (120, 0)
    np.testing.assert_allclose(noise.predict(torch.from_numpy(x))[0], y.mean(0), rtol=1e-5)
    with pytest.raises(ShapeError, match="the rank is 0: there is nothing to decode"):
        noise.decode(torch.zeros(3, 1))


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_what_does_not_vary_has_rank_zero(task):
    x, weights = two_numbers(20)[0], np.arange(20.0)
    y = np.full((20, 2), 3.0) if task == "regression" else np.zeros(20, np.int64)
    nothing = select_rank(x, y, task=task, sample_weight=weights)
    assert (nothing.rank, nothing.interval, nothing.probabilities) == (0, (0, 0), (1.0,))
    assert (nothing.network, nothing.hyperparameters, nothing.evidence.folds) == (None, None, 0)
    assert nothing.predict(torch.zeros(1, 5)).tolist() == ([[3.0, 3.0]] if task == "regression" else [[1.0]])


def test_parts_have_limits():
    x, y = two_numbers(20)
    for cv in (1, 11):
        with pytest.raises(OptionError, match=f"cv is {cv}"):
            select_rank(x, y, cv=cv)


def test_a_random_state_is_scikit_learns():
    assert seed_from(3) == seed_from(3) != seed_from(4)
    state = np.random.RandomState(3)
    assert seed_from(state) == seed_from(3)
    assert seed_from(state) != seed_from(3)  # it has moved on
    assert seed_from(None) != seed_from(None)


def sample():
    x, y = two_numbers(60)
    return Sample.merged(x, y, np.ones(60), "regression")


def interrupted_at(fraction):
    def report(done, state):
        if done >= fraction:
            raise KeyboardInterrupt

    return report


@pytest.mark.parametrize(
    ("at", "missing"), [(0.6, "2 of 3 folds"), (0.9, "the network of all rows, whose place that of the first fold")]
)
def test_after_ctrl_c_it_goes_on_to_the_same_answer(tmp_path, short, at, missing):
    cache = SelectionCache(tmp_path / "kept", key="a")
    part = select_rank_of(sample(), SHORT, cv=3, seed=seed_from(0), cache=cache, report=interrupted_at(at))
    assert len(part.not_done) == 1
    assert missing in part.not_done[0]
    assert part.verdict.level != "rely"
    again = select_rank_of(sample(), SHORT, cv=3, seed=seed_from(0), cache=SelectionCache(tmp_path / "kept", key="a"))
    assert again.not_done == ()
    assert is_same(again, short)


def test_before_anything_is_known_ctrl_c_is_ctrl_c():
    with pytest.raises(KeyboardInterrupt):
        select_rank_of(sample(), SHORT, cv=3, seed=0, report=interrupted_at(0.0))
