r"""Rank axioms 1–4 (Jacot 2023) for the Jacobian rank, and for the bracket of the bottleneck rank.

On a box Ω, with the maximum over the interiors of linear regions:

1. Rank_J(f; Ω) is a nonnegative integer;
2. Rank_J(f ∘ g; Ω) ≤ min(Rank_J(f; Ω′), Rank_J(g; Ω)) for every Ω′ with g(Ω) in its interior. Not for Ω′ = g(Ω): that
   may lie inside a kink of f, where f has no Jacobian although f ∘ g has;
3. Rank_J(f + g; Ω) ≤ Rank_J(f; Ω) + Rank_J(g; Ω);
4. Rank_J(x ↦ Ax + b; Ω) = rank A.

Over the catalogue the right-hand sides are the proved ranks, so that only the left-hand side is computed.
"""

from itertools import combinations_with_replacement, product

import pytest
import torch

from cases import random_layers
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import (
    ABSOLUTE,
    IDENTITY,
    RELU,
    Activation,
    FullyConnected,
    add,
    affine,
    before_affine,
    compose,
    direct_product,
    rewritten,
    scaled,
    stack,
)
from isthmus.networks.catalogue import catalogue
from isthmus.regions import enumerate_regions
from isthmus.spectra import bottleneck_rank, jacobians

EXACT = Tolerance(1e-9)  # ranks of functions with short weights: only rounding separates 0 from not 0
POINTS = 4096


def points_in(box, n=POINTS):
    lower, upper = box
    draws = torch.rand(n, len(lower), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return lower + (upper - lower) * draws


def jacobian_rank_over(network, box):
    """Rank_J(f; Ω): in the plane over all regions, else at many interior points of Ω, which bounds it from below."""
    if network.d_in == 2:
        return enumerate_regions(network, tuple(side.numpy() for side in box)).jacobian_rank(tolerance=EXACT).upper
    values = torch.linalg.svdvals(jacobians(network, points_in(box)))
    floor = EXACT.relative * values[:, :1]
    return int(((values > floor) & (values > 0)).sum(1).max())


def image_box(network, box):
    """A box with f(Ω) in its interior, by interval arithmetic, layer by layer."""
    lower, upper = box
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        centre, radius = w @ ((lower + upper) / 2) + b, w.abs() @ ((upper - lower) / 2)
        lower, upper = centre - radius, centre + radius
        if layer < network.depth:
            ends = torch.stack([network.activation(lower), network.activation(upper)])
            crosses = (lower < 0) & (upper > 0)
            lower, upper = torch.where(crosses, ends.amin(0).clamp(max=0), ends.amin(0)), ends.amax(0)
    return (16 * lower).floor() / 16 - 1 / 16, (16 * upper).ceil() / 16 + 1 / 16


def into(box, inner):
    """An affine bijection that takes the box `inner` into `box`.

    Its entries are dyadic: where f ∘ g is constant, rounded weights would leave a Jacobian of pure rounding noise,
    whose singular values, relative to each other, show a rank.
    """
    scale = 2 ** ((box[1] - box[0]) / (inner[1] - inner[0])).log2().floor()
    return affine(torch.diag(scale), (box[0] + box[1]) / 2 - scale * (inner[0] + inner[1]) / 2)


ENTRIES = catalogue(0)
BY_NAME = {e.name: e for e in ENTRIES}


def as_relu(entry):
    return rewritten(entry.network, RELU)


def sample(pairs, n):
    """`n` of the pairs, spread evenly: the law is the same for all, the time is not."""
    return pairs[:: max(1, len(pairs) // n)]


def names(pairs):
    return [pytest.param(f, g, id=f"{f.name}; {g.name}") for f, g in pairs]


CHAINS = names(sample([(f, g) for f, g in product(ENTRIES, ENTRIES) if f.network.d_in == g.network.d_out], 120))
SHARED = [
    (f, g)
    for f, g in combinations_with_replacement(ENTRIES, 2)
    if f.network.d_in == g.network.d_in and torch.equal(torch.stack(f.box), torch.stack(g.box))
]
SUMS = names(sample([(f, g) for f, g in SHARED if f.network.d_out == g.network.d_out], 100))
STACKS = names(sample(SHARED, 60))
PRODUCTS = names(sample(list(combinations_with_replacement(ENTRIES, 2)), 40))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_axiom_1_and_the_proved_value(entry):
    rank = jacobian_rank_over(entry.network, entry.box)
    assert rank == entry.jacobian_rank
    assert 0 <= rank <= min(entry.network.widths)


@pytest.mark.parametrize(("f", "g"), CHAINS)
def test_axiom_2_over_the_catalogue(f, g):
    """g(Ω) is moved into the interior of the domain of f by an affine bijection, which changes no rank of g."""
    fitted = into(f.box, image_box(g.network, g.box))
    both = compose(as_relu(f), compose(fitted, as_relu(g)))
    assert jacobian_rank_over(both, g.box) <= min(f.jacobian_rank, g.jacobian_rank)
    bracket = bottleneck_rank(both, points_in(g.box, 400), tolerance=EXACT)
    assert bracket.lower <= min(f.bottleneck_rank, g.bottleneck_rank)


@pytest.mark.parametrize(("f", "g"), SUMS)
def test_axiom_3_over_the_catalogue(f, g):
    both = add(as_relu(f), as_relu(g))
    assert jacobian_rank_over(both, f.box) <= f.jacobian_rank + g.jacobian_rank
    bracket = bottleneck_rank(both, points_in(f.box, 400), tolerance=EXACT)
    assert bracket.lower <= f.bottleneck_rank + g.bottleneck_rank


@pytest.mark.parametrize(("f", "g"), STACKS)
def test_a_pair_has_at_least_the_larger_rank_and_at_most_the_sum(f, g):
    rank = jacobian_rank_over(stack(as_relu(f), as_relu(g)), f.box)
    assert max(f.jacobian_rank, g.jacobian_rank) <= rank <= f.jacobian_rank + g.jacobian_rank


@pytest.mark.parametrize(("f", "g"), PRODUCTS)
def test_ranks_of_direct_products_add(f, g):
    box = tuple(torch.cat(corners) for corners in zip(f.box, g.box, strict=True))
    assert jacobian_rank_over(direct_product(as_relu(f), as_relu(g)), box) == f.jacobian_rank + g.jacobian_rank


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_f_plus_minus_f_has_rank_0_though_the_sum_of_ranks_is_larger(entry):
    """Cancellation leaves no slope at all where the weights are short."""
    nothing = add(entry.network, scaled(entry.network, -1.0))
    assert jacobian_rank_over(nothing, entry.box) == 0


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
@pytest.mark.parametrize("sigma", [RELU, ABSOLUTE, IDENTITY, Activation(0.1)], ids=lambda a: a.name)
def test_axiom_4_for_random_matrices(sigma, rank):
    g = torch.Generator().manual_seed(rank)
    left, right = (torch.randint(-3, 4, size, generator=g).double() for size in ((4, rank), (rank, 3)))
    matrix = left @ right
    expected = int(torch.linalg.matrix_rank(matrix))
    network = affine(matrix, torch.ones(4).double(), sigma)
    box = (torch.full((3,), -2.0).double(), torch.ones(3).double())
    assert jacobian_rank_over(network, box) == expected
    bracket = bottleneck_rank(network, points_in(box, 400), tolerance=EXACT)
    assert (bracket.lower, bracket.upper) == (expected, expected)


SIGMAS = [RELU, ABSOLUTE, Activation(0.1)]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("sigma", SIGMAS, ids=lambda a: a.name)
def test_axioms_2_and_3_over_random_networks_with_narrow_layers(sigma, seed):
    """Narrow layers make the bounds bite: widths 1 to 3 inside."""
    narrow = 1 + seed % 3
    f, g, h = (
        random_layers((3, 5, width, 5, 3), sigma, 10 * seed + i) for i, width in enumerate((narrow, 2, 1 + seed % 2))
    )
    box = (torch.full((3,), -1.0).double(), torch.ones(3).double())
    wide = image_box(g, box)
    rank_f, rank_g, rank_h = jacobian_rank_over(f, wide), jacobian_rank_over(g, box), jacobian_rank_over(h, box)
    assert jacobian_rank_over(compose(f, g), box) <= min(rank_f, rank_g)
    assert jacobian_rank_over(add(g, h), box) <= rank_g + rank_h
    assert rank_f <= narrow


@pytest.mark.parametrize("name", ["tripod", "fold of the square", "random R^2 → R^1 → R^2", "two saw-teeth"])
def test_bijections_around_f_change_no_rank(name):
    """Both inequalities of axiom 2 with an inverse on either side."""
    entry = BY_NAME[name]
    turn = affine(torch.tensor([[1.0, 2.0], [-1.0, 1.0]], dtype=torch.float64), torch.tensor([0.25, -1.0]).double())
    around = compose(rewritten(random_bijection(), RELU), compose(turn, as_relu(entry)))
    assert jacobian_rank_over(around, entry.box) == entry.jacobian_rank
    sheared = before_affine(around, torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64))
    mirrored = (torch.stack([entry.box[0][0], -entry.box[1][1]]), torch.stack([entry.box[1][0], -entry.box[0][1]]))
    assert jacobian_rank_over(sheared, mirrored) == entry.jacobian_rank


def random_bijection():
    weights = [torch.tensor(w, dtype=torch.float64) for w in ([[1.0, 0.5], [0.0, 1.0]], [[1.0, 0.0], [-0.75, 1.0]])]
    biases = [torch.tensor(b, dtype=torch.float64) for b in ([0.25, -0.25], [0.0, 0.5])]
    return FullyConnected(tuple(weights), tuple(biases), Activation(0.5))
