"""What the distances to clean digits say about the slides' autoencoders.

The noise of the slides' picture is not given. Claims are judged on held-out digits, at the noise level of our pictures,
and agree or differ only where every seed says the same; the other levels stand beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.mnist_autoencoder.settings import AVERAGED, SUMMED, Settings

_CLOSE = 2.0  # factor within which the noise that passes counts as that of a projection
_ABSENT = "no run finished"

Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """Verdicts from the reading whose ridge is averaged, then what the other reading changes."""
    rows = [row for row in results if row["reading"] == AVERAGED]
    return [
        _denoises(settings, rows),
        _shallow(settings, rows),
        _projects(settings, rows),
        _low_rank(rows),
        _linear(settings, rows),
        _by_hand(settings, rows),
        _summed(settings, [row for row in results if row["reading"] == SUMMED]),
    ]


def _denoises(settings: Settings, rows: Sequence[Row]) -> Claim:
    gains = _gains(settings, rows, "deep", "noisy")
    return Claim(
        "the deep autoencoder brings noisy digits nearer to the clean ones",
        "clean-looking digits below noisy ones (Figure 3 A)",
        f"PSNR before → after, held-out: {_table(settings, rows, ('noisy', 'deep'))}. Training digits: "
        f"{_table(settings, rows, ('noisy', 'deep'), 'training')}. Digits that come nearer: {_shares(settings, rows)}"
        if rows
        else _ABSENT,
        _unanimous(gain > 0 for gain in gains),
        f"mean squared distance at σ = {settings.shown:g}, {len(rows)} seeds. Against weak noise it must lose: a clean "
        "held-out digit does not come out unchanged",
    )


def _shallow(settings: Settings, rows: Sequence[Row]) -> Claim:
    gains = _gains(settings, rows, "deep", "shallow")
    return Claim(
        "a shallow autoencoder does not denoise, or less than the deep one",
        "not the case for shallow networks (Figure 3 C, on a curve in the plane; no shallow net is shown on digits)",
        f"PSNR of deep | shallow, held-out: {_table(settings, rows, ('deep', 'shallow'), mark=' | ')}. Training: "
        f"{_table(settings, rows, ('deep', 'shallow'), 'training', mark=' | ')}. Share of the noise that passes: "
        f"{_span(_passed(settings, rows, 'deep'))} | {_span(_passed(settings, rows, 'shallow'))}"
        if rows
        else _ABSENT,
        _unanimous(gain > 0 for gain in gains),
        f"deep above shallow at σ = {settings.shown:g}; L = 2 with the same factor of ‖w‖² and as many parameters "
        "before training. With d pixels any map that keeps few of the d directions stops most of the noise, and the "
        "shallow one keeps more of what is digit; in the plane there is one direction to stop",
    )


def _projects(settings: Settings, rows: Sequence[Row]) -> Claim:
    ratios = [
        passed * row["pixels"] / row["k"] for passed, row in zip(_passed(settings, rows, "deep"), rows, strict=True)
    ]
    return Claim(
        "the deep autoencoder is locally an affine projection on k dimensions",
        "an orthogonal projection lets k/d of the noise's energy through",
        f"{_span(ratios)} times k/d at σ = {settings.shown:g}" if rows else _ABSENT,
        _unanimous(1 / _CLOSE <= ratio <= _CLOSE for ratio in ratios),
        f"within a factor of {_CLOSE:g}; k is the bottleneck rank of the deep autoencoder. An oblique projection lets "
        "more through, and so do slopes above 1",
    )


def _low_rank(rows: Sequence[Row]) -> Claim:
    pairs = [[row["networks"][name]["bottleneck_rank"] for name in ("deep", "shallow")] for row in rows]
    return Claim(
        "depth lowers the rank that the autoencoder finds",
        "deep networks are biased towards functions of low rank",
        f"numbers that keep f to 10 %: {[deep for deep, _ in pairs]} deep, {[shallow for _, shallow in pairs]} shallow"
        if rows
        else _ABSENT,
        _unanimous(deep < shallow for deep, shallow in pairs),
        "bottleneck rank over the training digits at the default tolerance, seed by seed. The true rank of digits is "
        "not known",
    )


def _linear(settings: Settings, rows: Sequence[Row]) -> Claim:
    return Claim(
        "through as many numbers the deep autoencoder comes nearer to clean digits than PCA",
        "not in the slides",
        f"PSNR of deep | PCA at k, held-out: {_table(settings, rows, ('deep', 'pca'), mark=' | ')}"
        if rows
        else _ABSENT,
        _unanimous(gain > 0 for gain in _gains(settings, rows, "deep", "pca")),
        f"at σ = {settings.shown:g}; both from the same training digits",
    )


def _by_hand(settings: Settings, rows: Sequence[Row]) -> Claim:
    return Claim(
        "the bias of depth does as well as a hard bottleneck of k numbers",
        "not in the slides",
        f"PSNR of deep | refitted through k | hard bottleneck, held-out: "
        f"{_table(settings, rows, ('deep', 'narrow', 'bottleneck'), mark=' | ')}. Share of the noise that passes: "
        f"{_span(_passed(settings, rows, 'deep'))} | {_span(_passed(settings, rows, 'narrow'))} | "
        f"{_span(_passed(settings, rows, 'bottleneck'))}"
        if rows
        else _ABSENT,
        _unanimous(gain >= 0 for gain in _gains(settings, rows, "deep", "bottleneck")),
        f"at σ = {settings.shown:g}, against Adam without a ridge, as deep, as wide elsewhere, stopped at its best on "
        "held-out digits; the deep autoencoder is trained to the end of its schedule",
    )


def _summed(settings: Settings, rows: Sequence[Row]) -> Claim:
    gains = _gains(settings, rows, "deep", "noisy")
    ranks = [row["networks"]["deep"]["bottleneck_rank"] for row in rows]
    return Claim(
        "the same where the ridge stands beside the error summed over the pixels: the deep autoencoder denoises",
        "the formula of the slides has a sum; which of the two the figure used is not said",
        f"bottleneck rank {ranks}; PSNR of noisy | deep | shallow, held-out: "
        f"{_table(settings, rows, ('noisy', 'deep', 'shallow'), mark=' | ')}"
        if rows
        else _ABSENT,
        _unanimous(gain > 0 for gain in gains),
        f"at σ = {settings.shown:g}. The ridge weighs d times less here. Objectives: random start "
        f"{_span([row['starts']['random'] for row in rows])}, grown {_span([row['starts']['grown'] for row in rows])}; "
        "the lower one is judged"
        if rows
        else f"at σ = {settings.shown:g}",
    )


def _gains(settings: Settings, rows: Sequence[Row], name: str, other: str) -> list[float]:
    """By how many dB one method's output is nearer than the other's, at the judged level, for each seed."""
    at = settings.noise.index(settings.shown)
    return [row["held_out"][name]["psnr"][at] - row["held_out"][other]["psnr"][at] for row in rows]


def _passed(settings: Settings, rows: Sequence[Row], name: str) -> list[float]:
    at = settings.noise.index(settings.shown)
    return [row["held_out"][name]["passed"][at] for row in rows]


def _unanimous(verdicts: Iterable[bool]) -> bool | None:
    """What every seed says; None where they disagree or there are none."""
    found = set(verdicts)
    return found.pop() if len(found) == 1 else None


def _table(
    settings: Settings, rows: Sequence[Row], names: Sequence[str], part: str = "held_out", *, mark: str = " → "
) -> str:
    """PSNR of each method at each noise level, least to largest over the seeds."""
    return "; ".join(
        f"σ = {level:g}: " + mark.join(_span([row[part][name]["psnr"][at] for row in rows]) for name in names)
        for at, level in enumerate(settings.noise)
    )


def _shares(settings: Settings, rows: Sequence[Row]) -> str:
    return ", ".join(
        f"{100 * min(row['held_out']['deep']['nearer'][at] for row in rows):.0f} % at {level:g}"
        for at, level in enumerate(settings.noise)
    )


def _span(values: Sequence[float]) -> str:
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return low if low == high else f"{low}–{high}"
