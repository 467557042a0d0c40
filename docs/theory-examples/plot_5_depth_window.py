r"""
5. Propositions 2 and 5: a network can be too deep
==================================================

**Statements.** Through any finite data there is a network of rank 1 whose cost is :math:`R/L \le 1 + C_N/L`, with a
constant :math:`C_N` that grows with the number of rows. The function of rank k behind the data costs :math:`R/L \le k
+ C/L` with a constant that does not. So beyond some depth rank 1 is the cheaper one, and with more rows that depth
moves out.
"""

import numpy as np
import plotly.graph_objects as go
import torch

from isthmus import representation_cost
from isthmus.costs import rank_one_interpolant
from isthmus.networks.catalogue import catalogue

entry = next(e for e in catalogue(0) if e.name == "fold of the square")  # of rank 2
depths = [3, 5, 8, 13, 20, 35, 60, 100, 200, 400]
figure = go.Figure()
draws = torch.rand(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
x = entry.box[0] + draws * (entry.box[1] - entry.box[0])
true = [representation_cost(entry.network, x[:20], depth=depth).upper for depth in depths]
figure.add_scatter(x=depths, y=true, mode="lines+markers", name="the function of rank 2")
constants = {}
for rows in (5, 10, 20, 40):
    through = rank_one_interpolant(x[:rows], entry.network(x[:rows]), rng=np.random.default_rng(0))
    constants[rows] = through.constant
    deep = [depth for depth in depths if depth >= through.depth]
    y = [through.bound(depth) for depth in deep]
    figure.add_scatter(x=deep, y=y, mode="lines", name=f"rank 1 through {rows} rows")
figure.update_layout(xaxis_title="depth L", yaxis_title="R/L, at most", xaxis_type="log", yaxis_type="log")

# %%
print({rows: round(constant, 1) for rows, constant in constants.items()})

# %%
# Where a falling line crosses that of rank 2, the deep network underestimates the rank. ``depth_window(x, y)`` and
# ``isthmus window`` look for the window between too shallow and too deep, for networks that training finds.
