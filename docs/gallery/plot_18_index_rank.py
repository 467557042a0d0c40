"""
One output, two combinations of inputs
======================================

With one output the rank is at most 1: everything passes through the output itself. How many linear combinations of the
inputs it is a function of says more. Here a yield that depends on a sum and on the square of a difference.
"""

import numpy as np
import plotly.graph_objects as go

from isthmus import SelectionConfig, select_rank

rng = np.random.default_rng(0)
x = rng.standard_normal((300, 6))
y = np.tanh(x[:, 0] + x[:, 1]) + 0.5 * (x[:, 2] - x[:, 3]) ** 2 + 0.1 * rng.standard_normal(300)
found = select_rank(x, y, config=SelectionConfig(depth=3, ridge=0.003), cv=3, random_state=0)
names = [f"x{column}" for column in range(6)]
figure = go.Figure(
    [
        go.Bar(x=names, y=row.tolist(), error_y={"array": error.tolist()}, name=f"combination {number}")
        for number, (row, error) in enumerate(
            zip(found.index.directions, found.index.standard_errors, strict=True), start=1
        )
    ]
)
figure.update_layout(yaxis_title="weight of the input", barmode="group")

# %%
print("rank", found.rank)
print(found.index.sentence)
print("probabilities of k = 0, 1, …:", np.round(found.index.probabilities, 3))

# %%
# **Conclude** that the yield is a function of x2 − x3 and of x0 + x1, the first of which has the larger effect, and
# that x4 and x5 are not seen to matter.
#
# **Do not conclude** that it is *linear* in them: the square has no slope on the average, and a linear regression sees
# nothing of it. Nor that other columns could not take their place where columns move together: ``found.index.ties``
# names those that these rows cannot tell apart (:doc:`/index-rank`).
