r"""What is learned, as a likelihood: squared errors of numbers, or −log of the probability of a class.

Whether data are a classification is asked here and nowhere else: whoever holds a `Likelihood` asks it for losses,
gradients, the best constant and the lengths of outputs, and need not know which of the two it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from isthmus.foundation.statistics import effective_rows, standard_error, weighted_mean


class Likelihood(ABC):
    """How well outputs `(…, n, d_out)` fit targets.

    Attributes:
        loss_name: What a row's loss measures, in words.
        error_name: What `row_errors` measure, in words.
    """

    loss_name: str
    error_name: str

    @abstractmethod
    def gradient(self, outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Sum of the rows' losses `(…)`, each times its weight `(n,)`, and the gradient of it by the outputs."""

    @abstractmethod
    def row_losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """−log likelihood of each row, up to scale and constant: `(n,)` float64."""

    @abstractmethod
    def row_errors(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """What a person counts on rows that were set aside: `(n,)` float64."""

    @abstractmethod
    def error_of_mean(self, differences: Tensor, weights: Tensor | None = None) -> float:
        """Standard error of the mean of differences of paired `row_errors`, `(n,)`, of rows with `weights`."""

    @abstractmethod
    def best_constant(self, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Constant outputs of least loss, `(d_out,)`."""

    @abstractmethod
    def constant_loss(self, targets: Tensor, weights: Tensor | None = None) -> float:
        """Mean loss of `best_constant`: total variance, or entropy of the class frequencies."""

    @abstractmethod
    def as_numbers(self, targets: Tensor, outputs: int) -> Tensor:
        """Targets as columns `(n, outputs)`, for methods that predict numbers."""

    @abstractmethod
    def expectation(self, outputs: Tensor) -> Tensor:
        """What outputs say of `as_numbers`: themselves, or probabilities."""

    @abstractmethod
    def in_metric(self, slopes: Tensor, outputs: Tensor) -> Tensor:
        r"""Derivatives `(n, d_out, d)` of outputs `(n, d_out)`, in the lengths of the Fisher information."""

    @abstractmethod
    def curved(self, noise: Tensor, outputs: Tensor) -> Tensor:
        """Rows whose covariance is the loss's Hessian by the outputs, from standard normal `noise`."""

    @property
    @abstractmethod
    def is_quadratic(self) -> bool:
        """Whether the loss is a square, so that turning the outputs changes nothing."""

    @abstractmethod
    def free_outputs(self, outputs: int) -> int:
        """Numbers that tell a prediction: of the logits of c classes c − 1, as a shift of all changes nothing."""


class Gaussian(Likelihood):
    r"""$\|f(x_i) - y_i\|^2$, summed over the outputs; targets are `(n, d_out)`.

    Source:
        Jacot (2023), problem setting: MSE with 1/N over the samples and no 1/d over the outputs.
    """

    loss_name = error_name = "mean squared error (standardised units)"

    def gradient(self, outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
        r"""$\sum_i v_i \|f(x_i) - y_i\|^2$ and its gradient $2 v_i (f(x_i) - y_i)$."""
        residual = outputs - targets
        if weights is None:
            return residual.square().sum((-2, -1)), 2.0 * residual
        weighted = weights[:, None] * residual
        return (weighted * residual).sum((-2, -1)), 2.0 * weighted

    def row_losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Squared errors."""
        return (outputs.double() - targets.double()).square().sum(1)

    def row_errors(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Squared errors."""
        return self.row_losses(outputs, targets)

    def error_of_mean(self, differences: Tensor, weights: Tensor | None = None) -> float:
        """That of independent rows."""
        return standard_error(differences, weights)

    def best_constant(self, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The mean."""
        return weighted_mean(targets, weights)

    def constant_loss(self, targets: Tensor, weights: Tensor | None = None) -> float:
        """The total variance."""
        deviations = (targets.double() - weighted_mean(targets.double(), weights)).square().sum(1)
        return float(weighted_mean(deviations, weights))

    def as_numbers(self, targets: Tensor, outputs: int) -> Tensor:
        """Themselves."""
        return targets

    def expectation(self, outputs: Tensor) -> Tensor:
        """Themselves."""
        return outputs

    def in_metric(self, slopes: Tensor, outputs: Tensor) -> Tensor:
        """As they are."""
        return slopes

    def curved(self, noise: Tensor, outputs: Tensor) -> Tensor:
        """The Hessian is 2 I."""
        scaled: Tensor = noise * 2.0**0.5
        return scaled

    @property
    def is_quadratic(self) -> bool:
        """It is."""
        return True

    def free_outputs(self, outputs: int) -> int:
        """All of them."""
        return outputs


class Categorical(Likelihood):
    r"""$-\log \operatorname{softmax}(f(x_i))_{y_i}$; targets are class indices `(n,)`."""

    loss_name = "−log of the class's probability"
    error_name = "misclassified fraction"

    def gradient(self, outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
        r"""$-\sum_i v_i \log p_{y_i}$ and its gradient."""
        logs = outputs.log_softmax(-1)
        chosen = torch.nn.functional.one_hot(targets, outputs.shape[-1])
        if weights is None:
            return -(logs * chosen).sum((-2, -1)), logs.exp() - chosen
        weighted = weights[:, None] * chosen
        return -(logs * weighted).sum((-2, -1)), weights[:, None] * logs.exp() - weighted

    def row_losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """−log of the probability of the class."""
        return torch.nn.functional.cross_entropy(outputs.double(), targets, reduction="none")

    def row_errors(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """1 where the class is wrong."""
        return (outputs.argmax(1) != targets).double()

    def error_of_mean(self, differences: Tensor, weights: Tensor | None = None) -> float:
        """With half a row in each of the four outcomes; with weights the number of rows is the effective one.

        Without it two classifiers that happen to agree on a few rows would be certain to do so everywhere.

        Source:
            Agresti and Min (2005), intervals for differences of proportions of matched pairs.
        """
        rows = len(differences) if weights is None else effective_rows(weights)
        n = rows + 2
        scatter = rows * float(weighted_mean(differences.square(), weights)) + 1.0
        scatter -= (rows * float(weighted_mean(differences, weights))) ** 2 / n
        return float(scatter**0.5 / n)

    def best_constant(self, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The logs of the class shares."""
        shares = targets.bincount(weights).double()
        return (shares / shares.sum()).log()

    def constant_loss(self, targets: Tensor, weights: Tensor | None = None) -> float:
        """The entropy of the class shares."""
        if weights is None:
            shares = targets.bincount().double() / len(targets)
        else:
            shares = targets.bincount(weights.to(targets.device)) / weights.sum().to(targets.device)
        shares = shares[shares > 0]
        return float(-(shares * shares.log()).sum())

    def as_numbers(self, targets: Tensor, outputs: int) -> Tensor:
        """One-hot rows."""
        return torch.nn.functional.one_hot(targets, outputs).double()

    def expectation(self, outputs: Tensor) -> Tensor:
        """Probabilities."""
        return outputs.double().softmax(1)

    def in_metric(self, slopes: Tensor, outputs: Tensor) -> Tensor:
        r"""Derivatives of $2\sqrt{p}$: a direction along which the classes are as certain as before has no length."""
        roots = outputs.double().softmax(1).sqrt()
        slopes = roots[:, :, None] * slopes
        # d(2√p) = (√p − √p √pᵀ √p) dz with dz the change of the logits
        return slopes - roots[:, :, None] * (roots[:, None, :] @ slopes)

    def curved(self, noise: Tensor, outputs: Tensor) -> Tensor:
        """diag(p) − p pᵀ = C Cᵀ with C = diag(√p) (I − √p √pᵀ)."""
        root = outputs.softmax(1).sqrt()
        turned: Tensor = root * (noise - root * (root * noise).sum(1, keepdim=True))
        return turned

    @property
    def is_quadratic(self) -> bool:
        """It is not."""
        return False

    def free_outputs(self, outputs: int) -> int:
        """One fewer than classes."""
        return outputs - 1


GAUSSIAN, CATEGORICAL = Gaussian(), Categorical()


def likelihood_of(task: str) -> Likelihood:
    """The likelihood that a task maximises."""
    return CATEGORICAL if task == "classification" else GAUSSIAN
