"""
A scikit-learn pipeline, measured from outside
==============================================

Any function of arrays can be measured: derivatives are differences whose step follows the function's own rounding,
and each singular value comes with its error bar. Here a pipeline that predicts blood fats and sugar from sports, or
rather a larger table of the same kind.
"""

import plotly.graph_objects as go
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.kernel_ridge import KernelRidge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from isthmus import measure

table = load_breast_cancer().data
x, y = table[:, :10], StandardScaler().fit_transform(table[:, 20:])
pipeline = make_pipeline(StandardScaler(), PCA(3), KernelRidge(kernel="rbf", gamma=0.1, alpha=0.1)).fit(x, y)
scaled = StandardScaler().fit(x)
profile = measure(lambda z: pipeline.predict(scaled.inverse_transform(z)), scaled.transform(x[:100]), points=30)
relative = profile.jacobian.relative().median(0).values
figure = go.Figure(go.Scatter(x=[*range(1, 11)], y=relative.clamp_min(1e-12).tolist(), mode="lines+markers"))
figure.update_layout(xaxis_title="index i", yaxis_title="σᵢ / σ₁, median over rows", yaxis_type="log")

# %%
print(profile.jacobian_rank)

# %%
# **Conclude**: three principal components go in, so three singular values are there and the rest is rounding: the
# rank of a pipeline is at most that of its narrowest step.
#
# **Do not conclude** that three numbers suffice for *the data*: they suffice for *this function*. That is
# `select_rank`'s question.
