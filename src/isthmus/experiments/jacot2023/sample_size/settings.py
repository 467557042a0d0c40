"""How many rows, at which depths."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        sizes: N of the trained networks.
        depths: L of the trained networks.
        seeds: Draw teacher, rows and start of the networks from one random start.
        search_seeds: Those of them for which windows are predicted and lowest objectives searched.
        path_sizes: N of the paths.
        path_ranks: k of the paths.
        path_seeds: Draw their teachers.
        rank: k of the teacher that is trained on.
        side: Its inputs and outputs.
        width: Of the teacher and of the networks.
        ridge: λ, chosen on seed 100 so that the window of the smallest N ends within the depths.
        starts: Random starts of a search and of a window.
    """

    sizes: tuple[int, ...]
    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    search_seeds: tuple[int, ...]
    path_sizes: tuple[int, ...]
    path_ranks: tuple[int, ...]
    path_seeds: tuple[int, ...]
    rank: int = 2
    side: int = 6
    width: int = 30
    ridge: float = 0.4
    starts: int = 4
