"""Which sentences answer a question, or none: one softmax over the candidates and "no answer"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.agreement import (
    compare,
    contradicts,
    fitting_columns,
    has,
    lists_others,
    narrowest,
    restated,
    row_name,
)
from teller.models.quote.answer_type import holds
from teller.models.quote.candidates import Candidate
from teller.models.quote.comparison import same_table, side_by_side
from teller.models.quote.evidence import FOR_NONE, Evidence
from teller.models.quote.extremes import extreme_row
from teller.models.quote.fitted_weights import FITTED, Weights
from teller.models.quote.question_words import stems
from teller.models.quote.table_rows import told
from teller.models.quote.variants import variants

_SECOND = 2.0  # a second sentence is said when its logit is at most this far below the first one's
_BESIDE = 4.0  # ... or this far, where it stands under the same heading
_CLOSE = 1.0  # ... and this near it is as likely what was asked, whatever words it has; beside it, at any distance. Of
# two rows of one table the second is said at most this far below
_PROSE = 3.0  # ... and a sentence instead of a table row that says no more
_STEPS = 8.0  # ... and numbered steps where it was asked how, if they were likelier before anything was read closely
_TOLD = 8.0  # off what was told already, where a turn goes on and names something that it has not
_SAME = 0.6  # share of words from which on two sentences say the same


_NUMBERED = re.compile(r"^1\. ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said, each part word for word a document's own, and the files it stands in."""

    parts: tuple[str, ...]
    filenames: tuple[str, ...]

    @property
    def text(self) -> str:
        """The parts as one text; a list or an item without a full stop keeps a line of its own."""
        text = ""
        for part in self.parts:
            alone = "\n" in part or (text and ("\n" in text or text[-1] not in '.!?”"'))
            text += ("\n" if alone else " ") + part if text else part
        return text


def logits(evidence: Evidence, weights: Weights = FITTED) -> NDArray[np.float64]:
    """Return how likely each candidate is the answer; where some were read, the others count as the least of these."""
    logits = np.asarray(evidence.for_each @ weights.each)
    if evidence.read:
        read = np.full(len(logits), min(evidence.read.values()))
        read[list(evidence.read)] = list(evidence.read.values())
        logits += weights.read * read
    return logits


def choose(evidence: Evidence, weights: Weights = FITTED, *, told_before: str = "") -> Answer | None:
    """Return the answer, or None where the passages hold none.

    Args:
        evidence: what is known of the candidates.
        weights: what counts how much.
        told_before: the answer to the turn before, "" where there is none.
    """
    for_each = logits(evidence, weights)
    if told_before and evidence.asked.names_another:
        for_each = for_each - _TOLD * _told_already(evidence, told_before)
    both = side_by_side(evidence, for_each)
    none = evidence.for_none @ weights.none + (weights.caution if evidence.read else 0.0)
    if not both and for_each.max() <= none:
        return None
    facets = evidence.asked.facets
    first = int(np.argmax(for_each))
    best = evidence.candidates[first]
    another = contradicts(facets, best) or lists_others(facets, evidence.candidates) or _is_unnamed(best, evidence)
    if not both and another:
        return None
    extreme = [] if both else extreme_row(evidence, for_each)
    chosen = [evidence.candidates[i] for i in both or extreme or variants(first, evidence) or _best(evidence, for_each)]
    parts = [
        part for candidate in chosen for part in (candidate.quotable.parts if extreme else _said(candidate, evidence))
    ]
    return Answer(tuple(dict.fromkeys(parts)), tuple(dict.fromkeys(c.passage.filename for c in chosen)))


def _told_already(evidence: Evidence, told_before: str) -> NDArray[np.bool_]:
    """Return which candidates (rows: by their names) were said before, and have nothing of what the last turn names."""
    named = frozenset().union(*(evidence.found.get(word, frozenset()) for word in stems(evidence.asked.turn)))
    said = ([c.quotable.cells[0][1]] if c.quotable.cells else c.quotable.parts for c in evidence.candidates)
    told = (all(part in told_before for part in parts) for parts in said)
    return np.array([is_told and not c.own & named for c, is_told in zip(evidence.candidates, told, strict=True)])


def _is_unnamed(row: Candidate, evidence: Evidence) -> bool:
    """Return whether a table row has nothing of what was named, while a product was named that nothing has."""
    if not row.quotable.cells or not evidence.for_none[FOR_NONE.index("missing_product")]:
        return False
    asked = frozenset().union(*evidence.found.values())
    fits = any(compare(facet, row_name(row)) == "fits" for facet in evidence.asked.facets)
    return not fits and not asked & set(stems(row.quotable.cells[0][1]))


def _best(evidence: Evidence, logits: NDArray[np.float64]) -> list[int]:
    """Return the best candidate, and a second one that comes close and adds something that was asked for."""
    asked, candidates = evidence.asked, evidence.candidates
    first = _in_better_form(int(np.argmax(logits)), evidence, logits)
    a = candidates[first]
    if asked.wants_overview or len(a.quotable.parts) > 1 or "\n" in a.quotable.text:  # a list is enough by itself
        return [first]
    for second in (int(i) for i in np.argsort(-logits, kind="stable")):
        b = candidates[second]
        behind = logits[first] - logits[second]
        beside = a.passage is b.passage and a.quotable.context == b.quotable.context
        if behind > _BESIDE:
            break
        if behind > (_CLOSE if same_table(a, b) else _BESIDE if beside else _SECOND):
            continue
        close = beside or behind < _CLOSE
        if len(b.quotable.parts) <= 2 and "\n" not in b.quotable.text and _adds(a, b, evidence, close=close):
            follows = a.passage is b.passage and b.quotable.place == a.quotable.place - 1
            return [second, first] if follows else [first, second]
    return [first]


def _in_better_form(best: int, evidence: Evidence, logits: NDArray[np.float64]) -> int:
    """Return the sentence that holds all that a table row tells, or the list of the steps that were asked for."""
    candidates = evidence.candidates
    if candidates[best].quotable.cells:
        (_, name), *values = _asked_cells(candidates[best], evidence)
        told_there = set(stems(" ".join([name, *(value for _, value in values)])))
        met = [facet for facet in evidence.asked.facets if has(facet, candidates[best])]
        for i, other in enumerate(candidates):
            is_near = other.quotable.kind == "sentence" and logits[i] > logits[best] - _PROSE
            if is_near and told_there <= other.own and all(has(facet, other) for facet in met):
                return i
    if evidence.asked.wants_steps and not _NUMBERED.search(candidates[best].quotable.text):
        unread = evidence.for_each @ FITTED.each
        numbered = [i for i, other in enumerate(candidates) if _NUMBERED.search(other.quotable.text)]
        if near := [i for i in numbered if logits[i] > logits[best] - _STEPS and unread[i] > unread[best]]:
            return max(near, key=lambda i: logits[i])
    if evidence.asked.wants_steps or evidence.asked.wants_list:
        for part in (int(i) for i in np.argsort(-logits, kind="stable") if logits[i] > logits[best] - _SECOND):
            for i, other in enumerate(candidates):
                if other.quotable.kind == "list" and is_part(candidates[part], other):
                    return i
    return best


def is_part(sentence: Candidate, whole: Candidate) -> bool:
    """Return whether a list holds a sentence or an item."""
    said = sentence.quotable.text.rpartition("\n- ")[2]  # an item is told with what leads in its list
    return sentence.passage is whole.passage and said in whole.quotable.text


def _adds(a: Candidate, b: Candidate, evidence: Evidence, *, close: bool) -> bool:
    """Return whether the second of two sentences tells more of what was asked, and not the same again."""
    if set(a.quotable.parts) & set(b.quotable.parts):
        return False
    told = set(stems(" ".join(_said(a, evidence))))
    more = set(stems(" ".join(_said(b, evidence))))
    numbers = {word for word in more if word[0].isdigit()}
    if numbers <= told and len(more & told) > _SAME * len(more):
        return False
    kind = evidence.asked.kind
    if kind and not holds(kind, b.quotable.text):
        return False
    siblings = same_table(a, b)
    # The row that an earlier turn asked for is told already: another one is for what this turn names.
    words, found = set(stems(evidence.asked.turn)) if siblings else evidence.asked.words, evidence.found
    first, second = ({word for word in words if found.get(word, frozenset()) & own} for own in (a.own, b.own))
    return (close and not siblings) or not second <= first


def _said(candidate: Candidate, evidence: Evidence) -> tuple[str, ...]:
    """Return a candidate's parts; of a table row only the columns that were asked for, if some were."""
    return (told(_asked_cells(candidate, evidence)),) if candidate.quotable.cells else candidate.quotable.parts


def _asked_cells(candidate: Candidate, evidence: Evidence) -> Sequence[tuple[str, str]]:
    """Return a table row's name and those of its cells that were asked for, by column or by kind of value."""
    name, *cells = candidate.quotable.cells
    if _has_namesake(candidate, evidence):  # its name alone does not tell which row it is
        return (name, *cells)
    columns = [column for column, _ in cells]
    fitting, conflicting = fitting_columns(evidence.asked.facets, columns)
    matches = _matches(columns, evidence)
    kind = evidence.asked.kind
    of_kind = {i for i, (_, value) in enumerate(cells) if kind and holds(kind, value)}
    # "annual fee" drops the column "foreign fee", which matches less of the same words
    named = {i for i, match in enumerate(matches) if match and not any(match < other for other in matches)}
    told = restated(evidence.asked.facets, [value for _, value in cells])
    chosen = narrowest(evidence.asked.facets, (named & fitting or fitting or named) - conflicting, columns)
    if not chosen & of_kind:
        chosen |= of_kind - conflicting - told
    if chosen:
        chosen |= _nearest(candidate, evidence) & (of_kind or set(range(len(cells)))) - conflicting - told
    return (name, *([cells[i] for i in sorted(chosen)] or [c for i, c in enumerate(cells) if i not in told] or cells))


def _nearest(row: Candidate, evidence: Evidence) -> set[int]:
    """Return which cell of a row of three columns or more is nearest to the question."""
    cosines = evidence.cells.get(id(row))
    return set() if cosines is None else {int(cosines.argmax())}


def _matches(columns: Sequence[str], evidence: Evidence) -> list[frozenset[str]]:
    """Return the words of each column that were asked for: in the last turn, or else in what it leans on."""
    turn = stems(evidence.asked.turn)
    words = [frozenset(stems(column)) for column in columns]
    for asked in (turn, evidence.found):
        wanted = frozenset().union(*(evidence.found.get(word, frozenset()) for word in asked))
        matches = [wanted & own for own in words]
        if any(matches):
            return matches
    return [frozenset() for _ in columns]


def _has_namesake(row: Candidate, evidence: Evidence) -> bool:
    name = row.quotable.cells[0]
    others = (c for c in evidence.candidates if c.passage is row.passage and c is not row)
    return any(name in other.quotable.cells[:1] for other in others)
