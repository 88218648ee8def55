"""The server: what its paths do, and in which order a request is judged and answered.

For a model: credentials; then the script's behaviour for the request; its fault, if it has one; the model; the request
itself; the answer. For a test: `/script`, `/requests`, `/connections`.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from time import monotonic
from typing import Any
from urllib.parse import unquote

from tests.support.bedrock import credentials, delivery, models, titan
from tests.support.bedrock.answers import Answer
from tests.support.bedrock.delivery import JSON, request_id
from tests.support.bedrock.faults import BedrockError, bedrock_error
from tests.support.bedrock.http import Connection, Exchange
from tests.support.bedrock.record import Record, RecordedRequest, without_secrets
from tests.support.bedrock.script import Behaviour, Script, ScriptError, said
from tests.support.bedrock.stream import frames, message
from tests.support.bedrock.usage import PromptCache, Usage
from tests.support.bedrock.validate import validate

_MODEL_PATH = re.compile(r"/model/(?P<model>.+)/(?P<operation>converse|converse-stream|invoke)")
_CORAL = "http://internal.amazon.com/coral/com.amazon.bedrock/"
_ECHOED = ("performanceConfig", "serviceTier")


class BedrockServer:
    """A Bedrock, its script and its memory."""

    def __init__(self) -> None:
        self.script = Script()
        self.record = Record()
        self.cache = PromptCache()
        self.connections: set[Connection] = set()
        self._controls: dict[tuple[str, str], Callable[[Exchange], Any]] = {
            ("POST", "/script"): lambda exchange: {"pending": self.script.add(bytes(exchange.request.body))},
            ("GET", "/script"): lambda _: self.script.pending(),
            ("DELETE", "/script"): lambda _: self._forget_script(),
            ("GET", "/requests"): lambda _: self.record.dump(),
            ("DELETE", "/requests"): lambda _: self.record.requests.clear(),
            ("GET", "/connections"): self._open_connections,
        }

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Connection(self.handle, self.connections), host, port, backlog=1024)

    async def handle(self, exchange: Exchange) -> None:
        """Answer a request."""
        path = exchange.request.path.partition("?")[0]
        model = _MODEL_PATH.fullmatch(path)
        if model and exchange.request.method == "POST":
            await self._answer_for_model(exchange, unquote(model["model"]), model["operation"])
        elif control := self._controls.get((exchange.request.method, path)):
            _control(exchange, control)
        else:
            _refuse(exchange, bedrock_error("UnknownOperationException"))

    async def _answer_for_model(self, exchange: Exchange, model: str, operation: str) -> None:
        entry = self._remember(exchange, model, operation)
        try:
            signer = credentials.authenticate(exchange.request.headers)
            entry.signer = asdict(signer)
            behaviour = self.script.take(model, operation, signer.access_key) or Behaviour()
            entry.behaviour = said(behaviour) or None
            await self._obey(exchange, entry, behaviour, signer)
        except BedrockError as error:
            entry.status, entry.error, entry.message = error.status, error.name, error.message
            entry.first_byte_at = entry.first_byte_at or monotonic()
            _refuse(exchange, error)
            entry.complete = True

    def _remember(self, exchange: Exchange, model: str, operation: str) -> RecordedRequest:
        request = exchange.request
        entry = RecordedRequest(
            connection=exchange.connection.connection_id,
            received_at=monotonic(),
            path=request.path,
            model=model,
            operation=operation,
            headers=without_secrets(request.headers),
            body=_parsed(request.body),
        )
        self.record.requests.append(entry)
        exchange.connection.when_client_closes.append(lambda at: setattr(entry, "closed_at", at))
        return entry

    async def _obey(
        self, exchange: Exchange, entry: RecordedRequest, behaviour: Behaviour, signer: credentials.Signer
    ) -> None:
        if behaviour.refuses:
            await delivery.first_token(entry, behaviour)
        if behaviour.reject_credentials:
            raise credentials.rejection(signer)
        if behaviour.fault:
            raise bedrock_error(behaviour.fault, behaviour.message)
        if behaviour.status:
            delivery.send_bare(exchange, entry, behaviour.status, behaviour.body)
        else:
            await self._operations[entry.operation](self, exchange, entry, behaviour)

    async def _converse(self, exchange: Exchange, entry: RecordedRequest, behaviour: Behaviour) -> None:
        answer, metadata = self._answer(entry, behaviour)
        body = {"output": {"message": message(answer)}, "stopReason": answer.stop_reason, **metadata}
        await delivery.send_whole(exchange, entry, behaviour, body)

    async def _converse_stream(self, exchange: Exchange, entry: RecordedRequest, behaviour: Behaviour) -> None:
        answer, metadata = self._answer(entry, behaviour)
        await delivery.send_stream(exchange, entry, behaviour, frames(answer, behaviour, metadata))

    async def _invoke(self, exchange: Exchange, entry: RecordedRequest, behaviour: Behaviour) -> None:
        model = models.resolve(entry.model, "embedding")
        body = titan.embed(_object(entry.body), model)
        counted = ("X-Amzn-Bedrock-Input-Token-Count", str(body["inputTextTokenCount"]))
        await delivery.send_whole(exchange, entry, behaviour, body, counted)

    _operations: Mapping[str, Callable[..., Awaitable[None]]] = {
        "converse": _converse,
        "converse-stream": _converse_stream,
        "invoke": _invoke,
    }

    def _answer(self, entry: RecordedRequest, behaviour: Behaviour) -> tuple[Answer, dict[str, Any]]:
        """Return what is answered to a Converse request, and the metadata of the answer."""
        request = _object(entry.body)
        model = models.resolve(entry.model, "chat")
        validate(request, model)
        answer = behaviour.answer(request)
        usage: Usage = self.cache.usage(model.model_id, request, answer.tokens()) | (behaviour.usage or {})
        echoed = {name: request[name] for name in _ECHOED if name in request}
        return answer, {"usage": usage, "metrics": {"latencyMs": round(behaviour.first_token_ms)}, **echoed}

    def _forget_script(self) -> None:
        self.script.clear()
        self.cache.forget()

    def _open_connections(self, exchange: Exchange) -> list[dict[str, Any]]:
        others = self.connections - {exchange.connection}
        return [{"connection": one.connection_id, "opened_at": one.opened_at} for one in others]


def _control(exchange: Exchange, control: Callable[[Exchange], Any]) -> None:
    try:
        status, answer = 200, control(exchange)
    except ScriptError as wrong:
        status, answer = 400, {"error": str(wrong)}
    exchange.respond(status, [JSON], json.dumps(answer).encode())


def _refuse(exchange: Exchange, error: BedrockError) -> None:
    headers = [JSON, request_id(), ("x-amzn-ErrorType", f"{error.name}:{_CORAL}")]
    exchange.respond(error.status, headers, json.dumps(error.body(), ensure_ascii=False).encode())


def _parsed(body: bytearray) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise bedrock_error("SerializationException")
    return body
