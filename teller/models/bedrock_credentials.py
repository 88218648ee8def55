"""Credentials that can be read again from where they came, when AWS says that they have expired."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiobotocore.credentials import AioCredentials
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, NoCredentialsError

Load = Callable[[], Awaitable[Any]]
"""Reads credentials afresh: botocore's whole chain (environment, files, SSO, roles, container, instance)."""


class RenewableCredentials(AioCredentials):  # type: ignore[misc]  # aiobotocore has no types
    """What a client signs with: read at the first request, and again after `forget`; the client itself stays open.

    botocore renews what tells its expiry (roles, SSO, instances), but keeps for ever what does not: a credentials file
    that a sidecar rewrites, say. It also remembers for ever that it found none.
    """

    def __init__(self, load: Load) -> None:
        super().__init__("", "")
        self._load = load
        self._found: Any = None
        self._lock = asyncio.Lock()
        self._reads = 0
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
                await self._read(self._reads)
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

    async def _read(self, reads: int) -> None:
        """Read them once for all who wait: finding none may take seconds, where an instance is asked in vain."""
        async with self._lock:
            if self._reads == reads:
                self._found = await self._load()
                self._reads += 1
