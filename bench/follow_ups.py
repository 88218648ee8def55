"""How well follow-ups are understood: 60 questions over the sample bank, each with the conversation before it.

    python -m bench.follow_ups [--errors]

A question is right at k where one of the passages that answer it is among the first k: a passage of the named document
that holds the named words. Three rows: the follow-up with its history (as the graph asks it), the follow-up alone, and
its standalone form, which is what a rewriting model could at best make of it.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from teller.knowledge.index import Passage
from teller.knowledge.question import standalone_question
from teller.services import Services
from teller.settings import Settings

SET = Path(__file__).parent / "sets" / "follow_ups.jsonl"
CUTOFFS = (1, 3, 6)
TODAY = date(2026, 6, 1)

Case = dict[str, Any]


def with_history(case: Case) -> str:
    turns = [message["content"] for message in case["history"] if message["role"] == "user"]
    return standalone_question([*turns, case["follow_up"]])


def alone(case: Case) -> str:
    return standalone_question([case["follow_up"]])


def rewritten(case: Case) -> str:
    return standalone_question([case["standalone"]])


def place(case: Case, found: list[Passage]) -> int:
    """Return where the first right passage stands, from 0; 99 where there is none."""
    for number, passage in enumerate(found):
        if any(passage.filename == one["document"] and one["phrase"] in passage.text for one in case["right"]):
            return number
    return 99


async def measure(services: Services, cases: list[Case], form: Callable[[Case], str]) -> list[int]:
    places = []
    for case in cases:
        question = form(case)
        vector = await services.search_queries.of_question(question)
        places.append(place(case, await services.index.search(question, vector, on=TODAY, limit=max(CUTOFFS))))
    return places


async def main(errors: bool) -> None:
    cases = [json.loads(line) for line in SET.read_text().splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), chat_model="quote", _env_file=None)
        async with Services.opened(settings) as services:
            await services.index_sample_bank()
            for form in (with_history, alone, rewritten):
                places = await measure(services, cases, form)
                told = ", ".join(f"{sum(n < k for n in places) / len(cases):.3f} at {k}" for k in CUTOFFS)
                print(f"{form.__name__:13} {told}")
                if errors and form is with_history:
                    for case, number in zip(cases, places, strict=True):
                        if number:
                            print(f"  {number + 1:3} {form(case)!r}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", action="store_true", help="show the follow-ups whose first passage is not right")
    asyncio.run(main(parser.parse_args().errors))
