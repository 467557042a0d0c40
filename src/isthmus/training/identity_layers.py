"""More layers where the data pass through fewest directions: the upper bound of Theorem 1, as a network."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.errors import NotRepresentableError, OptionError
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import FullyConnected


def insert_identity_layers(
    network: FullyConnected, x: Tensor, depth: int, *, layer: int | None = None, tolerance: Tolerance | None = None
) -> FullyConnected:
    r"""f with identity layers behind one hidden layer, each as cheap as the data there are narrow.

    $$W_{\ell+1} A_\ell \;=\; (W_{\ell+1} P)\,\sigma(P \cdots \sigma(P A_\ell)), \qquad P = U U^\top$$

    P is the orthogonal projection on the span of the activations $a_\ell$ at the rows of `x`, of rank D; the new
    layers have no bias. On the data $P a_\ell = a_\ell \ge 0$, which σ lets pass, so f is unchanged at the rows of
    `x` (to rounding; elsewhere it changes) and each inserted layer adds $\|P\|_F^2 = D$ to ‖w‖². The projection of
    $W_{\ell+1}$ never adds anything. Hence $\|w\|^2 / L \to D$ as the depth L grows.

    What σ lets pass: everything for the identity; nonnegative values for every other σ. Activations are nonnegative
    for every negative slope ≤ 0, and for a leaky ReLU only where no neuron of the layer is negative on the data.

    Args:
        network: f, of depth L.
        x: The rows `(n, d_in)` at which f is kept.
        depth: The depth wanted, at least L.
        layer: ℓ, the hidden layer in 1, …, L − 1 behind which to insert. None: the one of smallest D among those
            that σ lets pass, of equal ones the most central, of equally central ones the first.
        tolerance: Which singular values of the activations `(n, n_ℓ)` count as zero, relative to the largest. None:
            those that are rounding in the network's dtype. A larger one truncates: f then moves on the data, by
            what the dropped directions carried and by the entries of $P a_\ell$ that turn negative.

    Raises:
        OptionError: If `depth` is smaller than L, or there is no hidden layer ℓ.
        NotRepresentableError: If σ does not let the activations pass, or L = 1 and there are none.
        ShapeError, DtypeError, NonFiniteError: If `x` is not a real, finite matrix `(n, d_in)` with n ≥ 1.

    Source:
        Jacot (2023), proof of Theorem 1, R_∞ ≤ Rank_BN.
    """
    x = as_matrix(x)
    if depth < network.depth:
        raise OptionError("depth", depth, f"at least the depth {network.depth} of the network")
    if layer is not None and not 1 <= layer < network.depth:
        raise OptionError("layer", layer, f"a hidden layer of the network, 1 to {network.depth - 1}")
    activations = network.trace(x)[0]
    if depth == network.depth:
        return network
    if network.depth == 1:
        raise NotRepresentableError(
            "An identity layer of an affine map",
            network.activation.name,
            "depth 1 has no hidden layer to insert it behind",
            "Give it one first: `deepened(network, 2)`.",
        )
    candidates = range(1, network.depth) if layer is None else [layer]
    bases = {
        hidden: _span(activations[hidden], tolerance) for hidden in candidates if _passes(network, activations[hidden])
    }
    if not bases:
        where = "any hidden layer" if layer is None else f"hidden layer {layer}"
        raise NotRepresentableError(
            f"An identity layer behind {where}",
            network.activation.name,
            "there are activations below zero on the data, which it does not let pass unchanged",
            "Choose another layer, or use `deepened`, which spends two neurons on each value.",
        )
    chosen = min(bases, key=lambda hidden: (bases[hidden].shape[1], abs(2 * hidden - network.depth)))
    return _inserted(network, chosen, bases[chosen], depth - network.depth)


def _passes(network: FullyConnected, a: Tensor) -> bool:
    return network.activation.is_linear or bool((a >= 0).all())


def _span(a: Tensor, tolerance: Tolerance | None) -> Tensor:
    """U: an orthonormal basis of the span of the rows of `a`, `(width, D)` in float64."""
    # The usual bound on what rounding makes of a zero singular value.
    relative = max(a.shape) * torch.finfo(a.dtype).eps if tolerance is None else tolerance.relative
    _, s, vt = torch.linalg.svd(a.double(), full_matrices=False)
    kept: Tensor = vt[s > relative * s[0]]
    return kept.T


def _inserted(network: FullyConnected, layer: int, basis: Tensor, count: int) -> FullyConnected:
    """`count` identity layers P behind hidden layer `layer`, and the next weight restricted to what they pass."""
    projection = basis @ basis.T
    w, b = network.weights, network.biases
    identity = projection.to(w[0])
    return FullyConnected(
        (*w[:layer], *[identity] * count, (w[layer].double() @ projection).to(w[0]), *w[layer + 1 :]),
        (*b[:layer], *[torch.zeros_like(b[layer - 1])] * count, *b[layer:]),
        network.activation,
    )
