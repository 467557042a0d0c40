"""Earthquakes: what some stations record tells how hard the ground shakes at other places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher

Map = Callable[[Floats], Floats]
EDGE = np.sqrt(3.0)  # of uniform numbers of variance 1
SOURCE = np.array([0.0, 0.0, 12.0, 0.0, 0.0])  # east, north and depth in km, logarithms of moment and of stress drop
SPREAD = np.array([14.0, 14.0, 4.0, 0.9, 0.9])
SPEED, GRADIENT = 5.0, 0.06  # of waves at the surface, km/s, and how it grows with depth, 1/s


def _travel_time(away: Floats, depth: Floats) -> Floats:
    """Seconds along the ray, an arc of a circle, where speed grows linearly with depth (Slotnick, 1936)."""
    squared = np.square(away) + np.square(depth)
    deep = SPEED + GRADIENT * depth
    return np.arccosh(1.0 + GRADIENT**2 * squared / (2.0 * SPEED * deep)) / GRADIENT


def _amplitude(source: Floats, place: Floats, frequency: Floats, quality: float) -> Floats:
    """Logarithms `(n, places)` of what comes of a frequency: Brune's source (1970), spreading and absorption."""
    east, north, depth, moment, stress = (column[:, None] for column in source.T)
    distance = np.sqrt(np.square(east - place[:, 0]) + np.square(north - place[:, 1]) + np.square(depth))
    corner = 2.0 * np.exp((stress - moment) / 3.0)
    spectrum = moment - np.log1p(np.square(frequency / corner))
    return spectrum - np.log(distance / 20.0) - np.pi * frequency * distance / (quality * SPEED)


def _stations(d: int, rng: np.random.Generator) -> Callable[[Floats, Floats], Floats]:
    """What a network shows `(n, d)`: by turns times of arrival and logarithms of amplitudes, with its own background.

    When it began nobody knows, and how restless the sea is differs from day to day.
    """
    place = rng.uniform(-40.0, 40.0, (d, 2))
    frequency, quality = np.exp(rng.uniform(np.log(0.5), np.log(8.0), d)), rng.uniform(150.0, 400.0)
    is_time = np.arange(d) % 2 == 0

    def show(source: Floats, nuisance: Floats) -> Floats:
        away = np.hypot(source[:, :1] - place[:, 0], source[:, 1:2] - place[:, 1])
        arrival = _travel_time(away, source[:, 2:3]) + nuisance[:, :1]
        sea = -3.0 + 0.5 * nuisance[:, 1:]
        return np.where(is_time, arrival, np.logaddexp(_amplitude(source, place, frequency, quality), sea))

    return show


def earthquakes(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """k of the five numbers of a source vary: epicentre, depth, moment, stress drop; y is shaking at other places.

    Soft ground yields, so that strong shaking grows less than on rock. Distances from three places or more tell where
    the source is, amplitudes of a low frequency the moment, and of a high one the stress drop: derivatives have rank k.
    """
    varies = rng.permutation(5)[:k]
    is_uniform = rng.random() < 0.5

    def draw(n: int) -> Floats:
        own = rng.uniform(-EDGE, EDGE, (n, k)) if is_uniform else np.clip(rng.standard_normal((n, k)), -2.4, 2.4)
        return np.hstack((own, rng.standard_normal((n, 2))))

    def source(z: Floats) -> Floats:
        full = np.tile(SOURCE, (len(z), 1))
        full[:, varies] += SPREAD[varies] * z
        return full

    place = rng.uniform(-30.0, 30.0, (d_out, 2))
    frequency, quality = np.exp(rng.uniform(np.log(0.3), np.log(10.0), d_out)), rng.uniform(150.0, 400.0)
    site, soft = 0.4 * rng.standard_normal(d_out), rng.uniform(0.0, 1.0, d_out)
    show = _stations(d_in, rng)

    def decode(z: Floats) -> Floats:
        on_rock = _amplitude(source(z), place, frequency, quality) + site
        return on_rock - 0.5 * soft * np.logaddexp(0.0, on_rock)

    return Teacher(draw, lambda causes: causes[:, :k], decode, lambda c: show(source(c[:, :k]), c[:, k:]))
