"""What is hosted on Bedrock: chat models and Titan's embeddings, over the one connection that they share.

Its libraries take half a second to import, so they are imported when something hosted is asked for, and not before.
"""

from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from teller.models.registry import NamedModel
from teller.settings import Settings

if TYPE_CHECKING:
    from teller.models.bedrock.client import BedrockConnection
    from teller.models.bedrock.titan import TitanEmbeddings


class Hosted:
    """The way to Bedrock: opened when it is first needed, closed with the stack."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._stack = stack
        self._opened: BedrockConnection | None = None

    async def chat_models(self, ids: list[str]) -> dict[str, NamedModel]:
        """Return the chat models of these ids, profiles or ARNs.

        Raises:
            ConfigurationError: the connection cannot be made as it is configured.
        """
        from teller.models.bedrock.model import AsyncChatBedrockConverse

        model = partial(
            AsyncChatBedrockConverse,
            connection=await self._connection(),
            first_token_seconds=self._settings.model_timeout_seconds,
        )
        behind = self._settings.base_model_id
        of_profile = {"base_model_id": behind, "provider": "amazon"} if behind else {}
        models = {name: model(model_id=name, **(of_profile if name.startswith("arn:") else {})) for name in ids}
        return {name: NamedModel(name, made, calls_tools=True) for name, made in models.items()}

    async def titan(self, dimension: int) -> "TitanEmbeddings":
        """Return Titan's embeddings of that dimension.

        Raises:
            ConfigurationError: the connection cannot be made as it is configured.
        """
        from teller.models.bedrock.titan import TitanEmbeddings

        return TitanEmbeddings(await self._connection(), dimension)

    async def _connection(self) -> "BedrockConnection":
        from teller.models.bedrock.client import BedrockConnection

        if self._opened is None:
            self._opened = BedrockConnection(pool_size=2 * self._settings.max_concurrent_turns)
            await self._stack.enter_async_context(self._opened)
        return self._opened
