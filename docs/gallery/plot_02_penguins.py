"""
Penguins: the order of three species
====================================

Bills, flippers and weights of 333 penguins of three species. Do the classes need one number or two? Through one, they
would lie in an order along a line.
"""

import plotly.graph_objects as go
from palmerpenguins import load_penguins

from isthmus import RankClassifier, load_dataset, select_rank

table = load_penguins().dropna()
x = table[["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]].astype(float)
model = RankClassifier(depth=3, cv=3, random_state=0).fit(x, table["species"].to_numpy(str))
z = model.transform(x)
figure = go.Figure()
for species, rows in table.reset_index(drop=True).groupby("species").groups.items():
    second = z[rows, 1] if z.shape[1] > 1 else [0] * len(rows)
    figure.add_scatter(x=z[rows, 0], y=second, mode="markers", name=species)
figure.update_layout(xaxis_title="z1", yaxis_title="z2" if z.shape[1] > 1 else "")

# %%
print(model.selection_.verdict.sentence)
print(
    "rank",
    model.rank_,
    model.rank_interval_,
    "right on the rows of the fit:",
    round(model.score(x, table["species"]), 3),
)
if model.class_order_ is not None:
    print("along the line:", " – ".join(model.class_order_.order))

# %%
# The other way round, measurements as outputs: what do species, island, sex and year say of them?
data = load_dataset(table, target=list(x.columns), test=0.0)
found = select_rank(data.x, data.y, cv=3, random_state=0)
figure = found.plot()
print(found.verdict.sentence)

# %%
# **Conclude**: three species are told apart by at most two numbers, which three classes can always be. Asked with
# measured outputs the question is a sharper one, and the verdict can say that a rank of these networks is not to be
# relied on.
#
# **Do not conclude** a rank from classes alone: such answers are right in 14 of 36 known cases, which is why the
# verdict never says more than "caution".
