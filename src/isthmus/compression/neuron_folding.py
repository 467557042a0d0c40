"""Hidden neurons taken out of a layer without changing what the next one receives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.compression.affine_runs import Precision
from isthmus.compression.fold import Fold
from isthmus.compression.signs import METHODS, LayerSigns
from isthmus.networks import ABSOLUTE, IDENTITY
from isthmus.networks.chain import Layer

_NEAR = 1e-6  # 1 − cosine of rows that are compared entry by entry


@dataclass(frozen=True, eq=False)
class Hidden:
    r"""A layer with an activation, the layer that reads it, and what is known of its neurons on the domain.

    Attributes:
        layer: $z = W a + b$ and σ.
        reader: The layer that reads σ(z).
        ids: Numbers of the neurons in the layer as it was given, `(n,)`.
        signs: What is known of the neurons of the layer as it was given.
    """

    layer: Layer
    reader: Layer
    ids: Tensor
    signs: LayerSigns

    @property
    def sign(self) -> Tensor:
        """1, −1 or 0, `(n,)`."""
        return self.signs.sign[self.ids]

    @property
    def slopes(self) -> Tensor:
        """What σ multiplies each neuron with that is proved to keep its sign, `(n,)`; others have σ's own bend."""
        return torch.where(self.sign > 0, 1.0, self.layer.activation.negative_slope).double()

    @property
    def outgoing(self) -> Tensor:
        """Norms of the outgoing columns, `(n,)`."""
        norms: Tensor = self.reader.weight.norm(dim=0, dtype=torch.float64)
        return norms

    def ends(self) -> tuple[Tensor, Tensor]:
        """Least and largest value of σ(z) on the domain, as far as bounds say."""
        # Bounds of a neuron without weights are apart by their own rounding; it has one value.
        is_still = (self.layer.weight == 0.0).all(1)
        low, high = (
            torch.where(is_still, self.layer.bias.double(), side[self.ids])
            for side in (self.signs.bounds.lower, self.signs.bounds.upper)
        )
        ends = torch.stack([self.layer.activation(low), self.layer.activation(high)])
        least, most = ends.amin(0), ends.amax(0)
        has_zero = (low < 0) & (high > 0)
        return torch.where(has_zero, least.clamp_max(0.0), least), most

    def keeping(self, kept: Tensor, weight: Tensor | None = None, shift: Tensor | None = None) -> Hidden:
        """With some of the neurons, the reader's weight `(m, n)` replaced before and its bias shifted."""
        outgoing = self.reader.weight if weight is None else weight
        bias = self.reader.bias if shift is None else self.reader.bias.double() + shift
        return replace(
            self,
            layer=replace(self.layer, weight=self.layer.weight[kept], bias=self.layer.bias[kept]),
            reader=replace(self.reader, weight=outgoing[:, kept], bias=bias),
            ids=self.ids[kept],
        )

    def fold(self, kind: str, members: Tensor, proof: str, bound: float | None) -> Fold:
        """A fold of the neurons `members`, told by their numbers in the layer as it was given."""
        return Fold(kind, (self.layer.name,), tuple(self.ids[members].tolist()), proof, bound)


def without_inactive(hidden: Hidden) -> tuple[Hidden, list[Fold]]:
    """Without neurons that are never positive where σ makes them zero."""
    gone = (hidden.sign < 0) & (hidden.slopes == 0.0)
    if not bool(gone.any()):
        return hidden, []
    folds = _by_proof(hidden, "always inactive", gone)
    kept = (~gone).nonzero().flatten()
    # A layer keeps one neuron, so that the chain keeps its shape; one of zeros is folded as a constant.
    return hidden.keeping(kept if len(kept) else torch.zeros(1, dtype=torch.long)), folds


def made_linear(hidden: Hidden) -> tuple[Hidden, list[Fold]]:
    """The whole layer without its activation, where every neuron keeps its sign."""
    if hidden.layer.activation.is_linear or not bool((hidden.sign != 0).all()):
        return hidden, []
    folds = _by_proof(hidden, "always active", hidden.slopes != 0.0)
    layer = replace(hidden.layer, activation=IDENTITY)
    if bool((hidden.slopes != 1.0).any()):
        weight, bias = hidden.slopes[:, None] * layer.exact.weight, hidden.slopes * layer.exact.bias
        layer = replace(layer, weight=weight, bias=bias)
    return replace(hidden, layer=layer), folds


def without_constant(hidden: Hidden, precision: Precision, *, is_shiftable: bool = True) -> tuple[Hidden, list[Fold]]:
    """Without neurons whose variation on the domain moves the reader by less than rounding; their mean stays.

    Args:
        hidden: The layers.
        precision: What counts as rounding; none does where values are unbounded.
        is_shiftable: Whether the reader's bias can take up a constant: it cannot where zeros are read beside it.
    """
    low, high = hidden.ends()
    is_read = hidden.outgoing > 0
    effects = torch.where(is_read, torch.maximum(low.abs(), high.abs()) * hidden.outgoing, 0.0)
    moves = torch.where(is_read, (high - low) * hidden.outgoing, 0.0) if is_shiftable else effects
    allowed = precision.unit * float(effects.norm()) if bool(torch.isfinite(effects).all()) else 0.0
    order = moves.argsort()
    is_gone = torch.zeros_like(order, dtype=torch.bool)
    is_gone[order] = moves[order].cumsum(0) <= allowed
    if not bool(is_gone.any()):
        return hidden, []
    share = float(moves[is_gone].sum()) / float(effects.norm()) if float(effects.norm()) > 0 else 0.0
    middle = torch.where(is_gone & is_read, (low + high) / 2, 0.0) if is_shiftable else torch.zeros_like(low)
    unread = is_gone & (effects <= allowed)
    folds = [
        hidden.fold(kind, members, proof, share)
        for kind, members, proof in (
            ("unread", unread.nonzero().flatten(), "what reads it weighs it by no more than rounding"),
            ("constant", (is_gone & ~unread).nonzero().flatten(), "it varies by no more than rounding on the domain"),
        )
        if len(members)
    ]
    kept, shift = (~is_gone).nonzero().flatten(), hidden.reader.exact.weight @ middle
    if not len(kept):  # a layer keeps one neuron, here one that nothing reads, so that the chain keeps its shape
        return hidden.keeping(order[-1:], torch.zeros_like(hidden.reader.weight), shift), folds
    return hidden.keeping(kept, shift=shift), folds


def without_proportional(hidden: Hidden, precision: Precision) -> tuple[Hidden, list[Fold]]:
    """Without neurons whose incoming weights are those of another one times a positive number (any, for |z|)."""
    joint = torch.cat([hidden.layer.exact.weight, hidden.layer.exact.bias[:, None]], 1)
    norms = joint.norm(dim=1)
    rows = joint.div_(torch.where(norms > 0, norms, 1.0)[:, None])
    cosines = rows @ rows.T
    if hidden.layer.activation == ABSOLUTE:
        rows = rows * torch.sign(rows.gather(1, rows.abs().argmax(1, keepdim=True)))
        cosines = cosines.abs()
    near = (cosines > 1.0 - _NEAR).triu(1) & (norms > 0)[:, None]
    if not bool(near.any()):
        return hidden, []
    weight, gone, largest = hidden.reader.exact.weight.clone(), torch.zeros_like(norms, dtype=torch.bool), 0.0
    tolerance = precision.room * precision.unit
    for i, j in near.nonzero().tolist():
        distance = float((rows[i] - rows[j]).norm())
        if gone[i] or gone[j] or distance > tolerance:
            continue
        weight[:, i] += weight[:, j] * (norms[j] / norms[i])
        gone[j], largest = True, max(largest, distance)
    if not bool(gone.any()):
        return hidden, []
    proof = "its incoming weights and bias are another neuron's times a number"
    folds = [hidden.fold("proportional", gone.nonzero().flatten(), proof, largest)]
    return hidden.keeping((~gone).nonzero().flatten(), weight), folds


def with_shared_linear(
    hidden: Hidden, precision: Precision, least: Callable[[Tensor], Tensor], is_box: bool
) -> tuple[Hidden, list[Fold]]:
    r"""Neurons of a proved sign replaced by fewer, where what the reader receives through them has fewer dimensions.

    With S the neurons of one slope each, the reader receives $V_S D_S z_S = V_S D_S (W_S a + b_S)$. With Q an
    orthonormal basis of the range of $V_S D_S W_S$, neurons $Q^\top V_S D_S z_S + c$, lifted by c above zero on the
    domain, carry it; Q reads them.

    Args:
        hidden: The layers.
        precision: What counts as rounding.
        least: Lower bounds on the domain of linear functions `(r, n_given)` of the given layer's pre-activations.
        is_box: Whether these hold on a box; of rows, neurons are lifted by their range once more.

    Source:
        Serra, Kumar and Ramalingam (2020), who keep a basis of the neurons themselves.
    """
    steady = ((hidden.sign != 0) & (hidden.slopes != 0.0)).nonzero().flatten()
    if len(steady) < 2:
        return hidden, []
    incoming, bias = hidden.layer.weight[steady].double(), hidden.layer.bias[steady].double()
    through = hidden.reader.weight[:, steady].double() * hidden.slopes[steady]
    frame, outer = torch.linalg.qr(through)
    u, s, _ = torch.linalg.svd(outer @ torch.linalg.qr(incoming.T).R.T, full_matrices=False)
    rest = s.flip(0).square().cumsum(0).sqrt()
    rank = len(s) - int((rest <= precision.tail(1) * s.norm()).sum())
    if rank >= len(steady):
        return hidden, []
    basis = frame @ u[:, :rank]
    mixed = basis.T @ through
    whole = mixed.new_zeros(rank, len(hidden.signs.sign))
    whole[:, hidden.ids[steady]] = mixed
    floor = least(whole)
    if not bool(torch.isfinite(floor).all()):
        return hidden, []  # nothing says how far they must be lifted
    if not is_box:
        floor = floor - (-least(-whole) - floor)
    lift = (-floor).clamp_min(0.0)
    others = torch.ones_like(hidden.sign, dtype=torch.bool)
    others[steady] = False
    layer = replace(
        hidden.layer,
        weight=torch.cat([hidden.layer.weight[others].double(), mixed @ incoming]),
        bias=torch.cat([hidden.layer.bias[others].double(), mixed @ bias + lift]),
    )
    reader = replace(
        hidden.reader,
        weight=torch.cat([hidden.reader.weight[:, others].double(), basis], 1),
        bias=hidden.reader.bias.double() + through @ bias - basis @ (mixed @ bias + lift),
    )
    proof = f"what is read of them has {rank} dimensions: {rank} neurons carry it, lifted above zero on the domain"
    folds = [hidden.fold("shared", steady, proof, None)]
    ids = torch.cat([hidden.ids[others], hidden.ids[steady[:rank]]])  # a new one is called by one that it stands for
    return replace(hidden, layer=layer, reader=reader, ids=ids), folds


def _by_proof(hidden: Hidden, kind: str, members: Tensor) -> list[Fold]:
    """A fold for each method that proved the sign of some of the neurons, with the smallest distance from zero."""
    methods = hidden.signs.method[hidden.ids]
    low, high = (side[hidden.ids] for side in (hidden.signs.bounds.lower, hidden.signs.bounds.upper))
    distance = torch.where(hidden.sign > 0, low, -high)
    folds = []
    for number, method in enumerate(METHODS):
        chosen = members & (methods == number)
        if bool(chosen.any()):
            least = float(distance[chosen].min())
            folds.append(hidden.fold(kind, chosen.nonzero().flatten(), method, least))
    return folds
