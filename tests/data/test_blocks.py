"""Rows that belong together are held out together; the future judges what the past has taught."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data import dataset_from_arrays, load_dataset
from isthmus.data import near_duplicates as nearness
from isthmus.data.block_splitting import block_parts, split_blocks
from isthmus.data.near_duplicates import near_duplicates
from isthmus.data.row_blocks import RowBlocks, row_blocks
from isthmus.data.splitting import Parts, parted_rows
from isthmus.errors import ColumnError, OptionError, ShapeError, TooFewRowsError

N = 120
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((N, 3)), RNG.standard_normal((N, 2))
PERSON = RNG.integers(0, 15, N)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=4, max_size=30),
    folds=st.integers(2, 4),
    is_forward=st.booleans(),
    seed=st.integers(0, 99),
    test=st.sampled_from([0.0, 0.1, 0.4]),
)
def test_blocks_are_never_divided(sizes, folds, is_forward, seed, test):
    of_row = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    blocks = RowBlocks(of_row, is_forward)
    split = split_blocks(blocks, test=test, seed=seed)
    assert sorted([*split.train, *split.test]) == list(range(len(of_row)))
    assert not set(of_row[split.train]) & set(of_row[split.test])
    assert bool(test) == bool(split.test.size)
    if is_forward and test:
        assert of_row[split.train].max() < of_row[split.test].min()
    default = min(folds, len(sizes) - is_forward)
    parts = block_parts(blocks, folds=None, default=default, seed=seed)
    x = np.arange(len(of_row), dtype=float)[:, None]
    if is_forward:
        order = np.argsort(of_row, kind="stable")
        assert (np.diff(parts[order]) >= 0).all()
        assert parts.min() == -1
    else:
        assert set(parts) == set(range(default))
        smallest, largest = np.bincount(parts).min(), np.bincount(parts).max()
        assert largest - smallest <= max(sizes)
    for block in range(len(sizes)):
        assert len(set(parts[of_row == block])) == 1
    if (parts == -1).sum() >= 2 or not is_forward:
        for trained, held_out in parted_rows(x, None, Parts(parts, is_forward)):
            assert not set(of_row[trained]) & set(of_row[held_out])
            if is_forward:
                assert of_row[trained].max() < of_row[held_out].min()


def test_of_time_the_fold_that_learns_from_the_most_comes_first():
    blocks = RowBlocks(np.arange(60), True)
    parts = block_parts(blocks, folds=3, default=5, seed=0)
    folds = parted_rows(np.arange(60.0)[:, None], None, Parts(parts, True))
    assert [(len(trained), len(held_out)) for trained, held_out in folds] == [(45, 15), (30, 15), (15, 15)]


def test_a_class_that_the_past_has_not_seen_is_not_asked_for():
    labels = np.repeat([0, 1, 2], 20)
    parts = np.repeat([-1, 0, 1, 2], 15)
    folds = parted_rows(np.arange(60.0)[:, None], labels, Parts(parts, True))
    for trained, held_out in folds:
        assert set(labels[held_out]) <= set(labels[trained])


def written(folder, **columns):
    lines = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    (folder / "t.csv").write_text("\n".join([",".join(columns), *lines]) + "\n")
    return str(folder / "t.csv")


def test_a_group_is_no_input_and_decides_the_split(tmp_path):
    names = [f"person {p}" for p in PERSON]
    path = written(tmp_path, a=X[:, 0], who=names, y=Y[:, 0])
    data = load_dataset(path, target="y", group="who", test=0.2)
    assert data.input_names == ("a",)
    assert [(c.name, c.kind) for c in data.columns] == [("a", "number"), ("y", "target"), ("who", "group")]
    assert not set(PERSON[data.split.train]) & set(PERSON[data.split.test])
    assert abs(len(data.split.test) / N - 0.2) < 0.05
    other = load_dataset(path, target="y", drop="who", test=0.2)
    assert data.sha256 != other.sha256  # another split, another run


def test_the_latest_rows_are_set_aside(tmp_path):
    when = RNG.permutation(N)
    path = written(tmp_path, a=X[:, 0], when=[f"2024-{1 + w // 28:02}-{1 + w % 28:02}" for w in when], y=Y[:, 0])
    data = load_dataset(path, target="y", time="when", test=0.25)
    assert data.input_names == ("a",)
    assert when[data.split.train].max() < when[data.split.test].min()
    assert len(data.split.test) == 30


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"group": "b"}, OptionError, "--group is 'b' but must be among the columns"),
        ({"time": "b"}, OptionError, "--time is 'b' but must be among the columns"),
        ({"group": "y"}, OptionError, "--group is 'y' but must be a column that is neither in --target"),
        ({"group": "w", "time": "w"}, OptionError, "--time is 'w' but must be a column of its own"),
        ({"group": "w", "time": "a"}, OptionError, "left out beside --group"),
        ({"time": "k"}, ColumnError, "'k' holds texts such as 'u'"),
        ({"group": "gap"}, ColumnError, "'gap' has 1 missing value"),
        ({"group": "gap", "missing": "indicate"}, ColumnError, "'gap' has 1 missing value"),
        ({"group": "one"}, OptionError, "the number of different groups is 1 but must be at least 2"),
        ({"group": "k"}, TooFewRowsError, "each group or moment counted once, has 1 row; .*--test 0"),
    ],
)
def test_blocks_that_cannot_be_are_refused(tmp_path, options, error, message):
    path = written(tmp_path, a=X[:, 0], w=PERSON, k=["u", "v"] * 60, one=[1] * N, gap=["", *PERSON[1:]], y=Y[:, 0])
    with pytest.raises(error, match=message):
        load_dataset(path, target="y", **{"drop": [c for c in ("gap",) if options.get("group") != c], **options})


def test_blocks_are_one_a_row():
    with pytest.raises(ShapeError, match=r"groups has shape \(2,\); one a row is needed, shape \(5,\)"):
        row_blocks(["a", "b"], None, 5)
    with pytest.raises(OptionError, match="cv is 9 but must be at most 3, the number of groups"):
        block_parts(RowBlocks(np.repeat([0, 1, 2], 5), False), folds=9, default=5, seed=0)
    with pytest.raises(OptionError, match="at most 2, the number of moments that follow another"):
        block_parts(RowBlocks(np.repeat([0, 1, 2], 5), True), folds=3, default=5, seed=0)


@pytest.mark.parametrize(("d", "noise"), [(1, 1e-6), (3, 1e-3), (20, 1e-2)])
def test_rows_that_nearly_repeat_others_are_told(d, noise):
    x = RNG.standard_normal((100, d))
    twice = np.concatenate([x, x + noise * RNG.standard_normal(x.shape)])
    groups = np.tile(np.arange(100), 2)
    assert near_duplicates(twice) > 0.9
    assert near_duplicates(twice, groups) == 0.0
    data = dataset_from_arrays(twice, RNG.standard_normal(200))
    assert "of the rows nearly repeat the inputs of another" in data.warnings[0]
    assert dataset_from_arrays(twice, RNG.standard_normal(200), groups=groups).warnings == ()


def test_neighbours_are_sought_a_block_at_a_time(monkeypatch):
    x = RNG.standard_normal((60, 4))
    rows, chosen = np.concatenate([x, x[:30] + 1e-3]), np.arange(0, 90, 7)
    distances = np.linalg.norm(rows[chosen][:, None] - rows, axis=2)
    distances[np.arange(len(chosen)), chosen] = np.inf
    for block in (100, 1_000_000):
        monkeypatch.setattr(nearness, "_BLOCK", block)
        ordered, sizes = nearness._neighbours(rows, chosen)
        np.testing.assert_allclose(sizes, np.sort(distances, 1)[:, :10], atol=1e-6)
        np.testing.assert_array_equal(ordered, np.argsort(distances, 1)[:, :10])


@pytest.mark.parametrize("kind", ["cloud", "line", "curve", "grid", "lines", "categories", "classes", "equal"])
@pytest.mark.parametrize("seed", range(5))
def test_independent_rows_are_none(kind, seed):
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 1, 300)
    x = {
        "cloud": rng.standard_normal((300, 8)),
        "line": t[:, None],
        "curve": np.stack([t, np.sin(5 * t), np.cos(9 * t)], 1),
        "grid": rng.integers(0, 30, (300, 2)).astype(float),
        "lines": np.stack([t, rng.integers(0, 11, 300)], 1),
        "categories": np.c_[t, np.eye(5)[rng.integers(0, 5, 300)], np.eye(3)[rng.integers(0, 3, 300)]],
        "classes": rng.standard_normal((300, 6)) * 0.05 + 10 * np.eye(6)[rng.integers(0, 6, 300)],
        "equal": np.tile(rng.standard_normal((60, 3)), (5, 1)),
    }[kind]
    assert near_duplicates(x) == 0.0
