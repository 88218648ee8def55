"""How questions are answered through the whole graph: the figures behind `teller eval answers`."""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from graph.lines import all_lines
from graph.options import DEFAULT_OPTIONS
from graph.turn import RunningTurn
from graph.workflow import Teller, build_workflow
from teller.services import Services
from teller.settings import Settings

_DECLINES = ("not_in_documents", "out_of_scope", "handoff")


class Said(BaseModel):
    """A turn of the conversation before the question."""

    role: Literal["user", "assistant"]
    content: str


class Question(BaseModel):
    """A question, with the conversation before it if it follows one.

    Any of `expect_any` must be in the answer and none of `expect_not`. Without `expect_any` (and with `document` null)
    the documents do not hold the answer.
    """

    messages: list[Said] = []
    question: str
    expect_any: list[str] | None
    expect_not: list[str] = []
    document: str | None


class Result(BaseModel):
    """What was answered, in how long, and whether that is right: `declined` is a question that the documents hold."""

    question: str
    answer: str
    verdict: Literal["right", "declined", "wrong"]
    ms: float


async def measure_answers(settings: Settings, file: Path, documents: Path | None = None) -> list[Result]:
    """Ask every question of a file and judge the answers.

    Args:
        settings: What answers; where `documents` are given, its data folder is left alone.
        file: The questions.
        documents: A folder whose documents, and no others, are asked; None: those of the configured index.
    """
    lines = (await asyncio.to_thread(file.read_text, "utf-8")).splitlines()
    questions = [Question.model_validate_json(line) for line in lines if line.strip()]
    if documents is None:
        return await _asked(settings, questions)
    with TemporaryDirectory() as folder:
        alone = settings.model_copy(update={"data_dir": Path(folder), "sample_bank": "off"})
        return await _asked(alone, questions, documents)


async def _asked(settings: Settings, questions: list[Question], documents: Path | None = None) -> list[Result]:
    async with Services.opened(settings) as services:
        if documents:
            await services.ingester.ingest_path(documents)
        await services.index_sample_bank()
        graph = await build_workflow(services)
        return [await _judged(graph, question) for question in questions]


async def _judged(graph: Teller, question: Question) -> Result:
    said = [HumanMessage(one.content) if one.role == "user" else AIMessage(one.content) for one in question.messages]
    start = time.perf_counter()
    turn = RunningTurn(graph, {"messages": [*said, HumanMessage(question.question)]}, DEFAULT_OPTIONS)
    answer = "".join([event async for event in turn if isinstance(event, str)])
    took = (time.perf_counter() - start) * 1000
    return Result(question=question.question, answer=answer, verdict=_verdict(question, answer), ms=took)


def _verdict(question: Question, answer: str) -> Literal["right", "declined", "wrong"]:
    declined = any(answer == line for name in _DECLINES for line in all_lines(name))
    if not question.expect_any:
        return "right" if declined else "wrong"
    if declined:
        return "declined"
    plain = answer.lower()
    held = any(wanted.lower() in plain for wanted in question.expect_any)
    return "right" if held and not any(other.lower() in plain for other in question.expect_not) else "wrong"
