"""A caller in a conversation with the graph, in process."""

from dataclasses import dataclass, field

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from graph.events import Finish, Progress
from graph.options import Channel, TurnOptions
from graph.turn import RunningTurn
from graph.workflow import Teller
from teller.caller import Caller, Trust


@dataclass
class Conversation:
    """Keeps the messages as a client does; `say` plays one turn and returns what was heard."""

    graph: Teller
    phone: str | None = None
    channel: Channel = "chat"
    conversation_id: str | None = "c-1"
    trust: Trust = Trust.ASSERTED
    messages: list[AnyMessage] = field(default_factory=list)
    routes: tuple[str, ...] = ()
    finish: Finish | None = None
    nodes: list[str] = field(default_factory=list)

    async def say(self, text: str) -> str:
        """Say something and return the answer; it goes into the history as heard."""
        self.messages.append(HumanMessage(text))
        answer = await self.answer()
        self.messages.append(AIMessage(answer))
        return answer

    async def answer(self) -> str:
        """Return the answer to the messages as they are."""
        caller = Caller(phone=self.phone, trust=self.trust)
        options = TurnOptions(channel=self.channel)
        pieces: list[str] = []
        self.nodes = []
        async for event in RunningTurn(
            self.graph,
            {"messages": list(self.messages), "caller": caller, "conversation_id": self.conversation_id},
            options,
        ):
            match event:
                case str():
                    pieces.append(event)
                case Progress():
                    self.nodes.append(event.node)
                    self.routes = event.routes or self.routes
                case Finish():
                    self.finish = event
        return "".join(pieces)

    def heard_instead(self, text: str) -> None:
        """Replace what was heard last: the caller interrupted, or the transcript differs."""
        self.messages[-1] = AIMessage(text)
