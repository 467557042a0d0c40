"""The classes along a line, against closed forms, a fine grid, and the regions found by cutting boxes."""

from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from cases import random_layers
from isthmus.errors import DomainError, ShapeError
from isthmus.networks import (
    ABSOLUTE,
    IDENTITY,
    RELU,
    Activation,
    FullyConnected,
    StandardizedNetwork,
)
from isthmus.networks.scaling import Affine
from isthmus.regions import ClassOrder, class_order, enumerate_regions
from isthmus.regions.line import knots


def network(layers, activation=RELU):
    weights, biases = zip(*layers, strict=True)
    return FullyConnected(
        tuple(torch.tensor(w, dtype=torch.float64) for w in weights),
        tuple(torch.tensor(b, dtype=torch.float64) for b in biases),
        activation,
    )


def lines(*pairs):
    """Outputs slope · z + constant."""
    return network([([[s] for s, _ in pairs], [c for _, c in pairs])])


def test_straight_lines_have_the_envelope_of_the_closed_form():
    # tangents of z²/2 at −2, 0, 1: c is the largest where z is nearest to its point; 9 lies below all of them
    points = (-2.0, 0.0, 1.0)
    found = class_order(lines(*((p, -p * p / 2) for p in points), (0.0, -9.0)), -3.0, 3.0, ["a", "b", "c", "d"])
    assert found.edges == pytest.approx((-3.0, -1.0, 0.5, 3.0), abs=1e-15)
    assert found.labels == found.order == ("a", "b", "c")
    assert (found.absent, found.is_simple) == (("d",), False)
    assert [label for _, _, label in found.intervals] == ["a", "b", "c"]


def test_a_class_on_both_sides_of_another_is_ordered_by_its_mean():
    # |z| − 1 against 0: the class 0 is outside [−1, 1]
    outside = network([([[1.0], [-1.0]], [0.0, 0.0]), ([[1.0, 1.0], [0.0, 0.0]], [-1.0, 0.0])])
    found = class_order(outside, -2.0, 4.0)
    assert found.edges == pytest.approx((-2.0, -1.0, 1.0, 4.0), abs=1e-15)
    assert found.labels == (0, 1, 0)
    assert found.order == (1, 0)  # means 0 and (1·(−1.5) + 3·2.5) / 4
    assert not found.is_simple
    assert found.absent == ()
    assert class_order(outside, -4.0, 2.0).order == (0, 1)
    assert class_order(outside, -1.5, 1.25).order == (0, 1)  # (0.5·(−1.25) + 0.25·1.125) / 0.75 < 0


def test_ties_go_to_the_first_and_slivers_to_their_neighbour():
    same = class_order(lines((1.0, 0.0), (1.0, 0.0)), -1.0, 1.0)
    assert (same.labels, same.absent) == ((0,), (1,))
    # three lines through one point, and the middle one a trifle above it
    for lift in (0.0, 1e-14):
        assert class_order(lines((-1.0, 0.0), (0.0, lift), (1.0, 0.0)), -1.0, 1.0).labels == (0, 2)
    assert class_order(lines((-1.0, 0.0), (0.0, 1e-6), (1.0, 0.0)), -1.0, 1.0).labels == (0, 1, 2)
    # the largest at an end only, where it is not the largest beside it
    assert class_order(lines((0.0, 0.0), (1.0, -1.0)), 0.0, 1.0).labels == (0,)
    assert class_order(lines((0.0, 0.0), (1.0, 0.0)), 0.0, 1.0).labels == (1,)


@pytest.mark.parametrize("activation", [RELU, ABSOLUTE, IDENTITY, Activation(0.2)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_fine_grid_finds_the_same(activation, seed):
    decoder = random_layers((1, 12, 12, 12, 5), activation, seed=seed)
    found = class_order(decoder, -2.5, 3.0)
    z = np.linspace(-2.5, 3.0, 200_001)
    owners = decoder(torch.from_numpy(z)[:, None]).argmax(1).numpy()
    there = np.array(found.labels)[np.searchsorted(found.edges[1:-1], z)]
    is_near = np.abs(z[:, None] - np.array(found.edges)).min(1) < 1e-9
    assert not (owners != there)[~is_near].any()
    present = sorted(set(owners.tolist()), key=lambda owner: z[owners == owner].mean())
    assert list(found.order) == present
    assert sorted(found.absent) == sorted(set(range(5)) - set(present))
    # and every interval that the grid can see has an end where the two classes tie
    outputs = decoder(torch.tensor(found.edges[1:-1], dtype=torch.float64)[:, None])
    for values, a, b in zip(outputs, found.labels[:-1], found.labels[1:], strict=True):
        assert float(values[a]) == pytest.approx(float(values[b]), abs=1e-10 * float(values.abs().max()))
        assert float(values.max()) == pytest.approx(float(values[a]), abs=1e-10 * float(values.abs().max()))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_knots_are_the_borders_of_the_regions(seed):
    pytest.importorskip("numba")
    decoder = random_layers((1, 10, 10, 3), RELU, seed=seed)
    cells = enumerate_regions(decoder, (-2.0, 2.0))
    np.testing.assert_allclose(knots(decoder, -2.0, 2.0), np.unique(cells.vertices.round(12)), atol=1e-11)


def test_units_of_the_data_are_the_decoders():
    inner = random_layers((1, 8, 3), RELU, seed=3)
    units = StandardizedNetwork(inner, Affine.identity(1), Affine(torch.zeros(3), torch.tensor([1.0, 2.0, 0.5])))
    found = class_order(units, -2.0, 2.0)
    z = torch.linspace(-2, 2, 4001, dtype=torch.float64)[:, None]
    owners = units(z).argmax(1).tolist()
    assert [o for o, before in zip(owners, [None, *owners], strict=False) if o != before] == list(found.labels)


def test_what_has_no_order_is_refused():
    with pytest.raises(ShapeError, match="maps 2 numbers to 3; classes have an order along one number"):
        class_order(random_layers((2, 4, 3), RELU, seed=0), 0.0, 1.0)
    with pytest.raises(ShapeError, match="maps 1 numbers to 1"):
        class_order(lines((1.0, 0.0)), 0.0, 1.0)
    with pytest.raises(ShapeError, match="2 labels were given for 3 outputs"):
        class_order(lines((1.0, 0.0), (0.0, 0.0), (2.0, 0.0)), 0.0, 1.0, ["a", "b"])
    for lower, upper in ((1.0, 1.0), (0.0, np.inf)):
        with pytest.raises(DomainError, match="is empty or unbounded"):
            class_order(lines((1.0, 0.0), (0.0, 0.0)), lower, upper)


# b on both sides of a and c; d is ahead nowhere. Centres: b (1·(−1.5) + 2·4) / 3, a 0, c 2
TWICE = ClassOrder((-2.0, -1.0, 1.0, 3.0, 5.0), ("b", "a", "c", "b"), ("a", "b", "c", "d"))


def test_centres_are_the_means_over_the_intervals():
    assert TWICE.centres == pytest.approx({"a": 0.0, "b": 6.5 / 3, "c": 2.0}, abs=1e-15)
    assert TWICE.order == ("a", "c", "b")


def test_the_picture_holds_ranges_centres_and_boundaries():
    figure = TWICE.plot()
    boundaries, bars, line, centres = figure.data
    rows = dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=True))
    assert list(rows) == ["a", "c", "b", "d", "the line"]
    for trace, at in ((bars, [rows[name] for name in "bacb"]), (line, [rows["the line"]] * 4)):
        assert (list(trace.base), list(trace.x), list(trace.y)) == ([-2.0, -1.0, 1.0, 3.0], [1.0, 2.0, 2.0, 2.0], at)
    colours = dict(zip("bacb", bars.marker.color, strict=True))
    assert len(set(colours.values())) == 3
    assert list(line.marker.color) == [colours[name] for name in "bacb"]
    assert dict(zip(centres.y, centres.x, strict=True)) == pytest.approx({0: 0.0, 1: 2.0, 2: 6.5 / 3})
    # each boundary goes from the line to the rows of both neighbours, and says which they are
    assert list(boundaries.x) == [-1.0, -1.0, -1.0, None, 1.0, 1.0, 1.0, None, 3.0, 3.0, 3.0, None]
    assert list(boundaries.y) == [4, 2, 0, None, 4, 1, 0, None, 4, 2, 1, None]
    assert list(boundaries.customdata[::4]) == ["b | a", "a | c", "c | b"]
    (note,) = figure.layout.annotations
    assert (note.text, note.y) == ("nowhere", rows["d"])
    low, high = figure.layout.xaxis.range
    assert low < -2.0
    assert high > 5.0


def test_twenty_names_have_a_row_each_and_are_no_markup():
    names = ("<b>bold</b>", 1, "1", "m" * 30, *(f"class {i}" for i in range(16)))
    figure = ClassOrder(tuple(map(float, range(21))), names, names).plot()
    assert figure.layout.height >= 20 * len(names)
    shown = ("&lt;b&gt;bold&lt;/b&gt;", "1", "1", "m" * 21 + "…", *names[4:], "the line")
    assert figure.layout.yaxis.ticktext == shown
    assert figure.layout.yaxis.tickvals == tuple(range(21))
    assert list(figure.data[1].y) == list(range(20))


def test_a_line_of_one_class_has_no_boundary():
    alone = ClassOrder((0.0, 2.0), (True,), (False, True))
    boundaries, _, line, centres = alone.plot().data
    assert (list(boundaries.x), list(line.x), list(centres.x)) == ([], [2.0], [1.0])
    assert "True. Nowhere: False." in alone._repr_html_()


def test_a_notebook_shows_it_as_a_sentence_and_a_table():
    tree = ElementTree.fromstring(TWICE._repr_html_())
    said = tree.find("p").text
    for part in ("z from −2 to 5: a – c – b.", "On several intervals: b.", "Nowhere: d.", "direction"):
        assert part in said
    rows = [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]
    assert rows == [
        ["class", "ahead for z", "centre", "on the line"],
        ["a", "−1 to 1", "0", ""],
        ["c", "1 to 3", "2", ""],
        ["b", "−2 to −1, 3 to 5", "2.167", ""],
        ["d", "nowhere", "", ""],
    ]
    a, _, b, d = [row[-1].get("style") for row in list(tree.iter("tr"))[1:]]
    stops = [[float(stop.split(" ")[-1].rstrip("%)")) for stop in bar.split(",")[1:]] for bar in (a, b)]
    assert stops[0] == pytest.approx([100 / 7, 100 / 7, 300 / 7, 300 / 7], abs=0.01)
    assert stops[1] == pytest.approx([0, 0, 100 / 7, 100 / 7, 500 / 7, 500 / 7, 100, 100], abs=0.01)
    assert "gradient" not in d


def test_a_class_of_many_slivers_is_counted_and_each_can_be_seen():
    edges = [edge for i in range(5) for edge in (float(i), i + 1 - 1e-9)]
    found = ClassOrder((*edges, 5.0), ("a", "<i>") * 5, ("a", "<i>"))
    tree = ElementTree.fromstring(found._repr_html_())
    (row,) = (row for row in tree.iter("tr") if row[0].text == "<i>")
    assert row[1].text.endswith(", and 2 more")
    stops = [float(stop.split(" ")[-1].rstrip("%)")) for stop in row[-1].get("style").split(",")[1:]]
    assert [end - begin for begin, end in zip(stops[1::4], stops[2::4], strict=True)] == pytest.approx([0.6] * 5)
    assert max(stops) <= 100.0
