"""
Ranks while a network trains
============================

`ProfileLogger` measures a torch network every so many steps, for TensorBoard or in memory. Weight decay presses
directions out of the network one after the other.
"""

import plotly.graph_objects as go
import torch
from sklearn.datasets import load_digits

from isthmus.spectra import ProfileLogger

torch.manual_seed(0)
x = torch.from_numpy(load_digits().data[:400] / 16).float()
layers = [torch.nn.Linear(64, 40)]
for _ in range(3):
    layers += [torch.nn.ReLU(), torch.nn.Linear(40, 40)]
net = torch.nn.Sequential(*layers, torch.nn.ReLU(), torch.nn.Linear(40, 64))
optimiser = torch.optim.AdamW(net.parameters(), lr=0.003, weight_decay=0.3)
logger = ProfileLogger(x[:100], every=50, points=20)
for step in range(401):
    logger(net, step)
    optimiser.zero_grad()
    (net(x) - x).square().sum(1).mean().backward()
    optimiser.step()
steps = [step for step, _ in logger.history]
figure = go.Figure()
for name in ("jacobian_rank", "bottleneck_rank"):
    y = [
        getattr(profile, name).upper if "bottle" in name else profile.jacobian_rank.lower
        for _, profile in logger.history
    ]
    figure.add_scatter(x=steps, y=y, mode="lines+markers", name=name.replace("_", " "))
figure.update_layout(xaxis_title="step", yaxis_title="rank at 0.1")

# %%
# **Conclude** when directions appear and whether the rank has settled. **Do not conclude** the rank of the data: this
# network was not judged by rows that it did not see.
print([(step, profile.bottleneck_rank.upper) for step, profile in logger.history])
