"""The way to Bedrock: one aiobotocore client a process, shared by every model that is given it."""

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError
from botocore.tokens import FrozenAuthToken

from teller.errors import ConfigurationError
from teller.models.bedrock.credentials import RenewableCredentials

_IDLE_SOCKET_SECONDS = 30  # aiobotocore keeps sockets for 12: each turn of a slow phone call would shake hands anew


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials given in code; without them AWS's own chain is asked, environment first."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A client, and the credentials it signs with."""

    client: Any
    credentials: RenewableCredentials
    stack: AsyncExitStack


@dataclass(eq=False)
class BedrockConnection:
    """A pool of connections to Bedrock's runtime, opened at its first use or by `async with`, closed by `aclose`.

    The endpoint is AWS's own for the region unless `endpoint_url` or `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` names another.
    Every event loop that uses it has a pool of its own. No call holds a thread, and botocore's own retries are off.
    """

    region_name: str | None = None
    """Unset: `AWS_REGION`, `AWS_DEFAULT_REGION`, then the profile's."""
    profile_name: str | None = None
    endpoint_url: str | None = None
    keys: Keys | None = None
    bearer_token: str | None = field(default=None, repr=False)
    """A Bedrock API key; unset: `AWS_BEARER_TOKEN_BEDROCK`. It comes before all other credentials."""
    pool_size: int = 400
    """Most sockets at a time: as many as there may be answers under way; more would wait for each other."""
    connect_seconds: float = 3.0
    """Longest wait for a socket to open."""
    config: Any = None
    """A botocore `Config` to begin with: proxies, certificates, user agent."""
    _pools: dict[asyncio.AbstractEventLoop, "_Pool"] = field(default_factory=dict, init=False, repr=False)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def open(self) -> Opened:
        """Return the client of this event loop; the first call opens it (about 0.1 s, without a network).

        Raises:
            ConfigurationError: no region, an unknown profile, or an endpoint that is no URL.
        """
        pool = self._pool()
        async with pool.lock:
            if pool.opened is None:
                pool.opened = await self._open()
        return pool.opened

    async def aclose(self) -> None:
        """Close the sockets that this event loop has opened; a later call opens new ones."""
        pool = self._pools.pop(asyncio.get_running_loop(), _Pool())
        async with pool.lock:
            if pool.opened:
                await pool.opened.stack.aclose()

    def _pool(self) -> "_Pool":
        for loop in [loop for loop in self._pools if loop.is_closed()]:
            del self._pools[loop]
        return self._pools.setdefault(asyncio.get_running_loop(), _Pool())

    async def _open(self) -> Opened:
        try:
            session = self._session()
            credentials = RenewableCredentials(self._load_credentials)
            session.register_component("credential_provider", _Always(credentials))
            if bearer := self._bearer_token():
                session.register_component("token_provider", _Always(FrozenAuthToken(bearer)))
            stack = AsyncExitStack()
            client = await stack.enter_async_context(
                session.create_client("bedrock-runtime", endpoint_url=self.endpoint_url, config=self._client_config())
            )
        except (BotoCoreError, ValueError) as wrong:
            raise ConfigurationError(f"Bedrock cannot be reached as it is configured: {wrong}") from wrong
        return Opened(client, credentials, stack)

    def _client_config(self) -> AioConfig:
        ours = AioConfig(
            connect_timeout=self.connect_seconds,
            read_timeout=None,  # every wait for an answer has a limit of its own, where its meaning is known
            max_pool_connections=self.pool_size,
            connector_args={"keepalive_timeout": _IDLE_SOCKET_SECONDS},
            retries={"total_max_attempts": 1, "mode": "standard"},
            # Said outright, as botocore takes an empty variable for a token.
            **({"auth_scheme_preference": "httpBearerAuth"} if self._bearer_token() else {"signature_version": "v4"}),
        )
        return AioConfig().merge(self.config).merge(ours) if self.config else ours

    def _bearer_token(self) -> str:
        return self.bearer_token or os.environ.get("AWS_BEARER_TOKEN_BEDROCK", "")

    async def _load_credentials(self) -> Any:
        if self.keys:
            return AioCredentials(self.keys.access_key, self.keys.secret_key, self.keys.session_token)
        return await self._session().get_credentials()

    def _session(self) -> AioSession:
        session = AioSession(profile=self.profile_name)
        if region := self.region_name or os.environ.get("AWS_REGION"):  # which botocore does not read
            session.set_config_variable("region", region)
        return session


@dataclass(slots=True)
class _Pool:
    """What one event loop has opened."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    opened: Opened | None = None


class _Always:
    """A provider, in botocore's sense, of one thing."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    async def load_credentials(self) -> Any:
        return self._thing

    def load_token(self, **_: Any) -> Any:
        return self._thing
