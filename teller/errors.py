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
    """The chat model gave no answer."""


class DocumentRejectedError(TellerError):
    """A document cannot be taken in; the message says why."""


class NotADemoLedgerError(TellerError):
    """The ledger holds cards that are not the demo's, so it is not reset; nothing was changed."""
