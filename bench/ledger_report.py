"""The figures of bench/ledger.py as a Markdown page and as bars."""

from collections.abc import Mapping
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.ledger import Measured

_COLOURS = {"SQLite": "#1f6f5c", "PostgreSQL": "#c9772b"}
_CHARTS = (("status read p95, ms", attrgetter("read_p95")), ("block p95, ms", attrgetter("block_p95")))


def report(results: "Mapping[tuple[str, int], Measured]", setting: str, notes: list[str]) -> str:
    """Return the page."""
    lines = [
        "# What the ledger costs",
        "",
        setting,
        "",
        "| database | callers | status reads/s | p50, ms | p95, ms | writes/s | block p50, ms | p95, ms |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (name, callers), one in results.items():
        reads = f"{one.reads:.0f} | {one.read_p50:.2f} | {one.read_p95:.2f}"
        writes = f"{one.writes:.0f} | {one.block_p50:.1f} | {one.block_p95:.1f}"
        lines.append(f"| {name} | {callers} | {reads} | {writes} |")
    lines += ["", "![p95 of a status read and of a block](ledger.svg)"]
    for note in notes:
        lines += ["", note]
    return "\n".join([*lines, ""])


def plot(results: "Mapping[tuple[str, int], Measured]") -> str:
    """Return two bar charts as SVG: by hand, as the project has no plotting library."""
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 300" font-family="sans-serif" font-size="11">']
    for place, (title, value) in enumerate(_CHARTS):
        left, highest = 20 + place * 300, max(value(one) for one in results.values())
        parts.append(f'<text x="{left}" y="20" font-size="13">{title}</text>')
        for group, callers in enumerate(sorted({callers for _, callers in results})):
            parts.append(f'<text x="{left + group * 85}" y="270">{callers} callers</text>')
            for bar, (name, colour) in enumerate(_COLOURS.items()):
                if (name, callers) in results:
                    x, amount = left + group * 85 + bar * 32, value(results[name, callers])
                    parts += _bar(x, 200 * amount / highest, f"{amount:.1f}", colour)
    for bar, (name, colour) in enumerate(_COLOURS.items()):
        parts.append(f'<rect x="{20 + bar * 120}" y="282" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{34 + bar * 120}" y="291">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _bar(x: int, height: float, label: str, colour: str) -> list[str]:
    return [
        f'<rect x="{x}" y="{250 - height:.1f}" width="28" height="{max(1.0, height):.1f}" fill="{colour}"/>',
        f'<text x="{x}" y="{246 - height:.1f}" font-size="9">{label}</text>',
    ]
