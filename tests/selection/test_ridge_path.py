"""The path over λ: ranks counted again by finite differences, and plateaus by hand."""

import math

import numpy as np
import pytest
import torch

from isthmus import fit
from isthmus.errors import OptionError
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE
from isthmus.networks import FullyConnected
from isthmus.selection import RankPath, RidgePoint, rank_path
from isthmus.training import Schedule, TrainingConfig

QUICK = Schedule(steps=120, rounds=1, evaluations=30)
SHORT = Schedule(steps=60, rounds=1, evaluations=30, learning_rate=3e-3, ridge_factor=1.0, relax_at=0.0)


@pytest.fixture(scope="module")
def fitted():
    """Two numbers of five, one of them worth a hundred times less: it goes first as λ rises."""
    rng = np.random.default_rng(100)
    x = rng.standard_normal((200, 5))
    y = np.stack([x[:, 0], x[:, 0], x[:, 0], 0.45 * np.abs(x[:, 1])], 1)
    return fit(x, y, config=TrainingConfig(depth=5, width=20, ridge=0.02, standardize="none", schedule=QUICK), seed=0)


def path_of(pairs):
    points = [RidgePoint(ridge, 1.0, 1.0, (1.0,) * rank, rank) for ridge, rank in pairs]
    return RankPath(tuple(points), DEFAULT_TOLERANCE, True)


def sizes_of(network: FullyConnected, x):
    """Root mean square singular values of central differences, relative to the first."""
    step, columns = 1e-5, []
    for j in range(x.shape[1]):
        move = torch.zeros(x.shape[1], dtype=torch.float64)
        move[j] = step
        columns.append((network(x + move) - network(x - move)) / (2.0 * step))
    values = np.linalg.svd(torch.stack(columns, 2).numpy(), compute_uv=False)
    sizes = np.sqrt((values**2).mean(0))
    return sizes / sizes[0]


def test_ranks_are_those_of_finite_differences_and_fall_in_steps(fitted, tmp_path):
    kept = tmp_path / "path.safetensors"
    path = rank_path(fitted, factors=(1, 8, 2, 64, 512), schedule=SHORT, checkpoint=kept, key="a")
    assert [p.ridge / fitted.ridge for p in path.points] == pytest.approx([1, 2, 8, 64, 512])
    from isthmus.training.stages import Stages

    stages = Stages(kept, key="a", device="cpu")
    x, y = (each.double() for each in fitted.objective.sample())
    constant = float((y - y.mean(0)).square().sum(1).mean())
    for point in path.points:
        network = stages.network(repr(point.ridge), lambda: pytest.fail("not kept")).to(dtype=torch.float64)
        error = float((network(x) - y).square().sum(1).mean())
        squares = sum(float(t.square().sum()) for t in (*network.weights, *network.biases))
        assert point.error == pytest.approx(error, rel=1e-4)
        assert point.value == pytest.approx(error + point.ridge / 5 * squares, rel=1e-4)
        expected = sizes_of(network, x) if point.value < constant else np.zeros(4)
        assert [*point.sizes, 0.0, 0.0, 0.0][:4] == pytest.approx(expected[:4].tolist(), abs=0.02)
        assert point.rank == int((expected > 0.1).sum())
    ranks = [point.rank for point in path.points]
    assert ranks[0] == 2
    assert ranks[-1] == 0
    assert 1 in ranks
    assert ranks == sorted(ranks, reverse=True)
    assert path.is_complete


def test_what_is_kept_is_not_done_again_and_ctrl_c_leaves_the_part_that_was_reached(fitted, tmp_path):
    kept, calls = tmp_path / "path.safetensors", []

    def interrupt(fraction, state):
        calls.append(fraction)
        if fraction > 0.6:
            raise KeyboardInterrupt

    part = rank_path(fitted, factors=(1, 2, 4), schedule=SHORT, checkpoint=kept, key="a", report=interrupt)
    assert (len(part.points), part.is_complete) == (1, False) or (len(part.points), part.is_complete) == (2, False)
    whole = rank_path(fitted, factors=(1, 2, 4), schedule=SHORT, checkpoint=kept, key="a")
    again = rank_path(fitted, factors=(1, 2, 4), schedule=SHORT)
    assert whole == again
    assert whole.points[: len(part.points)] == part.points

    def at_once(fraction, state):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rank_path(fitted, factors=(1,), schedule=SHORT, report=at_once)


@pytest.mark.parametrize(
    ("pairs", "plateau"),
    [
        ([(1, 3), (2, 2), (4, 2), (8, 2), (16, 1)], 2),
        ([(1, 3), (2, 3), (4, 0), (8, 0), (1024, 0)], 3),
        ([(1, 2), (4, 1)], 2),  # equal ranges: the weaker λ
        ([(1, 2), (2, 1), (4, 2), (32, 2)], 2),
        ([(1, 2), (2, 2), (4, 1), (8, 2), (16, 2), (32, 1), (1000, 1)], 1),
        ([(1, 4)], 4),
        ([(1, 0), (2, 0)], 0),
    ],
)
def test_the_plateau_is_the_longest_step(pairs, plateau):
    assert path_of(pairs).plateau == plateau


def test_what_is_no_multiple_is_refused(fitted):
    for factors in ((), (0.0, 1.0), (-1.0,), (math.inf,)):
        with pytest.raises(OptionError, match="one or more positive numbers"):
            rank_path(fitted, factors=factors)
    free = fit(
        fitted.objective.x,
        fitted.objective.y,
        config=TrainingConfig(depth=2, width=4, ridge=0.0, schedule=Schedule(steps=2, rounds=0)),
    )
    with pytest.raises(OptionError, match="above 0"):
        rank_path(free)
