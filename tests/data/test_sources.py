"""Built-in data against their definitions, arrays, images and IDX files."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from isthmus.data import (
    dataset_from_arrays,
    load_dataset,
    load_inputs,
    random_teacher,
)
from isthmus.data.splitting import split_rows
from isthmus.data.table_format import TableFormat
from isthmus.errors import (
    ConstantOutputError,
    DtypeError,
    FileFormatError,
    FileMissingError,
    IsthmusError,
    NonFiniteError,
    OptionError,
    RareClassError,
    ShapeError,
    TooFewRowsError,
)


@pytest.mark.parametrize("k", [1, 3, 4])
def test_the_teacher_has_rank_k_and_unit_outputs(k):
    data = load_dataset(f"teacher:k={k},n=300")
    assert (data.split.train.tolist(), data.split.test.tolist()) == (list(range(300)), list(range(300, 1300)))
    y = data.y[data.split.train].astype(float)
    assert np.square(y).sum(1).mean() == pytest.approx(50.0, rel=1e-5)
    assert np.abs(y.mean(0)).max() < 1e-5
    # the same draws again, differentiated numerically: the rank of f* is k at every point
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1800, 50))
    truth = random_teacher(x, k=k, d_out=50, width=100, train=300, rng=rng)
    rows = np.r_[:300, 800:1800]  # 500 rows between the parts are drawn and left out
    assert np.array_equal(data.x, x[rows].astype(np.float32))
    assert np.allclose(truth(x)[rows], data.y, atol=1e-4)
    alone = load_dataset(f"teacher:k={k},n=300", test=0)
    assert np.array_equal(alone.x, data.x[:300])
    assert np.array_equal(alone.y, data.y[:300])
    assert (alone.split.train.tolist(), alone.split.test.tolist()) == (list(range(300)), [])
    for point in x[:5]:
        step = 1e-6 * np.eye(50)
        derivative = (truth(point + step) - truth(point - step)) / 2e-6
        s = np.linalg.svd(derivative, compute_uv=False)
        assert (s > 1e-5 * s[0]).sum() == k


def test_teacher_noise_has_the_stated_size():
    clean, noisy = load_dataset("teacher"), load_dataset("teacher:noise=0.3")
    assert np.std(noisy.y - clean.y) == pytest.approx(0.3, rel=0.02)


def test_the_seed_decides():
    assert load_dataset("teacher", seed=1).sha256 == load_dataset("teacher:seed=1", seed=7).sha256
    assert load_dataset("teacher", seed=1).sha256 != load_dataset("teacher", seed=2).sha256


def test_the_curve_and_the_inverted_s():
    curve = load_dataset("curve")
    assert np.allclose(curve.x[:, 1], 0.6 * np.sin(np.pi * curve.x[:, 0] / 1.2))
    letters = load_dataset("inverted-s:noise=0")
    assert np.bincount(letters.y).tolist() == [100] * 4
    first = letters.x[letters.y == 0]
    for kind in range(1, 4):  # the same letter, moved along the x axis
        other = letters.x[letters.y == kind]
        for x, t in (first[0], other[0]):
            centre = x - np.sin(np.pi * t / 2.0)
            assert min(abs(centre - c) for c in (-2.25, -0.75, 0.75, 2.25)) < 1e-9


def test_the_real_digits():
    data = load_dataset("digits", task="autoencoder")
    assert data.x.shape == (1797, 64)
    assert data.image_shape == (8, 8)
    assert data.x.min() == 0.0
    assert data.x.max() == 1.0
    assert load_dataset("mnist:n=200").x.shape == (200, 784)


rows = st.integers(25, 120)


@settings(max_examples=40)
@given(rows, st.integers(1, 4), st.just(0) | st.floats(0.02, 0.45), st.integers(0, 1000))
def test_splits_are_disjoint_complete_and_keep_duplicates_together(n, copies, test, seed):
    rng = np.random.default_rng(seed)
    x = np.repeat(rng.standard_normal((n, 3)), copies, 0)
    labels = np.repeat(rng.integers(0, 3, n), copies)
    split, duplicates = split_rows(x, labels, test=test, seed=seed)
    assert sorted([*split.train, *split.test]) == list(range(n * copies))
    assert (split.test.size > 0) == (test > 0)
    assert duplicates == n * (copies - 1)
    of_row = np.empty(n * copies, int)
    of_row[split.train], of_row[split.test] = 0, 1
    assert all(len(set(of_row[i * copies : (i + 1) * copies])) == 1 for i in range(n))
    assert set(labels[split.train]) == set(labels)


X = np.random.default_rng(0).standard_normal((60, 3))
Y = X @ np.ones((3, 2))


def test_arrays_from_npz_and_npy(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    data = load_dataset(str(tmp_path / "a.npz"))
    assert data.task == "regression"
    assert np.array_equal(data.y, Y)
    assert load_dataset(str(tmp_path / "a.npz"), task="autoencoder").n_outputs == 3
    np.save(tmp_path / "a.npy", np.concatenate([X, Y], 1))
    data = load_dataset(str(tmp_path / "a.npy"), target=["3", "4"])
    assert np.array_equal(data.y, Y)
    assert np.array_equal(load_inputs(str(tmp_path / "a.npz")), X)
    assert np.array_equal(load_inputs(str(tmp_path / "a.npy"), input_names=data.input_names), X)
    for target in (["0", "0"], list("01234"), ["5"], ["x"]):
        with pytest.raises(OptionError, match=r"--target is .*column numbers"):
            load_dataset(str(tmp_path / "a.npy"), target=target)
    np.savez(tmp_path / "x.npz", x=X)
    assert "There is no array y, so this is an autoencoder." in load_dataset(str(tmp_path / "x.npz")).notes
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random((30, 4, 5)))
    assert load_dataset(str(tmp_path / "images.npy")).image_shape == (4, 5)


def npz(**arrays):
    return lambda path: np.savez(path, **arrays)


def raw(content):
    return lambda path: path.write_bytes(content)


def cut(path):
    np.savez(path, x=X, y=Y)
    path.write_bytes(path.read_bytes()[:-200])


BAD_ARRAYS = {
    "one.npz": (npz(x=X[:1], y=Y[:1]), TooFewRowsError, "at least 20"),
    "constant.npz": (npz(x=X, y=np.ones((60, 2))), ConstantOutputError, "Every row of y is the same"),
    "nan.npz": (npz(x=np.where(X > 2, np.nan, X), y=Y), NonFiniteError, "x holds NaN"),
    "inf.npz": (npz(x=X, y=np.where(Y > 1, np.inf, Y)), NonFiniteError, "y holds NaN or infinity"),
    "lengths.npz": (npz(x=X, y=Y[:-1]), ShapeError, "x has 60 rows but y has 59"),
    "no_x.npz": (npz(a=X), FileFormatError, r"no array named x \(it has a\)"),
    "no_y.npz": (npz(x=X), ShapeError, "no outputs"),
    "text.npz": (npz(x=X.astype(str), y=Y), DtypeError, "not real numbers"),
    "complex.npz": (npz(x=X + 0j, y=Y), DtypeError, "complex128"),
    "empty.npz": (npz(x=X[:0], y=Y[:0]), ShapeError, "empty"),
    "pickled.npz": (npz(x=np.array([object()] * 60), y=Y), FileFormatError, "never loaded"),
    "cut.npz": (cut, FileFormatError, "damaged"),
    "junk.npz": (raw(b"junk"), FileFormatError, "pickled objects, which may run code|damaged"),
    "junk.npy": (raw(b"junk"), FileFormatError, "pickled objects, which may run code|damaged"),
    "data.xyz": (raw(b"junk"), OptionError, r"a \.csv"),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays_are_refused(tmp_path, name):
    write, error, message = BAD_ARRAYS[name]
    write(tmp_path / name)
    with pytest.raises(error, match=message):
        load_dataset(str(tmp_path / name), task="regression")


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("teacher:rank=3", {}, "a setting of teacher is 'rank'.*seed, k, n"),
        ("teacher:k=three", {}, "k of teacher is 'three' but must be a whole number"),
        ("teacher:k=0", {}, "k of the teacher is 0"),
        ("teacher:k=51", {}, "at most 50"),
        ("teacher:n=5", {}, "n of the teacher is 5"),
        ("teacher:noise=-1", {}, "noise of the teacher"),
        ("teacher", {"task": "classification"}, "regression for the teacher"),
        ("curve", {"task": "regression"}, "autoencoder for the curve"),
        ("inverted-s", {"task": "regression"}, "classification for inverted-s"),
        ("teacher", {"target": ["y"]}, "left out for built-in data"),
        ("digits", {"test": 0.5}, "--test is 0.5 but must be 0, or a share between 0.02 and 0.45"),
        ("teacher", {"test": 0.01}, "--test is 0.01"),
        ("curve", {"test": float("nan")}, "--test is nan"),
        ("curve", {"test": "0.1"}, "--test is '0.1'"),
        ("curve", {"task": "ranking"}, "task is 'ranking' but must be regression, classification or autoencoder"),
        ("curve", {"missing": "guess"}, "--missing is 'guess'"),
        ("teacher", {"weights": "w"}, "--weights is 'w' but must be left out for built-in data"),
        ("teacher", {"drop": ["w"]}, "--drop is 'w' but must be left out for built-in data"),
        ("digits", {"missing": "drop"}, "--missing is 'drop' but must be left out for built-in data"),
        (np.eye(30), {"told": TableFormat(sep=";")}, "--sep is ';' but must be left out for a frame"),
        ("curve:n=3", {}, "at least 20"),
    ],
)
def test_bad_settings_are_refused(source, options, message):
    with pytest.raises(OptionError, match=message):
        load_dataset(source, **options)


def test_what_is_said_of_tables_is_refused_for_new_rows_that_are_none(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    for source, what in (("digits", "built-in data"), (str(tmp_path / "rows.npy"), "a .npy file, whose columns have")):
        with pytest.raises(OptionError, match=f"--missing is 'drop' but must be left out for {what}"):
            load_inputs(source, missing="drop")
        with pytest.raises(OptionError, match=f"--drop is 'a' but must be left out for {what}"):
            load_inputs(source, drop="a")


def test_labels_of_any_kind_become_indices():
    labels = np.array(["cat", "dog", "ant"])[np.arange(60) % 3]
    data = dataset_from_arrays(X, labels, task="classification")
    assert data.output_names == ("ant", "cat", "dog")
    assert data.y[:3].tolist() == [1, 2, 0]
    with pytest.raises(RareClassError, match="Class 'bee' has 1 row"):
        dataset_from_arrays(X, np.where(np.arange(60) == 5, "bee", labels), task="classification")
    with pytest.raises(OptionError, match="whole numbers or texts"):
        dataset_from_arrays(X, Y[:, 0], task="classification")


def images(folder, sizes):
    rng = np.random.default_rng(0)
    for index, (name, size) in enumerate(sizes):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, size, np.uint8)).save(folder / name)
        assert index >= 0


def test_a_folder_of_images_and_of_classes(tmp_path):
    images(tmp_path / "flat", [(f"{i}.png", (6, 5)) for i in range(25)])
    (tmp_path / "flat" / "notes.txt").write_text("hello")
    data = load_dataset(str(tmp_path / "flat"))
    assert (data.task, data.x.shape, data.image_shape) == ("autoencoder", (25, 30), (6, 5))
    assert "1 file that is not an image was left out." in data.notes
    images(tmp_path / "kinds", [(f"{'ab'[i % 2]}/{i}.png", (6, 5)) for i in range(30)])
    data = load_dataset(str(tmp_path / "kinds"))
    assert (data.task, data.output_names) == ("classification", ("a", "b"))


def test_few_images_can_be_measured_and_16_bits_are_scaled(tmp_path):
    grey = np.arange(20, dtype=np.uint16).reshape(4, 5) * 3000
    (tmp_path / "0.png").parent.mkdir(exist_ok=True)
    Image.fromarray(grey).save(tmp_path / "0.png")
    (tmp_path / "folder.png").mkdir()
    assert np.allclose(load_inputs(str(tmp_path)), grey.reshape(1, 20) / 65535.0)
    Image.fromarray(grey.astype(np.int32)).save(tmp_path / "1.tif")
    with pytest.raises(FileFormatError, match=r"1\.tif.*32 bits"):
        load_inputs(str(tmp_path))


def test_bad_folders_are_refused(tmp_path):
    images(tmp_path / "mixed", [(f"{'' if i < 2 else 'a/'}{i}.png", (6, 5)) for i in range(30)])
    with pytest.raises(FileFormatError, match=r"mixed/0\.png: it lies beside the subfolders"):
        load_dataset(str(tmp_path / "mixed"))
    (tmp_path / "none").mkdir()
    with pytest.raises(FileMissingError, match="should hold images"):
        load_dataset(str(tmp_path / "none"))
    images(tmp_path / "sizes", [("0.png", (6, 5)), ("1.png", (5, 6))])
    with pytest.raises(FileFormatError, match=r"1\.png: it has 6 × 5 pixels where 0\.png has 5 × 6"):
        load_dataset(str(tmp_path / "sizes"))
    images(tmp_path / "cut", [("0.png", (60, 50))])
    content = (tmp_path / "cut" / "0.png").read_bytes()
    (tmp_path / "cut" / "0.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match="damaged or not an image"):
        load_dataset(str(tmp_path / "cut"))


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def write_idx(folder, part, images, labels=None):
    (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
    labels = np.arange(len(images) if labels is None else labels) % 3
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))


def test_idx_files_are_read_with_their_own_test_images(tmp_path):
    rng = np.random.default_rng(0)
    train, test = rng.integers(0, 256, (40, 4, 4)), rng.integers(0, 256, (10, 4, 4))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(train))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(40) % 4))
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(test)))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(10) % 4)))
    data = load_dataset(f"mnist:path={tmp_path}")
    assert np.allclose(data.x[data.split.test], test.reshape(10, 16) / 255.0)
    assert data.split.train.tolist() == list(range(40))
    alone = load_dataset(f"mnist:path={tmp_path}", test=0)
    assert np.array_equal(alone.x, data.x[:40])
    assert (alone.split.train.tolist(), alone.split.test.size) == (list(range(40)), 0)


@pytest.mark.parametrize("size", [(5, 4), (3, 7)])
def test_idx_images_need_not_be_square(tmp_path, size):
    train = np.random.default_rng(0).integers(0, 256, (60, *size))
    write_idx(tmp_path, "train", train)
    data = load_dataset(f"mnist:path={tmp_path}")
    assert len(data.split.test) == 9
    assert data.image_shape == size
    assert data.input_names[-1] == f"pixel {size[0] - 1},{size[1] - 1}"
    assert np.allclose(data.x, train.reshape(60, -1) / 255.0)


def test_idx_files_that_do_not_belong_together_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    write_idx(tmp_path, "train", rng.integers(0, 256, (60, 4, 4)))
    for test, message in (
        (rng.integers(0, 256, (9, 5, 5)), "pixels and those for training"),
        (rng.integers(0, 256, (0, 4, 4)), "no images"),
    ):
        write_idx(tmp_path, "t10k", test)
        with pytest.raises(FileFormatError, match=f"t10k-images-idx3-ubyte: it.*{message}"):
            load_dataset(f"mnist:path={tmp_path}")
    write_idx(tmp_path, "t10k", rng.integers(0, 256, (9, 4, 4)), labels=8)
    with pytest.raises(FileFormatError, match="8 labels for 9 images"):
        load_dataset(f"mnist:path={tmp_path}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (idx(np.zeros((2, 2))), "not an IDX file of bytes with 3 dimensions"),
        (idx(np.zeros((20, 4, 4)))[:-5], "bytes where its header says"),
        (idx(np.zeros((20, 4, 4))) + b"x", "bytes where its header says"),
    ],
)
def test_damaged_idx_files_are_refused(tmp_path, content, message):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(FileFormatError, match=message):
        load_dataset(f"mnist:path={tmp_path}")
    (tmp_path / "train-images-idx3-ubyte").unlink()
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"\x1f\x8bjunk")
    with pytest.raises(IsthmusError, match="gzip"):
        load_dataset(f"mnist:path={tmp_path}")
