"""Whether what a script expects is so."""

import json
import re
from collections.abc import Iterator, Mapping

from simulator.report import Check, Holders, RequestRecord
from simulator.script import Expect, Step

_SHOWN = 300


def of_reply(step: int, expect: Expect | None, reply: RequestRecord) -> Iterator[Check]:
    """Judge a reply, by all that came of it. That it came at all is expected of every one that was waited for."""
    wanted = expect.status if expect else None
    if wanted is not None:
        yield Check(step, f"HTTP {wanted}", reply.status == wanted, f"HTTP {reply.status}")
    elif reply.error or not reply.cancelled:
        yield Check(step, "an answer", reply.error is None, reply.error or "")
    if expect is not None:
        if expect.route is not None:
            yield Check(step, f"route {expect.route}", reply.routes == expect.route, reply.routes or "none told")
        yield from _of_words(step, expect, reply.text)
        yield from _of_tool(step, expect, reply)


def of_ledger(
    step: int, wanted: Step, number: str | None, before: Holders | None, now: Holders | None
) -> Iterator[Check]:
    """Judge the ledger; where none can be read, nothing is judged."""
    if wanted.writes is not None:
        found = None if before is None or now is None else _writes(now) - _writes(before)
        yield Check(step, f"writes {wanted.writes}", None if found is None else found == wanted.writes, f"{found}")
    for last4, state in (wanted.ledger or {}).items():
        if before is None or now is None:
            yield Check(step, f"card {last4} {state}", None)
            continue
        states = _states(number, now)
        known = _states(number, before)
        found_states = (
            {state for name, state in states.items() if name not in known}
            if last4 == "new"
            else {states.get(last4, "none of the caller's")}
        )
        told = ", ".join(sorted(found_states)) or "no new card"
        yield Check(step, f"card {last4} {state}", found_states == {state}, told)


def plain(text: str) -> str:
    """Return a text as it is compared: small letters, one blank, straight apostrophes."""
    return " ".join(text.replace("\u2019", "'").lower().split())


def _of_words(step: int, expect: Expect, text: str) -> Iterator[Check]:
    said, shown = plain(text), text[:_SHOWN]
    for part in expect.all:
        yield Check(step, f"says “{part}”", plain(part) in said, shown)
    if expect.any:
        yield Check(step, f"says one of {list(expect.any)}", any(plain(part) in said for part in expect.any), shown)
    for part in expect.none:
        yield Check(step, f"does not say “{part}”", plain(part) not in said, shown)
    if expect.regex is not None:
        found = re.search(expect.regex, text.strip(), re.IGNORECASE | re.DOTALL) is not None
        yield Check(step, f"matches {expect.regex}", found, shown)


def _of_tool(step: int, expect: Expect, reply: RequestRecord) -> Iterator[Check]:
    if expect.tool is None:
        return
    called = [call.name for call in reply.tool_calls]
    found = ", ".join(called) or "none"
    yield Check(step, f"calls {expect.tool}", expect.tool in (called or ["none"]), found)
    if expect.arguments is not None:
        given = [call.arguments for call in reply.tool_calls if call.name == expect.tool]
        met = any(_as_texts(arguments) == dict(expect.arguments) for arguments in given)
        yield Check(step, f"with {dict(expect.arguments)}", met, "; ".join(given))


def _as_texts(arguments: str) -> Mapping[str, str]:
    try:
        content = json.loads(arguments)
    except ValueError:
        return {}
    return {name: str(value) for name, value in content.items()} if isinstance(content, dict) else {}


def _writes(holders: Holders) -> int:
    return sum(int(holder["writes"]) for holder in holders)


def _states(number: str | None, holders: Holders) -> dict[str, str]:
    cards = [card for holder in holders if holder["phone"] == number for card in holder["cards"]]
    return {card["last4"]: card["state"] for card in cards}
