r"""
3. Theorem 1: the cost of any function tends to a rank
======================================================

**Statement.** :math:`\operatorname{Rank}_J f \le \lim_L R(f; L)/L \le \operatorname{Rank}_{BN} f`. The upper half is
a construction: a network that computes g, passes k numbers on through L layers, and computes h.
"""

import plotly.graph_objects as go
import torch

from isthmus import representation_cost
from isthmus.networks.catalogue import catalogue

entry = next(e for e in catalogue(0) if e.name == "fold of the square")
x = entry.box[0] + torch.rand(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * (
    entry.box[1] - entry.box[0]
)
depths = [3, 5, 10, 30, 100, 300]
brackets = [representation_cost(entry.network, x, depth=depth) for depth in depths]
figure = go.Figure()
figure.add_scatter(x=depths, y=[b.upper for b in brackets], mode="lines+markers", name="a network that was built")
figure.add_scatter(x=depths, y=[b.lower for b in brackets], mode="lines+markers", name="proved from below")
figure.update_layout(xaxis_title="depth L", yaxis_title="R/L", xaxis_type="log")

# %%
print(
    "rank", entry.bottleneck_rank, "| bracket at depth 300:", round(brackets[-1].lower, 3), round(brackets[-1].upper, 3)
)

# %%
# Both ends come together at the rank. Where the two ranks differ, as for the tripod, nobody knows the limit.
