"""Files instead of pickles: everything comes back, and what is damaged or foreign is refused."""

import numpy as np
import pytest
import torch

from cases import random_layers
from estimators.data import KINDS, QUICK, fitted_on_table, table, through_one_number
from isthmus.errors import FileFormatError, FileMissingError, OptionError
from isthmus.estimators import RankClassifier, RankRegressor
from isthmus.formats import save
from isthmus.networks import RELU

FOUND = ("lower", "upper", "evidence", "verdict", "hyperparameters", "tolerance", "task", "is_calibrated", "not_done")
INDEX = ("index_rank_", "index_rank_interval_", "index_rank_probabilities_")
PUBLIC = ("rank_", "rank_interval_", "rank_probabilities_", "n_iter_", "n_features_in_", *INDEX)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_constant", [False, True])
def test_everything_comes_back(kind, is_constant, tmp_path):
    rows, y = table(kind)
    rows = 0.0 * rows if is_constant else rows
    fitted = kind(**QUICK).fit(rows, y) if is_constant else fitted_on_table(kind)
    assert (fitted.rank_ == 0) == is_constant
    fitted.save(tmp_path / "e.safetensors")
    loaded = kind.load(tmp_path / "e.safetensors")
    assert loaded.get_params() == fitted.get_params()
    assert all(getattr(loaded, name) == getattr(fitted, name) for name in PUBLIC)
    assert all(getattr(loaded.selection_, name) == getattr(fitted.selection_, name) for name in FOUND)
    np.testing.assert_array_equal(loaded.selection_.constant, fitted.selection_.constant)
    np.testing.assert_array_equal(loaded.error_curve_, fitted.error_curve_)
    assert (fitted.index_rank_ is None) == (kind is not RankRegressor)
    if kind is RankRegressor:
        for name in ("index_directions_", "index_direction_errors_"):
            np.testing.assert_array_equal(getattr(loaded, name), getattr(fitted, name))
        assert (loaded.selection_.index.evidence, loaded.selection_.index.ties) == (
            fitted.selection_.index.evidence,
            fitted.selection_.index.ties,
        )
    np.testing.assert_array_equal(loaded.feature_names_in_, rows.columns)
    assert loaded.feature_names_in_.dtype == fitted.feature_names_in_.dtype
    np.testing.assert_array_equal(loaded.encode(rows), fitted.encode(rows))
    np.testing.assert_array_equal(loaded.decode(loaded.encode(rows)), fitted.decode(fitted.encode(rows)))
    np.testing.assert_array_equal(loaded.get_feature_names_out(), fitted.get_feature_names_out())
    if kind is RankClassifier:
        np.testing.assert_array_equal(loaded.predict(rows), fitted.predict(rows))
    if not is_constant:
        assert loaded.factorization_.error_curve == fitted.factorization_.error_curve
        assert loaded.factorization_.layer == fitted.factorization_.layer
        whole = [e.selection_.network(torch.tensor(rows.to_numpy())) for e in (loaded, fitted)]
        np.testing.assert_array_equal(*whole)


@pytest.fixture
def saved(tmp_path):
    fitted_on_table(RankRegressor).save(tmp_path / "e")
    return tmp_path / "e"


def test_what_is_no_such_estimator_is_refused(saved, tmp_path):
    with pytest.raises(FileFormatError, match=r"it holds a RankRegressor, not a RankClassifier.*RankRegressor\.load"):
        RankClassifier.load(saved)
    with pytest.raises(FileMissingError, match="Pass a file saved by an estimator"):
        RankRegressor.load(tmp_path / "nothing")
    save(random_layers((2, 3, 1), RELU, seed=0), tmp_path / "network")
    with pytest.raises(FileFormatError, match="'isthmus-network', not 'isthmus-estimator'"):
        RankRegressor.load(tmp_path / "network")
    content = saved.read_bytes()
    saved.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match="damaged"):
        RankRegressor.load(saved)
    saved.write_bytes(content.replace(b'\\"rank\\":', b'\\"rang\\":'))
    with pytest.raises(FileFormatError, match="does not fit together"):
        RankRegressor.load(saved)


def test_a_parameter_without_a_text_is_refused(tmp_path):
    x, y = through_one_number(40)
    fitted = RankRegressor(**{**QUICK, "random_state": np.random.RandomState(0)}).fit(x, y)
    with pytest.raises(OptionError, match=r"random_state is .* must be a number, a text or None to be saved"):
        fitted.save(tmp_path / "e")
    assert not (tmp_path / "e").exists()
    searched = RankRegressor(**{**QUICK, "width": np.int64(8), "ridge": np.float64(0.01), "depth": [2, 3]}).fit(x, y)
    searched.save(tmp_path / "e")
    loaded = RankRegressor.load(tmp_path / "e")
    assert (loaded.width, loaded.depth, loaded.schedule) == (8, [2, 3], QUICK["schedule"])
    assert len(loaded.selection_.hyperparameters.trials) == 2
