r"""
4. Proposition 3: derivatives bound the norm from below
=======================================================

**Statement.** :math:`\sum_i s_i(Jf(x))^{2/L} \le R(f; L)/L \le \lVert w \rVert^2/L` at every x. So a network whose
:math:`\lVert w \rVert^2/L` is near k cannot have many more than k directions anywhere.
"""

import numpy as np
import plotly.graph_objects as go

from isthmus import TrainingConfig, fit, measure
from isthmus.training import Schedule

rng = np.random.default_rng(0)
x = rng.standard_normal((200, 6))
y = np.abs(x[:, :2]) @ rng.standard_normal((2, 5))
ridges = [0.003, 0.01, 0.03, 0.1, 0.3]
short = Schedule(steps=150, rounds=1)
profiles = [
    measure(fit(x, y, config=TrainingConfig(depth=6, width=30, ridge=ridge, schedule=short), seed=0), x, points=50)
    for ridge in ridges
]
figure = go.Figure()
figure.add_scatter(x=ridges, y=[p.norm_per_depth for p in profiles], mode="lines+markers", name="‖w‖² / L")
figure.add_scatter(x=ridges, y=[p.cost_lower for p in profiles], mode="lines+markers", name="Σ s^(2/L)")
figure.update_layout(xaxis_title="λ", xaxis_type="log")

# %%
for ridge, profile in zip(ridges, profiles, strict=True):
    print(f"λ = {ridge}: {profile.cost_lower:.2f} ≤ {profile.norm_per_depth:.2f}, rank {profile.bottleneck_rank.upper}")

# %%
# The gap is what the network pays beyond what its derivative at one place asks for.
