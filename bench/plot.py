"""Curves as an SVG file, without a plotting library."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

_COLOURS = ("#1b6ca8", "#7fb3d5", "#b5541c", "#e5a77f", "#3a7d44", "#9ccc9c", "#6b4c9a", "#b8a6d9")
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 330, 60, 36, 230, 44


class Curve(NamedTuple):
    """A name and its points."""

    name: str
    points: Sequence[tuple[float, float]]


class _Axis:
    """A scale from values to pixels, linear or logarithmic, with its ticks."""

    def __init__(self, values: Sequence[float], start: float, end: float, logarithmic: bool) -> None:
        self._log, self._start, self._end = logarithmic, start, end
        self.ticks = sorted(set(values)) if len(set(values)) <= 8 else self._round_ticks(values)
        span = [*values, *self.ticks]
        self._low, self._high = self._scaled(min(span)), self._scaled(max(span))

    def at(self, value: float) -> float:
        share = (self._scaled(value) - self._low) / ((self._high - self._low) or 1)
        return self._start + share * (self._end - self._start)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._log else value

    def _round_ticks(self, values: Sequence[float]) -> list[float]:
        low, high = min(values), max(values)
        if self._log:
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            return [
                step * 10.0**power for power in powers for step in (1, 3) if low / 3 <= step * 10.0**power <= high * 3
            ]
        step = 10.0 ** math.floor(math.log10((high - low) or 1)) / 2
        return [step * n for n in range(math.floor(low / step), math.ceil(high / step) + 1)]


def plot(
    file: Path, title: str, across: str, up: str, curves: Sequence[Curve], *, log_x: bool = True, log_y: bool = True
) -> None:
    """Write curves as an SVG with a legend beside it; `across` and `up` name the axes."""
    points = [point for curve in curves for point in curve.points]
    x = _Axis([point[0] for point in points], _LEFT, _WIDTH - _RIGHT, log_x)
    y = _Axis([point[1] for point in points], _HEIGHT - _BOTTOM, _TOP, log_y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        ' font-size="11"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-size="13">{escape(title)}</text>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(across)}</text>',
        f'<text x="14" y="{_TOP - 8}">{escape(up)}</text>',
    ]
    for tick in y.ticks:
        parts.append(f'<path d="M{_LEFT} {y.at(tick):.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y.at(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts += [
        f'<text x="{x.at(tick):.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{tick:,g}</text>'
        for tick in x.ticks
    ]
    for number, curve in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        line = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in curve.points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="3" fill="{colour}"/>' for a, b in curve.points]
        beside = _WIDTH - _RIGHT + 16
        parts.append(f'<rect x="{beside}" y="{_TOP + 18 * number}" width="12" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{beside + 18}" y="{_TOP + 6 + 18 * number}">{escape(curve.name)}</text>')
    file.write_text("\n".join([*parts, "</svg>\n"]), "utf-8")
