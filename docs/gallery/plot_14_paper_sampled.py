"""
The paper's experiments, sampled
================================

Three experiments of the paper at the size of a sketch: rank recovery, an autoencoder of a curve, and classes on an
inverted S. The full ones are :doc:`/reproductions`.
"""

import plotly.graph_objects as go
import torch

from isthmus import TrainingConfig, enumerate_regions, fit, load_dataset, measure
from isthmus.training import Schedule

teacher = load_dataset("teacher:k=3,n=300", seed=0)
short = Schedule(steps=300, rounds=1)
rows = teacher.split.train
config = TrainingConfig(depth=9, width=60, ridge=0.05, schedule=short)
fitted = fit(teacher.x[rows], teacher.y[rows], config=config, seed=0)
profile = measure(fitted, teacher.x[rows], points=50)
figure = profile.plot("weights")

# %%
# **Rank recovery**: the teacher has rank 3. The middle layers keep few singular values large.
print("bottleneck rank", profile.bottleneck_rank.lower, "to", profile.bottleneck_rank.upper)

# %%
# **An autoencoder of a curve** brings points of the plane onto it:
curve = load_dataset("curve", seed=0)
points = curve.x
auto = fit(points, config=TrainingConfig(depth=9, width=40, ridge=0.002, schedule=short), task="autoencoder", seed=0)
start = torch.rand(60, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3 - 1.5
end = auto(start).detach().numpy()
figure = go.Figure(go.Scatter(x=points[:, 0], y=points[:, 1], mode="markers", name="data"))
for a, b in zip(start.numpy(), end, strict=True):
    figure.add_scatter(x=[a[0], b[0]], y=[a[1], b[1]], mode="lines", line_color="#87909a", showlegend=False)

# %%
# **Classes on an inverted S**: where three classes meet there is a tripoint; a classifier of rank 1 has none.
letters = load_dataset("inverted-s:n=100", seed=0)
counts = {}
for depth in (2, 6):
    classes = TrainingConfig(depth=depth, width=20, ridge=0.001, schedule=short)
    classifier = fit(letters.x, letters.y, config=classes, task="classification", seed=0)
    found = enumerate_regions(classifier, box=(-2, 2))
    counts[depth] = len(found.decision_boundary().tripoints)
print("tripoints by depth:", counts)

# %%
# **Conclude** how the experiments look. **Do not conclude** a claim from a sketch: one seed, few steps. What agrees
# and what does not, over all seeds, is in the record.
