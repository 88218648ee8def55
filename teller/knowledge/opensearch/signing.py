"""AWS's signature, version 4, on each request; the credentials are read without holding up the event loop."""

from typing import Any
from urllib.parse import urlencode

import orjson
from aiobotocore.session import AioSession
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError
from opensearchpy import AIOHttpConnection
from opensearchpy.exceptions import AuthenticationException, AuthorizationException
from opensearchpy.serializer import Serializer

from teller.models.bedrock.credentials import RenewableCredentials


class NumpyJson(Serializer):
    """JSON that takes NumPy's vectors as they are: float32 in its shortest form."""

    mimetype = "application/json"

    def loads(self, s: str) -> Any:
        """Read JSON."""
        return orjson.loads(s)

    def dumps(self, data: Any) -> Any:
        """Write JSON; what is written already is left alone."""
        return data if isinstance(data, bytes) else orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)


class Signer:
    """Signs for one service in one region, with whatever credentials AWS's own chain finds."""

    def __init__(self, service: str, region: str) -> None:
        self._service, self._region = service, region
        self._credentials = RenewableCredentials(lambda: AioSession().get_credentials())

    async def signed(self, method: str, url: str, body: str | bytes | None) -> dict[str, str]:
        """Return the headers that sign this very request.

        Args:
            method: Such as POST.
            url: Whole, with its query as it goes out.
            body: What goes out; Serverless wants its hash among what is signed, so it always is.

        Raises:
            AuthenticationException: there are no credentials to sign with.
        """
        try:
            credentials = await self._credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError) as none:
            raise AuthenticationException(401, "no AWS credentials", {}) from none
        request = AWSRequest(method, url, data=body or b"")
        auth = SigV4Auth(credentials, self._service, self._region)
        request.headers["X-Amz-Content-SHA256"] = auth.payload(request)
        auth.add_auth(request)
        return dict(request.headers.items())

    @property
    def generation(self) -> int:
        """How often the credentials were read anew; give it to `renew`."""
        return self._credentials.generation

    def renew(self, generation: int) -> None:
        """Read the credentials again at the next request: they were refused."""
        self._credentials.forget(generation)


class SignedConnection(AIOHttpConnection):
    """The library's connection, each request of which is signed."""

    def __init__(self, *, signer: Signer, **options: Any) -> None:
        super().__init__(**options)
        self._signer = signer

    async def perform_request(
        self,
        method: str,
        url: str,
        params: Any = None,
        body: Any = None,
        timeout: Any = None,  # noqa: ASYNC109  # the library's own signature
        ignore: Any = (),
        headers: Any = None,
    ) -> Any:
        """Sign and send; refused credentials are read again once, since they may have been renewed meanwhile."""
        whole = f"{self.host}{self.url_prefix}{url}" + (f"?{urlencode(params)}" if params else "")
        generation = self._signer.generation
        for last in (False, True):
            signed = await self._signer.signed(method, whole, body)
            try:
                return await super().perform_request(
                    method, url, params, body, timeout, ignore, {**(headers or {}), **signed}
                )
            except AuthorizationException:
                self._signer.renew(generation)
                if last:
                    raise
        raise AssertionError
