"""Writes docs/card_policy.md from the policy table: python -m teller.cards.policy_page."""

from pathlib import Path

from teller.cards.policy import POLICY, TRANSITIONS, Rule
from teller.cards.records import CardState, Operation

PAGE = Path(__file__).parent.parent.parent / "docs" / "card_policy.md"

_HEAD = """\
# Card policy

Made from `teller/cards/policy.py` by `python -m teller.cards.policy_page`; a test holds that both say the same. Change
the table there, not this page.

## Who may have what done

All operations need a caller whose number is known, at least as far as the third column says (`MIN_CALLER_TRUST` may ask
for more): *claimed* is a `[phone: …]` tag in the caller's own words, *asserted* comes from the calling application,
*network* from the telephone network. A PIN counts for ten minutes, in the conversation in which it was given.

| operation | proof | caller | asks first on voice | asks first in chat |
|---|---|---|---|---|
"""

_STATES = """
## What becomes of a card

Closed is the end. A dash: the operation changes nothing, and the present state is told.

| operation | {states} |
|---|{rules}|
"""

_NOTES = """
- *report lost* closes the card and orders a new one, in one write: inactive, its last four unlike any other of this
  holder. What was owed goes over to the new card. If one is on its way already, no second one is ordered.
- *replace* orders a card in place of a damaged one, which stays as it is, and closes when the new one is activated.
- A block can be taken back within two minutes without a PIN, by the caller who just asked for it.
- A wrong PIN counts once a number in 24 hours; three lock the number's PIN for 15 minutes, then 30, 60, up to a day.
  Block and report lost stay open.
"""


def page() -> str:
    """Return the page."""
    states = list(CardState)
    head = _STATES.format(states=" | ".join(states), rules="|".join("---" for _ in states))
    rules = "".join(_rule(operation, rule) for operation, rule in POLICY.items())
    return _HEAD + rules + head + "".join(_transitions(operation) for operation in TRANSITIONS) + _NOTES


def _rule(operation: Operation, rule: Rule) -> str:
    proof = "PIN" if rule.proof == "pin" else "none"
    return f"| {_name(operation)} | {proof} | {rule.caller} | {rule.voice} | {rule.chat} |\n"


def _transitions(operation: Operation) -> str:
    after = (TRANSITIONS[operation].get(state) for state in CardState)
    return f"| {_name(operation)} | {' | '.join(_outcome(operation, state) for state in after)} |\n"


def _outcome(operation: Operation, state: CardState | None) -> str:
    if state is None:
        return "–"  # noqa: RUF001 (as in the tables of the design)
    extra = {Operation.REPORT_LOST: ", new one ordered", Operation.REPLACE: ", new one ordered"}.get(operation, "")
    return f"{state}{extra}"


def _name(operation: Operation) -> str:
    return operation.replace("_", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
