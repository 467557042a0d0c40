"""Local measurements of any module against float64 autograd, one row at a time, and against planted ranks."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import jacrev

from isthmus import measure
from isthmus.errors import (
    DtypeError,
    MemoryBudgetError,
    MixedRowsError,
    ModelCallError,
    NonFiniteError,
    NonFiniteOutputError,
    NotDifferentiableError,
    OptionError,
    OutputChoiceError,
    RandomOutputError,
    ShapeError,
    UnsupportedModuleError,
)
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks.rowwise import row_function
from isthmus.spectra.local import bytes_per_row, local_spectra, saved_bytes
from isthmus.spectra.sketch import sketched_spectra


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )

    def forward(self, x):
        return torch.relu(x + self.body(x))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True, norm_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.block(x).mean(1))


def seeded(build):
    torch.manual_seed(0)
    return build()


MODELS = {
    "gelu": (lambda: nn.Sequential(nn.Linear(5, 8), nn.GELU(), nn.Linear(8, 3)), (5,)),
    "wide output": (lambda: nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 20)), (2,)),
    "residual": (
        lambda: nn.Sequential(nn.Conv2d(2, 4, 3), Residual(4), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)),
        (2, 6, 6),
    ),
    "attention": (Attention, (6, 8)),
    "softmax": (lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3), nn.Softmax(1)), (4,)),
}


def rows(shape, n=12, seed=1):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))


def oracle(module, x):
    exact = module.double().eval()
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        found = [jacrev(lambda r: exact(r[None])[0].flatten())(row.double()).flatten(1).detach() for row in x]
    module.float()
    return torch.stack([torch.linalg.svdvals(jacobian) for jacobian in found])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_spectra_are_those_of_float64_autograd(name, dtype):
    build, shape = MODELS[name]
    module, x = seeded(build).train(), rows(shape)
    function = row_function(module.to(dtype), x)
    found = local_spectra(function, x, memory=1 << 26).singular_values
    expected = oracle(module, x)
    rtol, atol = (1e-4, 1e-6) if dtype == torch.float32 else (1e-9, 1e-12)
    torch.testing.assert_close(found, expected, rtol=rtol, atol=atol * float(expected.max()))


@pytest.mark.parametrize("name", MODELS)
def test_the_intervals_hold_the_singular_values(name):
    build, shape = MODELS[name]
    module, x = seeded(build).double().eval(), rows(shape)
    function = row_function(module, x)
    exact = local_spectra(function, x, memory=1 << 26).singular_values
    for seed in range(5):
        found = sketched_spectra(function, x, 2, memory=1 << 26, seed=seed, iterations=seed)
        assert found.upper is not None
        assert bool((found.singular_values <= exact[:, :2]).all())
        assert bool((exact[:, :2] <= found.upper).all())


def test_a_sketch_of_a_large_map_is_tight_and_right():
    generator = torch.Generator().manual_seed(0)
    u = torch.linalg.qr(torch.randn(300, 300, generator=generator, dtype=torch.float64)).Q
    values = torch.cat([torch.tensor([5.0, 3.0, 1.0]), 0.01 * torch.ones(297)]).double()
    linear = nn.Linear(300, 300, bias=False, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(u * values @ u.T)
    found = sketched_spectra(row_function(linear, torch.zeros(1, 300)), torch.zeros(2, 300), 3, memory=1 << 24)
    assert bool((found.singular_values[0] <= values[:3]).all())
    assert bool((values[:3] <= found.upper[0]).all())
    assert float((found.upper - found.singular_values).max()) < 1e-3


@pytest.mark.parametrize("name", MODELS)
def test_the_module_is_left_as_it_was(name):
    build, shape = MODELS[name]
    module, x = seeded(build).train(), rows(shape)
    next(module.children()).eval()
    modes = [part.training for part in module.modules()]
    before = {key: t.clone() for key, t in module.state_dict().items()}
    hooks = [len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules()]
    state = torch.random.get_rng_state()
    fast = torch.backends.mha.get_fastpath_enabled()
    measure(module, x)
    assert torch.equal(state, torch.random.get_rng_state())
    assert modes == [part.training for part in module.modules()]
    assert hooks == [len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules()]
    assert all(torch.equal(before[key], t) for key, t in module.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in module.parameters())
    assert torch.backends.mha.get_fastpath_enabled() == fast


def test_two_probabilities_have_rank_1():
    module = seeded(lambda: nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 2), nn.Softmax(1)))
    profile = measure(module, rows((4,), 40), tolerance=Tolerance(1e-4))
    assert (profile.method, profile.jacobian_rank.lower, profile.bottleneck_rank.upper) == ("local", 1, 1)
    assert profile.cost_lower is None
    assert profile.norm_per_depth is None


@pytest.mark.parametrize("k", [1, 2, 4])
def test_a_bottleneck_inside_a_sequence_is_exhibited(k):
    module = seeded(
        lambda: nn.Sequential(
            nn.Linear(6, 12), nn.GELU(), nn.Linear(12, k), nn.Linear(k, 12), nn.GELU(), nn.Linear(12, 6)
        )
    ).double()
    profile = measure(module, rows((6,), 200).double(), tolerance=Tolerance(1e-6))
    assert profile.jacobian_rank.lower == profile.bottleneck_rank.upper == k
    assert profile.bottleneck_error < 1e-6
    assert [layer.name for layer in profile.layers] == ["0", "2", "3", "5"]


def test_convolutions_and_average_pooling_are_a_chain():
    module = seeded(
        lambda: nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1),
            nn.BatchNorm2d(3),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(3, 4, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(4, 3),
        )
    )
    module(rows((2, 4, 4), 50))  # running statistics that differ from the start
    x = rows((2, 4, 4))
    profile = measure(module, x, tolerance=Tolerance(1e-6), scale_inputs="none", scale_outputs="none")
    assert profile.method == "chain"
    expected = oracle(module, x)
    found = profile.jacobian.singular_values
    torch.testing.assert_close(found, expected[:, : found.shape[1]], rtol=1e-4, atol=1e-6)
    assert profile.cost_lower is not None
    assert profile.cost_lower <= profile.norm_per_depth


def test_a_chain_too_large_to_write_out_still_has_proposition_3():
    module = seeded(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)))
    x = rows((3, 8, 8))
    whole, local = measure(module, x), measure(module, x, memory=600_000)
    assert (whole.method, local.method) == ("chain", "local")
    assert local.cost_lower == pytest.approx(whole.cost_lower, rel=1e-4)
    assert local.norm_per_depth is None


def test_memory_is_kept_to():
    module, x = seeded(MODELS["residual"][0]), rows((2, 6, 6))
    function = row_function(module, x)
    needed = bytes_per_row(function, x[:1])
    small = local_spectra(function, x, memory=needed)
    torch.testing.assert_close(small.singular_values, local_spectra(function, x, memory=1 << 30).singular_values)
    with pytest.raises(MemoryBudgetError, match=rf"Raise memory to at least {needed} bytes"):
        local_spectra(function, x, memory=needed - 1)
    assert saved_bytes(function, x[:1]) > 0
    with pytest.raises(OptionError, match="memory is 0"):
        measure(module, x, memory=0)


class Several(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.linear, self.kind = nn.Linear(4, 3), kind

    def forward(self, x):
        y = self.linear(x).tanh()
        return {"dict": {"mean": y[:, :1], "all": y}, "tuple": (y[:, :1], y)}[self.kind]


@pytest.mark.parametrize(("kind", "output", "d"), [("dict", "mean", 1), ("dict", "all", 3), ("tuple", "1", 3)])
def test_an_output_is_chosen_by_name(kind, output, d):
    assert measure(seeded(lambda: Several(kind)), rows((4,)), output=output).jacobian_rank.upper == d


class Lookup(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(10, 4)

    def forward(self, x):
        return self.table(x).mean(1)


class Argmax(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, x):
        return self.linear(x).argmax(1, keepdim=True)


class Detached(Argmax):
    def forward(self, x):
        return self.linear(x.detach().round())


class BatchMean(Argmax):
    def forward(self, x):
        return self.linear(x - x.mean(0))


class Dropping(Argmax):
    """Chance that eval mode does not end: half of the outputs dropped, or a little noise."""

    def __init__(self, deviation=None):
        super().__init__()
        self.deviation = deviation

    def forward(self, x):
        y = self.linear(x)
        if self.deviation is None:
            return nn.functional.dropout(y, 0.5, training=True)
        return y + self.deviation * torch.randn_like(y)


def with_nan():
    module = nn.Sequential(nn.Linear(4, 3), nn.GELU())
    with torch.no_grad():
        module[0].weight[1, 2] = float("nan")
    return module


GELU = nn.Sequential(nn.Linear(4, 3), nn.GELU())
X = torch.zeros(3, 4) + torch.arange(3.0)[:, None]
BAD = {
    "several outputs": (Several("dict"), X, {}, OutputChoiceError, "returns several outputs. Choose one.*mean, all"),
    "unknown output": (Several("tuple"), X, {"output": "2"}, OutputChoiceError, "has no output '2'. Choose.*0, 1"),
    "integers in a table": (Lookup(), X.long(), {}, ModelCallError, "measure the part after the embedding"),
    "no derivative": (Argmax(), X, {}, NotDifferentiableError, "its output has dtype torch.int64"),
    "detached": (Detached(), X, {}, NotDifferentiableError, "no derivative reaches its input"),
    "dropout in eval mode": (Dropping(), X, {}, RandomOutputError, "Dropping is not deterministic: two evaluations"),
    "small noise": (Dropping(1e-4), X, {}, RandomOutputError, "differ by .*, and its outputs are up to"),
    "rows mixed": (BatchMean(), X, {}, MixedRowsError, "mixes the rows of a batch"),
    "batch norm without statistics": (
        nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, track_running_stats=False)),
        X,
        {},
        (MixedRowsError, ModelCallError),
        "track_running_stats|more than 1 value",
    ),
    "columns": (GELU, torch.zeros(3, 5), {}, ModelCallError, "rows of shape .5,.*cannot be multiplied"),
    "nan in the data": (GELU, X.log(), {}, NonFiniteError, "x holds NaN or infinity .first at row 0, column 0"),
    "nan in a weight": (with_nan(), X, {}, NonFiniteError, "the weight 0.weight holds NaN.*row 1, column 2"),
    "no rows": (GELU, torch.zeros(0, 4), {}, ShapeError, "it is empty"),
    "a vector": (GELU, torch.zeros(4), {}, ShapeError, "one row a sample"),
    "complex": (GELU, torch.zeros(3, 4, dtype=torch.complex64), {}, DtypeError, "complex64"),
    "texts": (GELU, np.array([["a", "b"]]), {}, DtypeError, "<U1"),
    "no points": (GELU, X, {"points": 0}, OptionError, "points is 0"),
    "no model": ("net", X, {}, UnsupportedModuleError, "str cannot be converted"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_the_remedy(name):
    module, x, options, error, message = BAD[name]
    with pytest.raises(error, match=message):
        measure(module, x, **options)


@pytest.mark.parametrize("kind", ["chain", "module", "callable"])
def test_an_output_that_is_not_finite_is_told_by_the_row_of_the_data(kind):
    """Rows are looked at evenly spaced; the message counts those of the data."""
    x = torch.ones(1200, 3)
    x[1199, 1] = 1e30
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        net[0].weight.fill_(1e10)
        net[2].weight.fill_(1.0)
    model = {"chain": net, "module": nn.Sequential(*net, nn.Softplus()), "callable": lambda x: net(torch.tensor(x))}[
        kind
    ]
    with pytest.raises(NonFiniteOutputError, match=r"is not finite at row 1199 \(output 0\)"):
        measure(model, x)


class Masked(Argmax):
    """Attention of three tokens to those before them, by the usual mask of infinities."""

    def __init__(self, mask=-torch.inf):
        super().__init__()
        self.register_buffer("mask", torch.full((3, 3), mask).triu(1))

    def forward(self, x):
        tokens = x[:, :, None] * self.linear.weight[:, 0]
        return (torch.softmax(tokens @ tokens.mT + self.mask, 2) @ tokens).flatten(1)


def test_a_mask_of_infinities_is_no_bad_weight():
    module, x = seeded(Masked), rows((3,))
    spectra = measure(module, x, scale_inputs="none", scale_outputs="none").jacobian.singular_values
    torch.testing.assert_close(spectra, oracle(module, x), rtol=1e-4, atol=1e-6)
    with pytest.raises(NonFiniteError, match=r"the weight mask holds NaN or infinity .first at row 0, column 1"):
        measure(Masked(float("nan")), x)


def test_training_mode_batch_norm_is_measured_in_eval_mode():
    module = seeded(lambda: nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2)))
    x = rows((4,), 30)
    module(x)
    trained = measure(module.train(), x)
    assert module.training
    assert trained.method == "chain"
    assert trained.record() == measure(module.eval(), x).record()


@pytest.mark.parametrize("n", [1, 2])
def test_few_rows_of_any_module(n):
    profile = measure(seeded(MODELS["residual"][0]), rows((2, 6, 6), n))
    assert profile.bottleneck_rank.upper <= 3
    assert profile.rows == n


def test_a_constant_function_has_rank_0():
    module = nn.Sequential(nn.Linear(4, 3), nn.GELU())
    with torch.no_grad():
        module[0].weight.zero_()
    profile = measure(module, X)
    assert (profile.jacobian_rank.lower, profile.bottleneck_rank.upper) == (0, 0)


def test_rows_are_read_from_a_memory_map_in_chunks(tmp_path):
    x = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for module in (seeded(MODELS["softmax"][0]), nn.Linear(4, 2)):
        assert measure(module, mapped).record() == measure(module, x).record()
