r"""A curve $h(t) = h_0 + \sum_j m_j \sigma(t - t_j)$ behind one number, as a stretched network of any depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.costs.amplification import Amplification, CurveSizes, best_amplification
from isthmus.costs.construction import StretchedNetwork
from isthmus.networks import RELU, FullyConnected
from isthmus.training import rebalance

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CurveDesign:
    r"""$x \mapsto h(u \cdot x - t_0)$ for x with $u \cdot x \ge t_0$, without a choice of depth or scales.

    Attributes:
        direction: u, `(d_in,)`.
        offset: t_0.
        places: t_j ≥ 0, `(m,)`.
        changes: m_j, `(m, d)`, m ≥ 1.
        start: h_0, `(d,)`.
    """

    direction: Floats
    offset: float
    places: Floats
    changes: Floats
    start: Floats

    @property
    def sizes(self) -> CurveSizes:
        """What its cost depends on."""
        encoder = float(self.direction @ self.direction) + self.offset**2
        norms = np.linalg.norm(self.changes, axis=1)
        return CurveSizes(encoder, norms, self.places, float(np.linalg.norm(self.start)))

    def at(self, depth: int) -> StretchedNetwork:
        """The network of depth L ≥ 3 with the best amplification for this depth, balanced."""
        return stretched_curve(self, best_amplification(self.sizes, depth), depth)


def stretched_curve(curve: CurveDesign, chosen: Amplification, depth: int) -> StretchedNetwork:
    r"""The network with the chains of `chosen`; L is at least k + 3.

    Its layers: the encoder, L − k − 3 layers of width 1, k of width 2 that carry a constant beside t, the kinks, the
    output. All weights of a chain are equal, and the neurons at the kinks have sides of equal norm.
    """
    k = chosen.layers
    step = float(np.exp((np.log(curve.sizes.encoder) - 2 * np.log(chosen.first)) / (depth - 2) / 2))
    scale = step / np.sqrt(curve.sizes.encoder)
    encoder = _network([(scale * curve.direction[None], np.array([-scale * curve.offset]))])
    decoder = _network([*_second_chain(k, step, chosen.second), *_kinks(curve, chosen)])
    middle = torch.tensor([step], dtype=torch.float64)
    # The output bias is chosen after the chains; balancing the decoder's neurons again can only help.
    return StretchedNetwork(encoder, middle, depth - k - 3, rebalance(decoder, sweeps=3))


def _second_chain(k: int, step: float, second: float) -> list[tuple[Floats, Floats]]:
    if k == 0:
        return []
    raised = second ** (-1 / k)
    first = (np.array([[step], [0.0]]), np.array([0.0, raised]))
    return [first, *[(np.diag([step, raised]), np.zeros(2))] * (k - 1)]


def _kinks(curve: CurveDesign, chosen: Amplification) -> list[tuple[Floats, Floats]]:
    rows = np.stack([np.full(len(curve.places), chosen.first), -chosen.second * curve.places], axis=1)
    outgoing, length = curve.changes, float(np.linalg.norm(curve.start))
    # ‖c‖² + 2 w_c ‖h_0 − c‖ is least for a c along h_0, at most w_c long.
    shift = curve.start * min(1.0, chosen.second / length) if length > 0 else curve.start
    if (shift != curve.start).any():
        rows = np.concatenate([rows, [[0.0, chosen.second]]])
        outgoing = np.concatenate([outgoing, (curve.start - shift)[None]])
    norms = np.sqrt(np.linalg.norm(rows, axis=1) / np.linalg.norm(outgoing, axis=1))[:, None]
    rows, outgoing = rows / norms, (outgoing * norms).T
    if chosen.layers == 0:
        return [(rows[:, :1], rows[:, 1]), (outgoing, shift)]
    return [(rows, np.zeros(len(rows))), (outgoing, shift)]


def _network(layers: list[tuple[Floats, Floats]]) -> FullyConnected:
    tensors = [(torch.from_numpy(np.ascontiguousarray(w)), torch.from_numpy(b.copy())) for w, b in layers]
    return FullyConnected(tuple(w for w, _ in tensors), tuple(b for _, b in tensors), RELU)
