"""What a caller says, as words in time. `[0.9]` between words is a pause of so many seconds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_PAUSE = re.compile(r"\[(\d+(?:\.\d+)?)\]")


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words, and the pauses in seconds that are made after so many of them."""

    words: tuple[str, ...]
    pauses: Mapping[int, float] = field(default_factory=dict)


def words_of(text: str) -> Utterance:
    """Return a text with its pauses read; pauses that follow each other add up."""
    words: list[str] = []
    pauses: dict[int, float] = {}
    for part in _PAUSE.sub(r" [\1] ", text).split():
        pause = _PAUSE.fullmatch(part)
        if pause:
            pauses[len(words)] = pauses.get(len(words), 0.0) + float(pause[1])
        else:
            words.append(part)
    return Utterance(tuple(words), pauses)
