"""
Spectra: through how many numbers do coffees pass?
==================================================

Infrared spectra of 60 coffees from three countries, 1,841 wavenumbers each. Far more columns than rows: the rank is
selected in the coordinates that the rows span.
"""

import plotly.graph_objects as go
from chemotools.datasets import load_coffee

from isthmus import SelectionConfig, select_rank

spectra, countries = load_coffee()
x = spectra.to_numpy(float)
found = select_rank(x, task="autoencoder", config=SelectionConfig(standardize="global"), cv=3, random_state=0)
figure = found.plot()

# %%
print(found.verdict.sentence)
print("rank", found.rank, "interval", (found.lower, found.upper))

# %%
# The spectra in the first two of these numbers, by country:
if found.factorization is not None:
    import torch

    z = found.factorization.encode(torch.from_numpy(x)).numpy()
    names = countries.iloc[:, 0].to_numpy(str)
    figure = go.Figure()
    for name in sorted(set(names)):
        rows = names == name
        figure.add_scatter(x=z[rows, 0], y=z[rows, min(1, z.shape[1] - 1)], mode="markers", name=name)
    figure.update_layout(xaxis_title="z1", yaxis_title="z2")

# %%
# **Conclude** how many numbers an encoder of these spectra must keep, and read the dashed line: where PCA with as
# many is as good, take PCA.
#
# **Do not conclude** a number of substances: baseline and scatter of the light are numbers as well, and 60 rows allow
# a wide interval.
