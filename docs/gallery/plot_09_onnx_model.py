"""
An ONNX model from a package
============================

A text recogniser ships a small network that tells lines of text that stand upside down. It is measured as it comes:
nothing is trained, nothing but the file and some rows is needed.
"""

from pathlib import Path

import numpy as np
import rapidocr_onnxruntime

from isthmus import measure
from isthmus.formats import load

path = Path(rapidocr_onnxruntime.__file__).parent / "models" / "ch_ppocr_mobile_v2.0_cls_infer.onnx"
model = load(path)
rng = np.random.default_rng(0)
lines = np.repeat(rng.uniform(-1, 1, (12, 3, 48, 24)), 8, axis=3).astype(np.float32)
profile = measure(model, lines, points=4, leading=4)
figure = profile.plot("activations")

# %%
print(profile.method, profile.jacobian_rank.lower, profile.bottleneck_rank)

# %%
# **Conclude**: two outputs that sum to one have one degree of freedom, and the derivative agrees.
#
# **Do not conclude** anything about text from rows of noise: a profile is one over the rows that it was given. Pass
# real ones.
