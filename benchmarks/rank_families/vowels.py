"""A family of acoustics: how a mouth is held tells how a vowel sounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher, standard

Map = Callable[[Floats], Floats]
SECTIONS, PITCHES, HIGHEST = 18, 96, 8000.0  # tubes in a row; where they are computed, in Hz
FINE, SLOW = 32, 3  # bands from which slow changes over the spectrum are taken, and how many these are
SPEED = 35000.0  # of sound, cm/s


def _gestures(k: int, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """How k gestures raise the logarithm of the area `(k, places)` at places between glottis, 0, and lips, 1.

    Each is a bump of its own and, for flesh keeps its volume, a wider and lower dent elsewhere.
    """
    centre = ((rng.permutation(k) + rng.uniform(0.3, 0.7, k)) / k)[:, None]
    width = np.minimum(0.7 / k, 0.25) * rng.uniform(0.8, 1.3, (k, 1))
    dent, depth = rng.uniform(0.0, 1.0, (k, 1)), rng.uniform(0.1, 0.5, (k, 1))
    sign = rng.choice((-1.0, 1.0), (k, 1))

    def raised(place: Floats) -> Floats:
        bump = np.exp(-0.5 * np.square((place - centre) / width))
        return sign * (bump - depth * np.exp(-0.5 * np.square((place - dent) / (1.5 * width))))

    most = np.sqrt(np.square(raised(np.linspace(0.0, 1.0, 100))).sum(0).max())
    size = rng.uniform(0.6, 1.0) / most
    return lambda place: size * raised(place)


def _tubes(log_area: Floats, length: float, loss: float) -> Floats:
    """Power `(n, PITCHES)` that leaves the lips over what enters at the glottis, for areas in cm² from glottis to lips.

    Pressure and flow are carried back from the lips through each tube. At the lips there is the impedance of a piston
    in a plane; losses grow by the root of the frequency.

    Source:
        Flanagan, Speech analysis, synthesis and perception (1972), sections 3.2 to 3.4 and 3.6.
    """
    pitch = (np.arange(PITCHES) + 0.5) / PITCHES * HIGHEST
    wave = 2.0 * np.pi * pitch / SPEED
    angle = (loss * np.sqrt(pitch / 1000.0) + 1j * wave) * length / SECTIONS
    through, across = np.cosh(angle), np.sinh(angle)
    area = np.exp(log_area)
    size = wave * np.sqrt(area[:, -1:] / np.pi)  # radius of the lips in waves
    flow = np.ones((len(area), PITCHES), dtype=complex)
    pressure = (
        0.5 * size**2 / (1.0 + 0.25 * size**2) + 1j * 8.0 / (3.0 * np.pi) * size / (1.0 + 0.25 * size**2)
    ) / area[:, -1:]
    for section in area.T[::-1]:
        narrow = section[:, None]
        pressure, flow = through * pressure + across / narrow * flow, through * flow + across * narrow * pressure
    return 1.0 / np.square(np.abs(flow))


def _bands(count: int, scale: Map) -> tuple[Floats, Floats]:
    """Weights `(PITCHES, count)` of triangular bands evenly spaced on a scale of pitch, and waves over their middles.

    The waves `(count, SLOW)` are cosines of none, half, one … periods over all bands.
    """
    pitch = (np.arange(PITCHES) + 0.5) / PITCHES * HIGHEST
    place, (low, high) = scale(pitch), scale(np.array([200.0, 0.97 * HIGHEST]))
    centre = np.linspace(low, high, count)
    weight = np.maximum(1.0 - np.abs(place[:, None] - centre) / ((high - low) / min(count, FINE)), 0.0) + 1e-3
    return weight / weight.sum(0), np.cos(np.pi * np.outer((centre - low) / (high - low), np.arange(SLOW)))


def _microphone(raised: Map, d: int, rng: np.random.Generator) -> Map:
    """Levels in d bands, in units of 10 dB, less what changes slowly over the spectrum: loudness, tilt and bow.

    A recogniser weakens these too, for rooms and microphones change them (Juang, Rabiner and Wilpon, 1987).
    """
    places = (np.arange(SECTIONS) + 0.5) / SECTIONS
    gesture = raised(places)
    rest = np.log(rng.uniform(2.0, 4.0)) + 0.4 * np.sin(
        np.pi * (places * rng.uniform(0.5, 2.0) + rng.uniform(0.0, 2.0))
    )
    length, loss = rng.uniform(13.0, 18.0), rng.uniform(0.006, 0.012)
    scale: Map = (lambda f: np.log1p(f / 700.0)) if rng.random() < 0.5 else (lambda f: f)  # mel or Hz
    (bands, waves), (fine, fine_waves) = _bands(d, scale), _bands(FINE, scale)
    slow = waves @ np.linalg.pinv(fine_waves)

    def listen(z: Floats) -> Floats:
        log_area = rest + 2.5 * np.tanh(z / 2.5) @ gesture
        power = np.vstack([_tubes(part, length, loss) for part in np.array_split(log_area, 1 + len(z) // 500)])
        return np.log10(power @ bands) - np.log10(power @ fine) @ slow.T

    return listen


def _scanner(k: int, raised: Map, d: int, rng: np.random.Generator) -> Map:
    """What is seen `(n, d)` of a speaker: openings of the mouth at some places, and movements of the face at others.

    An opening is a power of the area (Heinz and Stevens, 1965). With 3 (k + 3) columns or more, a part of them sees
    faces, and the size and the bow of the head change the openings.
    """
    is_rich = d >= 3 * (k + 3)
    seen = d - int(rng.uniform(0.0, 0.4) * d) * is_rich
    gesture = raised((np.arange(seen) + rng.uniform(0.3, 0.7, seen)) / seen)
    power = rng.uniform(0.5, 0.8, seen)
    face = rng.standard_normal((3, d - seen)) / np.sqrt(3.0)
    jaw = 0.4 * rng.standard_normal((k, d - seen)) / np.sqrt(k)

    def show(causes: Floats) -> Floats:
        z, size, bow, moved = np.split(causes, (k, k + 1, k + 2), axis=1)
        opening = np.exp(power * (z @ gesture) + 0.1 * is_rich * size) + 0.1 * is_rich * bow * np.linspace(-1, 1, seen)
        return np.hstack((opening, 0.3 * np.tanh(moved @ face + z @ jaw)))

    return show


def voices(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are k gestures that shape the vocal tract, x openings that are seen, y a vowel's spectrum.

    Gestures follow one another more or less, and are Gaussian or, of singers who try all, uniform.
    """
    raised = _gestures(k, rng)
    together, is_uniform = rng.uniform(0.0, 0.4), rng.random() < 0.5

    def draw(n: int) -> Floats:
        own = rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), (n, k)) if is_uniform else rng.standard_normal((n, k))
        before = np.roll(own, 1, axis=1)
        z = (own + together * before) / np.sqrt(1.0 + together**2 + 2.0 * together * (k == 1))
        return np.hstack((z, rng.standard_normal((n, 5))))

    decode = standard(_microphone(raised, d_out, rng), draw(500)[:, :k])  # each band, as recognisers do
    return Teacher(draw, lambda causes: causes[:, :k], decode, _scanner(k, raised, d_in, rng))
