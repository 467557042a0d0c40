"""Callables of many inputs, differenced along random lines: against float64 autograd, planted ranks, and noise."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import jacrev, vmap

from isthmus import Tolerance, measure
from isthmus.errors import EvaluationBudgetError
from isthmus.foundation.rows import Rows
from isthmus.spectra.black_box import black_box
from isthmus.spectra.difference_sketch import FEWEST_LINES, _chi, _least, _reach
from isthmus.spectra.measure_options import MeasureOptions

RAW = {"scale_inputs": "none", "scale_outputs": "none"}


def planted(k, d, m, seed, sizes=None):
    """h(g(x)) with g to R^k and outputs in m dimensions, its derivative hidden: rank k everywhere."""
    rng = np.random.default_rng(seed)
    down, up = (np.linalg.qr(rng.standard_normal((size, k)))[0] for size in (d, m))
    sizes = np.logspace(0, -rng.uniform(0, 1), k) if sizes is None else np.array(sizes)

    def call(x):
        z = x @ down
        return (z + 0.5 * np.sin(z)) * sizes @ up.T

    return call, rng.standard_normal((12, d))


def network(seed, d, m, act):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(d, 30), act(), nn.Linear(30, 30), act(), nn.Linear(30, m)).double()


@pytest.mark.parametrize("act", [nn.Tanh, nn.ReLU, nn.GELU])
@pytest.mark.parametrize("m", [3, 40])
def test_the_intervals_hold_the_singular_values_of_autograd(act, m):
    net, x = network(m, 250, m, act), np.random.default_rng(m).standard_normal((30, 250))
    found = black_box(
        lambda rows: net(torch.from_numpy(rows)).detach().numpy(), Rows(x), MeasureOptions(leading=6, **RAW)
    )
    right = torch.linalg.svdvals(vmap(jacrev(net))(torch.from_numpy(x))).detach()
    ends = found.spectra.intervals()
    low, high = ends.singular_values, ends.upper
    assert found.lines == 96 < 250
    assert low.shape == right.shape
    # each inequality fails once in ten thousand, and the lines differ from row to row
    assert int((low > right).sum() + (right > high).sum()) <= 1
    assert float((high[:, 0] / low[:, 0]).median()) < 3.0


@pytest.mark.parametrize("seed", range(12))
def test_planted_ranks_are_found_along_far_fewer_lines_than_inputs(seed):
    k, (d, m) = 1 + seed % 6, ((600, 8), (900, 300))[seed % 2]
    call, x = planted(k, d, m, seed)
    profile = measure(call, x, points=5, evaluations=6000, tolerance=Tolerance(1e-3), seed=seed)
    assert profile.jacobian_rank.lower == k
    assert profile.jacobian_rank.upper == m  # a least rank, whatever the lines tell
    assert profile.curve.plateau_rank == k  # known from both sides: the next direction is noise
    assert "random lines of a row, fewer than its" in profile.notes[1]
    assert "lower ends from random lines" in profile.jacobian_rank.evidence[0]


def test_five_thousand_inputs_within_a_budget():
    asked = []
    call, x = planted(4, 5000, 50, seed=1)

    def counted(rows):
        asked.append(len(rows))
        return call(rows)

    profile = measure(counted, x, evaluations=12_000, tolerance=Tolerance(1e-3))
    assert sum(asked) <= 12_000 < 4 * 5000
    assert f"{sum(asked)} evaluations" in profile.notes[0]
    assert len(profile.points) >= 10
    assert (profile.jacobian_rank.lower, profile.bottleneck_rank.upper) == (4, 4)


def test_what_noise_hides_along_random_lines_is_not_seen():
    rng = np.random.default_rng(3)
    call, x = planted(3, 400, 5, seed=3, sizes=[1.0, 0.7, 1e-6])
    noisy = measure(lambda rows: call(rows) + 1e-4 * rng.standard_normal((len(rows), 5)), x, leading=3, **RAW)
    assert noisy.jacobian_rank.lower == 2
    assert float(noisy.jacobian.singular_values[:, 2:].max()) == 0.0
    assert any(
        "below what the noise lets see" in note
        for note in measure(
            lambda rows: call(rows) + 1e-4 * rng.standard_normal((len(rows), 5)),
            x,
            leading=3,
            tolerance=Tolerance(1e-6),
            **RAW,
        ).notes
    )
    assert measure(call, x, leading=3, tolerance=Tolerance(1e-8), **RAW).jacobian_rank.lower == 3


def test_a_budget_for_too_few_lines_is_refused_and_bent_rows_leave_enough_for_the_others():
    call, x = planted(2, 300, 4, seed=5)
    with pytest.raises(EvaluationBudgetError, match="evaluations are allowed"):
        measure(call, x, evaluations=400)
    down = np.linalg.qr(np.random.default_rng(0).standard_normal((300, 4)))[0]
    x = np.random.default_rng(1).standard_normal((10, 300))
    x += (1e-6 - x @ down) @ down.T  # a kink within reach of every row but those that the step is taken from
    x[[0, 3, 6, 9]] += 3.0 * down.sum(1)
    folded = measure(lambda rows: np.abs(rows @ down), x, evaluations=5000, **RAW)
    assert len(folded.points) == 10


def test_rows_of_few_inputs_are_differenced_in_every_input_whatever_leading_says():
    call, x = planted(2, FEWEST_LINES, 4, seed=6)
    assert black_box(call, Rows(x), MeasureOptions(leading=1)).lines == 0


def test_more_values_than_lines_are_told_to_be_leading_ones():
    x = np.random.default_rng(0).standard_normal((12, 80))
    found = measure(np.tanh, x, leading=2, **RAW)
    assert found.jacobian.is_leading
    assert found.jacobian.singular_values.shape[1] == FEWEST_LINES < 80
    assert found.curve.plateau is None


@pytest.mark.parametrize(("rows", "lines"), [(1, 32), (5, 60), (40, 128)])
def test_the_constants_are_those_of_normal_matrices(rows, lines):
    """What 2,000 normal matrices do: an end that one in ten thousand breaks is broken by none or one of them."""
    draws = torch.randn(2000, rows, lines, generator=torch.Generator().manual_seed(rows), dtype=torch.float64)
    values = torch.linalg.svdvals(draws)
    assert int((values[:, 0] > _reach(lines, rows, rows)[0]).sum()) <= 1
    first = draws[:, :1].norm(dim=2)[:, 0]
    assert int((first < _least(lines, 1)[0]).sum()) <= 2
    assert int((values[:, -1] < _least(lines, rows)[-1]).sum()) <= 2


def test_the_quantile_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    for degrees in (32, 128, 512):
        assert _chi(degrees) == pytest.approx(math.sqrt(stats.chi2.ppf(1e-4, degrees)), rel=1e-9)
