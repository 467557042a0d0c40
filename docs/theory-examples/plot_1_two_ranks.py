r"""
1. Two ranks, and a function on which they differ
=================================================

**Definitions.** The Jacobian rank is :math:`\max_x \operatorname{rank} Jf(x)`; the bottleneck rank is the smallest k
with :math:`f = h \circ g` through :math:`\mathbb R^k`. Always :math:`\operatorname{Rank}_J \le
\operatorname{Rank}_{BN}`. On the *tripod* (Proposition 1) they differ: three legs that meet in a point, along each of
which f moves in one direction.
"""

import plotly.graph_objects as go
import torch

from isthmus import bottleneck_rank, jacobian_rank
from isthmus.networks.catalogue import catalogue

tripod = next(entry for entry in catalogue(0) if entry.name == "tripod")
x = torch.rand(2000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
x = tripod.box[0] + x * (tripod.box[1] - tripod.box[0])
y = tripod.network(x)
figure = go.Figure(go.Scatter(x=y[:, 0].tolist(), y=y[:, 1].tolist(), mode="markers", marker_size=4))
figure.update_layout(xaxis_title="first output", yaxis_title="second output")

# %%
print(
    "Jacobian rank",
    jacobian_rank(tripod.network, x).lower,
    "| bottleneck rank",
    bottleneck_rank(tripod.network, x).upper,
)
print("proved:", tripod.jacobian_rank, tripod.bottleneck_rank)

# %%
# The values lie on three legs: near each point one number tells where f is, and no one number tells them all apart.
