"""
A sensor array: as many numbers as the source has places
========================================================

Twelve sensors measure how far a source is that moves in the plane; six of them are used to predict the other six.
Simulated, so the answer is known: two numbers.
"""

import numpy as np

from isthmus import SelectionConfig, select_rank

rng = np.random.default_rng(0)
source = rng.uniform(-1, 1, (400, 2))
sensors = rng.uniform(-1.5, 1.5, (12, 2))
distance = np.linalg.norm(source[:, None] - sensors, axis=2)
level = distance + 0.1 * rng.standard_normal(distance.shape)
found = select_rank(level[:, :6], level[:, 6:], config=SelectionConfig(depth=6), cv=3, random_state=0)
figure = found.plot()

# %%
print(found.verdict.sentence)
print(
    "rank", found.rank, "interval", (found.lower, found.upper), "probabilities", np.round(found.probabilities or [], 2)
)

# %%
# **Conclude** little: the best guess, two, is right, but kernel ridge regression predicts these smooth distances
# better, so on data whose answer is not known there would be no reason to believe it.
#
# **Do not conclude** it for sources with a clock of their own: that is a third number, which never varied here. Nor
# is the answer the same for levels that fall off with the square of the distance: a steep sheet needs three numbers
# within the error.
