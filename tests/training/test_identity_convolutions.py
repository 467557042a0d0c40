"""Identity convolutions: what they keep, what they cost (a matrix of all translates written out), refusals."""

import numpy as np
import pytest
import torch
from torch import nn

from isthmus.errors import MixedFrequenciesError, NotRepresentableError, OptionError, ShapeError
from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra import convolutional_bottleneck
from isthmus.training import convolutional_autoencoder, insert_identity_convolutions


def few_waves(side, rows=6):
    """Images of a constant and one wave, so that a layer can have few pairs."""
    at = torch.arange(side, dtype=torch.float64) * 2 * torch.pi / side
    sizes = torch.rand(rows, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (2.0 + sizes * torch.cos(at))[:, None, :, None].expand(rows, 1, side, side).contiguous()


def module(x, channels=3):
    """The first layer bends nothing, the second each channel in the middle of its values."""
    made = convolutional_autoencoder(depth=4, channels=channels, kernel=3, halvings=0).double()
    with torch.no_grad():
        made[0].bias.fill_(20.0)
        made[2].bias.copy_(-made[:3](x).mean((0, 2, 3)))
    return made


def new_layers(deeper, f):
    known = [part.weight for part in f if isinstance(part, nn.Conv2d)]
    convolutions = [part for part in deeper if isinstance(part, nn.Conv2d)]
    return [part for part in convolutions if not any(torch.equal(part.weight, each) for each in known)]


def dense(convolution, channels, side):
    """The matrix of a convolution, by what it makes of every unit image."""
    units = torch.eye(channels * side * side, dtype=torch.float64).view(-1, channels, side, side)
    with torch.no_grad():
        return convolution(units).flatten(1).T.numpy()


def translates(signal):
    """All translates of all rows, `(rows · side², channels · side²)`."""
    side = signal.shape[-1]
    shifted = [signal.roll((u, v), (2, 3)) for u in range(side) for v in range(side)]
    return torch.cat(shifted).flatten(1).detach().numpy()


@pytest.mark.parametrize("side", [3, 4, 5])
def test_f_is_kept_at_the_cost_of_the_signals_dimension(side):
    x = few_waves(side)
    f = module(x)
    deeper = insert_identity_convolutions(f, x, 7)
    for rows in (x, x.roll((1, 2), (2, 3))):
        torch.testing.assert_close(deeper(rows), f(rows), rtol=1e-9, atol=1e-9)
    ranks = [np.linalg.matrix_rank(translates(f[: 2 * layer](x)), rtol=1e-6) for layer in (1, 2, 3)]
    assert ranks[0] == 3 <= min(ranks[1:])
    assert side == 3 or min(ranks[1:]) > 3
    assert len(convolutional_bottleneck(deeper, x).layers) == 7
    new = new_layers(deeper, f)
    assert len(new) == 3
    for layer in new:
        matrix = dense(layer, 3, side)
        assert layer.bias is None or not layer.bias.any()
        np.testing.assert_allclose(matrix @ matrix, matrix, atol=1e-9)
        assert (matrix**2).sum() == pytest.approx(3.0)


def test_a_larger_tolerance_passes_less():
    x = torch.rand(6, 1, 3, 3, generator=torch.Generator().manual_seed(1)).double()
    f = module(x)
    costs = [
        convolutional_bottleneck(insert_identity_convolutions(f, x, 5, tolerance=Tolerance(each)), x).layers
        for each in (1e-6, 0.3)
    ]
    all_pairs, few = (min(layer.matrix_norm for layer in layers) for layers in costs)
    assert few < all_pairs


def test_the_given_module_is_left_alone_and_may_share_its_relu():
    x, relu = few_waves(3), nn.ReLU()
    f = module(x)
    shared = nn.Sequential(nn.Sequential(f[0], relu, f[2], relu), f[4], relu, f[6])
    before = [p.clone() for p in f.parameters()]
    deeper = insert_identity_convolutions(shared, x.numpy(), 6)
    torch.testing.assert_close(deeper(x), f(x), rtol=1e-9, atol=1e-9)
    with torch.no_grad():
        deeper[0].weight.zero_()
    assert all(torch.equal(a, b) for a, b in zip(before, f.parameters(), strict=True))
    assert len(insert_identity_convolutions(shared, x, 4)) == 7


def test_what_cannot_be_grown_is_refused():
    x = few_waves(4)
    with pytest.raises(OptionError, match="depth is 3 but must be at least the 4 convolutions"):
        insert_identity_convolutions(module(x), x, 3)
    with pytest.raises(ShapeError, match=r"expected images \(n, 1, height, width\)"):
        insert_identity_convolutions(module(x), x[0], 5)
    with pytest.raises(NotRepresentableError, match="no ReLU is there"):
        insert_identity_convolutions(nn.Sequential(module(x)[0]), x, 2)
    padded = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 1, 1))
    with pytest.raises(MixedFrequenciesError, match="circular"):
        insert_identity_convolutions(padded, x.float(), 3)
