"""What may be quoted, with its words."""

from collections.abc import Sequence
from dataclasses import dataclass

from teller.knowledge.index import Passage
from teller.models.quote.question_words import stems
from teller.models.quote.sentences import Quotable
from teller.models.quote.table_rows import told


@dataclass(frozen=True, slots=True)
class Candidate:
    """A quotable of a passage with the content words of its text (`own`) and of what it stands under (`context`)."""

    passage: Passage
    quotable: Quotable
    own: frozenset[str]
    context: frozenset[str]


def candidates_of(passage: Passage, quotables: Sequence[Quotable]) -> tuple[Candidate, ...]:
    """Return a passage's quotables with their words."""
    return tuple(
        Candidate(passage, quotable, frozenset(stems(quotable.text)), frozenset(stems(quotable.context)))
        for quotable in quotables
    )


def cells_in_context(candidates: Sequence[Candidate]) -> list[tuple[int, str]]:
    """Return each cell of the table rows of three columns or more, under its headings, with its candidate's place."""
    return [
        (place, f"{candidate.quotable.context}: {told((candidate.quotable.cells[0], cell))}")
        for place, candidate in enumerate(candidates)
        if len(candidate.quotable.cells) > 2
        for cell in candidate.quotable.cells[1:]
    ]
