import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
shoulder, elbow = rng.uniform(-1.5, 1.5, (2, 400))  # two joints of an arm
hand_x = np.cos(shoulder) + np.cos(shoulder + elbow)
hand_y = np.sin(shoulder) + np.sin(shoulder + elbow)

table = {f"encoder {i}": a * shoulder + b * elbow for i, (a, b) in enumerate(rng.standard_normal((6, 2)))}
for i, (x, y) in enumerate(rng.uniform(-2, 2, (8, 2))):
    table[f"lamp {i}"] = np.hypot(hand_x - x, hand_y - y)  # distance of the hand from a lamp
table = pd.DataFrame(table)
table += 0.1 * rng.standard_normal(table.shape)
table.to_csv("arm.csv", index=False)
