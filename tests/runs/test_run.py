"""A finished run predicts, encodes and decodes new rows, whatever holds them, and refuses what it was not made for."""

import numpy as np
import pandas as pd
import pytest
import torch

from finished_runs import OPTIONS, nothing_in_common, two_numbers
from isthmus import load_run as public_load_run
from isthmus.data import dataset_from_arrays, load_dataset
from isthmus.errors import ColumnError, FileFormatError, FileMissingError, NonFiniteError, ShapeError
from isthmus.formats import save
from isthmus.runs import load_run, run_fit


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A run of a table with numbers, dates, shares and texts, and rows as the table held them."""
    x, y = two_numbers(60, seed=6)
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"a": x[:, 0], "b, c": x[:, 2]})
    frame["when"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, 60), "D")
    frame["share"] = [f"{each}%" for each in rng.integers(0, 100, 60)]
    frame["colour"] = rng.choice(["blue", "green", "red"], 60)
    folder = tmp_path_factory.mktemp("mixed")
    frame.assign(out=y[:, 0] + (frame["colour"] == "red")).to_csv(folder / "t.csv", index=False)
    dataset = load_dataset(str(folder / "t.csv"), target="out", test=0.0)
    run_fit(dataset, OPTIONS, folder / "r")
    return load_run(folder / "r"), dataset, frame


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    """A run whose outputs do not depend on its inputs."""
    x, y, weights = nothing_in_common()
    folder = tmp_path_factory.mktemp("nothing") / "r"
    run_fit(dataset_from_arrays(x, y, weights=weights, test=0.0), OPTIONS, folder)
    return load_run(folder), x, np.average(y, weights=weights, axis=0), folder


def test_it_is_a_public_name():
    assert public_load_run is load_run


def test_predicting_is_encoding_and_decoding(finished):
    found, x = load_run(finished.folder), finished.dataset.x
    z = found.encode(x)
    assert z.shape == (60, found.record.rank)
    assert (found.predict(x) == found.decode(z)).all()
    assert found.predict(x).shape == (60, 3)
    assert found.predict(x).dtype == np.float64
    assert found.latent_names == tuple(f"z{i + 1}" for i in range(found.record.rank))


def test_rows_may_be_in_any_container(finished):
    found, x = load_run(str(finished.folder)), finished.dataset.x
    expected = found.predict(x)
    named = pd.DataFrame(x, columns=["x0", "x1", "x2", "x3"])
    for rows in (torch.from_numpy(x), x.tolist(), np.asfortranarray(x), named, named[["x3", "x1", "x0", "x2"]]):
        assert (found.predict(rows) == expected).all()
    assert np.allclose(found.predict(x.astype(np.float32)), expected, rtol=1e-4, atol=1e-4)
    assert (found.predict(named.assign(more="text")) == expected).all()
    assert np.concatenate([found.predict(row[None]) for row in x]) == pytest.approx(expected, rel=1e-12)


def test_a_table_is_encoded_as_it_was_for_the_fit(mixed):
    found, dataset, frame = mixed
    assert found.record.data.input_names == [
        *("a", "b, c", "when [days]", "share [%]", "colour=blue", "colour=green", "colour=red"),
    ]
    expected = found.predict(dataset.x)
    assert (found.predict(frame) == expected).all()
    as_text = frame.assign(when=frame["when"].dt.strftime("%Y-%m-%d"))
    assert (found.predict(as_text[["colour", "when", "share", "b, c", "a"]]) == expected).all()
    assert (found.predict(frame.assign(colour=frame["colour"].astype("category"))) == expected).all()
    assert (found.encode(frame) == found.encode(dataset.x)).all()
    # The few rows of another day hold fewer texts than there are columns for.
    blue = frame[frame["colour"] == "blue"]
    assert found.predict(blue) == pytest.approx(expected[frame["colour"] == "blue"], rel=1e-12)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("colour", "violet", r"'colour' holds 'violet' in row 3, which the network has never seen.*'blue', 'green'"),
        ("when", "soon", r"'when' holds 'soon' in row 3, where the network takes dates"),
        ("share", "0.5", r"'share' holds '0.5' in row 3, where the network takes numbers with the unit '%'"),
    ],
)
def test_what_the_run_has_never_seen_is_refused(mixed, column, value, said):
    found, _, frame = mixed
    changed = frame.astype({column: object})
    changed.loc[2, column] = value
    with pytest.raises(ColumnError, match=said):
        found.predict(changed)


def test_missing_columns_and_entries_are_named(mixed):
    found, dataset, frame = mixed
    with pytest.raises(ColumnError, match=r"'b, c' is an input of the network and is not in the data"):
        found.predict(frame.drop(columns="b, c"))
    with pytest.raises(ColumnError, match=r"'a' holds a missing value \(row 5\)"):
        found.predict(frame.assign(a=frame["a"].where(frame.index != 4)))
    with pytest.raises(NonFiniteError, match="x holds NaN or infinity"):
        found.predict(np.where(np.arange(60)[:, None] == 4, np.nan, dataset.x))
    with pytest.raises(ShapeError, match="x has 6 columns"):
        found.encode(dataset.x[:, :6])
    with pytest.raises(ShapeError, match="z has 9 columns"):
        found.decode(np.zeros((2, 9)))


def test_classes_are_told_by_their_names(classes):
    x, _ = two_numbers(90, seed=1, noise=0.0)
    assert classes.record.data.output_names == ["0", "2", "5"]
    probabilities = classes.predict_proba(x)
    assert probabilities.shape == (90, 3)
    assert probabilities.sum(1) == pytest.approx(1.0)
    assert classes.predict(x).tolist() == [["0", "2", "5"][i] for i in probabilities.argmax(1)]
    assert (classes.decode(classes.encode(x)) == probabilities).all()
    assert set(classes.predict(x)) == {"0", "2", "5"}


def test_numbers_have_no_probabilities(finished):
    with pytest.raises(ShapeError, match="A regression has no probabilities of classes"):
        load_run(finished.folder).predict_proba(finished.dataset.x)


def test_rank_zero_predicts_the_constant(nothing):
    found, x, mean, folder = nothing
    assert found.record.rank == 0
    assert (found.encoder, found.decoder, found.latent_names) == (None, None, ())
    assert found.encode(x).shape == (60, 0)
    # Rows are standardised in single precision for training, and the constant is that of what is trained on.
    assert found.predict(x) == pytest.approx(np.broadcast_to(mean, (60, 2)), rel=1e-7)
    assert (found.predict(x) == found.predict(x[:1])).all()
    assert found.predict(x[:1]).shape == (1, 2)
    assert sorted(file.name for file in folder.iterdir()) == ["model.safetensors", "run.json"]
    with pytest.raises(ShapeError, match="x has 2 columns"):
        found.predict(x[:, :2])


def test_beside_rank_zero_stands_the_linear_method_alone(nothing):
    names = [each.name for each in nothing[0].record.verdict.comparisons]
    assert names[0].startswith("reduced-rank regression through")
    assert names[1:] == ["kernel ridge regression"]


def test_a_folder_that_is_not_a_finished_run_is_refused(finished, tmp_path):
    with pytest.raises(FileMissingError, match=r"none.*run\.json.*made by `isthmus fit`"):
        load_run(tmp_path / "none")
    torn = finished.copy(tmp_path / "torn")
    (torn / "encoder.safetensors").write_bytes(b"torn")
    with pytest.raises(FileFormatError, match=r"encoder\.safetensors"):
        load_run(torn)
    (torn / "encoder.safetensors").unlink()
    with pytest.raises(FileMissingError, match=r"encoder\.safetensors"):
        load_run(torn)
    save(load_run(finished.folder).encoder.network, torn / "encoder.safetensors")
    with pytest.raises(FileFormatError, match="has no standardisation"):
        load_run(torn)
