"""Images and heat maps that the small bundle of plotly has no trace for: each value where it belongs."""

import base64
import io

import numpy as np
import plotly.graph_objects as go
import pytest

from isthmus.reports.heat_map import add_heat_map, name_cells
from isthmus.reports.image_grid import ImageGrid, png

Image = pytest.importorskip("PIL.Image")


def read(address):
    kind, _, data = address.partition(",")
    assert kind == "data:image/png;base64"
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    picture.verify()
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_a_png_holds_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), np.uint8)
    assert np.array_equal(read(png(pixels)), pixels)


def test_images_lie_in_their_rows_with_nothing_between_them():
    rows = [("a", [[0.0, 1.0, 2.0, 4.0, 4.0, 0.0]] * 2), ("b", [[4.0] * 6])]
    grid = ImageGrid((2, 3), rows, 0.0, 4.0)
    found = read(grid.figure().layout.images[0].source)
    assert found.shape == (5, 7, 4)
    assert grid.proportion == 7 / 5
    assert found[:2, :3, 0].tolist() == found[:2, 4:, 0].tolist() == [[0, 64, 128], [255, 255, 0]]
    assert found[3:, :3, 0].tolist() == [[255] * 3] * 2
    assert found[2].max() == found[:, 3].max() == found[3:, 4:].max() == 0  # clear


def test_an_image_of_one_value_is_no_division_by_zero():
    assert ImageGrid((1, 1), [("a", [[3.0]])], 3.0, 3.0).pixels().tolist() == [[[0, 0, 0, 255]]]


def test_a_cell_is_a_bar_around_its_place_and_an_unknown_one_is_grey():
    figure = go.Figure()
    add_heat_map(figure, [[1.0, None], [3.0, 4.0]], hover=[["p", "q"], ["r", "s"]], scale=[[0, "#000"], [1, "#fff"]])
    bars, unknown = figure.data
    assert (unknown.x, unknown.base, unknown.customdata) == ((1,), (-0.47,), ("q",))
    middles = [base + height / 2 for base, height in zip(bars.base, bars.y, strict=True)]
    cells = list(zip(bars.x, np.round(middles, 9), bars.marker.color, bars.customdata, strict=True))
    assert cells == [(0, 0, 1.0, "p"), (0, 1, 3.0, "r"), (1, 1, 4.0, "s")]
    assert name_cells(["a", "b"], is_downwards=True)["range"] == [1.5, -0.5]
