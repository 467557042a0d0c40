"""
A smaller network: what is proved, and what is judged
=====================================================

A classifier of handwritten digits was trained with a penalty on the size of its weights, as is usual. Part of it does
nothing on any picture, which can be proved; more of it does little, which can only be measured.
"""

from itertools import pairwise

import plotly.graph_objects as go
import torch
from sklearn.datasets import load_digits
from torch import nn

from isthmus import Tolerance, compress

digits = load_digits()
x, y = torch.from_numpy(digits.data / 16).float(), torch.from_numpy(digits.target)
seen, fresh = slice(0, 1200), slice(1200, None)
torch.manual_seed(0)
widths = [64, 40, 40, 40, 40]
hidden = [part for d_in, d_out in pairwise(widths) for part in (nn.Linear(d_in, d_out), nn.ReLU())]
f = nn.Sequential(*hidden, nn.Linear(40, 10))
optimizer = torch.optim.Adam(f.parameters())
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=400)
for _ in range(400):
    optimizer.zero_grad()
    size = sum(w.abs().sum() for w in f.parameters())
    (nn.functional.cross_entropy(f(x[seen]), y[seen]) + 3e-4 * size).backward()
    optimizer.step()
    schedule.step()

exact = compress(f.eval(), x[seen], box=(0, 1))
small = compress(f, x[seen], box=(0, 1), tolerance=Tolerance(0.05))
sizes, errors = zip(*((point.parameters, max(point.error, 1e-7)) for point in small.curve), strict=True)
figure = go.Figure(go.Scatter(x=sizes, y=errors, mode="lines+markers", text=[point.method for point in small.curve]))
figure.update_layout(xaxis_title="parameters", yaxis_title="change of f on held-out rows, of its spread")
figure.update_layout(xaxis_type="log", yaxis_type="log")

# %%
# On every picture with pixels from 0 to 1, these neurons can go. Each step says why.
for fold in exact.folds:
    print(f"{fold.kind}, {len(fold.neurons)} neurons of {fold.layers[0]}: {fold.proof}")

# %%
for name, network in (("f", f), ("exact", exact), ("small", small)):
    right = (network(x[fresh]).argmax(1) == y[fresh]).double().mean().item()
    size = (exact.before if network is f else network.after).parameters
    print(f"{name}: {size:,} parameters, {right:.1%} of the fresh digits right")
print(f"largest change by the exact folds {exact.largest_change:.0e}, rounding of f itself {exact.rounding:.0e}")
print(f"change by the small network, on rows that nothing was chosen by: {small.error:.3f} of the spread of f")

# %%
# **Conclude** that the exact network may stand wherever f stood, as long as pixels are from 0 to 1: no rows were
# trusted for that. The small one is as good as its error on rows like these.
#
# **Do not conclude** that every network gets smaller by proof: this one does because of the penalty on its weights. And
# inputs unlike the rows, of another scanner, may be changed by more than the tolerance (:doc:`/smaller-network`).
