"""
A planar robot: more joints than numbers
========================================

Three joints move a hand and an elbow in the plane. Three angles go in; the places of the elbow, of the wrist and of
the hand come out. Does a third joint matter that only turns the hand?
"""

import numpy as np

from isthmus import SelectionConfig, select_rank

rng = np.random.default_rng(1)
angles = rng.uniform(-1.2, 1.2, (300, 3))
turned = angles.cumsum(axis=1)
steps = np.stack([np.cos(turned), np.sin(turned)], axis=2) * np.array([1.0, 0.8, 0.3])[:, None]
places = steps.cumsum(axis=1).reshape(300, 6)  # elbow, wrist, hand
places += 0.1 * rng.standard_normal(places.shape)
found = select_rank(angles, places, config=SelectionConfig(depth=6), cv=3, random_state=0)
figure = found.plot()

# %%
print(found.verdict.sentence)
print("rank", found.rank, "interval", (found.lower, found.upper))

# %%
# The same without the hand: the third joint moves nothing that is measured.
wrist = select_rank(angles, places[:, :4], config=SelectionConfig(depth=6), cv=3, random_state=0)
print(wrist.verdict.sentence)
print("rank", wrist.rank, "interval", (wrist.lower, wrist.upper))

# %%
# **Conclude**: the rank counts what of the inputs reaches the outputs, not the inputs: of three joints two reach the
# wrist. The third moves the hand by a short link, near the noise: whether it counts is left open by the interval, and
# by the verdict.
#
# **Do not conclude** that a joint is broken from a lower rank: a short link below the noise looks the same.
