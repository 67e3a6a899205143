"""Everything that can go wrong, by what the caller should do about it.

Adapters translate their driver's errors into these once; handlers map them to an answer once.
"""

from __future__ import annotations

from dataclasses import dataclass


class NofyError(Exception):
    """The root of every error Nofy raises on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class FieldError:
    """One thing wrong with one field; ``path`` is a JSON Pointer (``/to/email``), ``code`` is stable."""

    path: str
    code: str
    message: str


class InvalidRequestError(NofyError):
    """The request was understood and cannot be accepted: 422, with every field error at once."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(f"{len(errors)} invalid field(s)")
        self.errors = sorted(set(errors))


class MalformedRequestError(NofyError):
    """The body is not JSON: 400."""


class TooLargeError(NofyError):
    """The body, or a rendered delivery, is over its limit: 413."""


class UnauthenticatedError(NofyError):
    """No token, or one nobody holds: 401."""


class TokenExpiredError(UnauthenticatedError):
    """A console token past its time: 401, and another is to be had where it came from."""


class ForbiddenError(NofyError):
    """The caller belongs here and may not do this: 403, with the permission it takes."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"it takes {permission}")
        self.permission = permission


class ProjectMissingError(NofyError):
    """A person who belongs to many projects did not say which one is meant: 400."""


class RequestOutOfBoundsError(NofyError):
    """A query or a header longer than anything that is asked for here, or none of what it may be: 400."""


class RateLimitedError(NofyError):
    """More requests than the project may make: 429; ``retry_after`` in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


class QuotaExceededError(RateLimitedError):
    """More notifications than the project may send in a day: 429."""


class NotFoundError(NofyError):
    """No such thing in the caller's project: 404, whoever else may have one."""


class InvitationForAnotherError(NofyError):
    """An invitation names an address, and whoever signed in has not proved that it is theirs: 403."""


class CredentialRefusedError(NofyError):
    """A provider does not know a credential; the text is its reason, fit to be shown: 422."""


class ProviderUnavailableError(NofyError):
    """A provider cannot be asked now, so nothing was saved: 503. ``retry_after`` in seconds."""

    def __init__(self, reason: str, retry_after: int = 5) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class ConflictError(NofyError):
    """The thing's state does not allow what was asked: 409."""

    def __init__(self, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


class IdempotencyKeyReusedError(NofyError):
    """The same idempotency key came with another body: 422."""


class StoreUnavailableError(NofyError):
    """PostgreSQL cannot be asked now: 503, never 202. The statement was not applied, or may have been."""


class ScheduleUnavailableError(NofyError):
    """Redis cannot be asked now. Never fatal: the row is the promise and the reconciler indexes it."""


class BusUnavailableError(NofyError):
    """Kafka did not take the records (all or some of them) in time."""


class UnreadableRecordError(NofyError):
    """A Kafka record that cannot be decoded; it goes to the dead letters as it is."""


class InvokeRefusedError(NofyError):
    """Lambda itself refused to run a sender: nothing was tried, so nothing is spent."""


class InvokeUncertainError(NofyError):
    """A sender was started and no answer came: its calls may have been made."""


class SignInError(NofyError):
    """A function could not prove to a server who it is: no credentials, no region, or no password where one lies."""


class SignInRefusedError(NofyError):
    """Whoever vouches for people does not vouch for this one: 401 or 403, by ``code``.

    401: ``sign_in_invalid``, ``signed_out``. 403: ``user_blocked``, ``email_unverified``, ``password_reset_required``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class IdentityUnavailableError(NofyError):
    """Who somebody is cannot be found out now, at the identity service or by our own keys: 503, never a yes or a no."""

    def __init__(self, reason: str, retry_after: int = 5) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class IdentityMisconfiguredError(NofyError):
    """The identity service refuses Nofy itself, whoever asks: 500, and a log line for the operator."""
