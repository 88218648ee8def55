"""The likeliest candidates, read together with the question by a cross-encoder where it is in doubt which answers."""

from dataclasses import replace

import numpy as np

from teller.models.cross_encoder import CrossEncoder
from teller.models.quote.answer_choice import logits
from teller.models.quote.candidates import cells_in_context
from teller.models.quote.everyday_words import in_words_of
from teller.models.quote.evidence import Evidence
from teller.models.quote.fitted_weights import FITTED

_MOST = 6  # candidates that are read: what takes its time
_NO_DOUBT = 4.0  # a candidate this far ahead of the others, and of "no answer", is not overtaken


async def read_closely(evidence: Evidence, question: str, cross_encoder: CrossEncoder) -> Evidence:
    """Return the evidence with what the cross-encoder says of the likeliest candidates, and of a table row's cells.

    Without doubt which one answers only the cells are read, if it has any to choose from.

    Args:
        evidence: what is known of the candidates.
        question: one line, or several of which the last one asks.
        cross_encoder: what reads them.
    """
    asked, near = as_read(question, evidence), in_doubt(evidence)
    if near:
        texts = [evidence.candidates[i].quotable.in_context for i in near]
        scores = await cross_encoder.scores(asked, texts)
        evidence = replace(evidence, read=dict(zip(near, map(float, scores), strict=True)))
    likeliest = evidence.candidates[int(np.argmax(logits(evidence)))]
    if cells := [text for _, text in cells_in_context([likeliest])]:
        scores = await cross_encoder.scores(asked, cells)
        evidence = replace(evidence, cells={**evidence.cells, id(likeliest): scores})
    return evidence


def as_read(question: str, evidence: Evidence) -> str:
    """Return a question of several lines as the one line that the cross-encoder reads, in the candidates' words."""
    vocabulary = frozenset().union(*(candidate.own | candidate.context for candidate in evidence.candidates))
    return in_words_of(vocabulary, " / ".join(question.split("\n")))


def in_doubt(evidence: Evidence) -> list[int]:
    """Return which candidates are to be read, the likeliest first; none where one is far ahead of all."""
    each, none = logits(evidence), evidence.for_none @ FITTED.none
    nearest = np.argsort(-each, kind="stable")[:_MOST]
    first, *others = each[nearest]
    return [] if first - max([none, *others]) > _NO_DOUBT else [int(i) for i in nearest]
