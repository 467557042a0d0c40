"""Images of the latent directions: one coordinate moves over the rows' quantiles, the others stay at their means."""

from types import SimpleNamespace

import numpy as np
import torch

from isthmus.runs.pictures import traversals


def test_one_number_moves_and_the_others_stay():
    rng = np.random.default_rng(0)
    x, paint = rng.standard_normal((40, 6)), rng.standard_normal((2, 6))
    halves = SimpleNamespace(encode=lambda x: x[:, :2], decode=lambda z: z @ torch.from_numpy(paint))
    dataset = SimpleNamespace(
        task="autoencoder", image_shape=(2, 3), x=x, weights=None, split=SimpleNamespace(test=np.arange(20, 40))
    )
    found = traversals(dataset, halves)
    z = x[20:, :2]
    for i, row in enumerate(found.images):
        for share, image in zip(found.shares, row, strict=True):
            moved = z.mean(0)
            moved[i] = np.quantile(z[:, i], share)
            np.testing.assert_allclose(image, moved @ paint, rtol=1e-4, atol=1e-4)
    assert (found.shape, len(found.images)) == ([2, 3], 2)
    assert traversals(SimpleNamespace(task="regression", image_shape=(2, 3)), halves) is None
