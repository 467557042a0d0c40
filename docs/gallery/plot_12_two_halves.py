"""
Two halves: the smaller network
===============================

A network is split where it is narrow: the encoder keeps k numbers, the decoder makes the outputs of them. How much
does f change, and how many weights are left?
"""

import plotly.graph_objects as go
import torch
from sklearn.datasets import load_digits

from isthmus import TrainingConfig, factor, fit
from isthmus.training import Schedule

x = load_digits().data[:500] / 16
config = TrainingConfig(depth=6, width=60, ridge=0.03, standardize="global", schedule=Schedule(steps=250, rounds=1))
fitted = fit(x, x, config=config, seed=0)
rows = torch.from_numpy(x)
curve = factor(fitted, rows, rank=1).error_curve
figure = go.Figure(go.Scatter(y=curve, mode="lines+markers"))
figure.update_layout(xaxis_title="numbers kept, k", yaxis_title="change of f, relative to its spread")

# %%
halves = factor(fitted, rows)


def weights(network):
    return sum(w.numel() for w in network.weights)


inside = weights(halves.encoder.network) + weights(halves.decoder.network)
print("k =", halves.rank, "| weights before", weights(fitted.network), "| after", inside)

# %%
# **Conclude** what a code of k numbers costs this function, before any further training.
#
# **Do not conclude** that fewer numbers cannot do: projection alone is an upper bound of the error, training the
# halves on lowers it.
