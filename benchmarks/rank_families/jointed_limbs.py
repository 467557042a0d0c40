"""Limbs: the activity of muscles turns joints, cameras see points on the limbs."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np

from _rank_tasks import Floats, Teacher, standard
from rank_families.active_columns import active_count

Map = Callable[[Floats], Floats]


def _activities(d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Positive skewed rows, as envelopes of muscles' signals are; common drives make a part of every column."""
    drives = max(2, d // 4)
    loading = np.zeros((drives, d))
    loading[rng.integers(drives, size=d), np.arange(d)] = rng.choice((-1.0, 1.0, 1.0), d) * np.sqrt(0.4)

    def draw(n: int) -> Floats:
        drive = rng.standard_normal((n, drives)) @ loading + np.sqrt(0.6) * rng.standard_normal((n, d))
        return np.logaddexp(0.0, 1.5 * drive)

    return draw


def _turned(rows: Floats, k: int, rng: np.random.Generator) -> Map:
    """Angles: forces saturate with activity, muscles pull at one joint and a little at others, joints have limits."""
    d = rows.shape[1]
    muscles = rng.permutation(d)[: active_count(d, k, rng)]
    pull = np.zeros((d, k))
    pull[muscles] = 0.2 * rng.standard_normal((len(muscles), k))
    pull[muscles, np.arange(len(muscles)) % k] += rng.choice((-1.0, 1.0), len(muscles))
    torque = standard(lambda x: standard(lambda x: x / (1.0 + x), rows)(x) @ pull, rows)
    rest = rng.uniform(-0.5, 0.5, k)
    return lambda x: np.tanh(0.8 * torque(x) + rest)


def _rotations(angles: Floats, axis: Floats) -> Floats:
    """Rotations `(n, 3, 3)` by angles `(n,)` about an axis of length 1 (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sine, cosine = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return np.eye(3) + sine * cross + (1.0 - cosine) * cross @ cross


def _points(joints: int, along: Floats, rng: np.random.Generator) -> Map:
    """Points of a limb with as many links as joints, at places `along` it (in links), `(n, joints)` to `(n, p, 3)`.

    Every link points across the hinge it turns on; farther joints bend more.
    """
    shoulder = rng.uniform(-0.5, 0.5, 3)
    frames = [np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(joints)]
    lengths = rng.uniform(0.8, 1.2, joints)
    bend = np.linspace(0.4, 0.4 + 0.2 * (joints - 1), joints)

    def place(z: Floats) -> Floats:
        start, turn = np.tile(shoulder, (len(z), 1)), np.tile(np.eye(3), (len(z), 1, 1))
        points = np.empty((len(z), len(along), 3))
        for joint, (frame, length) in enumerate(zip(frames, lengths, strict=True)):
            turn = turn @ _rotations(bend[joint] * z[:, joint], frame[0])
            link = length * turn @ frame[1]
            on = (along > joint) & (along <= joint + 1)
            points[:, on] = start[:, None] + (along[on] - joint)[:, None] * link[:, None]
            start = start + link
        return points

    return place


def limbs(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are the angles of joints of one to three limbs, y the points' places in line cameras.

    Each of d_out points is seen by a camera of its own with one line of pixels, in perspective.
    """
    draw = _activities(d_in, rng)
    rows = draw(2000)
    encode = standard(_turned(rows, k, rng), rows)
    owner = np.arange(k) % ceil(k / 3)
    joints = [np.flatnonzero(owner == limb) for limb in range(ceil(k / 3))]
    share = [len(part) for part in np.array_split(np.arange(d_out), len(joints))]
    places = [
        _points(len(own), len(own) * (1.0 - (np.arange(count) + rng.uniform(0.0, 0.5, count)) / count), rng)
        for own, count in zip(joints, share, strict=True)
    ]
    across = rng.standard_normal((d_out, 3))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    depth = np.cross(across, rng.standard_normal((d_out, 3)))
    depth /= 8.0 * np.linalg.norm(depth, axis=1, keepdims=True)  # from eight lengths of a link

    def decode(z: Floats) -> Floats:
        points = np.concatenate([place(z[:, own]) for own, place in zip(joints, places, strict=True)], 1)
        return (points * across).sum(2) / (1.0 + (points * depth).sum(2))

    return Teacher(draw, encode, decode)
