"""Draws objective(k, L) of networks of rank 1 and 2, for `training.py`."""

from __future__ import annotations


def drawing(points: dict[int, list[tuple[int, float]]], constants: dict[int, float], crossing: float) -> str:
    width, height, left, bottom = 720, 460, 70, 60
    most = max(value for found in points.values() for _, value in found) * 1.05
    deepest = max(depth for found in points.values() for depth, _ in found) * 1.05

    def at(depth: float, value: float) -> tuple[float, float]:
        across = left + (width - left - 20) * depth / deepest
        return across, (height - bottom) - (height - bottom - 20) * value / most

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="14"><rect width="100%" height="100%" fill="white"/>'
    ]
    for k, colour in ((1, "#0072b2"), (2, "#d55e00")):  # a pair that colour-blind readers can tell apart
        (x0, y0), (x1, y1) = at(0, constants[k]), at(deepest, constants[k] + k * deepest)
        parts.append(f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{colour}" fill="none"/>')
        for depth, value in points[k]:
            x, y = at(depth, value)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>')
        x, y = at(deepest * 0.62, constants[k] + k * deepest * 0.62)
        offset = 26 if k == 1 else -14
        label = f"k = {k}: {k} L + {constants[k]:.1f}"
        anchor = "start" if k == 1 else "end"
        parts.append(f'<text x="{x:.0f}" y="{y + offset:.0f}" fill="{colour}" text-anchor="{anchor}">{label}</text>')
    (x, floor), (_, top) = at(crossing, 0), at(crossing, most)
    parts.append(f'<path d="M{x:.1f} {floor:.1f}V{top:.1f}" stroke="#555" stroke-dasharray="4 4"/>')
    parts.append(
        f'<text x="{x + 8:.0f}" y="{top + 14:.0f}" fill="#333">rank 1 becomes cheaper at L = {crossing:.1f}</text>'
    )
    for tick in range(0, int(deepest) + 1, 20):
        x, y = at(tick, 0)
        parts.append(f'<text x="{x:.0f}" y="{y + 20:.0f}" text-anchor="middle">{tick}</text>')
    for tick in range(0, int(most) + 1, 40):
        x, y = at(0, tick)
        parts.append(f'<text x="{x - 8:.0f}" y="{y + 5:.0f}" text-anchor="end">{tick}</text>')
        parts.append(f'<path d="M{x:.1f} {y:.1f}H{width - 20}" stroke="#ddd"/>')
    parts.append(f'<text x="{(width + left) / 2:.0f}" y="{height - 14}" text-anchor="middle">depth L</text>')
    parts.append(
        f'<text transform="translate(20 {height / 2 - 20:.0f}) rotate(-90)" text-anchor="middle">'
        "objective / (λ/L) of the best network of rank k</text></svg>\n"
    )
    return "\n".join(parts)
