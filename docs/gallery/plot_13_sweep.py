"""
A sweep as a heat map
=====================

A grid of fits over two axes, in one store that resumes. What the mean rank depends on, and what it does not.
"""

import os
import tempfile
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from isthmus.cli.main import run
from isthmus.reports.heat_map import add_heat_map, name_cells

GRID = """
data = "teacher"
seeds = [0]
[parameters]
n = 150
k = [1, 2, 3]
[options]
depth = [2, 3]
ridge = [0.02]
width = 24
cv = 3
schedule.steps = 60
schedule.rounds = 1
"""

with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    Path("grid.toml").write_text(GRID)
    run(["sweep", "grid.toml", "--out", "store", "--json"])
    cells = pd.read_csv("store/cells.csv")
    os.chdir("/")

ranks = cells.pivot_table(index="depth", columns="k", values="rank")
figure = go.Figure()
texts = ranks.astype(str).to_numpy().tolist()
add_heat_map(figure, ranks.to_numpy().tolist(), hover=texts, texts=texts, scale=[[0, "#dbeef0"], [1, "#1a8a9e"]])
figure.update_layout(
    xaxis={**name_cells([f"true rank {k}" for k in ranks.columns])},
    yaxis={**name_cells([f"depth {d}" for d in ranks.index])},
)

# %%
print(cells[["depth", "k", "rank", "verdict"]].to_string(index=False))

# %%
# **Conclude** where the answer depends on a setting that it should not depend on: repeat these cells with more seeds.
#
# **Do not conclude** from a cell: 150 rows and 60 steps are small so that this page builds.
