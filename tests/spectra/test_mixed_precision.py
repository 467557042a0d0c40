"""Single precision confirmed by double: against float64 autograd one row at a time, and ranks by construction."""

import pytest
import torch
from torch import nn
from torch.func import jacrev

from isthmus import measure
from isthmus.errors import MemoryBudgetError, NotDifferentiableError
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks.rowwise import row_function
from isthmus.spectra.local import local_spectra
from isthmus.spectra.mixed_precision import confirmed_spectra


class Counted(nn.Module):
    """Counts the rows that a module is shown in double precision."""

    def __init__(self, module):
        super().__init__()
        self.module, self.doubles = module, 0

    def forward(self, x):
        self.doubles += len(x) if x.dtype == torch.float64 else 0
        return self.module(x)


def rows(shape, n=40, seed=1):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))


def seeded(build, seed=0):
    torch.manual_seed(seed)
    return build()


def spectra(module, x, relative=0.1, memory=1 << 26):
    """Singular values, and how many rows double precision saw, those seen twice counted twice."""
    counted = Counted(module)
    function = row_function(counted, x)
    counted.doubles = -3  # two calls find out whether double precision works, and what it keeps
    found = confirmed_spectra(function, x, tolerance=Tolerance(relative), memory=memory).singular_values
    return found, counted.doubles


def oracle(module, x):
    exact = module.double().eval()
    try:
        found = [jacrev(lambda r: exact(r[None])[0].flatten())(row.double()).flatten(1).detach() for row in x]
    finally:
        module.float()
    return torch.stack([torch.linalg.svdvals(jacobian) for jacobian in found])


def largest_error(found, expected):
    return float(((found - expected).abs() / expected[:, :1]).max())


def test_of_well_conditioned_rows_eight_and_one_in_eight_go_through_double_precision():
    module = seeded(lambda: nn.Sequential(nn.Linear(30, 40), nn.GELU(), nn.Linear(40, 6)))
    x = rows((30,))
    found, seen = spectra(module, x)
    assert seen == 8 + 4
    assert 0.0 < largest_error(found, oracle(module, x)) < 1e-6
    again, _ = spectra(module, x)
    assert torch.equal(found, again)


def linear(values):
    """A linear map with these singular values."""
    generator = torch.Generator().manual_seed(0)
    u, v = (torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64)).Q for _ in range(2))
    module = nn.Linear(8, 8, bias=False, dtype=torch.float64)
    with torch.no_grad():
        module.weight.copy_(u * torch.tensor(values, dtype=torch.float64) @ v)
    return module.float()


@pytest.mark.parametrize(
    ("smallest", "relative", "seen"),
    [(0.2, 0.1, 12), (0.2, 0.1999, 40), (0.2, 0.2001, 40), (2e-3, 0.1, 12), (1e-4, 0.1, 40), (0.0, 0.1, 40)],
)
def test_double_precision_decides_near_the_tolerance_and_about_small_values(smallest, relative, seen):
    """After a pilot of eight rows, none of them confirmed, the rest is not attempted."""
    module, x = linear([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, smallest]), rows((8,))
    found, count = spectra(module, x, relative)
    assert count == seen
    expected = torch.linalg.svdvals(module.weight.detach().double()).expand(40, -1)
    assert largest_error(found, expected) < (1e-12 if seen == 40 else 1e-6)


def test_a_mask_that_single_precision_gets_wrong_is_found():
    module = seeded(lambda: nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 5)))
    first, second, last = module[0], module[2], module[4]
    with torch.no_grad():
        first.weight[0], first.bias[0] = 1e-9 * torch.ones(6), 1.0  # 1 + 1e-9 Σx is 1 in single precision
        second.weight[0], second.bias[0] = 0.0, -1.0
        second.weight[0, 0] = 1.0
    x = rows((6,)).abs()
    x[::4] *= -1.0  # there the neuron is silent in both
    last.weight.data[:, 0] = 1e8  # the neuron's slope is 1e-9
    single = local_spectra(row_function(module, x), x, memory=1 << 26).singular_values
    found, _ = spectra(module, x)
    expected = oracle(module, x)
    assert largest_error(single, expected) > 1e-3
    assert largest_error(found, expected) < 1e-6


def within_rounding_of_a_kink(row):
    """A network of which one neuron is active at `row` in one precision and silent in the other."""
    for seed in range(50):
        module = seeded(lambda: nn.Sequential(nn.Linear(30, 40), nn.ReLU(), nn.Linear(40, 6)), seed)
        with torch.no_grad():
            module[0].bias[0] = -(module[0].weight[0] @ row)
            single = bool(module[0](row[None])[0, 0] > 0)
            double = bool(row.double() @ module[0].weight[0].double() + module[0].bias[0].double() > 0)
        if single != double:
            return module
    raise AssertionError("no seed has one")


def test_a_row_within_rounding_of_a_kink_makes_no_other_row_doubtful():
    x = rows((30,))
    module = within_rounding_of_a_kink(x[3])
    single = local_spectra(row_function(module, x), x, memory=1 << 26).singular_values
    found, seen = spectra(module, x)
    expected = oracle(module, x)
    assert largest_error(single[3:4], expected[3:4]) > 1e-3
    assert largest_error(found, expected) < 1e-6  # that row itself is differentiated in double precision
    assert 8 + 4 < seen <= 8 + 4 + 1 + 2  # and looked at beside the kink, on one side or both


class Faulty(nn.Module):
    """Single precision is wrong where the first number is above a bound: something large is added and taken away."""

    def __init__(self, bound):
        super().__init__()
        self.bound, self.net = bound, nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 5))

    def forward(self, x):
        large = torch.where(x[:, :1] > self.bound, 1e5, 0.0)
        return self.net(torch.sin((x + large) - large))


@pytest.mark.parametrize("share", [0.3, 0.1])
def test_a_fault_at_some_rows_makes_every_row_be_confirmed(share):
    x = rows((6,), 200)
    module = seeded(lambda: Faulty(float(x[:, 0].quantile(1 - share))))
    single = local_spectra(row_function(module, x), x, memory=1 << 26).singular_values
    expected = oracle(module, x)
    assert largest_error(single, expected) > 1e-4
    assert largest_error(spectra(module, x)[0], expected) < 1e-5


def test_a_fault_that_is_found_late_leads_back_to_the_rows_before(monkeypatch):
    monkeypatch.setattr("isthmus.spectra.mixed_precision.rows_at_a_time", lambda *_: 50)
    x = rows((6,), 208)
    module = seeded(lambda: Faulty(2.5))
    x[:, 0] = x[:, 0].clamp(-2.0, 2.0)
    x[[30, 158], 0] = 3.0  # 158 is looked at (50 rows a time after eight, one in eight), 30 is not
    assert largest_error(spectra(module, x)[0], oracle(module, x)) < 1e-5


def test_rows_unlike_those_that_were_confirmed_are_confirmed_themselves():
    """One row in a hundred, of another size, and not among those that are looked at in any case."""
    x = rows((6,), 200) * 0.1
    x[101] *= 300.0
    module = seeded(lambda: Faulty(float(x[101, 0].abs()) / 2))
    x[101, 0] = x[101, 0].abs()
    expected = oracle(module, x)
    single = local_spectra(row_function(module, x), x, memory=1 << 26).singular_values
    assert largest_error(single, expected) > 1e-4
    assert largest_error(spectra(module, x)[0], expected) < 1e-5


def test_saturated_probabilities_have_rank_1():
    module = seeded(lambda: nn.Sequential(nn.Linear(6, 9), nn.GELU(), nn.Linear(9, 1), nn.Linear(1, 5), nn.Softmax(1)))
    module[3].weight.data *= 40.0
    x = rows((6,))
    single = local_spectra(row_function(module, x), x, memory=1 << 26)
    assert int(single.ranks(Tolerance(1e-8)).max()) > 1
    found, _ = spectra(module, x, 1e-8)
    assert int((found > 1e-8 * found[:, :1]).sum(1).max()) == 1
    assert measure(module, x, tolerance=Tolerance(1e-8)).jacobian_rank.lower == 1


def test_a_badly_scaled_module_overflows_in_single_precision_only():
    module = seeded(
        lambda: nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 9), nn.Linear(9, 9), nn.Linear(9, 5))
    )
    for part, scale in ((module[2], 1e-30), (module[3], 1e30), (module[4], 1e30), (module[0], 1e-30)):
        part.weight.data *= scale
        part.bias.data *= 0.0
    x = rows((6,))
    with pytest.raises(NotDifferentiableError):
        local_spectra(row_function(module, x), x, memory=1 << 26)
    found, _ = spectra(module, x)
    assert largest_error(found, oracle(module, x)) < 1e-9


def test_outputs_of_very_different_size_keep_their_digits():
    module = seeded(lambda: nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 5)))
    module[2].weight.data *= torch.tensor([1.0, 1e-2, 1e-4, 1e-6, 1e-8])[:, None]
    x = rows((6,))
    found, expected = spectra(module, x)[0], oracle(module, x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0.0)


class Around(nn.Module):
    """x ↦ B tanh(A x) + B C A x: a residual around a nonlinearity, through k numbers."""

    def __init__(self, k):
        super().__init__()
        self.inward, self.mix, self.outward = nn.Linear(10, k), nn.Linear(k, k), nn.Linear(k, 12)

    def forward(self, x):
        z = self.inward(x)
        return self.outward(torch.tanh(z) + self.mix(z))


@pytest.mark.parametrize("k", [1, 2, 4, 7, 9])
@pytest.mark.parametrize("seed", [0, 1])
def test_planted_ranks_of_a_module_that_is_no_chain(k, seed):
    module, x = seeded(lambda: Around(k), seed), rows((10,), 60)
    for relative in (1e-5, 1e-9):
        profile = measure(module, x, tolerance=Tolerance(relative), scale_inputs="none", scale_outputs="none")
        assert (profile.method, profile.jacobian_rank.lower) == ("local", k)
    assert largest_error(profile.jacobian.singular_values, oracle(module, x)) < 1e-9


class Viewing(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(2, 3, 3), nn.Linear(48, 5)

    def forward(self, x):
        return self.head(self.conv(x).view(len(x), -1))


class Reading(Viewing):
    def forward(self, x):
        y = self.conv(x)
        return self.head(y.as_strided((len(x), 48), (48, 1)))


@pytest.mark.parametrize("kind", [Viewing, Reading])
def test_a_module_that_depends_on_the_layout_keeps_it(kind):
    module, x = seeded(kind), rows((2, 6, 6))
    function = row_function(module, x)
    assert function.in_channels_last(x) is function
    assert largest_error(spectra(module, x)[0], oracle(module, x)) < 1e-6


def test_the_layout_changes_no_number_and_no_weight():
    module = seeded(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.Flatten()))
    x = rows((3, 7, 7), 5)
    function = row_function(module, x)
    relaid = function.in_channels_last(x)
    assert relaid.channels_last
    torch.testing.assert_close(relaid(x), function(x))
    assert all(part.weight.is_contiguous() for part in (module[0], module[2]))
    assert (
        largest_error(
            confirmed_spectra(function, x, tolerance=Tolerance(0.1), memory=1 << 26).singular_values, oracle(module, x)
        )
        < 1e-6
    )


def test_a_budget_is_kept_to_and_does_not_change_the_numbers():
    module, x = seeded(lambda: nn.Sequential(nn.Linear(30, 40), nn.GELU(), nn.Linear(40, 6))), rows((30,))
    found = [spectra(module, x, memory=memory)[0] for memory in (41_000, 500_000, 1 << 26)]
    for each in found[:2]:
        torch.testing.assert_close(each, found[2], rtol=1e-6, atol=0.0)
    with pytest.raises(MemoryBudgetError, match="Raise memory to at least"):
        spectra(module, x, memory=100)
