"""
Weather: what of today reaches tomorrow
=======================================

Four years of days in Seattle: highest and lowest temperature, wind and rain, and the season. Through how many numbers
does a day determine the next? Days are no independent rows: the parts that are held out are stretches of time.
"""

import numpy as np
import plotly.graph_objects as go
from sklearn.model_selection import KFold
from vega_datasets import local_data

from isthmus import RankRegressor

days = local_data.seattle_weather()
season = 2 * np.pi * days["date"].dt.dayofyear / 365.25
today = days[["temp_max", "temp_min", "wind"]].assign(
    rain=np.log1p(days["precipitation"]), c=np.cos(season), s=np.sin(season)
)
x, y = today.iloc[:-1].to_numpy(float), today.iloc[1:, :4].to_numpy(float)
stretches = list(KFold(4).split(x))
model = RankRegressor(depth=3, cv=stretches, random_state=0).fit(x, y)
k = model.rank_
figure = go.Figure(go.Scatter(y=model.error_curve_, mode="lines+markers", name="through k numbers"))
figure.update_layout(xaxis_title="numbers passed on, k", yaxis_title="held-out error, of 4")

# %%
print(model.selection_.verdict.sentence)
print("rank", k, model.rank_interval_)

# %%
# **Conclude** how much of tomorrow is determined at all: the error at the rank is far from 0, and the first number,
# warm or cold, does most of it.
#
# **Do not conclude** that weather has so many degrees of freedom. This is what *these columns* of one day tell of the
# next at one station; had rows been drawn at random, neighbours in time would have leaked across.
