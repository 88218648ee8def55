"""The errors that Teller raises on purpose; the doors map them, once, to their own replies."""


class TellerError(Exception):
    """The root of all of them. The message is written for a person and holds no secret and no personal data."""


class ConfigurationError(TellerError):
    """A setting or an installed file is wrong: the start stops, and the message says what to mend."""


class LedgerUnavailableError(TellerError):
    """The ledger could not be read or written; nothing was changed."""


class SearchUnavailableError(TellerError):
    """The knowledge index could not be searched."""


class ModelUnavailableError(TellerError):
    """The model gave no answer, for a reason that is not the caller's: another model may answer instead."""


class ModelThrottledError(ModelUnavailableError):
    """The model has no room for us now: throttled, over a quota, or not ready yet."""


class ModelTimeoutError(ModelUnavailableError):
    """The model was silent for longer than it may be."""


class UpstreamAuthError(ModelUnavailableError):
    """The model's provider does not take our credentials: ours to mend, never the caller's 401."""


class ModelAccessDeniedError(ModelUnavailableError):
    """Our account may not use the model."""


class ModelNotFoundError(ModelUnavailableError):
    """The provider does not know the model, or does not offer it in this region and form."""


class UpstreamModelError(ModelUnavailableError):
    """The model failed while it answered, or called a tool in a form that cannot be read."""


class ModelRequestError(TellerError):
    """The model does not take what the caller asks: another model may not either, so none is tried."""


class ContextTooLongError(ModelRequestError):
    """The conversation is longer than the model can read."""


class DocumentRejectedError(TellerError):
    """A document cannot be taken in; the message says why."""


class DocumentTooLargeError(DocumentRejectedError):
    """A document is larger than one may be, as a file, unpacked, or in what it takes to read."""


class IngestBusyError(TellerError):
    """Other uploads are read first, and for long; nothing was taken in."""


class UnsupportedDocumentError(DocumentRejectedError):
    """A file is of a type that is not read."""


class NotADemoLedgerError(TellerError):
    """The ledger holds cards that are not the demo's, so it is not reset; nothing was changed."""
