"""The picture of `window.py`: predicted windows over the ranks that were measured, as an SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]
# Okabe and Ito's colours; the digits say the same, so that nothing depends on colour.
BELOW, RIGHT, ABOVE, BAND = "#e69f00", "#56b4e9", "#cc79a7", "#0072b233"
LANE, LEFT, TOP, PANEL, GAP = 19, 96, 96, 400, 40


def drawing(
    rows: dict[str, list[Row]],
    ranks: tuple[int, ...],
    sizes: tuple[int, ...],
    seeds: tuple[int, ...],
    depths: tuple[int, ...],
) -> str:
    lanes = [(n, seed, section) for n in sizes for seed in seeds for section in sections(seed)]
    height = TOP + len(lanes) * LANE + (len(sizes) - 1) * 8 + 60
    width = LEFT + len(ranks) * (PANEL + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="13" role="img"><title>Predicted depth windows and measured ranks</title>'
        '<rect width="100%" height="100%" fill="white"/>',
        *legend(),
    ]
    for index, k in enumerate(ranks):
        parts += panel(rows, k, LEFT + index * (PANEL + GAP), lanes, sizes, depths, is_first=index == 0)
    return "\n".join(parts) + "\n</svg>\n"


def sections(seed: int) -> tuple[str, ...]:
    """Searches were made for the first seed only."""
    return ("searched", "random") if seed == 0 else ("random",)


def legend() -> Iterator[str]:
    title = "Depths at which rank k is predicted (band) and ranks of trained networks"
    yield f'<text x="12" y="24" font-size="15">{title}</text>'
    items = (("below k", BELOW), ("k", RIGHT), ("above k", ABOVE))
    x = 12
    for text, colour in items:
        yield f'<circle cx="{x + 8}" cy="44" r="8" fill="{colour}"/><text x="{x + 22}" y="49">{text}</text>'
        x += 36 + 8 * len(text)
    yield f'<circle cx="{x + 16}" cy="44" r="8" fill="none" stroke="#333"/>'
    yield f'<text x="{x + 30}" y="49">random start</text>'
    x += 130
    yield f'<rect x="{x}" y="36" width="16" height="16" fill="none" stroke="#333"/>'
    yield f'<text x="{x + 22}" y="49">best of the search (first seed)</text>'


def panel(
    rows: dict[str, list[Row]],
    k: int,
    left: float,
    lanes: list[tuple[int, int, str]],
    sizes: tuple[int, ...],
    depths: tuple[int, ...],
    *,
    is_first: bool,
) -> Iterator[str]:
    def across(depth: float) -> float:
        low, high = math.log(depths[0] * 0.82), math.log(depths[-1] * 1.22)
        return left + PANEL * (math.log(depth) - low) / (high - low)

    def down(lane: int) -> float:
        return TOP + (lane + 0.5) * LANE + 8 * sizes.index(lanes[lane][0])

    yield f'<text x="{left + PANEL / 2:.0f}" y="{TOP - 14}" text-anchor="middle" font-size="15">k = {k}</text>'
    floor = down(len(lanes) - 1) + LANE / 2
    for depth in depths:
        yield f'<path d="M{across(depth):.1f} {TOP}V{floor:.1f}" stroke="#eee"/>'
        yield f'<text x="{across(depth):.1f}" y="{floor + 18:.1f}" text-anchor="middle">{depth}</text>'
    yield f'<text x="{left + PANEL / 2:.0f}" y="{floor + 40:.1f}" text-anchor="middle">depth L</text>'
    for lane, (n, seed, section) in enumerate(lanes):
        y = down(lane)
        if is_first and seed == 0 and section == "searched":
            yield f'<text x="{left - 10}" y="{y + 5 + 1.5 * LANE:.1f}" text-anchor="end">N = {n}</text>'
        for window in matching(rows["windows"], k, n, seed):
            yield from band(window, y, left, across)
        for row in matching(rows[section], k, n, seed):
            yield mark(across(row["depth"]), y, row["rank"], k, section)


def matching(rows: list[Row], k: int, n: int, seed: int) -> list[Row]:
    return [row for row in rows if (row["k"], row["n"], row["seed"]) == (k, n, seed)]


def band(window: Row, y: float, left: float, across: Any) -> Iterator[str]:
    for rank, shallowest, deepest in window["ranges"]:
        if rank != window["k"]:
            continue
        begin = max(left, across(shallowest - 0.5))
        end = left + PANEL if deepest is None else min(left + PANEL, across(deepest + 0.5))
        yield (
            f'<rect x="{begin:.1f}" y="{y - LANE / 2:.1f}" width="{max(0.0, end - begin):.1f}" height="{LANE}" '
            f'fill="{BAND}"/>'
        )


def mark(x: float, y: float, rank: int, k: int, section: str) -> str:
    colour = RIGHT if rank == k else BELOW if rank < k else ABOVE
    shape = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="{colour}"/>'
        if section == "random"
        else f'<rect x="{x - 8:.1f}" y="{y - 8:.1f}" width="16" height="16" fill="{colour}" stroke="#333"/>'
    )
    return shape + f'<text x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="middle" font-size="12">{rank}</text>'
