"""Networks whose narrow layer follows the bends of what they answer."""

import numpy as np
import pytest
import torch

from isthmus import fit
from isthmus.factorization import split_at, standardized
from isthmus.selection import isomap_start as isomap_starts
from isthmus.selection import restrict_to_ranks, restriction
from isthmus.selection.isomap_start import isomap_start
from isthmus.training import Schedule, TrainingConfig

SCHEDULE = Schedule(steps=200, rounds=1, evaluations=60)


def hairpin(n, seed):
    """Rows `(n, 8)` and points `(n, 4)` on a curve that turns back on itself, of one number."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(-1.0, 1.0, n)
    nuisance = 0.3 * rng.standard_normal((n, 2)) @ rng.standard_normal((2, 8))
    x = np.exp(rng.uniform(-1.5, 1.5, 8) * t[:, None] + nuisance)
    turned = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    return x, np.stack([2.0 * np.sqrt(t**2 + 0.01), 0.4 * t, 0.0 * t, np.square(t)], 1) @ turned


@pytest.fixture(scope="module")
def fitted():
    return fit(*hairpin(300, 101), config=TrainingConfig(depth=6, width=40, ridge=0.005, schedule=SCHEDULE), seed=0)


@torch.no_grad()
def test_it_has_one_number_and_nearly_the_same_answers(fitted):
    x, _ = fitted.objective.sample()
    start = isomap_start(fitted.network, x, 1, ridge=1e-3)
    assert start.network.depth == 6
    assert start.layer == 2
    assert np.linalg.matrix_rank(start.network.weights[start.layer].numpy(), tol=1e-4) == 1
    before, after = fitted.network(x), start.network(x)
    assert float((after - before).square().sum() / (before - before.mean(0)).square().sum()) < 0.1


def test_restricting_opens_what_truncation_leaves_folded(fitted, monkeypatch):
    opened = restrict_to_ranks(fitted.network, fitted.objective, most=2)
    monkeypatch.setattr(restriction, "MOST_UNFOLDED", 0)
    folded = restrict_to_ranks(fitted.network, fitted.objective, most=2)
    assert folded[0].value > 3.0 * fitted.value
    assert opened[0].value < 0.5 * folded[0].value
    assert opened[1].value == folded[1].value


def test_a_surface_is_not_swept_by_one_number(monkeypatch):
    rng = np.random.default_rng(103)
    z = rng.uniform(-1.0, 1.0, (150, 2))
    y = np.stack([np.abs(z[:, 0]), z[:, 1], z[:, 0] * z[:, 1]], 1)
    fitted = fit(
        z @ rng.standard_normal((2, 4)),
        y,
        config=TrainingConfig(depth=4, width=30, ridge=0.003, schedule=SCHEDULE),
        seed=0,
    )
    x = fitted.objective.sample()[0]
    assert isomap_start(fitted.network, x, 1, ridge=1e-3) is None
    taken = restrict_to_ranks(fitted.network, fitted.objective, most=2)[0].value
    swept, refit = [], restriction.refit

    def watched(network, layer, rank, objective, *, evaluations, **options):
        found = refit(network, layer, rank, objective, evaluations=evaluations, **options)
        if evaluations == restriction._UNFOLDING:
            swept.append(objective.value(found))
        return found

    monkeypatch.setattr(restriction, "refit", watched)
    monkeypatch.setattr(isomap_starts, "_SHARE", 0.0)
    assert restrict_to_ranks(fitted.network, fitted.objective, most=2)[0].value == taken
    assert swept[0] < 0.95 * taken  # as low an objective as this is refused


def test_its_halves_compose_to_it(fitted):
    opened = restrict_to_ranks(fitted.network, fitted.objective, most=1)[0]
    rows = fitted.objective.sample()[0]
    halves = standardized(fitted, *split_at(opened.network, rows, opened.layer, 1), opened.layer, (0.0,))
    x = torch.from_numpy(hairpin(50, 101)[0])
    z = halves.encode(x)
    assert z.shape == (50, 1)
    expected = fitted.outputs.backward(opened.network(fitted.inputs.forward(x).float()).double())
    torch.testing.assert_close(halves.decode(z).double(), expected, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_where_there_is_nothing_to_unfold(fitted):
    x, _ = fitted.objective.sample()
    assert isomap_start(fitted.network, x[:40], 1, ridge=1e-3) is None
    assert isomap_start(fitted.network, x[:1].expand(100, -1), 1, ridge=1e-3) is None
    line = fit(*hairpin(100, 101), config=TrainingConfig(depth=1, ridge=0.01, schedule=SCHEDULE))
    assert isomap_start(line.network, line.objective.sample()[0], 1, ridge=1e-3) is None


@torch.no_grad()
@pytest.mark.parametrize(("depth", "layer"), [(2, 0), (3, 1), (4, 1), (5, 2)])
def test_of_every_depth(depth, layer, monkeypatch):
    monkeypatch.setattr(isomap_starts, "_SHARE", 0.0)
    found = fit(
        *hairpin(100, 102),
        config=TrainingConfig(depth=depth, width=20, ridge=0.01, schedule=Schedule(steps=50, rounds=0)),
    )
    start = isomap_start(found.network, found.objective.sample()[0], 2, ridge=1e-3)
    assert start.network.depth == depth
    assert start.layer == layer
    assert np.linalg.matrix_rank(start.network.weights[layer].numpy(), tol=1e-4) <= 2
