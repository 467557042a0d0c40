"""Networks that convolve: channels are folded where it is exact, and onnxruntime computes the same from the file."""

from itertools import product

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from isthmus import Tolerance, compress
from isthmus.compression import path
from isthmus.compression.graphs.convolution_runs import multiplied_convolutions
from isthmus.errors import IncompressibleModelError, ModelCallError
from isthmus.formats import load
from isthmus.formats.onnx_stretches import Stage, Window
from isthmus.networks import IDENTITY, from_torch
from isthmus.networks.chain import Layer
from oracles.rational_regions import rational_regions


@pytest.fixture(autouse=True)
def _short_training(monkeypatch):
    monkeypatch.setattr(path, "_FINAL", 100)
    monkeypatch.setattr(path, "_STEPS", 20)


def images(*shape, n=100, seed=0):
    """A tenth of them corners of the box [0, 1]."""
    found = torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))
    found[: n // 10] = found[: n // 10].round()
    return found


def network(*parts, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(*(part() if callable(part) and not isinstance(part, nn.Module) else part for part in parts))


def checked(model, found, shape, tmp_path, count=1000):
    """The largest change of an output on points of the box, by torch of the model and onnxruntime of the file."""
    file = found.save(tmp_path / "s.onnx")
    onnx.checker.check_model(onnx.load(file), full_check=True)
    x = images(*shape, n=count, seed=7)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (computed,) = session.run(None, {"input": x.numpy()})
    with torch.no_grad():
        wanted = model.eval()(x).numpy()
    sizes = np.abs(wanted).max(0)
    return float((np.abs(computed - wanted).max(0) / np.where(sizes > 0, sizes, 1.0)).max())


def kinds(found, layer="Conv2d (0)"):
    """What went of a layer: neurons by the kind of fold."""
    return {
        kind: tuple(
            sorted(n for fold in found.folds if fold.layers[0] == layer and fold.kind == kind for n in fold.neurons)
        )
        for kind in {fold.kind for fold in found.folds if fold.layers[0] == layer and fold.neurons}
    }


def planted(padding, pool=nn.MaxPool2d):
    """Channels that are never positive, unread, constant, proportional and a copy; what follows pads or does not."""
    model = network(
        nn.Conv2d(2, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        pool(2),
        nn.Conv2d(8, 5, 3, padding=padding),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(5 * (16 if padding else 4), 3),
    ).eval()
    with torch.no_grad():
        norm, first, second = model[1], model[0], model[4]
        norm.running_mean.uniform_(-0.2, 0.2)
        norm.running_var.uniform_(0.5, 2.0)
        norm.bias[0] = -9.0  # never positive
        first.weight[1], norm.bias[1] = 0.0, 2.0 + norm.running_mean[1]  # constant
        second.weight[:, 2] = 0.0  # unread
        for of, to, factor in ((3, 4, 1.0), (3, 5, 2.5)):
            for tensor in (first.weight, first.bias, norm.running_mean):
                tensor[to] = tensor[of]
            norm.running_var[to], norm.weight[to], norm.bias[to] = (
                norm.running_var[of],
                factor * norm.weight[of],
                factor * norm.bias[of],
            )
    return model


@pytest.mark.parametrize("box", [(0.0, 1.0), None])
@pytest.mark.parametrize("pool", [nn.MaxPool2d, nn.AvgPool2d])
@pytest.mark.parametrize("padding", [0, 1])
def test_channels_go_where_that_is_exact(padding, pool, box, tmp_path):
    model = planted(padding, pool)
    found = compress(model, images(2, 8, 8), box=box)
    gone = kinds(found)
    assert gone["always inactive"] == (0,)
    assert gone["proportional"] == (4, 5)
    assert gone["unread"] == (2,)
    # Beside a constant the second convolution reads zeros where it pads: no bias is the same at every place.
    assert gone.get("constant", ()) == ((1,) if padding == 0 else ())
    if box is not None:
        assert checked(model, found, (2, 8, 8), tmp_path) < 1e-5
    x = images(2, 8, 8)
    torch.testing.assert_close(found(x), model(x).detach(), rtol=1e-4, atol=1e-5)
    assert found.before.parameters == sum(
        t.numel() for t in (*model.parameters(), *model.buffers()) if t.is_floating_point()
    )
    assert 8 - sum(map(len, gone.values())) in found.after.widths[1:3]  # a constant in a kernel makes its rank lower


def test_a_constant_channel_stays_where_pooling_averages_it_with_zeros(tmp_path):
    model = planted(0)
    model[3] = nn.AvgPool2d(2, padding=1)
    model[7] = nn.Linear(5 * 9, 3)
    found = compress(model.eval(), images(2, 8, 8), box=(0.0, 1.0))
    assert "constant" not in kinds(found)
    assert checked(model, found, (2, 8, 8), tmp_path) < 1e-5


RUNS = {
    "a matrix at every place behind a kernel that pads": ((3, 6, 3, 1), (6, 2, 1, 0), True),
    "a kernel that pads behind a matrix with a bias": ((3, 6, 1, 0), (6, 2, 3, 1), False),
    "a kernel that does not behind a matrix with a bias": ((3, 6, 1, 0), (6, 2, 3, 0), True),
    "two kernels whose product is larger": ((3, 6, 3, 0), (6, 20, 3, 0), False),
}


@pytest.mark.parametrize("name", RUNS)
def test_convolutions_in_a_row_are_one_where_that_is_exact_and_smaller(name, tmp_path):
    one, two, is_one = RUNS[name]
    parts = [nn.Conv2d(a, b, k, padding=p) for a, b, k, p in (one, two)]
    model = network(*parts, nn.Flatten())
    found = compress(model, images(3, 7, 7), box=(0.0, 1.0))
    assert (found.after.depth == 1, "linear run" in {fold.kind for fold in found.folds}) == (is_one, is_one)
    assert checked(model, found, (3, 7, 7), tmp_path) < 1e-5


def test_zeros_around_an_image_pass_a_matrix_without_a_bias(tmp_path):
    model = network(nn.Conv2d(3, 6, 1, bias=False), nn.Conv2d(6, 2, 3, padding=1), nn.Flatten())
    found = compress(model, images(3, 7, 7), box=(0.0, 1.0))
    assert found.after.depth == 1
    assert checked(model, found, (3, 7, 7), tmp_path) < 1e-5


@pytest.mark.parametrize(
    ("one", "two"),
    list(
        product(
            [Window((3, 2), (1, 1), (1, 0)), Window((2, 3), (2, 1), (0, 2), (1, 2)), Window((1, 1))],
            [Window((1, 1)), Window((2, 3)), Window((3, 1), (2, 2), (0, 0), (2, 1))],
        )
    ),
)
def test_the_product_of_two_convolutions_is_what_torch_computes_one_after_the_other(one, two):
    draws = torch.Generator().manual_seed(0)

    def stage(window, d_in, d_out):
        numbers = (
            torch.randn(d_out, n, generator=draws, dtype=torch.float64)
            for n in (d_in * window.kernel[0] * window.kernel[1], 1)
        )
        weight, bias = numbers
        return Stage(Layer(weight, bias[:, 0], IDENTITY), window)

    first, second = stage(one, 3, 4), stage(two, 4, 5)
    (joint,) = multiplied_convolutions([first, second], is_worth=lambda before, after: True)
    x = torch.randn(2, 3, 11, 13, generator=draws, dtype=torch.float64)
    wanted = second.affine(
        first.affine(x, first.layer.weight, first.layer.bias), second.layer.weight, second.layer.bias
    )
    torch.testing.assert_close(joint.affine(x, joint.layer.weight, joint.layer.bias), wanted)


def test_always_active_convolutions_are_one_and_kernels_of_low_rank_two(tmp_path):
    model = network(
        nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 1), nn.ReLU(), nn.Conv2d(4, 12, 3), nn.Flatten()
    )
    with torch.no_grad():
        model[0].bias.fill_(5.0)
        model[4].weight.copy_(torch.einsum("or,rikl->oikl", torch.randn(12, 2), torch.randn(2, 4, 3, 3)))
    found = compress(model, images(1, 8, 8), box=(0.0, 1.0))
    assert kinds(found)["always active"] == tuple(range(6))
    assert (found.after.depth, found.after.widths[2:]) == (3, (2, 12))
    assert checked(model, found, (1, 8, 8), tmp_path) < 1e-5


@pytest.mark.parametrize("seed", range(4))
def test_signs_of_channels_hold_in_rational_arithmetic(seed):
    """Two pixels: every region of the network as a matrix, whose corners are where a channel is least and largest."""
    model = network(
        nn.Conv2d(1, 5, (1, 2), padding=(0, 1)),
        nn.ReLU(),
        nn.Conv2d(5, 4, (1, 2)),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8, 2),
        seed=seed,
    ).double()
    with torch.no_grad():
        model[0].bias.add_(torch.linspace(-1.0, 1.0, 5))
        model[2].bias.add_(torch.linspace(-2.0, 2.0, 4))
    found = compress(model, 2 * images(1, 1, 2).double() - 1, box=(-1.0, 1.0))
    cells = rational_regions(from_torch(model, (1, 1, 2)))
    signs = [list(zip(*(cell.signs[layer] for cell in cells), strict=True)) for layer in (0, 1)]
    claims = 0
    for fold in found.folds:
        if not fold.kind.startswith("always"):
            continue
        layer, places = (0, 3) if fold.layers[0].startswith("Conv2d (0)") else (1, 2)
        wanted = 1 if fold.kind == "always active" else -1
        for channel in fold.neurons:
            claims += 1
            for place in range(places):
                assert all(sign * wanted >= 0 for sign in signs[layer][channel * places + place])
    assert claims >= 2


def test_within_a_tolerance_a_network_that_convolves_has_fewer_channels_or_lower_rank(tmp_path):
    model = network(
        nn.Conv2d(1, 12, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 16, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 4),
    )
    sizes = []
    for tolerance in (0.4, 0.8):
        found = compress(model, images(1, 8, 8, n=400), box=(0.0, 1.0), tolerance=Tolerance(tolerance))
        fresh = images(1, 8, 8, n=2000, seed=5)
        wanted = model(fresh).detach()
        spread = wanted.std(0)
        error = float(((found(fresh) - wanted) / spread).norm() / ((wanted - wanted.mean(0)) / spread).norm())
        assert found.error == pytest.approx(error, rel=0.3)
        assert error < 1.3 * tolerance
        sizes.append(found.after.parameters)
    assert sizes[1] < sizes[0] < found.before.parameters
    file = found.save(tmp_path / "s.onnx")
    x = fresh[:50]
    (computed,) = onnxruntime.InferenceSession(str(file)).run(None, {"input": x.numpy()})
    np.testing.assert_allclose(computed, found(x).numpy(), rtol=1e-4, atol=1e-5)


def test_a_file_keeps_its_names_and_what_has_no_stage_is_copied(tmp_path):
    """Grouped convolutions and paddings that differ at both ends stay as they are."""
    model = network(
        nn.Conv2d(4, 8, 3, groups=2), nn.ReLU(), nn.Conv2d(8, 6, 3), nn.Sigmoid(), nn.Flatten(), nn.Linear(96, 2)
    )
    names = {"input": "picture", "output": "score", "opset": 14}
    found = compress(model, images(4, 8, 8), box=(0.0, 1.0), names=names)
    file = found.save(tmp_path / "a.onnx")
    again = compress(load(file), images(4, 8, 8), box=(0.0, 1.0))
    written = onnx.load(again.save(tmp_path / "b.onnx"))
    assert [written.graph.input[0].name, written.graph.output[0].name] == ["picture", "score"]
    assert written.opset_import[0].version == 14
    (grouped,) = (n for n in written.graph.node for a in n.attribute if a.name == "group" and a.i == 2)
    assert grouped.op_type == "Conv"
    x = images(4, 8, 8, seed=3)
    torch.testing.assert_close(again(x), model(x).detach(), rtol=1e-4, atol=1e-5)
    assert found.module(x).shape == (100, 2)


def test_what_is_no_part_of_a_graph_and_images_of_another_shape_are_refused():
    model = network(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2))
    for shape in ((4,), (2, 4, 4), (1, 5, 5)):
        with pytest.raises(ModelCallError, match=rf"rows of shape \({shape[0]},.*Pass rows of the shape"):
            compress(model, torch.rand(20, *shape))
    for part in (nn.Softmax(1), nn.AdaptiveAvgPool2d(2), nn.Conv2d(2, 2, 3, padding_mode="reflect", padding=1)):
        with pytest.raises(IncompressibleModelError, match=rf"{type(part).__name__} \(1\) cannot be compressed"):
            compress(network(nn.Conv2d(1, 2, 3), part), images(1, 6, 6))
    with pytest.raises(IncompressibleModelError, match=r"Linear \(1\).*last dimension of images"):
        compress(network(nn.Conv2d(1, 2, 3), nn.Linear(4, 2)), images(1, 6, 6))
