"""Functions of which only values are known: against float64 autograd, planted ranks, and noise of known size."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import jacrev, vmap

from cases import through
from isthmus import RankProfile, bottleneck_rank, jacobian_rank, measure
from isthmus.errors import (
    DtypeError,
    EvaluationBudgetError,
    MixedRowsError,
    ModelCallError,
    NonFiniteError,
    NotDifferentiableError,
    OptionError,
    RandomOutputError,
    RowCountError,
    UnsupportedModuleError,
)
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra.black_box import black_box
from isthmus.spectra.ecnoise import POINTS, noise_level
from isthmus.spectra.measure_options import MeasureOptions

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 6)) * np.logspace(-1, 1, 6)
DOWN, UP = RNG.standard_normal((6, 3)) / np.logspace(-1, 1, 6)[:, None], RNG.standard_normal((3, 5))


def smooth(x):
    return np.tanh(x @ DOWN) @ UP


def noisy(deviation):
    rng = np.random.default_rng(1)
    return lambda x: smooth(x) + deviation * rng.standard_normal((len(x), 5))


def spectra(call, x=X, **options):
    options = MeasureOptions(memory=1 << 26, scale_inputs="none", scale_outputs="none", **options)
    return black_box(call, Rows(x), options)


def network(act, dtype):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 20), act(), nn.Linear(20, 20), act(), nn.Linear(20, 4)).to(dtype)


@pytest.mark.parametrize("act", [nn.Tanh, nn.ReLU, nn.GELU])
@pytest.mark.parametrize(("dtype", "largest_bar"), [(torch.float64, 1e-6), (torch.float32, 0.1)])
def test_the_truth_lies_within_the_bars(act, dtype, largest_bar):
    net = network(act, dtype)
    x = np.random.default_rng(5).standard_normal((60, 6))
    found = spectra(lambda x: net(torch.from_numpy(x).to(dtype)), x)
    right = torch.linalg.svdvals(vmap(jacrev(net.double()))(torch.from_numpy(x))).detach()
    assert float(((found.spectra.values - right).abs() <= found.spectra.bars).double().mean()) >= 0.95
    assert float((found.spectra.bars[:, 0] / right[:, 0]).median()) < largest_bar


@pytest.mark.parametrize("deviation", [1e-3, 1e-6, 1e-9])
def test_noise_of_known_size_is_found_within_a_factor_of_four(deviation):
    rng = np.random.default_rng(2)
    points = torch.linspace(0, 1e-4, POINTS, dtype=torch.float64)
    found = []
    for _ in range(20):
        clean = torch.stack([points.sin(), 3 * points.exp()], 1)
        noise, why = noise_level(clean + deviation * torch.from_numpy(rng.standard_normal((POINTS, 2))))
        found += noise[why == 1].tolist()
    assert len(found) > 20
    assert deviation / 4 < np.median(found) < deviation * 4


def test_points_too_close_and_too_far_are_told():
    points = torch.linspace(0, 1, POINTS, dtype=torch.float64)[:, None]
    assert noise_level(torch.ones_like(points))[1].tolist() == [3.0]
    assert noise_level(points.exp())[1].tolist() == [2.0]


@pytest.mark.parametrize("deviation", [1e-4, 1e-3])
def test_the_truth_lies_within_the_bars_also_of_a_noisy_function(deviation):
    def exact(row):
        return torch.tanh(row @ torch.from_numpy(DOWN)) @ torch.from_numpy(UP)

    right = torch.linalg.svdvals(vmap(jacrev(exact))(torch.from_numpy(X)))
    found = spectra(noisy(deviation))
    inside = (found.spectra.values - right).abs() <= found.spectra.bars
    assert float(inside.double().mean()) >= 0.95
    assert 0.2 * deviation < float(found.how.noise.median()) < 5 * deviation


def test_what_noise_hides_is_neither_counted_nor_called_absent():
    rng = np.random.default_rng(3)
    sizes = np.array([1.0, 0.5, 1e-4])

    def call(x):
        return x[:, :3] * sizes + 1e-3 * rng.standard_normal((len(x), 3))

    x = rng.standard_normal((40, 3))
    tolerance = Tolerance(1e-5)
    profile = measure(call, x, tolerance=tolerance)
    assert profile.jacobian_rank.lower == 2
    assert any("1 directions lie below what the noise lets see" in note for note in profile.notes)
    assert float(profile.jacobian.singular_values[:, 2].max()) == 0.0
    assert measure(lambda x: x[:, :3] * sizes, x, tolerance=tolerance).jacobian_rank.lower == 3


@pytest.mark.parametrize("k", [1, 2, 4])
def test_planted_ranks_are_found_without_derivatives(k):
    net = through(k, seed=5)
    x = np.random.default_rng(4).standard_normal((50, 9))
    profile = measure(lambda rows: net(torch.from_numpy(rows)).numpy(), x, tolerance=Tolerance(1e-5))
    assert profile.method == "differences"
    assert profile.jacobian_rank.lower == k == jacobian_rank(net, x, tolerance=Tolerance(1e-5)).lower
    assert measure(smooth, X).bottleneck_rank.upper == 3


def test_a_kink_at_a_row_is_told_and_in_its_bar():
    x = np.vstack([np.zeros((1, 2)), np.random.default_rng(0).standard_normal((5, 2)) + 3.0])
    found = spectra(lambda z: np.maximum(z, 0.0), x)
    assert found.spectra.at_kinks.tolist() == [True] + [False] * 5
    ends = found.spectra.intervals()
    assert float(ends.singular_values[0].max()) <= 1e-6  # the slope is 0 on one side and 1 on the other
    assert float(ends.upper[0].min()) >= 1.0 - 1e-6
    assert "differ at 1 rows (0): f has a kink there" in " ".join(found.notes(Tolerance()))


def test_evaluations_are_counted_batched_and_kept_to_a_budget():
    asked = []

    def call(x):
        asked.append(len(x))
        return smooth(x)

    profile = measure(call, X, evaluations=2000)
    assert sum(asked) <= 2000
    assert f"{sum(asked)} evaluations in {len(asked)} calls" in profile.notes[0]
    assert len(asked) < 60
    assert len(profile.points) < len(X)
    assert f"allowed {len(profile.points)} rows instead of {len(X)}" in " ".join(profile.notes)
    with pytest.raises(EvaluationBudgetError, match=r"evaluations are allowed\. Raise evaluations"):
        measure(call, X, evaluations=300)
    with pytest.raises(OptionError, match="evaluations is 0"):
        measure(call, X, evaluations=0)


class Chance:
    """Outputs that chance decides."""

    def __init__(self):
        self.rng, self.calls = np.random.default_rng(0), 0

    def nothing_else(self, x):
        return self.rng.standard_normal((len(x), 4))

    def multiplied(self, x):
        return smooth(x) * (1 + 0.3 * self.rng.standard_normal((len(x), 1)))

    def dropped(self, x):
        return smooth(x) * (self.rng.random((len(x), 5)) > 0.5)

    def counting(self, x):
        self.calls += 1
        return smooth(x) + self.calls

    def rare(self, x):
        numbers = self.calls + np.arange(len(x))[:, None]
        self.calls += len(x)
        return smooth(x) + ((numbers > 400) & (numbers % 47 == 0))

    def last_digit(self, x):
        return smooth(x) * (1 + 2**-52 * self.rng.integers(-1, 2, (len(x), 1)))


@pytest.mark.parametrize("how", ["nothing_else", "multiplied", "dropped", "counting"])
@pytest.mark.parametrize("scaling", ["data", "none"])
def test_outputs_that_chance_decides_are_refused_with_the_measured_spread(how, scaling):
    message = rf"{how} is not deterministic: two evaluations of one row differ by \d.*no derivative at any row rises"
    with pytest.raises(RandomOutputError, match=message):
        measure(getattr(Chance(), how), X, scale_inputs=scaling, scale_outputs=scaling)


def test_chance_that_is_too_rare_for_the_bars_is_told():
    notes = " ".join(measure(Chance().rare, X).notes)
    assert re.search(r"differ by up to 1\. At \d of 60 rows they differ by more than ten times the noise", notes)
    steady = " ".join(measure(noisy(1e-3), X).notes)
    assert "does not repeat itself" in steady
    assert "ten times" not in steady
    shaken = Chance()  # sums in another order from call to call, as some libraries do
    assert "ten times" not in " ".join(measure(shaken.last_digit, X).notes)


def changing(x):
    x[:] = np.tanh(x)
    return x


def test_what_a_callable_should_not_do_is_told():
    before = X.copy()
    assert "changing changes its argument" in " ".join(measure(changing, X).notes)
    assert np.array_equal(X, before)
    assert "two evaluations of one row differ by up to" in " ".join(measure(noisy(1e-3), X).notes)
    assert len(measure(smooth, X).notes) == 1


BAD = {
    "raises": (lambda x: 1 / 0, ModelCallError, "ZeroDivisionError: division by zero"),
    "nan": (np.log, NonFiniteError, "The output of log is not finite at row 0 "),
    "nan nearby": (
        lambda x: np.where(np.abs(x - np.round(x, 1)) < 1e-12, x, np.nan),
        NonFiniteError,
        "is not finite near one of the rows",
    ),
    "one number": (lambda x: x.sum(), RowCountError, "returns one number"),
    "other rows": (lambda x: x.reshape(-1, 3), RowCountError, r"takes 60 rows and returns 120 rows"),
    "mixed rows": (lambda x: x - x.mean(0), MixedRowsError, "mixes the rows"),
    "raises at one row": (lambda x: [1 / float(v[0] - X[7, 0]) for v in x], ModelCallError, "division by zero"),
    "nan at one row": (
        lambda x: np.where((x == X[7]).all(1, keepdims=True), np.nan, x),
        NonFiniteError,
        "is not finite at row 7 ",
    ),
    "labels": (lambda x: (x > 0).astype(int), NotDifferentiableError, "returns int64, labels or counts"),
    "objects": (lambda x: np.array([None] * len(x)), DtypeError, "object"),
    "no function": (RNG, UnsupportedModuleError, "Generator cannot be converted.*it is not a network"),
}


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("name", BAD)
def test_a_callable_that_is_no_function_of_a_row_is_refused(name):
    call, error, message = BAD[name]
    x = np.round(X, 1) if name == "nan nearby" else X
    with pytest.raises(error, match=message):
        measure(call, x)


def test_a_constant_has_rank_0_where_it_was_looked_at_and_says_that_this_is_all_that_is_known():
    profile = measure(lambda x: np.full((len(x), 4), 2.0), X)
    narrowest = min(X.shape[1], 4)
    assert (profile.jacobian_rank.lower, profile.jacobian_rank.upper) == (0, narrowest)
    assert "says nothing of what f does elsewhere" in profile.jacobian_rank.evidence[0]
    assert (profile.bottleneck_rank.lower, profile.bottleneck_rank.upper) == (0, 0)
    assert "no step changed an output: f is constant around these rows" in profile.notes[0]


def test_steps_are_no_derivative():
    message = "constant around most rows and jumps between them"
    with pytest.raises(NotDifferentiableError, match=message):
        measure(np.floor, np.random.default_rng(0).uniform(0.3, 0.7, (50, 2)) + np.arange(50)[:, None])
    with pytest.raises(NotDifferentiableError, match=message):
        measure(lambda x: np.round(smooth(x), 2), X)


def test_estimators_are_measured_through_their_functions():
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LinearRegression()).fit(X, smooth(X))
    assert jacobian_rank(model.predict, X, tolerance=Tolerance(1e-6)).lower == 3
    with pytest.raises(UnsupportedModuleError, match=r"pass one of its functions .*predict"):
        measure(model, X)
    assert bottleneck_rank(model.predict, X, tolerance=Tolerance(1e-6)).upper == 3


def test_rows_of_any_shape_and_the_dtype_of_the_data():
    seen = []

    def call(x):
        seen.append((x.shape[1:], x.dtype))
        return np.tanh(x.sum(1)).astype(np.float64)

    images = np.random.default_rng(0).standard_normal((20, 2, 3)).astype(np.float32)
    assert measure(call, images).jacobian_rank.upper == 3
    assert set(seen) == {((2, 3), np.dtype(np.float32))}


def test_a_profile_by_differences_shows_and_survives_the_disk(tmp_path):
    profile = measure(smooth, X)
    assert RankProfile.load(profile.save(tmp_path / "p")).record() == profile.record()
    page = profile.report(tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Derivatives are differences of smooth" in page.replace("&#x27;", "'")
    assert "smooth" in profile._repr_html_()
