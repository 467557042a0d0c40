"""An implicit rank minimising autoencoder with weight decay, as a map x to y. Imports nothing of ours.

The sizes, the optimiser and its weight decay are those of the authors' run on Kuramoto-Sivashinsky: layers of 512 and
256, 20 latent numbers, four linear layers behind them, AdamW with 1e-6, rate 1e-3, batches of 128; 600 epochs, of
fewer rows than theirs. The rank is where the singular values of the covariance of the latent numbers fall most above
`FLOOR` of the first, a rule chosen on one task of seed 100: the greatest fall of all is often that to the last.
`-c` of this text reads x and y, standardised, from standard input as `.npz` and prints one line of JSON.

Source:
    Zeng, De Jesus, Fox and Graham (2024), Autoencoders for discovering manifold dimension and coordinates in data.
"""

import io
import json
import sys

import numpy as np
import torch
from torch import nn

LATENT, LINEAR, BATCH, EPOCHS, RATE, DECAY, FLOOR = 20, 4, 128, 600, 1e-3, 1e-6, 1e-6


def answer(x: torch.Tensor, y: torch.Tensor) -> dict[str, object]:
    torch.manual_seed(0)
    linear = [nn.Linear(LATENT, LATENT, bias=False) for _ in range(LINEAR)]
    bent = [nn.Linear(x.shape[1], 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, LATENT)]
    encoder = nn.Sequential(*bent, *linear)
    decoder = nn.Sequential(
        nn.Linear(LATENT, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, y.shape[1])
    )
    optimiser = torch.optim.AdamW([*encoder.parameters(), *decoder.parameters()], lr=RATE, weight_decay=DECAY)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH):
            optimiser.zero_grad(set_to_none=True)
            (decoder(encoder(x[rows])) - y[rows]).square().mean().backward()
            optimiser.step()
    with torch.no_grad():
        values = torch.linalg.svdvals(torch.cov(encoder(x).double().T)).clamp_min(1e-30)
    falls = values[:-1] / values[1:].clamp_min(FLOOR * values[0])
    return {"rank": int(falls.argmax()) + 1, "values": [float(f"{v:.2g}") for v in values / values[0]]}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    given = np.load(io.BytesIO(sys.stdin.buffer.read()))
    print(json.dumps(answer(*(torch.from_numpy(given[name]).float() for name in ("x", "y")))))
