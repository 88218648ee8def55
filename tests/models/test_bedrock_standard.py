"""LangChain's own tests of a chat model: the unit suite whole, the integration suite against a Bedrock on the wire."""

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from teller.models.bedrock.blocking import loop_thread
from teller.models.bedrock.client import BedrockConnection
from teller.models.bedrock.model import AsyncChatBedrockConverse
from tests.support.bedrock.client import BedrockWire

LITE = "amazon.nova-lite-v1:0"
MICRO = "amazon.nova-micro-v1:0"

pytestmark = [
    # langchain-aws says so where LangChain's suites try every pair of method and strictness.
    pytest.mark.filterwarnings("ignore:The 'strict' parameter only applies:UserWarning"),
    # ... and where they send a file without a name.
    pytest.mark.filterwarnings("ignore:Bedrock Converse may require a filename:UserWarning"),
]


@pytest.fixture(scope="module")
def wire() -> Iterator[BedrockWire]:
    with BedrockWire() as wire, pytest.MonkeyPatch.context() as patch:
        for name, value in wire.environment(AWS_BEARER_TOKEN_BEDROCK="").items():
            patch.setenv(name, value)
        yield wire
        loop_thread().close()


@pytest.fixture(scope="module")
def connection(wire: BedrockWire) -> BedrockConnection:
    return BedrockConnection()


class TestUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return AsyncChatBedrockConverse

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": LITE, "region_name": "us-east-1"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        environment = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
        return environment, self.chat_model_params, {name.lower(): value for name, value in environment.items()}

    # test_serdes skips itself: LangChain loads back only what its own list names (langchain_core.load.mapping).


class TestIntegration(ChatModelIntegrationTests):
    # These skip themselves: test_json_mode (Bedrock has none), test_audio_inputs (Nova Lite takes none),
    # test_stream_time (it replays VCR cassettes; bench/bedrock_streams.py measures that instead).

    @pytest.fixture
    async def model(
        self, request: pytest.FixtureRequest, connection: BedrockConnection, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[BaseChatModel]:
        monkeypatch.setattr(httpx, "get", downloaded)
        given = {**self.standard_chat_model_params, **getattr(request, "param", {})}
        yield AsyncChatBedrockConverse(model_id=LITE, connection=connection, **given)
        await connection.aclose()

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return AsyncChatBedrockConverse

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": LITE}

    @property
    def model_override_value(self) -> str:
        return MICRO

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True


def downloaded(url: str, **_: Any) -> SimpleNamespace:
    """What the suite would fetch from the internet, which no test may need."""
    return SimpleNamespace(content=b"%PDF-1.7" if url.endswith(".pdf") else b"\x89PNG\r\n\x1a\n")
