"""
A circle: dimension 1, rank 2
=============================

Points on a noisy circle vary in one direction near each of them, and yet no single number describes all of them.
"""

import numpy as np
import plotly.graph_objects as go

from isthmus import manifold_dimension
from isthmus.estimators import RankAutoencoder

rng = np.random.default_rng(0)
t = rng.uniform(0, 2 * np.pi, 200)
circle = np.stack([np.cos(t), np.sin(t), 0.5 * np.sin(t)], axis=1) + 0.02 * rng.standard_normal((200, 3))
model = RankAutoencoder(depth=6, cv=3, random_state=0).fit(circle)
z = model.transform(circle)
figure = go.Figure(go.Scatter(x=z[:, 0], y=z[:, min(1, z.shape[1] - 1)], mode="markers", marker_color=t))
figure.update_layout(xaxis_title="z1", yaxis_title="z2")

# %%
print(model.selection_.verdict.sentence)
print("rank", model.rank_, "dimension", model.dimension_, "by the cloud alone", manifold_dimension(circle).dimension)

# %%
# **Conclude**: a code of these points needs two numbers; they have one degree of freedom.
#
# **Do not conclude** that one of the two is wrong. They answer different questions (:doc:`/meaningful`).
