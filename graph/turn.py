"""One turn of the compiled graph, as every door runs it."""

import asyncio
from collections.abc import Callable
from typing import Self

from graph.events import TurnEvent
from graph.options import TurnOptions
from graph.private_words import PrivateWords, set_apart, within_reach
from graph.state import InputState
from graph.workflow import Teller

_LONG = 20_000
"""Characters; a longer conversation is masked in a thread: that takes about a microsecond for each."""


class _End:
    """The mark behind the last event."""


class RunningTurn:
    """A turn at work: iterate it for its events; the iteration raises what a node raised.

    The graph runs in a task of its own and its events pass through a queue, so that a door that stops listening can
    cancel the task and with it the node at work. Iterating `graph.astream` in the request's own task does not do that:
    Starlette cancels again and again, which kills LangGraph's clean-up before it cancels the node (langgraph #6775).

    What may not be kept of the caller's words is masked before they enter the graph; a door that had to do so earlier
    hands in the `words` that it set apart.
    """

    def __init__(
        self, graph: Teller, given: InputState, options: TurnOptions, words: PrivateWords | None = None
    ) -> None:
        self._events: asyncio.Queue[TurnEvent | Exception | _End] = asyncio.Queue(maxsize=256)
        self._task = asyncio.create_task(self._run(graph, given, options, words))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TurnEvent:
        match await self._events.get():
            case _End():
                raise StopAsyncIteration
            case Exception() as failure:
                raise failure
            case event:
                return event

    @property
    def has_more(self) -> bool:
        """Whether an event is there already, so that a listener need not send what it has before it takes the next."""
        return not self._events.empty()

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call back when the turn has ended, however it ends."""
        self._task.add_done_callback(lambda _: callback())

    def cancel(self) -> None:
        """Stop what is still running; a turn that has ended is not changed."""
        self._task.cancel()

    async def _run(self, graph: Teller, given: InputState, options: TurnOptions, words: PrivateWords | None) -> None:
        try:
            if words is None:
                given, words = await _apart(given)
            with within_reach(words):
                async for event in graph.astream(given, context=options, stream_mode="custom"):
                    await self._events.put(event)  # type: ignore[arg-type]  # our nodes write nothing but TurnEvents
        except Exception as failure:  # handed to the listener, which raises it
            await self._events.put(failure)
        else:
            await self._events.put(_End())


async def _apart(given: InputState) -> tuple[InputState, PrivateWords]:
    if sum(len(message.text) for message in given["messages"]) > _LONG:
        return await asyncio.to_thread(set_apart, given)
    return set_apart(given)
