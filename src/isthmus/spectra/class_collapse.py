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

from isthmus.errors import OptionError, ShapeError, UnsupportedModuleError
from isthmus.foundation.arrays import as_matrix, check_columns
from isthmus.foundation.likelihood import CATEGORICAL, Likelihood
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks.chain import Chain, Layer
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

    @property
    def logit_nc1(self) -> float:
        r"""NC1 of the logits.

        Where the last two layers are linear and balanced, NC1 of what the last one reads is at most this times
        $(s_1/s_r)^2$, r the rank of $W_L$: a balanced $W_{L-1}$ gives nothing that $W_L$ does not read.
        """
        between = sum(each**2 for each in self.collapsed_deviations)
        within = max(0.0, sum(each**2 for each in self.logit_deviations) - between)
        return within / between if between > 0.0 else math.inf

    def logit_ranks(self, tolerance: Tolerance = DEFAULT_TOLERANCE) -> tuple[int, int]:
        """Rank of the centred logits at the tolerance as they are, and after collapse, both relative to the largest."""
        floor = tolerance.relative * self.logit_deviations[0]
        before, after = (
            sum(each > floor for each in deviations)
            for deviations in (self.logit_deviations, self.collapsed_deviations)
        )
        return before, after


def neural_collapse(
    model: Model | Chain,
    x: object,
    labels: object,
    *,
    ridge: float | None = None,
    likelihood: Likelihood = CATEGORICAL,
) -> NeuralCollapse:
    r"""Within-class collapse, class means, alignment, balance and the rank of the weights of a classifier.

    Args:
        model: A chain with K outputs, one a class. Linear layers of a torch module that follow each other become one;
            to keep them, as λ/L and the balance of a linear end need, pass a `networks.chain.Chain`, which
            `networks.chain_conversion.chain_of` makes of a module.
        x: `(n, d_in)`, the rows it was trained on.
        labels: `(n,)`, classes 0, …, K − 1, each of which occurs.
        ridge: λ of the objective; None leaves the bound out.
        likelihood: Whose loss was minimised: that of logits, or squared distances to one-hot rows. Only the bound asks.

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
    chain, rows = _as_chain(model, x)
    classes = _checked(labels, len(rows), chain.d_out).to(rows.device)
    features = _Features(chain, rows, classes)
    means = features.class_means()
    within, between = features.variances(means)
    bounds = [None] * chain.depth if ridge is None else features.bounds(means, ridge, likelihood)
    layers = [
        CollapsedLayer(
            layer=index + 1,
            nc1=within[index] / between[index] if between[index] > 0.0 else math.inf,
            nc2=_evenness(means[index]),
            nc3=_alignment(layer, means[index]) if after is None else None,
            imbalance=_imbalance(layer, after),
            distance_from_rank=float(torch.linalg.svdvals(layer.weight)[chain.d_out :].norm()),
            bound=bounds[index],
        )
        for index, (layer, after) in enumerate(zip(chain.layers, (*chain.layers[1:], None), strict=True))
    ]
    return NeuralCollapse(chain.d_out, tuple(layers), *features.logit_deviations())


def _as_chain(model: Model | Chain, x: object) -> tuple[Chain, Tensor]:
    """The model and the rows in float64."""
    if isinstance(model, Chain):
        chain, rows = model, as_matrix(x).to(model.layers[0].weight.device)
        check_columns(rows, model.d_in)
        if not chain.layers[-1].activation.is_linear:
            raise UnsupportedModuleError("The chain", "an activation follows its last layer: its outputs are no logits")
    else:
        network, rows = as_network(model, x)
        chain = Chain.of(network)
    return chain.to(torch.float64), rows.double()


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

    def __init__(self, chain: Chain, x: Tensor, labels: Tensor) -> None:
        self._layers, self._x, self._labels = chain.layers, x, labels
        self._counts = labels.bincount().double()

    def _chunks(self) -> Iterator[tuple[Tensor, Tensor, list[Tensor], list[Tensor]]]:
        """One-hot classes `(c, K)`, classes, inputs of the layers and pre-activations, of some rows at a time."""
        for x, labels in zip(self._x.split(CHUNK), self._labels.split(CHUNK), strict=True):
            activations, z = [x], []
            for layer in self._layers:
                z.append(torch.addmm(layer.bias, activations[-1], layer.weight.T))
                activations.append(layer.activation(z[-1]))
            yield torch.nn.functional.one_hot(labels, len(self._counts)).double(), labels, activations[:-1], z

    def class_means(self) -> list[Tensor]:
        """Of the inputs of each layer, `(K, n_{ℓ-1})`."""
        sums = [torch.zeros(len(self._counts), d, dtype=torch.float64, device=self._x.device) for d in self._widths]
        for chosen, _, activations, _ in self._chunks():
            for total, a in zip(sums, activations, strict=True):
                total.addmm_(chosen.T, a)
        return [total / self._counts[:, None] for total in sums]

    @property
    def _widths(self) -> tuple[int, ...]:
        return tuple(layer.weight.shape[1] for layer in self._layers)

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

    def bounds(self, means: list[Tensor], ridge: float, likelihood: Likelihood) -> list[float]:
        """The right side of the bound for each layer."""
        scale = 2.0 * ridge / len(self._layers)
        apart = [torch.zeros_like(layer.weight) for layer in self._layers]
        gradient = [scale * layer.weight for layer in self._layers]
        for chosen, labels, activations, z in self._chunks():
            targets = chosen if likelihood.is_quadratic else labels
            delta = likelihood.gradient(z[-1], targets)[1] / len(self._x)
            for index in reversed(range(len(self._layers))):
                apart[index] += delta.T @ (activations[index] - means[index][labels])
                gradient[index] = gradient[index] + delta.T @ activations[index]
                if index:
                    slopes = self._layers[index - 1].activation.derivative(z[index - 1])
                    delta = (delta @ self._layers[index].weight) * slopes
        return [float(a.norm() + g.norm()) / scale for a, g in zip(apart, gradient, strict=True)]


def _evenness(means: Tensor) -> float:
    s = torch.linalg.svdvals(means - means.mean(0))
    at = len(means) - 2
    return float(s[at] / s[0]) if at < len(s) and float(s[0]) > 0.0 else 0.0


def _alignment(layer: Layer, means: Tensor) -> float:
    last, centred = layer.weight - layer.weight.mean(0), means - means.mean(0)
    size = float(last.norm() * centred.norm())
    return float((last * centred).sum()) / size if size > 0.0 else 0.0


def _imbalance(layer: Layer, after: Layer | None) -> float | None:
    if after is None:
        return None
    outgoing = after.weight.T @ after.weight
    size = float(outgoing.norm())
    apart = outgoing - layer.weight @ layer.weight.T - torch.outer(layer.bias, layer.bias)
    return float(apart.norm()) / size if size > 0.0 else None
