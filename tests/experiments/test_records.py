"""The committed records are whole, of the settings in the code, judged by the code, and what the table says."""

from dataclasses import asdict
from pathlib import Path

import pytest

from isthmus.experiments import EXPERIMENTS, experiment_named, measurements, plain, read_record
from isthmus.experiments.report import write_experiments

ROOT = Path(__file__).parents[2]
RECORDS = sorted((ROOT / "results").glob("*.json"))


def test_every_experiment_has_a_record():
    assert {path.stem for path in RECORDS} == {experiment.name for experiment in EXPERIMENTS}


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_is_that_of_the_experiment_as_it_is(path):
    record = read_record(path)
    experiment = experiment_named(path.stem)
    assert record["is_complete"]
    assert record["scale"] == "full"
    assert record["settings"] == plain(asdict(experiment.full))
    cells = [plain(cell) for cell in experiment.cells(experiment.full)]
    assert [row["cell"] for row in record["results"]] == cells
    claims = experiment.claims(experiment.full, measurements(record))
    assert record["claims"] == [plain(claim.record()) for claim in claims]
    assert path.stat().st_size < 300_000  # a diagram of 900 cells


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_its_figures_have_data(path):
    drawings = experiment_named(path.stem).drawings(read_record(path))
    assert drawings
    assert all(drawing.figure.data or drawing.figure.layout.shapes for drawing in drawings)
    # Of plotly the pages carry what draws these, and nothing else.
    assert {trace.type for drawing in drawings for trace in drawing.figure.data} <= {"scatter", "bar"}


def test_the_table_says_what_the_records_say(tmp_path):
    written = write_experiments([read_record(path) for path in RECORDS], tmp_path / "table.md")
    assert (ROOT / "docs" / "reproductions.md").read_text() == written.read_text()


def test_one_cell_of_a_committed_record_comes_out_again():
    experiment = experiment_named("linear-networks")
    record = read_record(ROOT / "results" / "linear-networks.json")
    row = next(row for row in record["results"] if row["cell"]["depth"] == 1)
    again = experiment.work(experiment.restored(record["settings"]), row["cell"], "cpu")
    # Another processor sums in another order: equal to what single precision leaves of a minimum.
    assert again["magnitudes"] == pytest.approx(row["numbers"]["magnitudes"], abs=1e-4)
    assert again["objective"] == pytest.approx(row["numbers"]["objective"], rel=1e-4)
