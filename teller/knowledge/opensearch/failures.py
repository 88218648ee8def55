"""What a cluster's failures mean: may it be tried again, is it ours to mend, or was the request refused?"""

import ssl

from opensearchpy.exceptions import ConnectionError as Unreached
from opensearchpy.exceptions import ConnectionTimeout, TransportError

from teller.errors import SearchUnavailableError

_NO_ROOM = 429
_TRY_AGAIN = (_NO_ROOM, 502, 503, 504)
_NOT_THERE = (404, 405)


class UnreachableError(SearchUnavailableError):
    """No node answered, or none in time, or something that is no node."""


class BusyError(UnreachableError):
    """The cluster can't do a part of a request now; it may a moment later."""

    def __init__(self) -> None:
        super().__init__("OpenSearch can't do a part of a request now: look at the cluster's health")


class NotLetInError(SearchUnavailableError):
    """The cluster does not know us, or does not let us do this."""


class CertificateError(SearchUnavailableError):
    """The cluster's certificate is not one that we trust."""


class RefusedError(SearchUnavailableError):
    """The cluster does not take a request, or a part of it.

    Attributes:
        status: The HTTP status.
        kind: OpenSearch's name for what is wrong, such as `index_not_found_exception`.
    """

    def __init__(self, status: int, kind: str, reason: str = "") -> None:
        super().__init__(f"OpenSearch refuses a request ({status} {kind}{': ' if reason else ''}{reason[:200]})")
        self.status, self.kind = status, kind

    @property
    def is_missing_index(self) -> bool:
        """Whether the index or its alias is not there."""
        return self.kind == "index_not_found_exception" or (self.status == 404 and "alias" in str(self))


def may_pass(failure: TransportError | int, *, again: bool) -> bool:
    """Return whether the same request is to be sent again: to another node, or a moment later.

    Args:
        failure: What happened, or its status within an answer.
        again: Doing it twice is as doing it once; else only what was refused for want of room was surely not done.
    """
    if isinstance(failure, Unreached):
        return again and not _is_tls(failure)
    status = failure if isinstance(failure, int) else failure.status_code
    return status in _TRY_AGAIN if again else status == _NO_ROOM


def explained(failure: TransportError, where: str) -> SearchUnavailableError:
    """Return what to raise. The message says what to mend; it holds no password and nothing that was asked."""
    status = failure.status_code
    if isinstance(failure, ConnectionTimeout):
        return UnreachableError(f"OpenSearch at {where} does not answer in time: is the cluster overloaded or down?")
    if isinstance(failure, Unreached) and _is_tls(failure):
        return CertificateError(
            f"The certificate of OpenSearch at {where} is not trusted: set OPENSEARCH_CA to the file of its authority"
        )
    if isinstance(failure, Unreached):
        return UnreachableError(f"OpenSearch at {where} cannot be reached: check OPENSEARCH_URL, and that it runs")
    if status in (401, 403):
        return NotLetInError(
            f"OpenSearch at {where} does not let Teller in ({status}): check OPENSEARCH_USER and OPENSEARCH_PASSWORD,"
            " or on Amazon this account's credentials and its policy"
        )
    if status in _TRY_AGAIN:
        return UnreachableError(f"OpenSearch at {where} can't answer now ({status}): look at the cluster's health")
    if status in _NOT_THERE and not _is_opensearchs(failure):
        return something_else(where)
    return RefusedError(int(status) if str(status).isdigit() else 0, *_reason(failure))


def something_else(where: str) -> SearchUnavailableError:
    """Return what to raise where a web server answers, a login page, or a proxy in the cluster's place."""
    return UnreachableError(f"OpenSearch at {where} answers with something else: check OPENSEARCH_URL")


def raise_for(response: dict[str, object]) -> None:
    """Look at one answer of a search: a refusal inside it, or shards that did not answer, is a failure.

    Raises:
        SearchUnavailableError: it is one.
    """
    error = response.get("error")
    if isinstance(error, dict):
        status = int(str(response.get("status", 0)))
        raise BusyError if status in _TRY_AGAIN else RefusedError(status, *_kind_and_reason(error))
    shards = response.get("_shards")
    if response.get("timed_out") or (isinstance(shards, dict) and shards.get("failed")):
        raise UnreachableError("A part of the OpenSearch index does not answer: look at the cluster's health")


def _is_tls(failure: Unreached) -> bool:
    cause = failure.info
    return isinstance(cause, ssl.SSLError) or "SSL" in type(cause).__name__ or "Certificate" in type(cause).__name__


def _is_opensearchs(failure: TransportError) -> bool:
    """Return whether an error has OpenSearch's form."""
    return isinstance(failure.info, dict) and ("status" in failure.info or isinstance(failure.info.get("error"), dict))


def _reason(failure: TransportError) -> tuple[str, str]:
    info = failure.info if len(failure.args) > 2 else None
    error = info.get("error") if isinstance(info, dict) else None
    return _kind_and_reason(error) if isinstance(error, dict) else (str(failure.error)[:80], "")


def _kind_and_reason(error: dict[str, object]) -> tuple[str, str]:
    """Return the innermost kind and reason: the outer ones say only that a phase failed."""
    kind, reason = str(error.get("type", "unknown")), ""
    causes = error.get("root_cause")
    cause = error.get("caused_by") or (causes[0] if isinstance(causes, list) and causes else None)
    if kind in ("index_not_found_exception", "resource_already_exists_exception"):
        return kind, reason
    while isinstance(cause, dict):
        kind, reason = str(cause.get("type", kind)), str(cause.get("reason", ""))
        cause = cause.get("caused_by")
    return kind, "" if "query" in kind or "parsing" in kind else reason
