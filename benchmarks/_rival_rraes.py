"""A rank reduction autoencoder as a map x to y, whose width it finds itself. Imports nothing of ours.

`RRAEs` 0.1.0 of PyPI in an environment of its own (jax 0.10, equinox 0.13). The settings are those of its example of
the generic adaptive scheme (latent size 200, batches of 64, rate 1e-3, patience 200), with half its layers' width and
16 in place of 64 numbers to begin with, as each number fewer is compiled anew. `-c` of this text reads x and y,
standardised, from standard input as `.npz` and prints one line of JSON: the rank, and whether it had settled within
`STEPS`.
"""

import contextlib
import io
import json
import os
import sys
import tempfile

import jax.random as jrandom
import numpy as np
import RRAEs.config  # noqa: F401  (must come before its classes)
from RRAEs.AE_classes import RRAE_MLP
from RRAEs.trackers import RRAE_gen_Tracker
from RRAEs.training_classes import RRAE_Trainor_class
from RRAEs.utilities import MLP_with_linear

LATENT, MOST, BATCH, WIDTH, STEPS, PATIENCE = 200, 16, 64, 150, 3000, 200


def answer(x: np.ndarray, y: np.ndarray) -> dict[str, object]:
    decoder = MLP_with_linear(in_size=LATENT, out_size=len(y), width_size=WIDTH, depth=6, key=jrandom.PRNGKey(1))
    trainer = RRAE_Trainor_class(
        x,
        RRAE_MLP,
        in_size=len(x),
        latent_size=LATENT,
        k_max=MOST,
        out_train=y,
        kwargs_enc={"width_size": WIDTH, "depth": 1},
        _decode=decoder,
        key=jrandom.PRNGKey(0),
    )
    tracker = RRAE_gen_Tracker(k_init=MOST, patience_init=PATIENCE)
    settings = {"step_st": [STEPS], "batch_size_st": [BATCH], "lr_st": [1e-3], "loss_type": "RRAE", "tracker": tracker}
    trainer.fit(x, y, training_key=jrandom.PRNGKey(50), training_kwargs=settings)
    return {"rank": int(tracker.k_now), "is_settled": bool(tracker.converged), "began": not tracker.init_phase}


if __name__ == "__main__":
    given = np.load(io.BytesIO(sys.stdin.buffer.read()))
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(folder)  # it keeps a file for each number
        found = answer(given["x"].T.astype(np.float32), given["y"].T.astype(np.float32))
        os.chdir("/")
    print(json.dumps(found))
