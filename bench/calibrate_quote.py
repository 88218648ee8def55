"""Fit the weights of the embedded answerer, and say how well they hold on documents that they were not fitted to.

    python -m bench.calibrate_quote [--errors] [--write]

A collection is judged with weights fitted on all the others, and without the cross-encoder, which was trained on it; at
last they are fitted on all of them, and the held-out banks are judged with these and the cross-encoder. `--write` keeps
the projections in likeness.npz; the weights are for fitted_weights.py.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.progress import track

from bench.quote_cases import SETS, Case, cases_of, collections
from bench.quote_fit import Fit, fit
from teller.models.cross_encoder import CrossEncoder
from teller.models.quote.answer_choice import choose
from teller.models.quote.evidence import FOR_EACH, FOR_NONE
from teller.models.quote.likeness import FILE

HELD_OUT = SETS / "held_out"
_console = Console(stderr=True)


def tally(cases: Sequence[Case], fitted: Fit, *, errors: bool) -> Counter[str]:
    """Return how many questions became what, those without an answer apart; print what was not right if asked to."""
    counted: Counter[str] = Counter()
    for case in map(fitted.evidence_for, cases):
        verdict = case.verdict(fitted.weights)
        counted[("no answer: " if case.asked["document"] is None else "answer: ") + verdict] += 1
        if errors and verdict != "right":
            answer = choose(case.evidence, fitted.weights)
            print(f"  {verdict}: {case.question!r} -> {answer.text if answer else None!r}")
    return counted


def tell(name: str, counted: Counter[str]) -> None:
    """Print a line of the table."""
    right = sum(number for verdict, number in counted.items() if verdict.endswith(": right"))
    print(f"{name:16}{right:4} of {counted.total():4}", dict(sorted(counted.items())), flush=True)


def main() -> None:
    """Print right, declined and wrong for each collection, then the weights fitted on all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", action="store_true", help="show what was not right, but of what is held out")
    parser.add_argument("--write", action="store_true", help=f"keep the projections in {FILE.name}")
    options = parser.parse_args()
    cases = [
        case
        for folder in track(collections().values(), "reading", console=_console, transient=True)
        for case in asyncio.run(cases_of(folder))
    ]
    total: Counter[str] = Counter()
    for name in collections():
        others = fit([case for case in cases if case.collection != name])
        counted = tally([case for case in cases if case.collection == name], others, errors=options.errors)
        total += counted
        tell(name, counted)
    tell("all", total)
    everything, cross_encoder = fit(cases), CrossEncoder()
    for folder in sorted(HELD_OUT.iterdir()):
        cases = asyncio.run(cases_of(folder, cross_encoder))
        tell(f"held out: {folder.name}", tally(cases, everything, errors=False))
    for title, features, values in (
        ("each", FOR_EACH, everything.weights.each),
        ("none", FOR_NONE, everything.weights.none),
    ):
        print(title, dict(zip(features, values.round(2).tolist(), strict=True)))
    if options.write:
        everything.projections.save()


if __name__ == "__main__":
    main()
