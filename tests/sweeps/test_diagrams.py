"""The diagrams as grids: they can be read, and their axes are those of the experiments of the same name."""

from pathlib import Path

import pytest

from isthmus.experiments import experiment_named
from isthmus.sweeps import read_specification

FOLDER = Path(__file__).parents[2] / "benchmarks" / "sweeps"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_its_axes_are_those_of_the_experiment(path):
    found, settings = read_specification(path), experiment_named(path.stem).full
    axes = dict(found.axes)
    assert axes.pop("depth") == settings.depths
    assert axes.pop("seed") == settings.seeds
    ridges = axes.pop("ridge")
    if path.stem == "curve-diagram":
        assert len(ridges) == len(settings.weight_decays)
    else:
        assert ridges == tuple(ridge for ridge in settings.ridges if ridge > 0)
    assert axes == ({"n": settings.sizes} if path.stem == "recovery-diagram" else {})
    cell = found.cells[-1]
    assert cell.config.width == settings.width
    assert cell.config.depths == settings.depths[-1:]
    assert cell.config.standardize == "none"


def test_all_of_them_are_there():
    assert {path.stem for path in FOLDER.glob("*.toml")} == {"phase-diagram", "recovery-diagram", "curve-diagram"}
