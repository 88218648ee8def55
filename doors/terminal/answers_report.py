"""How questions are answered through the whole graph: the figures behind `teller eval answers`."""

import asyncio
from pathlib import Path
from typing import Literal

from langchain_core.messages import HumanMessage
from pydantic import BaseModel

from graph.lines import all_lines
from graph.options import DEFAULT_OPTIONS
from graph.turn import RunningTurn
from graph.workflow import Teller, build_workflow
from teller.services import Services
from teller.settings import Settings

_DECLINES = ("not_in_documents", "out_of_scope", "handoff")


class Question(BaseModel):
    """A question; `expect_any` empty and `document` null mean that the documents do not hold it."""

    question: str
    expect_any: list[str]
    document: str | None


class Result(BaseModel):
    """What was answered, and whether that is right: `declined` is a question that the documents do hold."""

    question: str
    answer: str
    verdict: Literal["right", "declined", "wrong"]


async def measure_answers(settings: Settings, file: Path) -> list[Result]:
    """Ask every question of a file and judge the answers."""
    lines = (await asyncio.to_thread(file.read_text, "utf-8")).splitlines()
    questions = [Question.model_validate_json(line) for line in lines if line.strip()]
    async with Services.opened(settings) as services:
        await services.index_sample_bank()
        graph = await build_workflow(services)
        return [await _judged(graph, question) for question in questions]


async def _judged(graph: Teller, question: Question) -> Result:
    turn = RunningTurn(graph, {"messages": [HumanMessage(question.question)]}, DEFAULT_OPTIONS)
    answer = "".join([event async for event in turn if isinstance(event, str)])
    return Result(question=question.question, answer=answer, verdict=_verdict(question, answer))


def _verdict(question: Question, answer: str) -> Literal["right", "declined", "wrong"]:
    declined = any(answer == line for name in _DECLINES for line in all_lines(name))
    if not question.expect_any:
        return "right" if declined else "wrong"
    if declined:
        return "declined"
    return "right" if any(wanted.lower() in answer.lower() for wanted in question.expect_any) else "wrong"
