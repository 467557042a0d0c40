"""What holds for every likelihood: autograd, finite differences, repeated rows, constants that none is better than."""

import math

import numpy as np
import pytest
import torch

from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN, likelihood_of

N, OUTPUTS = 24, 4
COUNTS = torch.tensor([1, 3, 2, 5] * 6)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Case:
    """A likelihood, outputs and targets, and torch's own losses of the rows."""

    def __init__(self, likelihood):
        self.likelihood = likelihood
        self.outputs = normal(N, OUTPUTS, seed=1)
        self.is_categorical = likelihood is CATEGORICAL
        self.targets = torch.arange(N) * 7 % 11 % OUTPUTS if self.is_categorical else normal(N, OUTPUTS, seed=2) + 0.5

    def losses(self, outputs, targets=None):
        targets = self.targets if targets is None else targets
        if self.is_categorical:
            return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")
        return torch.nn.functional.mse_loss(outputs, targets, reduction="none").sum(1)

    @property
    def repeated(self):
        return self.targets.repeat_interleave(COUNTS, 0)


@pytest.fixture(params=[GAUSSIAN, CATEGORICAL], ids=["Gaussian", "categorical"])
def case(request):
    return Case(request.param)


@pytest.mark.parametrize("weights", [None, COUNTS.double()], ids=["alike", "weighted"])
def test_value_and_gradient_are_autograds(case, weights):
    leaf = case.outputs.clone().requires_grad_()
    expected = (case.losses(leaf) * (1.0 if weights is None else weights)).sum()
    expected.backward()
    value, gradient = case.likelihood.gradient(case.outputs, case.targets, weights)
    torch.testing.assert_close(value, expected.detach(), rtol=1e-13, atol=0)
    torch.testing.assert_close(gradient, leaf.grad, rtol=1e-12, atol=1e-14)


def test_the_gradient_is_that_of_finite_differences(case):
    _, gradient = case.likelihood.gradient(case.outputs, case.targets, COUNTS.double())
    for row, column in ((0, 0), (7, 3), (23, 1)):
        step = torch.zeros_like(case.outputs)
        step[row, column] = 1e-5
        above, below = (
            float(case.likelihood.gradient(at, case.targets, COUNTS.double())[0])
            for at in (case.outputs + step, case.outputs - step)
        )
        assert float(gradient[row, column]) == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-8)


def test_several_networks_at_once_do_not_see_each_other(case):
    several = torch.stack([case.outputs, 2.0 * case.outputs, normal(N, OUTPUTS, seed=3)])
    values, gradients = case.likelihood.gradient(several, case.targets, COUNTS.double())
    assert values.shape == (3,)
    for outputs, value, gradient in zip(several, values, gradients, strict=True):
        alone = case.likelihood.gradient(outputs, case.targets, COUNTS.double())
        torch.testing.assert_close(value, alone[0], rtol=1e-13, atol=0)
        torch.testing.assert_close(gradient, alone[1], rtol=1e-13, atol=0)


def test_a_weight_is_a_number_of_repetitions(case):
    value, gradient = case.likelihood.gradient(case.outputs, case.targets, COUNTS.double())
    often, each = case.likelihood.gradient(case.outputs.repeat_interleave(COUNTS, 0), case.repeated)
    torch.testing.assert_close(value, often, rtol=1e-13, atol=0)
    rows = torch.arange(N).repeat_interleave(COUNTS)
    summed = torch.zeros_like(gradient).index_add(0, rows, each)
    torch.testing.assert_close(gradient, summed, rtol=1e-12, atol=1e-14)


def test_the_losses_of_the_rows_are_torchs_and_their_mean_the_gradients(case):
    found = case.likelihood.row_losses(case.outputs.float(), case.targets)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, case.losses(case.outputs.float().double()), rtol=1e-13, atol=0)
    value, _ = case.likelihood.gradient(case.outputs, case.targets)
    exact = case.likelihood.row_losses(case.outputs, case.targets)
    assert float(exact.mean()) == pytest.approx(float(value) / N, rel=1e-13)


@pytest.mark.parametrize("weights", [None, COUNTS.double()], ids=["alike", "weighted"])
def test_no_constant_is_better_than_the_best(case, weights):
    constant = case.likelihood.best_constant(case.targets, weights)
    assert constant.shape == (OUTPUTS,)
    value, gradient = case.likelihood.gradient(constant.expand(N, -1), case.targets, weights)
    torch.testing.assert_close(gradient.sum(0), torch.zeros(OUTPUTS).double(), rtol=0, atol=1e-12)
    total = N if weights is None else float(weights.sum())
    assert case.likelihood.constant_loss(case.targets, weights) == pytest.approx(float(value) / total, rel=1e-12)
    for seed in range(20):
        other = constant + 10.0 ** (-seed / 5) * normal(OUTPUTS, seed=seed)
        assert float(case.likelihood.gradient(other.expand(N, -1), case.targets, weights)[0]) > float(value)


def test_the_best_constant_counts_weights_as_repetitions(case):
    weights = COUNTS.double()
    expected = case.likelihood.best_constant(case.repeated)
    torch.testing.assert_close(case.likelihood.best_constant(case.targets, weights), expected, rtol=1e-12, atol=1e-14)
    assert case.likelihood.constant_loss(case.targets, weights) == pytest.approx(
        case.likelihood.constant_loss(case.repeated), rel=1e-12
    )


def test_the_loss_of_a_constant_is_the_total_variance_or_the_entropy():
    numbers, classes = Case(GAUSSIAN).targets, Case(CATEGORICAL).targets
    assert GAUSSIAN.constant_loss(numbers) == pytest.approx(float(numbers.numpy().var(0).sum()), rel=1e-12)
    shares = np.bincount(classes) / N
    assert CATEGORICAL.constant_loss(classes) == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-12)


def test_a_class_that_does_not_occur_has_no_share():
    labels = torch.tensor([0, 2, 2, 0])
    assert CATEGORICAL.constant_loss(labels) == pytest.approx(math.log(2.0))
    assert CATEGORICAL.constant_loss(labels, torch.tensor([1.0, 3.0, 0.0, 0.0])) == pytest.approx(
        -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    )
    assert CATEGORICAL.expectation(CATEGORICAL.best_constant(labels)[None]).tolist() == [[0.5, 0.0, 0.5]]


def length(case, outputs):
    """What distances of outputs are measured in: themselves, or 2√p."""
    return 2.0 * outputs.softmax(-1).sqrt() if case.is_categorical else outputs


def test_slopes_in_the_metric_are_those_of_twice_the_roots_of_probabilities(case):
    first, second = normal(5, OUTPUTS, seed=4), normal(OUTPUTS, OUTPUTS, seed=5)

    def network(x):
        return (x @ first).tanh() @ second

    x, step = normal(N, 5, seed=6), 1e-6
    at, moves = network(x), step * torch.eye(5, dtype=torch.float64)
    slopes = torch.stack([(network(x + m) - network(x - m)) / (2.0 * step) for m in moves], 2)
    expected = torch.stack(
        [(length(case, network(x + m)) - length(case, network(x - m))) / (2.0 * step) for m in moves], 2
    )
    torch.testing.assert_close(case.likelihood.in_metric(slopes, at), expected, rtol=1e-6, atol=1e-8)


def test_the_metric_is_the_fisher_information():
    """Of the square root of p it is Jᵀ J = diag(p) − p pᵀ, the Hessian of −log p."""
    outputs, eye = normal(N, OUTPUTS, seed=1), torch.eye(OUTPUTS, dtype=torch.float64).expand(N, -1, -1)
    roots = CATEGORICAL.in_metric(eye, outputs)
    p = outputs.softmax(1)
    torch.testing.assert_close(roots.mT @ roots, torch.diag_embed(p) - p[:, :, None] * p[:, None, :])


def hessians(case):
    def loss(row, target):
        return case.losses(row[None], target[None])[0]

    pairs = zip(case.outputs, case.targets, strict=True)
    return torch.stack([torch.autograd.functional.hessian(lambda r, t=t: loss(r, t), row) for row, t in pairs])


def test_the_covariance_of_curved_noise_is_the_hessian(case):
    """It is linear in the noise, so that its matrix is what it makes of the unit vectors."""
    eye = torch.eye(OUTPUTS, dtype=torch.float64)
    columns = torch.stack([case.likelihood.curved(e.expand(N, -1), case.outputs) for e in eye], 2)
    torch.testing.assert_close(columns @ columns.mT, hessians(case), rtol=1e-12, atol=1e-13)
    noise = normal(N, OUTPUTS, seed=8)
    made = case.likelihood.curved(noise, case.outputs)
    torch.testing.assert_close(made, (columns @ noise[:, :, None])[:, :, 0], rtol=1e-12, atol=1e-13)


def test_free_outputs_are_the_directions_in_which_the_loss_bends(case):
    ranks = torch.linalg.matrix_rank(hessians(case), hermitian=True, rtol=1e-10)
    assert ranks.tolist() == [case.likelihood.free_outputs(OUTPUTS)] * N


def test_a_turn_of_outputs_and_targets_changes_a_quadratic_loss_alone_by_nothing(case):
    turn = torch.linalg.qr(normal(OUTPUTS, OUTPUTS, seed=9)).Q
    targets = case.targets if case.is_categorical else case.targets @ turn
    before = case.likelihood.row_losses(case.outputs, case.targets)
    after = case.likelihood.row_losses(case.outputs @ turn, targets)
    assert torch.allclose(before, after, rtol=1e-12) == case.likelihood.is_quadratic


def test_expectations_are_numbers_as_the_targets(case):
    sure = 1e3 * torch.nn.functional.one_hot(case.targets).double() if case.is_categorical else case.targets
    numbers = case.likelihood.as_numbers(case.targets, OUTPUTS)
    assert numbers.shape == (N, OUTPUTS)
    torch.testing.assert_close(case.likelihood.expectation(sure), numbers)
    # The mean of the targets as numbers is what the best constant says.
    constant = case.likelihood.best_constant(case.targets, COUNTS.double())[None]
    mean = (COUNTS.double() / COUNTS.sum()) @ numbers
    torch.testing.assert_close(case.likelihood.expectation(constant)[0], mean)


def test_a_person_counts_squares_or_wrong_classes():
    numbers, classes = Case(GAUSSIAN), Case(CATEGORICAL)
    squares = ((numbers.outputs - numbers.targets) ** 2).sum(1)
    torch.testing.assert_close(GAUSSIAN.row_errors(numbers.outputs, numbers.targets), squares)
    wrong = np.argmax(classes.outputs.numpy(), 1) != classes.targets.numpy()
    assert CATEGORICAL.row_errors(classes.outputs, classes.targets).tolist() == wrong.astype(float).tolist()


def test_the_error_of_pairs_is_that_of_a_table_with_half_a_row_more_in_each_cell():
    differences = torch.tensor([1.0] * 3 + [-1.0] * 2 + [0.0] * 15, dtype=torch.float64)
    b, c, n = 3.5, 2.5, 22.0
    p, q = b / n, c / n
    expected = math.sqrt((p + q - (p - q) ** 2) / n)
    assert CATEGORICAL.error_of_mean(differences) == pytest.approx(expected, rel=1e-12)
    expected = float(np.std(differences.numpy(), ddof=1) / math.sqrt(20))
    assert GAUSSIAN.error_of_mean(differences) == pytest.approx(expected, rel=1e-12)


def test_equal_weights_are_no_weights_and_unequal_ones_are_fewer_rows(case):
    differences = (torch.arange(40) % 3 - 1).double()
    alike = case.likelihood.error_of_mean(differences)
    equal = torch.full((40,), 2.5, dtype=torch.float64)
    assert case.likelihood.error_of_mean(differences, equal) == pytest.approx(alike, rel=1e-12)
    one_counts = torch.where(torch.arange(40) < 10, 100.0, 1e-6).double()
    few = case.likelihood.error_of_mean(differences[:10])
    assert case.likelihood.error_of_mean(differences, one_counts) == pytest.approx(few, rel=1e-4)


def test_agreement_on_a_few_rows_is_no_certainty():
    assert CATEGORICAL.error_of_mean(torch.zeros(20).double()) > 0.0
    assert CATEGORICAL.error_of_mean(torch.zeros(2000).double()) < 0.001


@pytest.mark.parametrize(
    ("task", "expected"), [("regression", GAUSSIAN), ("autoencoder", GAUSSIAN), ("classification", CATEGORICAL)]
)
def test_every_task_has_one(task, expected):
    assert likelihood_of(task) is expected
