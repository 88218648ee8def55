"""Credentials that can be read again from where they came, when AWS says that they have expired."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiobotocore.credentials import AioCredentials
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, NoCredentialsError

_NONE_SECONDS = 30.0
"""How long it is remembered that there are none: to find that out may take a second, where no instance answers."""

Load = Callable[[], Awaitable[Any]]
"""Reads credentials afresh: botocore's whole chain (environment, files, SSO, roles, container, instance)."""


class RenewableCredentials(AioCredentials):  # type: ignore[misc]  # aiobotocore has no types
    """What a client signs with: read at the first request, and again after `forget`; the client itself stays open.

    botocore renews what tells its expiry (roles, SSO, instances), but keeps for ever what does not: a credentials file
    that a sidecar rewrites, say. It also keeps for ever that it found none.
    """

    def __init__(self, load: Load) -> None:
        super().__init__("", "")
        self._load = load
        self._found: Any = None
        self._lock = asyncio.Lock()
        self._read_at = -math.inf
        self.generation = 0
        """How often they were forgotten. Note it before a request; give it to `forget` if the request fails."""

    async def get_frozen_credentials(self) -> Any:
        """Return the credentials to sign one request with.

        Raises:
            NoCredentialsError: there are none, anywhere.
            CredentialRetrievalError: their source fails, or gives expired ones.
        """
        try:
            if self._found is None:
                await self._read()
            frozen = await self._found.get_frozen_credentials() if self._found else None
        except (BotoCoreError, ClientError):
            raise
        except Exception as failure:  # a helper's bad JSON, a command that is not there, expired still (RuntimeError)
            raise CredentialRetrievalError(provider="AWS", error_msg=type(failure).__name__) from failure
        if frozen is None:
            raise NoCredentialsError
        return frozen

    def forget(self, generation: int) -> None:
        """Read them again at the next request, unless another request has seen to that already."""
        if self.generation == generation:
            self.generation += 1
            self._found = None
            self._read_at = -math.inf

    async def _read(self) -> None:
        """Read them, once for all who wait."""
        async with self._lock:
            if self._found is None and time.monotonic() - self._read_at >= _NONE_SECONDS:
                self._found = await self._load()
                self._read_at = time.monotonic()
