"""
Digits: what each number changes
================================

An autoencoder of 400 handwritten digits of 8 × 8 pixels, and images of its latent directions: in each row one number
moves from low to high, and the others stay at their means.
"""

import torch
from sklearn.datasets import load_digits

from isthmus import SelectionConfig, select_rank
from isthmus.reports.image_grid import ImageGrid

x = load_digits().data[:400] / 16
config = SelectionConfig(standardize="global", max_folds=2)
found = select_rank(x, task="autoencoder", config=config, cv=4, random_state=0)
halves = found.factorization
z = halves.encode(torch.from_numpy(x))
rows = []
for i in range(halves.rank):
    moved = z.mean(0).repeat(7, 1)
    moved[:, i] = torch.quantile(z[:, i], torch.linspace(0.05, 0.95, 7).to(z))
    rows.append((f"z{i + 1}", halves.decode(moved).tolist()))
figure = ImageGrid((8, 8), rows, 0.0, 1.0).figure(is_named=True)
figure.update_layout(height=70 * len(rows))

# %%
print(found.verdict.sentence)
print("rank", found.rank, "interval", (found.lower, found.upper))

# %%
# **Conclude**: slant, thickness and the opening of the upper loop are among the numbers that these pixels pass
# through.
#
# **Do not conclude** that each row is one property of handwriting: coordinates are ordered by their effect, and any
# rotation among equal effects would do. Images at the means of all others need not look like a digit.
