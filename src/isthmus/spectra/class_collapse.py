r"""Neural collapse of a classifier, layer by layer, and both sides of the bound that ties it to the weights' rank.

With $\mathcal L = \frac1N \sum_i \ell(f(x_i), y_i) + \frac{\lambda}{L} \|w\|^2$, $A_{\ell-1}$ `(N, n)` the features
that layer ℓ reads and $\Delta_\ell$ the derivatives of the losses by its pre-activations,
$\nabla_{W_\ell} \mathcal L = \frac1N \Delta_\ell^\top A_{\ell-1} + \frac{2\lambda}L W_\ell$. Class means $\bar A$ in
place of the features leave a matrix of rank at most K, the number of classes. So for every network, and without the
second term at critical points,

$$\Big(\sum_{i > K} s_i(W_\ell)^2\Big)^{1/2} \;\le\; \frac{L}{2\lambda} \Big( \big\|\tfrac1N \Delta_\ell^\top
  (A_{\ell-1} - \bar A_{\ell-1})\big\|_F + \|\nabla_{W_\ell} \mathcal L\|_F \Big).$$
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import OptionError, ShapeError
from isthmus.foundation.likelihood import CATEGORICAL
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import FullyConnected
from isthmus.spectra.layer_spectrum import CHUNK
from isthmus.spectra.model import Model, as_network
from isthmus.spectra.running_covariance import MomentSum


@dataclass(frozen=True)
class CollapsedLayer:
    r"""Layer ℓ and the features $A_{\ell-1}$ that it reads.

    Attributes:
        layer: ℓ, from 1 to L.
        nc1: Variance of the features within the classes over that between their means; 0 when collapsed, infinite
            where the means agree.
        nc2: $s_{K-1} / s_1$ of the class means less their mean; 1 for a simplex and for orthogonal means of one length.
        nc3: Cosine of the last weight, less the mean of its rows, and these class means, 1 when aligned; None before.
        imbalance: $\|W_{\ell+1}^\top W_{\ell+1} - W_\ell W_\ell^\top - b_\ell b_\ell^\top\|_F$ over the norm of the
            first of these; 0 at critical points where σ is linear between the two. None at ℓ = L, and where
            $W_{\ell+1} = 0$.
        distance_from_rank: $(\sum_{i > K} s_i(W_\ell)^2)^{1/2}$, the distance to the matrices of rank K.
        bound: The right side; None without λ.
    """

    layer: int
    nc1: float
    nc2: float
    nc3: float | None
    imbalance: float | None
    distance_from_rank: float
    bound: float | None


@dataclass(frozen=True)
class NeuralCollapse:
    """Neural collapse of every layer of a classifier.

    Attributes:
        classes: K.
        layers: ℓ = 1, …, L.
        logit_deviations: Standard deviations of the logits along their principal directions, `(K,)`, descending.
        collapsed_deviations: The same with the mean of its class in place of each row, what collapse leaves of them:
            none is larger, and at most K − 1 are not 0. Where they are alike, the logits have collapsed.
    """

    classes: int
    layers: tuple[CollapsedLayer, ...]
    logit_deviations: tuple[float, ...]
    collapsed_deviations: tuple[float, ...]

    def logit_ranks(self, tolerance: Tolerance = DEFAULT_TOLERANCE) -> tuple[int, int]:
        """Rank of the centred logits at the tolerance as they are, and after collapse, both relative to the largest."""
        floor = tolerance.relative * self.logit_deviations[0]
        before, after = (
            sum(each > floor for each in deviations)
            for deviations in (self.logit_deviations, self.collapsed_deviations)
        )
        return before, after


def neural_collapse(model: Model, x: object, labels: object, *, ridge: float | None = None) -> NeuralCollapse:
    r"""Within-class collapse, class means, alignment, balance and the rank of the weights of a classifier.

    Args:
        model: A chain whose K outputs are logits, as trained with cross-entropy.
        x: `(n, d_in)`, the rows it was trained on.
        labels: `(n,)`, classes 0, …, K − 1, each of which occurs.
        ridge: λ of the objective; None leaves the bound out.

    Raises:
        UnsupportedModuleError: If the model is no chain of affine maps and one positively homogeneous activation.
        OptionError: If λ is not positive: the bound needs weight decay.
        ShapeError: If the labels are not one class a row, or the outputs not one logit a class.

    Source:
        Papyan, Han and Donoho (2020) for NC1 to NC3; Jacot et al., arXiv 2410.04887, for balance; Zangrando et al.,
        arXiv 2402.03991, for the bound, whose form and proof here are ours (`docs/certificates.md`).
    """
    if ridge is not None and not (ridge > 0.0 and math.isfinite(ridge)):
        raise OptionError("ridge", ridge, "positive: without weight decay the bound says nothing")
    network, rows = as_network(model, x)
    network, rows = network.to(dtype=torch.float64), rows.double()
    classes = _checked(labels, len(rows), network.d_out).to(rows.device)
    features = _Features(network, rows, classes)
    means = features.class_means()
    within, between = features.variances(means)
    bounds = [None] * network.depth if ridge is None else features.bounds(means, ridge)
    layers = [
        CollapsedLayer(
            layer=index + 1,
            nc1=within[index] / between[index] if between[index] > 0.0 else math.inf,
            nc2=_evenness(means[index]),
            nc3=_alignment(network, means[index]) if index == network.depth - 1 else None,
            imbalance=_imbalance(network, index),
            distance_from_rank=float(torch.linalg.svdvals(w)[network.d_out :].norm()),
            bound=bounds[index],
        )
        for index, w in enumerate(network.weights)
    ]
    return NeuralCollapse(network.d_out, tuple(layers), *features.logit_deviations())


def _checked(labels: object, rows: int, outputs: int) -> Tensor:
    try:
        found = torch.as_tensor(labels)
    except (TypeError, ValueError) as texts:
        raise ShapeError(
            "labels are no numbers; expected classes 0, 1, …, one a row, as `numpy.unique(labels, "
            "return_inverse=True)` numbers them."
        ) from texts
    if found.shape != (rows,) or found.is_floating_point() or found.is_complex():
        raise ShapeError(f"labels has shape {tuple(found.shape)}; expected one whole number a row, ({rows},).")
    present = found.long().unique().tolist()
    if present != list(range(outputs)) or outputs < 2:
        raise ShapeError(
            f"The network has {outputs} outputs and the labels are {present[:10]}: give a network with one logit for "
            "each class 0, 1, …, at least two of them, and rows of every class."
        )
    return found.long()


class _Features:
    """What the layers read at the rows, in chunks."""

    def __init__(self, network: FullyConnected, x: Tensor, labels: Tensor) -> None:
        self._network, self._x, self._labels = network, x, labels
        self._counts = labels.bincount().double()

    def _chunks(self) -> Iterator[tuple[Tensor, Tensor, list[Tensor], list[Tensor]]]:
        """One-hot classes `(c, K)`, classes, inputs of the layers and pre-activations, of some rows at a time."""
        for x, labels in zip(self._x.split(CHUNK), self._labels.split(CHUNK), strict=True):
            yield torch.nn.functional.one_hot(labels, len(self._counts)).double(), labels, *self._network.trace(x)

    def class_means(self) -> list[Tensor]:
        """Of the inputs of each layer, `(K, n_{ℓ-1})`."""
        sums = [torch.zeros(len(self._counts), d, dtype=torch.float64, device=self._x.device) for d in self._widths]
        for chosen, _, activations, _ in self._chunks():
            for total, a in zip(sums, activations, strict=True):
                total.addmm_(chosen.T, a)
        return [total / self._counts[:, None] for total in sums]

    @property
    def _widths(self) -> tuple[int, ...]:
        return self._network.widths[:-1]

    def logit_deviations(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Of the logits, and of their class means with each row counted once."""
        total = MomentSum(len(self._counts), self._x.device)
        sums = torch.zeros(len(self._counts), len(self._counts), dtype=torch.float64, device=self._x.device)
        for chosen, _, _, z in self._chunks():
            total.add(z[-1])
            sums.addmm_(chosen.T, z[-1])
        moments = total.result()
        share = (self._counts / len(self._x)).sqrt()[:, None]
        collapsed = torch.linalg.svdvals(share * (sums / self._counts[:, None] - moments.mean))
        return tuple(moments.deviations().tolist()), tuple(collapsed.tolist())

    def variances(self, means: list[Tensor]) -> tuple[list[float], list[float]]:
        """Total variance within the classes and of their means, each row counted once."""
        within = [0.0] * len(means)
        for _, labels, activations, _ in self._chunks():
            for layer, a in enumerate(activations):
                within[layer] += float((a - means[layer][labels]).square().sum()) / len(self._x)
        share = self._counts[:, None] / len(self._x)
        return within, [float((share * (m - (share * m).sum(0)).square()).sum()) for m in means]

    def bounds(self, means: list[Tensor], ridge: float) -> list[float]:
        """The right side of the bound for each layer."""
        network, scale = self._network, 2.0 * ridge / self._network.depth
        apart = [torch.zeros_like(w) for w in network.weights]
        gradient = [scale * w for w in network.weights]
        for _, labels, activations, z in self._chunks():
            delta = CATEGORICAL.gradient(z[-1], labels)[1] / len(self._x)
            for layer in reversed(range(network.depth)):
                apart[layer] += delta.T @ (activations[layer] - means[layer][labels])
                gradient[layer] = gradient[layer] + delta.T @ activations[layer]
                if layer:
                    delta = (delta @ network.weights[layer]) * network.activation.derivative(z[layer - 1])
        return [float(a.norm() + g.norm()) / scale for a, g in zip(apart, gradient, strict=True)]


def _evenness(means: Tensor) -> float:
    s = torch.linalg.svdvals(means - means.mean(0))
    at = len(means) - 2
    return float(s[at] / s[0]) if at < len(s) and float(s[0]) > 0.0 else 0.0


def _alignment(network: FullyConnected, means: Tensor) -> float:
    last, centred = network.weights[-1] - network.weights[-1].mean(0), means - means.mean(0)
    size = float(last.norm() * centred.norm())
    return float((last * centred).sum()) / size if size > 0.0 else 0.0


def _imbalance(network: FullyConnected, index: int) -> float | None:
    if index + 1 == network.depth:
        return None
    after, w, b = network.weights[index + 1], network.weights[index], network.biases[index]
    outgoing = after.T @ after
    size = float(outgoing.norm())
    return float((outgoing - w @ w.T - torch.outer(b, b)).norm()) / size if size > 0.0 else None
