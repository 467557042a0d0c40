"""Blocks of convolutions beside the matrices written out, known frequencies, Proposition 3 for CNNs, refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from isthmus.errors import DtypeError, MixedFrequenciesError, NonFiniteError, ShapeError
from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra import convolutional_bottleneck
from isthmus.spectra.convolution_blocks import circular_layers


def circular(inputs, outputs, size, stride=1, bias=True):
    padding = (size - 1) // 2
    mode = "circular" if size > 1 else "zeros"
    return nn.Conv2d(inputs, outputs, size, stride, padding, bias=bias, padding_mode=mode, dtype=torch.float64)


def seeded(make, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def written_out(module, shape):
    """The matrix of an affine module, by sending the basis through."""
    with torch.no_grad():
        count = int(np.prod(shape))
        zero = module(torch.zeros(1, *shape, dtype=torch.float64)).flatten()
        return (module(torch.eye(count, dtype=torch.float64).view(count, *shape)).flatten(1) - zero).T


@pytest.mark.parametrize(
    ("parts", "shape"),
    [
        ((circular, 2, 3, 3), (2, 4, 6)),
        ((circular, 2, 3, 5), (2, 5, 3)),  # a kernel that goes round the grid
        ((circular, 1, 4, 1), (1, 3, 3)),
        ((circular, 2, 3, 3, 2), (2, 6, 4)),
        ((circular, 2, 2, 3, 3), (2, 6, 3)),
        (("up", 2, 3, 3), (2, 3, 4)),
        (("up", 3, 2, 5), (3, 2, 3)),
    ],
)
def test_the_blocks_have_the_singular_values_of_the_matrix(parts, shape):
    kind, *sizes = parts
    if kind == "up":
        module = seeded(lambda: nn.Sequential(nn.Upsample(scale_factor=2), circular(*sizes)))
    else:
        module = seeded(lambda: nn.Sequential(circular(*sizes)))
    (layer,) = circular_layers(module)
    expected = torch.linalg.svdvals(written_out(module, shape)).sort(descending=True)[0]
    found = torch.linalg.svdvals(layer.blocks(shape[1:])).flatten().sort(descending=True)[0]
    assert len(found) == len(expected)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    measured = convolutional_bottleneck(module, torch.randn(3, *shape, dtype=torch.float64)).layers[0]
    assert measured.matrix_norm == pytest.approx(float(expected.square().sum()))
    positions = measured.grid[0] * measured.grid[1]
    if kind != "up" and sizes[2] <= min(shape[1:]):
        assert measured.matrix_norm == pytest.approx(positions * float(module[0].weight.detach().square().sum()))


def test_frequencies_that_are_put_in_come_out():
    """Two channels: a constant and a wave of degree 1 in one, a wave of degree 2 in the other."""
    generator = torch.Generator().manual_seed(0)
    u = torch.arange(6, dtype=torch.float64) * 2 * torch.pi / 6
    waves = {0: torch.ones(6, 6), 1: u.cos()[:, None].expand(6, 6), 2: (u[:, None] + u).sin()}
    noise = torch.randn(50, 3, generator=generator, dtype=torch.float64)
    first = noise[:, 0, None, None] * waves[0] + noise[:, 1, None, None] * waves[1]
    x = torch.stack([first, noise[:, 2, None, None] * waves[2]], 1)
    eye = circular(2, 2, 1, bias=False)
    with torch.no_grad():
        eye.weight.copy_(torch.eye(2)[:, :, None, None])
    found = convolutional_bottleneck(nn.Sequential(eye), x, tolerance=Tolerance(1e-6))
    assert found.by_degree == {0: 1, 1: 1, 2: 1}
    assert found.rank == 5  # waves that are not their own mirror image count at ω and −ω
    pairs = found.layers[0].pairs(Tolerance(1e-6))
    assert {(i, j) for i, j in pairs.nonzero().tolist()} == {(0, 0), (1, 0), (5, 0), (1, 1), (5, 5)}
    translates = torch.cat([x.roll((i, j), (2, 3)) for i in range(6) for j in range(6)])
    variance = float((translates - translates.mean(0)).square().sum() / len(translates))
    assert float(found.layers[0].signal_sizes.square().sum()) == pytest.approx(variance)
    assert (found.layers[0].weight_pairs() == 2).all()
    assert found.layers[0].weights_by_degree() == {0: 2, 1: 4, 2: 8, 3: 12, 4: 8, 5: 4, 6: 2}


def test_a_wave_that_all_rows_share_has_to_pass():
    """No equivariant map makes it of constants; a constant that all rows share is a bias."""
    generator = torch.Generator().manual_seed(0)
    wave = (torch.arange(5, dtype=torch.float64) * 2 * torch.pi / 5).cos()[:, None].expand(5, 5)
    x = 7.0 + wave + torch.randn(30, 1, 1, 1, generator=generator, dtype=torch.float64).expand(30, 1, 5, 5)
    keep = circular(1, 1, 1, bias=False)
    with torch.no_grad():
        keep.weight.fill_(1.0)
    assert convolutional_bottleneck(nn.Sequential(keep), x).by_degree == {0: 1, 1: 1}
    assert convolutional_bottleneck(nn.Sequential(keep), x.mean(0, keepdim=True)).by_degree == {1: 1}


def test_a_bottleneck_of_constant_channels_is_found():
    generator = torch.Generator().manual_seed(0)
    mean = circular(4, 3, 5)
    with torch.no_grad():
        mean.weight.copy_(torch.rand(3, 4, 1, 1, generator=generator).double().expand(3, 4, 5, 5) / 25)
    module = seeded(lambda: nn.Sequential(circular(1, 4, 3), nn.ReLU(), mean, nn.ReLU(), circular(3, 6, 3)))
    x = torch.randn(40, 1, 5, 5, generator=generator, dtype=torch.float64)
    found = convolutional_bottleneck(module, x, tolerance=Tolerance(1e-6))
    assert found.narrowest.layer == 2
    assert set(found.by_degree) == {0}
    assert found.rank == found.by_degree[0] == 3
    assert [layer.name for layer in found.layers] == ["Conv2d (0)", "Conv2d (2)", "Conv2d (4)"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.floats(0.3, 3.0))
def test_no_cnn_is_below_proposition_3(seed, is_sampled, scale):
    """Σ‖C_ℓ‖²/L ≥ Σ sᵢ(Jf)^{2/L}, with down- and up-sampling as well."""

    def make():
        if is_sampled:
            middle = (circular(3, 3, 3), nn.ReLU(), nn.Upsample(scale_factor=2))
            return nn.Sequential(circular(1, 3, 3, 2), nn.ReLU(), *middle, circular(3, 1, 3))
        return nn.Sequential(circular(1, 3, 3), nn.ReLU(), circular(3, 2, 3), nn.ReLU(), circular(2, 1, 3))

    module = seeded(make, seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(scale)
    x = torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found = convolutional_bottleneck(module, x)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda row: module(row[None]).flatten()))(x).reshape(5, 16, 16)
    s = torch.linalg.svdvals(jacobian.detach())
    assert float((s ** (2 / 3)).sum(1).max()) <= found.norm_per_depth * (1 + 1e-9)


def test_what_has_no_fourier_basis_is_refused():
    x = torch.randn(2, 1, 4, 4, dtype=torch.float64)
    zeros = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, dtype=torch.float64))
    with pytest.raises(
        MixedFrequenciesError, match=r"padding is not circular.*`measure` has ranks and bounds that hold"
    ):
        convolutional_bottleneck(zeros, x)
    for bad, what in (
        (nn.Sequential(circular(1, 2, 3), nn.Tanh()), "Tanh"),
        (nn.Sequential(circular(1, 2, 3), nn.Upsample(scale_factor=2)), "Sequential"),
        (nn.Sequential(nn.Conv2d(1, 2, 4, padding=2, padding_mode="circular")), "odd kernel"),
        (nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular", groups=2)), "groups"),
        (nn.Sequential(nn.ReLU(), circular(1, 2, 3)), "ReLU"),
        (nn.Sequential(nn.Conv2d(1, 2, 1, padding=1)), "not circular"),
    ):
        with pytest.raises(MixedFrequenciesError, match=what):
            convolutional_bottleneck(bad, x)
    with pytest.raises(ShapeError, match="expected images"):
        convolutional_bottleneck(nn.Sequential(circular(2, 2, 3)), x)
    with pytest.raises(ShapeError, match="stride 2 on a grid of 5"):
        convolutional_bottleneck(nn.Sequential(circular(1, 2, 3, 2)), torch.zeros(1, 1, 5, 4).double())
    with pytest.raises(ShapeError, match="round a grid of 2 × 2 more than once"):
        convolutional_bottleneck(nn.Sequential(circular(1, 2, 7)), x[:, :, :2, :2])
    with pytest.raises(NonFiniteError):
        convolutional_bottleneck(nn.Sequential(circular(1, 2, 3)), x * float("nan"))
    with pytest.raises(DtypeError):
        convolutional_bottleneck(nn.Sequential(circular(1, 2, 3)), np.array([["a"]]))


def test_images_come_as_arrays_too():
    module = seeded(lambda: nn.Sequential(circular(1, 2, 3)))
    x = torch.rand(5, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    of_tensors, of_arrays = (convolutional_bottleneck(module, rows).layers[0] for rows in (x, x.numpy()))
    assert torch.equal(of_tensors.signal_sizes, of_arrays.signal_sizes)


def test_nothing_passes_where_all_weights_are_zero():
    module = nn.Sequential(circular(1, 2, 3), nn.ReLU(), circular(2, 1, 3))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    found = convolutional_bottleneck(module, torch.rand(5, 1, 4, 4).double())
    assert (found.rank, found.by_degree, found.norm_per_depth) == (0, {}, 0.0)
