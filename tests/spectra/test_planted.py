"""Ranks of 200 constructed networks: planted rank, depth, width, bends below the tolerance, all known beforehand."""

import torch

from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import RELU, FullyConnected, from_torch, to_torch
from isthmus.spectra import (
    jacobian_rank,
    jacobian_spectra,
    jacobians,
    measure,
    rank_curve,
)


def orthonormal(n, k, generator):
    return torch.linalg.qr(torch.randn(n, max(k, 1), generator=generator, dtype=torch.float64)).Q[:, :k]


def planted(seed):
    """A ReLU network through k numbers whose Jacobian has k singular values within [0.3, 1] of the largest.

    Inputs are projected on k directions, shifted to the positive orthant (so that ReLU does nothing for |x| ≤ 3),
    handed through identity layers hidden in random rotations, and embedded with gains in [0.3, 1]. One more direction
    passes with gain `noise`, relative to the largest, below the default tolerance. The outputs are float32.
    """
    generator = torch.Generator().manual_seed(seed)
    draw = lambda low, high: int(torch.randint(low, high + 1, (1,), generator=generator))  # noqa: E731
    k, depth, d_in, d_out = draw(1, 8), draw(3, 14), draw(10, 40), draw(10, 40)
    width = draw(12, 50)
    noise = float(torch.tensor([0.0, 1e-3, 1e-2, 0.05])[draw(0, 3)])
    gains = torch.linspace(1.0, 0.3, k, dtype=torch.float64)
    inner = k + 1
    first = orthonormal(d_in, inner, generator).T
    weights = [torch.cat([first, torch.zeros(width - inner, d_in, dtype=torch.float64)])]
    biases = [torch.cat([torch.full((inner,), 12.0), -torch.ones(width - inner)]).double()]
    for _ in range(depth - 2):
        order = torch.randperm(width, generator=generator)
        carry = torch.eye(width, dtype=torch.float64)[order]
        weights[-1], biases[-1] = carry @ weights[-1], carry @ biases[-1]
        weights.append(carry.T.clone())
        biases.append(torch.zeros(width, dtype=torch.float64))
    last = orthonormal(d_out, inner, generator) * torch.cat([gains, torch.tensor([noise], dtype=torch.float64)])
    weights.append(torch.cat([last, torch.zeros(d_out, width - inner, dtype=torch.float64)], 1))
    biases.append(torch.randn(d_out, generator=generator, dtype=torch.float64))
    network = FullyConnected(tuple(w.float() for w in weights), tuple(b.float() for b in biases), RELU)
    x = torch.randn(30, d_in, generator=generator).clamp(-2.0, 2.0)
    return network, x, k, noise


RAW = {"scale_inputs": "none", "scale_outputs": "none"}  # the values were planted as they are


def test_200_planted_ranks_are_found_at_the_default_tolerance():
    fewer = []
    for seed in range(200):
        network, x, k, noise = planted(seed)
        if seed % 5 == 0:
            estimate = jacobian_rank(network, x, **RAW)
            assert estimate.evidence[0].startswith(f"the Jacobian has {k} singular value"), (seed, estimate)
            if estimate.lower < k:  # fewer numbers keep f within 0.1 on these few rows, and that is said
                fewer.append(seed)
                assert "a function within 0.1 of this one passes through" in estimate.evidence[0]
        spectra = jacobian_spectra(network, x)
        assert bool((spectra.ranks(Tolerance(0.1)) == k).all()), seed
        curve = rank_curve(spectra, Tolerance(0.1))
        assert curve.resampled == {k: 1.0}
        if noise:
            # k and k + 1 are both said: the next direction, and the rank at a tolerance below it.
            assert abs(curve.next_direction - noise) < 1e-6
            assert int(spectra.ranks(Tolerance(noise / 2)).max()) == k + 1
            assert curve.gap is not None
            assert abs(curve.gap - (0.3 if k > 1 else 1.0) / noise) < 0.01 * curve.gap
    assert len(fewer) <= 4


def test_20_of_them_as_modules_and_as_wholes():
    for seed in range(20):
        network, x, k, _ = planted(seed)
        profile = measure(to_torch(network), x, **RAW)
        assert profile.jacobian_rank.lower == k
        assert profile.bottleneck_rank.lower <= profile.bottleneck_rank.upper <= k + 1
        assert profile.cost_lower is not None
        assert profile.cost_lower <= profile.norm_per_depth
        assert from_torch(to_torch(network)).depth == network.depth


def test_every_singular_value_is_right_to_five_digits():
    for seed in range(30):
        network, x, _, _ = planted(seed)
        generator = torch.Generator().manual_seed(seed)
        weights = tuple(torch.randn(w.shape, generator=generator) * (2.0 / w.shape[1]) ** 0.5 for w in network.weights)
        random = FullyConnected(weights, network.biases, RELU)
        expected = torch.linalg.svdvals(jacobians(random.to(dtype=torch.float64), x.double()))
        found = jacobian_spectra(random, x).singular_values
        expected = expected[:, : found.shape[1]]
        counts = expected > 1e-9 * expected[:, :1]
        assert float(((found - expected).abs() / expected)[counts].max()) < 1e-5
        single = jacobian_spectra(random, x, dtype=torch.float32).singular_values
        assert float(((single - expected).abs() / expected[:, :1]).nan_to_num(0.0).max()) < 3e-6
