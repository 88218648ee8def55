"""What a prompt on the wire holds: the passages, and what stands outside of them."""

from dataclasses import dataclass
from typing import Any

OPEN, CLOSE = "<passages>", "</passages>"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A Converse request's text, told apart. `outside` holds everything but what is in the block."""

    inside: str
    outside: str
    system: str
    tools: Any


def prompt_of(body: dict[str, Any]) -> Prompt:
    """Take a request apart; the block must be there once, in the last message, opened once and closed once.

    Raises:
        AssertionError: it is not.
    """
    *earlier, last = body["messages"]
    text = "".join(block.get("text", "") for block in last["content"])
    assert last["role"] == "user"
    assert text.count(OPEN) == text.count(CLOSE) == 1, text
    before, _, rest = text.partition(OPEN)
    inside, _, after = rest.partition(CLOSE)
    system = "\n".join(block.get("text", "") for block in body["system"])
    said = "\n".join(block.get("text", "") for message in earlier for block in message["content"])
    lines = inside.strip("\n").split("\n")
    opened = [line for line in lines if line.startswith("<passage ")]
    assert len(opened) == lines.count("</passage>") == inside.count("<passage") == inside.count("</passage")
    assert all(line.count('"') % 2 == 0 and line.endswith('">') and line.count(">") == 1 for line in opened), opened
    return Prompt(inside, "\n".join((system, said, before, after)), system, body.get("toolConfig"))
