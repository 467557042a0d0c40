"""The dimension that the angles between chords of a neighbourhood show."""

from __future__ import annotations

import torch
from torch import Tensor

_PAIRINGS = 3  # all there are of four rows
_MANY = 32  # rows of which one pairing has hundreds of angles
_CHUNK_NUMBERS = 10_000_000


def squared_cosines(points: Tensor, neighbours: Tensor) -> Tensor:
    r"""Mean squared cosine between chords of each neighbourhood that share no end, `(q,)`.

    The difference of two independent rows whose distribution has, up to a shift, the same second moments in all d
    directions of a plane has a direction u with $\mathbb E\, u u^\top = P / d$, and for two such directions

    $$\mathbb E \cos^2 \angle(u, u') = \operatorname{tr}(P^2) / d^2 = 1/d .$$

    Where the row in the middle lies does not enter, so an edge of the data does little, and in high dimensions, where
    every row lies near one, the value stays where that of distances falls. A bend adds directions, and so does noise;
    rows that are spread more in some directions than in others take some away.

    Args:
        points: `(n, d)`.
        neighbours: The rows of each neighbourhood, `(q, m)` with even m ≥ 4.

    Source:
        Thordsen and Schubert (2022), ABID: $1/d = \mathbb E \cos^2$ of the angles seen from the row in the middle. We
        depart from it by chords with no end in common: those need no middle, which is biased near edges.
    """
    m, size = neighbours.shape[1], points.shape[1]
    found, rounds = [], pairings(m)
    for part in neighbours.split(max(1, _CHUNK_NUMBERS // (m * size))):
        total = torch.zeros(len(part), dtype=points.dtype)
        for left, right in rounds:
            chords = torch.nn.functional.normalize(points[part[:, left]] - points[part[:, right]], dim=2)
            turned = chords.transpose(1, 2)
            gram = chords @ turned if m // 2 <= size else turned @ chords  # the same sum of squares, the smaller one
            total += (gram.square().sum((1, 2)) - m // 2) / (m // 2 * (m // 2 - 1))
        found.append(total / len(rounds))
    return torch.cat(found)


def pairings(m: int) -> list[tuple[list[int], list[int]]]:
    """Three ways to pair m numbers so that no pair comes twice, one of many: the first rounds of a tournament."""
    seats, rounds = list(range(m)), []
    for _ in range(1 if m >= _MANY else _PAIRINGS):
        rounds.append((seats[: m // 2], seats[: m // 2 - 1 : -1]))
        seats = [seats[0], seats[-1], *seats[1:-1]]
    return rounds
