"""Attribution against closed forms and finite differences."""

import sys
from xml.etree import ElementTree

import pytest
import torch

from cases import random_layers, through
from isthmus import attribution, factor
from isthmus.errors import MemoryBudgetError, MissingExtraError, ShapeError
from isthmus.factorization import Attribution
from isthmus.networks import RELU, FullyConnected, StandardizedNetwork
from isthmus.networks.scaling import Affine


def data(d, n=300, seed=100):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_linear_map_of_uncorrelated_columns_shares_out_the_variance():
    x = torch.linalg.qr(data(4) - data(4).mean(0)).Q
    x = torch.linalg.qr(x - x.mean(0)).Q * 300**0.5 * torch.tensor([1.0, 10.0, 0.1, 3.0]) + 5.0
    w = torch.tensor([[3.0, 0.1, 0.0, -1.0]]).double()
    halves = factor(FullyConnected((w,), (torch.ones(1).double(),)), x, rank=1)
    a = attribution(halves, x).effects
    products = w[0].abs() * torch.tensor([1.0, 10.0, 0.1, 3.0])
    torch.testing.assert_close(a[0], products / products.norm(), rtol=1e-9, atol=1e-12)
    assert float(a.square().sum()) == pytest.approx(1.0, rel=1e-9)


def test_it_is_the_root_mean_square_of_finite_differences():
    network, x = through(2, seed=40, d=5), data(5, n=60) * torch.tensor([1.0, 2.0, 0.5, 1.0, 3.0])
    halves = factor(network, x, rank=2)
    step = 1e-6
    slopes = [(halves.encode(x + step * e) - halves.encode(x - step * e)) / (2 * step) for e in torch.eye(5).double()]
    squares = torch.stack([s.square().mean(0) for s in slopes], 1)
    expected = squares.sqrt() * torch.tensor([float(c.numpy().std()) for c in x.T])
    torch.testing.assert_close(attribution(halves, x).effects, expected, rtol=1e-5, atol=1e-7)


def test_chunks_and_units_change_nothing():
    network, x = through(3, seed=41), data(9)
    halves = factor(network, x, rank=3, scale_outputs="none")
    whole = attribution(halves, x)
    assert torch.equal(
        attribution(halves, x, memory=60_000).effects.round(decimals=10), whole.effects.round(decimals=10)
    )
    with pytest.raises(MemoryBudgetError, match="The Jacobian of one row"):
        attribution(halves, x, memory=1000)
    # the same function of data in other units
    raw = 1000.0 * x + 4.0
    units = Affine(torch.full((9,), 4.0), torch.full((9,), 1000.0))
    same = factor(StandardizedNetwork(network, units, Affine.identity(9)), raw, rank=3)
    torch.testing.assert_close(attribution(same, raw).effects, whole.effects, rtol=1e-9, atol=1e-9)


def test_an_input_that_is_not_read_or_does_not_vary_has_no_effect():
    network = random_layers((4, 12, 3), RELU, seed=42)
    first = network.weights[0].clone()
    first[:, 1] = 0.0
    x = data(4)
    x[:, 2] = 7.0
    halves = factor(FullyConnected((first, network.weights[1]), network.biases), x, rank=2)
    a = attribution(halves, x).effects
    assert float(a[:, [1, 2]].abs().max()) < 1e-12  # rounding of the mean of a column of sevens
    assert float(a[:, [0, 3]].min()) > 0.0


def test_the_table_has_the_names(monkeypatch):
    pytest.importorskip("pandas")
    halves = factor(through(2, seed=43, d=3), data(3), rank=2)
    found = attribution(halves, data(3), names=["a", "b", "c"])
    table = found.to_frame()
    assert list(table.index) == ["a", "b", "c"]
    assert list(table.columns) == ["z1", "z2"]
    assert table.loc["b", "z2"] == float(found.effects[1, 1])
    monkeypatch.setitem(sys.modules, "pandas", None)  # as if it were not installed
    with pytest.raises(MissingExtraError, match=r"A table of attributions needs pandas.*isthmus\[tables\]"):
        found.to_frame()


def test_wrong_columns_and_names_are_refused():
    halves = factor(through(2, seed=44, d=3), data(3), rank=2)
    with pytest.raises(ShapeError, match="x has 4 columns"):
        attribution(halves, data(4))
    with pytest.raises(ShapeError, match="2 names were given for 3 columns"):
        attribution(halves, data(3), names=["a", "b"])


def shown(k, d, names=None):
    effects = torch.rand(k, d, generator=torch.Generator().manual_seed(100), dtype=torch.float64)
    return Attribution(effects, tuple(names or (f"x{j}" for j in range(d))))


@pytest.mark.parametrize(("k", "is_map"), [(1, False), (3, False), (4, True)])
def test_it_draws_itself(k, is_map):
    found = shown(k, 7)
    figure = found.plot()
    assert len(figure.data) == (1 if is_map else k)
    cells = figure.data[0].marker.color if is_map else [bar.y for bar in figure.data]
    drawn = torch.tensor(cells).double().reshape(k, 7)
    order = found.effects.square().sum(0).argsort(descending=True)
    torch.testing.assert_close(drawn, found.effects[:, order])
    assert list(figure.layout.xaxis.ticktext) == [f"x{j}" for j in order.tolist()]
    title = figure.data[0].marker.colorbar.title if is_map else figure.layout.yaxis.title
    assert title.text == "effect of the input"


def test_a_long_name_is_cut_before_it_is_escaped():
    assert shown(1, 1, ["&" * 30]).plot().layout.xaxis.ticktext == ("&amp;" * 21 + "…",)


def test_a_notebook_shows_it_without_a_script():
    found = shown(2, 40, ["<b>mass</b>", *(f"x{j}" for j in range(39))])
    tree = ElementTree.fromstring(found._repr_html_())
    rows = [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]
    assert rows[0] == ["input", "z1", "z2"]
    order = found.effects.square().sum(0).argsort(descending=True)[:30].tolist()
    expected = [[found.input_names[j], *(f"{a:.3g}" for a in found.effects[:, j].tolist())] for j in order]
    assert rows[1:] == expected
    assert "The 30 of 40 inputs" in tree.find("p").text
    # the longest bar fills its cell, and bars are proportional to the numbers
    filled = [
        float(c.get("style").split("% ")[0].split(" ")[-1].split("%")[0])
        for c in tree.iter("td")
        if "gradient" in c.get("style")
    ]
    numbers = [float(cell) for row in rows[1:] for cell in row[1:]]
    assert max(filled) == pytest.approx(100 * max(numbers) / float(found.effects.max()), abs=0.2)
    for bar, number in zip(filled, numbers, strict=True):
        assert bar == pytest.approx(100 * number / float(found.effects.max()), abs=0.6)


def test_nothing_that_matters_is_shown_too():
    nothing = Attribution(torch.zeros(1, 2).double(), ("a", "b"))
    assert nothing._repr_html_().count("<td") == 4
    assert list(nothing.plot().data[0].y) == [0.0, 0.0]
