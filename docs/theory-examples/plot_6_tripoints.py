"""
6. Classes on a line
====================

**Statement.** The classes of a classifier of bottleneck rank 1 lie along a line, so no three of them meet in a point.
A picture of all linear regions shows where three do.
"""

import numpy as np
import plotly.graph_objects as go
import torch

from isthmus import enumerate_regions
from isthmus.networks import RELU, FullyConnected

angles = torch.tensor([0.5, 2.6, 4.7]).double()
three = FullyConnected(
    (torch.stack([angles.cos(), angles.sin()], dim=1), torch.eye(3).double()),
    (torch.ones(3).double(), torch.zeros(3).double()),
    RELU,
)
boundary = enumerate_regions(three, box=(-1, 1)).decision_boundary()
figure = go.Figure()
for a, b in boundary.segments:
    figure.add_scatter(x=[a[0], b[0]], y=[a[1], b[1]], mode="lines", line_color="#1a8a9e", showlegend=False)
points = np.asarray(boundary.tripoints)
figure.add_scatter(x=points[:, 0], y=points[:, 1], mode="markers", marker_size=10, name="tripoint")
figure.update_layout(xaxis_title="x1", yaxis_title="x2")

# %%
print("tripoints:", points.round(3).tolist())

# %%
# Three classes around a point need two numbers. `class_order` says the order of classes along one.
