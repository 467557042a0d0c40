"""
Faces: a rank that is not to be relied on
=========================================

One hundred faces and one hundred patches without a face, 25 × 25 pixels. The picture shows what the faces lose
through k numbers, beside PCA.
"""

import numpy as np
import skimage

from isthmus import SelectionConfig, select_rank

faces = np.load(f"{skimage.__path__[0]}/data/lfw_subset.npy")[:100].reshape(100, -1).astype(float)
config = SelectionConfig(standardize="global")
found = select_rank(faces, task="autoencoder", config=config, cv=3, random_state=0)
figure = found.plot()

# %%
print(found.verdict.sentence)
print("best guess", found.rank, "interval", (found.lower, found.upper))

# %%
# **Conclude** that with a hundred faces a linear code is the better one: use PCA here, and collect more faces.
#
# **Do not conclude** the best guess. It is the rank of a function that describes unseen faces worse than PCA does.
