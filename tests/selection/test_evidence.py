"""The evidence that folds give, put together and weighed: tables whose answer is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus.foundation.tolerance import DEFAULT_TOLERANCE
from isthmus.selection.canonical_correlations import CanonicalCorrelations
from isthmus.selection.cross_validation import CrossValidation
from isthmus.selection.evidence import RankEvidence, weigh_evidence
from isthmus.selection.interval import rank_interval


def table(
    means,
    n=300,
    folds=3,
    noise=0.0,
    sensitivities=(1.0, 0.5, 0.0, 0.0),
    objectives=(1.0, 0.4, 0.1, 0.1),
    linear=(20.0, 8.0, 0.0, -1.0),
    correlations=(0.9, 0.7, 0.1, 0.05),
    residual_lines=(20.0, 9.0, 0.2, 0.0),
    agreement=1.0,
    seed=0,
):
    """Losses around the means of k = 0, 1, …, in equal folds, and the rest the same in each."""
    rng = np.random.default_rng(seed)
    losses = torch.from_numpy(np.array(means)[:, None] + noise * rng.standard_normal((len(means), n)))
    values, sizes = (torch.tensor([each] * folds, dtype=torch.float64) for each in (objectives, sensitivities))
    correlated = CanonicalCorrelations(*torch.tensor([correlations, linear], dtype=torch.float64))
    nothing = torch.zeros(0, n, dtype=torch.float64)
    return CrossValidation(
        rows=torch.arange(n),
        losses=losses,
        whole=losses[-1],
        objectives=values,
        sensitivities=sizes,
        redundancies=torch.zeros_like(sizes),
        linear=correlated,
        residual_lines=torch.tensor(residual_lines, dtype=torch.float64),
        shared_slopes=torch.zeros(len(means), dtype=torch.float64),
        scores=torch.zeros(len(means), 2, n, dtype=torch.float64),
        agreements=torch.full((len(means), 2, n), agreement, dtype=torch.float64),
        errors=losses,
        linear_errors=losses,
        full_errors=nothing,
    )


def weighed(cross, weights=None, task="regression"):
    weights = torch.ones(len(cross.rows)) if weights is None else weights
    return weigh_evidence(cross, weights, task, DEFAULT_TOLERANCE)


def answered(cross):
    """The rank and the interval."""
    chances, _ = weighed(cross)
    rank = int(chances.argmax())
    return rank, rank_interval(chances, rank, 0.0)


DOUBTFUL = {"sensitivities": (1.0, 0.5, 0.1, 0.0), "objectives": (1.0, 0.4, 0.115, 0.1)}


def test_clear_evidence_decides():
    clear = table([1.0, 0.4, 0.1, 0.1])
    chances, found = weighed(clear)
    assert answered(clear) == (2, (2, 2))
    assert float(chances[2]) > 0.97
    assert float(chances.sum()) == pytest.approx(1.0)
    assert found.errors == pytest.approx([1.0, 0.4, 0.1, 0.1])
    assert (found.folds, found.rows) == (3, 300)


def test_a_toss_between_two_is_called_undecided_or_even():
    doubtful = table([1.0, 0.4, 0.11, 0.1], **DOUBTFUL)
    assert 0.1 < float(weighed(doubtful)[0][2]) < 0.9
    _, (lower, upper) = answered(doubtful)
    assert lower <= 2
    assert upper == 3


def test_a_bend_speaks_for_fewer():
    free = table([1.0, 0.4, 0.11, 0.1], sensitivities=(1.0, 0.5, 0.2, 0.0), objectives=(1.0, 0.4, 0.115, 0.1))
    bent = replace(free, redundancies=torch.tensor([[0.0, 0.0, 0.9, 0.0]] * 3, dtype=torch.float64))
    (without, _), (chances, found) = weighed(free), weighed(bent)
    assert float(chances[2]) > float(without[2]) + 0.2
    assert found.redundancies == pytest.approx((0.0, 0.0, 0.9, 0.0))


def test_sensitivities_are_pooled_by_their_squares_and_redundancies_by_those():
    sensitivities = torch.tensor(
        [[1.0, 0.5, 0.3, 0.0], [1.0, 0.5, 0.4, 0.0], [1.0, 0.5, 0.0, 0.0]], dtype=torch.float64
    )
    redundancies = torch.tensor([[0.0, 0.0, 0.2, 0.7], [0.0, 0.0, 0.6, 0.7], [0.0, 0.0, 1.0, 0.7]], dtype=torch.float64)
    cross = replace(table([1.0, 0.4, 0.11, 0.1]), sensitivities=sensitivities, redundancies=redundancies)
    _, found = weighed(cross)
    assert found.sensitivities[2] == pytest.approx(math.sqrt(0.25 / 3.0))
    assert found.redundancies[2] == pytest.approx((0.09 * 0.2 + 0.16 * 0.6) / 0.25)
    assert found.redundancies[3] == 0.0  # no network has that coordinate


def test_classes_have_weights_of_their_own():
    cross = table([1.0, 0.4, 0.11, 0.1], **DOUBTFUL)
    assert not torch.equal(weighed(cross)[0], weighed(cross, task="classification")[0])


def test_a_constant_that_nothing_beats_is_rank_zero():
    assert answered(table([1.0, 1.01, 1.02, 1.03], noise=0.05, linear=(0.2, -1.0, -1.0, -1.0))) == (0, (0, 0))


def test_weights_count_rows_as_often_as_they_say():
    cross = table([1.0, 0.4, 0.12, 0.1], noise=0.3, n=90, seed=3)
    weights = torch.ones(90)
    weights[::2] = 3.0
    repeated = torch.cat([torch.arange(90), *[torch.arange(0, 90, 2)] * 2])
    _, found = weighed(cross, weights)
    assert found.errors == pytest.approx(cross.losses[:, repeated].mean(1).tolist())
    assert found.whole_error == pytest.approx(float(cross.whole[repeated].mean()))


def test_the_excess_is_over_the_best_k_and_its_standard_error_is_that_of_paired_rows():
    cross = table([1.0, 0.4, 0.1, 0.12], noise=0.3, n=90, seed=3)
    _, found = weighed(cross)
    best = int(np.argmin(found.errors))
    differences = (cross.losses - cross.losses[best]).numpy()
    assert found.standard_errors == pytest.approx(differences.std(1, ddof=1) / math.sqrt(90))


def test_rows_without_variation_leave_nothing_to_weigh():
    found = RankEvidence.without_variation(0.25, 7)
    assert (found.errors, found.whole_error, found.folds, found.rows) == ((0.25,), 0.25, 0, 7)
