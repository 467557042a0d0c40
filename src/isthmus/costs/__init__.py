"""What a function costs at each depth, and what that says about how deep to train."""

from isthmus.costs.expansion import DepthExpansion, depth_expansion, depth_sweep
from isthmus.costs.huge_depth import activation_ratios
from isthmus.costs.window import DepthRange, DepthWindow, RankLine, window_of_constants
from isthmus.costs.window_search import depth_window

__all__ = [
    "DepthExpansion",
    "DepthRange",
    "DepthWindow",
    "RankLine",
    "activation_ratios",
    "depth_expansion",
    "depth_sweep",
    "depth_window",
    "window_of_constants",
]
