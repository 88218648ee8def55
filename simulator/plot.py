"""Latencies as a picture: a row for each kind, a dot for each value, and where half and 95 % of them lie.

By hand: the project has no plotting library.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

from simulator.latencies import Latencies, percentile

_WIDTH, _LEFT, _ROW, _TOP = 760, 230, 46, 34
_COLOURS = ("#1f6f5c", "#c9772b", "#5b6ee1", "#8a8f98")


def rows_of(latencies: Latencies) -> dict[str, Sequence[float]]:
    """Return what a picture of some calls shows."""
    return {
        "end of speech to first word": latencies.waits,
        "request to first word": latencies.first_words,
        "cancelled after": latencies.cancelled_after,
    }


def strips(title: str, rows: Mapping[str, Sequence[float]]) -> str:
    """Return an SVG of rows of milliseconds on one scale."""
    highest = _round_up(max((value for values in rows.values() for value in values), default=0.0))
    height = _TOP + _ROW * len(rows) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        'font-size="11"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="12" y="20" font-size="13">{escape(title)}</text>',
        *_scale(highest, height),
    ]
    for place, (label, values) in enumerate(rows.items()):
        parts += _row(label, values, _TOP + _ROW * place + _ROW / 2, highest, _COLOURS[place % len(_COLOURS)])
    return "\n".join([*parts, "</svg>\n"])


def _scale(highest: float, height: float) -> list[str]:
    lines = []
    for part in range(5):
        value = highest * part / 4
        x = _x(value, highest)
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{height - 30}" stroke="#e3e3e3"/>')
        lines.append(f'<text x="{x:.1f}" y="{height - 14}" text-anchor="middle">{value:g} ms</text>')
    return lines


def _row(label: str, values: Sequence[float], y: float, highest: float, colour: str) -> list[str]:
    half, most = percentile(values, 50), percentile(values, 95)
    told = f"p50 {half:.0f}, p95 {most:.0f}, n {len(values)}" if half is not None and most is not None else "none"
    parts = [
        f'<text x="12" y="{y - 2:.1f}">{escape(label)}</text>',
        f'<text x="12" y="{y + 12:.1f}" fill="#666">{told}</text>',
    ]
    for number, value in enumerate(values):
        spread = (number * 7 % 11 - 5) * 1.6  # side by side where they would hide each other
        x = _x(value, highest)
        parts.append(f'<circle cx="{x:.1f}" cy="{y + spread:.1f}" r="2.2" fill="{colour}" fill-opacity="0.45"/>')
    for mark in (half, most):
        if mark is not None:
            x = _x(mark, highest)
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 13:.1f}" y2="{y + 13:.1f}" stroke="{colour}"/>')
    return parts


def _x(value: float, highest: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - 40) * value / highest


def _round_up(value: float) -> float:
    """Return the end of a scale: 1, 2, 4 or 8 times a power of ten, 1 at least."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)
