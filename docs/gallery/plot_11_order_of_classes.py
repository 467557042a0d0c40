"""
A classifier's order of classes
===============================

Through one number classes lie in an order along a line. Four classes in four stripes of a bent plane; the classifier
finds the number and says which class is the most probable where.
"""

import numpy as np

from isthmus import RankClassifier

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (320, 2))
height = x[:, 1] + 0.5 * np.abs(x[:, 0])
names = np.array(["ground", "shrubs", "trees", "sky"])[np.digitize(height, [-0.3, 0.25, 0.8])]
model = RankClassifier(depth=3, cv=3, random_state=0).fit(x, names)
if model.class_order_ is not None:
    figure = model.class_order_.plot()

# %%
print(model.selection_.verdict.sentence)
print("rank", model.rank_, "" if model.class_order_ is None else " – ".join(map(str, model.class_order_.order)))

# %%
# **Conclude**: classes that blend into each other have to be neighbours, and here all of them are found in their
# order.
#
# **Do not conclude** an order from classes with gaps between them: a steep encoder can put these in any order.
