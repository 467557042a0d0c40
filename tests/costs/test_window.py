"""Windows from constants, against brute force over the depth."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.costs import (
    DepthRange,
    DepthWindow,
    RankLine,
    window_of_constants,
)
from isthmus.costs.window import (
    HORIZON,
    longest_range,
    ranks_in_words,
    winning_ranges,
)
from isthmus.errors import OptionError

MOST = 400

constants = st.dictionaries(st.integers(0, 6), st.integers(0, 240).map(lambda c: c / 4), min_size=1, max_size=5)


@settings(max_examples=150)
@given(constants, st.data())
def test_the_window_of_constants_is_what_trying_every_depth_gives(costs, data):
    """In rational arithmetic: k L + C_k below every other rank's, a tie being no win."""
    k = data.draw(st.sampled_from(sorted(costs)))
    wins = [
        depth
        for depth in range(1, MOST)
        if all(k * depth + Fraction(costs[k]) < r * depth + Fraction(c) for r, c in costs.items() if r != k)
    ]
    found = window_of_constants(k, costs)
    if not wins:
        assert found is None
        return
    assert (found.rank, found.shallowest) == (k, wins[0])
    assert wins == list(range(wins[0], wins[-1] + 1))
    assert found.deepest == (None if wins[-1] == MOST - 1 else wins[-1])


def test_the_deep_end_of_propositions_2_and_5():
    """L < (C_N − C)/(k − 1): for k = 3, C = 20 and an interpolant of 61 that is 20.5."""
    assert window_of_constants(3, {1: 61.0, 3: 20.0}) == DepthRange(3, 1, 20)
    assert window_of_constants(3, {1: 60.0, 3: 20.0}).deepest == 19  # at L = 20 both cost 80
    assert window_of_constants(1, {1: 60.0, 3: 20.0}) == DepthRange(1, 21, None)


def test_bad_constants_are_refused():
    with pytest.raises(OptionError, match="rank is 2 but must be one of those with a constant: 1, 3"):
        window_of_constants(2, {1: 1.0, 3: 1.0})
    with pytest.raises(OptionError, match="the constant of rank 1 is nan but must be finite"):
        window_of_constants(3, {1: float("nan"), 3: 1.0})
    with pytest.raises(OptionError, match="rank is -1 but must be at least 0"):
        window_of_constants(3, {-1: 1.0, 3: 1.0})


def line(rank, depth, error, constant):
    return RankLine(rank, depth, error, constant + rank * depth)


def brute(lines, ridge, depth):
    """The rank of the cheapest network no deeper than `depth`, each grown by layers that cost its rank."""
    costs = {}
    for each in lines:
        if each.depth <= depth:
            norm = each.squared_norm + each.rank * (depth - each.depth)
            costs[each.rank] = min(costs.get(each.rank, 1e99), each.error + ridge / depth * norm)
    return min(costs, key=lambda rank: (costs[rank], rank)), costs


lines_at_3 = st.lists(st.tuples(st.integers(0, 4), st.floats(0, 2), st.floats(0, 50)), min_size=1, max_size=8).map(
    lambda rows: tuple(line(rank, 3, error, constant) for rank, error, constant in rows)
)


@settings(max_examples=100)
@given(lines_at_3, st.floats(0.01, 1.0))
def test_ranges_are_what_trying_every_depth_gives(lines, ridge):
    ranges = winning_ranges(lines, (3,), ridge)
    assert ranges[0].shallowest == 3
    assert ranges[-1].deepest is None
    for before, after in pairwise(ranges):
        assert after.shallowest == before.deepest + 1
        assert after.rank != before.rank
    for each in ranges:
        for depth in {each.shallowest, min(each.deepest or HORIZON, HORIZON)}:
            winner, costs = brute(lines, ridge, depth)
            assert costs[each.rank] == pytest.approx(costs[winner], rel=1e-12)


def test_without_errors_ranges_are_the_windows_of_the_constants():
    costs = {1: 80.0, 2: 40.0, 3: 20.0, 4: 14.5}
    lines = tuple(line(rank, 2, 0.0, constant) for rank, constant in costs.items())
    ranges = winning_ranges(lines, (2,), 0.1)
    # At a tie (L = 20, 40) the lower rank has it; `window_of_constants` gives it to neither.
    assert ranges == (DepthRange(4, 2, 5), DepthRange(3, 6, 19), DepthRange(2, 20, 39), DepthRange(1, 40, None))
    assert window_of_constants(3, costs) == DepthRange(3, 6, 19)
    assert ranks_in_words(ranges) == {1: "from 40 on", 2: "20 to 39", 3: "6 to 19", 4: "2 to 5"}


def window(lines, searched, ridge=0.1):
    return DepthWindow(2, None, None, (), lines, ridge, searched)


def test_between_two_searches_the_objective_is_linear_in_the_reciprocal_depth():
    """A network of depth 4 is far from what depth 8 allows: at L = 5, 6, 7 the value is in between."""
    both = window((line(2, 4, 1.0, 10.0), line(2, 8, 0.1, 12.0)), (4, 8))
    at_4, at_8 = 1.0 + 0.1 * (2 + 10 / 4), 0.1 + 0.1 * (2 + 12 / 8)
    assert both.objective(2, 4) == pytest.approx(at_4)
    assert both.objective(2, 8) == pytest.approx(at_8)
    assert both.objective(2, 6) == pytest.approx(at_8 + (1 / 6 - 1 / 8) / (1 / 4 - 1 / 8) * (at_4 - at_8))
    assert both.objective(2, 80) == pytest.approx(0.1 + 0.1 * (2 + 12 / 80))
    assert both.objective(2, 3) == float("inf")


def test_a_rank_found_only_at_more_depth_is_unknown_below():
    found = window((line(1, 4, 1.0, 10.0), line(2, 8, 0.1, 12.0)), (4, 8))
    assert [found.winner(depth) for depth in (4, 7, 8)] == [1, 1, 2]
    assert found.objective(2, 7) == float("inf")
    assert found.line(2, 5).depth == 8
    assert found.ranks == (1, 2)
    with pytest.raises(OptionError, match="depth is 3 but must be at least 4, the shallowest that was searched"):
        found.winner(3)
    with pytest.raises(OptionError, match="rank is 3 but must be one of those found: 1, 2"):
        found.line(3, 8)


def test_of_several_networks_of_a_rank_each_depth_has_its_own():
    """Less weight on the norm at more depth: the costlier network that fits better takes over."""
    both = window((line(1, 4, 0.2, 10.0), line(1, 4, 0.0, 50.0)), (4,))
    # 0.2 + 1/L = 5/L at L = 20.
    assert (both.line(1, 19).error, both.line(1, 21).error) == (0.2, 0.0)


def test_the_longest_range_is_so_by_ratio():
    ranges = (DepthRange(2, 3, 8), DepthRange(3, 9, 10), DepthRange(2, 11, 20), DepthRange(1, 21, None))
    assert longest_range(ranges, 2) == ranges[0]
    assert longest_range(ranges, 1) == ranges[3]
    assert longest_range(ranges, 4) is None
    assert ranks_in_words(ranges)[2] == "3 to 8, 11 to 20"
    assert ranks_in_words((DepthRange(5, 7, 7),)) == {5: "7"}
