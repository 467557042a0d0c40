r"""
2. The cost of a linear map tends to its rank
=============================================

**Statement.** Of linear networks of depth L that compute A the least :math:`\lVert w \rVert^2` is :math:`L \sum_i
s_i(A)^{2/L}`, so :math:`R/L \to \operatorname{rank} A`.
"""

import plotly.graph_objects as go
import torch

from isthmus.costs import matrix_cost

depths = [1, 2, 3, 5, 8, 13, 20, 35, 60, 100, 200]
figure = go.Figure()
for rank in (1, 2, 3):
    diagonal = torch.diag(torch.tensor([3.0, 1.5, 0.4]) * (torch.arange(3) < rank)).double()
    costs = [matrix_cost(diagonal, depth).per_depth for depth in depths]
    figure.add_scatter(x=depths, y=costs, mode="lines+markers", name=f"rank {rank}")
figure.update_layout(xaxis_title="depth L", yaxis_title="R/L", xaxis_type="log")

# %%
# At depth 1 it is the squared Frobenius norm, at depth 2 twice the trace norm over 2, and at great depth the number
# of singular values that are not zero, however small: that is where the bias towards low rank comes from.
print({depth: round(matrix_cost(diagonal, depth).per_depth, 3) for depth in (1, 2, 200)})
