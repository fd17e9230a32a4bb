"""The delivery: alerts posted to a URL at least once, and never again once acknowledged.

A message stays in the ledger's outbox until a server has answered 2xx, and leaves it in the next commit. If pqlkit dies between
the two, the message is posted again with the same ``Idempotency-Key``, by which the server can tell.
"""

from __future__ import annotations

import http.client
import os
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from pqlkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pqlkit.scoring.ledger import Alert, Ledger

TIMEOUT: Final = 10.0
"""Seconds of silence after which an attempt has failed."""

ATTEMPT: Final = 20.0
"""Seconds that an attempt may take in all: a server that says a little now and then is never silent."""

IN_ALL: Final = 120.0
"""Seconds that the attempts of a run may take; what has not gone out by then goes out with the next run."""

WAITS: Final = (1.0, 4.0)
"""Seconds before the second and third attempt."""

LONGEST_WAIT: Final = 30.0
"""A server's ``Retry-After`` is obeyed up to here; what is left over goes out with the next run."""

AUTHORIZATION: Final = "PQLKIT_NOTIFY_AUTHORIZATION"
"""Environment variable with the value of the ``Authorization`` header."""

_AGAIN: Final = {408, 425, 429}
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Where alerts go.

    Parameters
    ----------
    url
        With its secrets; never shown.
    headers
        With theirs; never shown.
    name
        What may be shown: scheme, host and port.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of the outbox.

    Parameters
    ----------
    messages, leads
        Acknowledged in this run.
    waiting
        Messages still in the outbox.
    problem
        Why, in words without secrets; None = nothing waits.
    """

    messages: int
    leads: int
    waiting: int
    problem: str | None = None


def hook(text: str, environment: Mapping[str, str] | None = None) -> Hook:
    """Read ``--notify``: ``${NAME}`` in it is replaced from the environment.

    Parameters
    ----------
    text
        ``http://`` or ``https://``.
    environment
        None = the process's. `AUTHORIZATION` in it becomes the header of that name.

    Raises
    ------
    UsageError
        A variable is not set, or it is no URL; the message shows nothing that could be secret.
    """
    known = os.environ if environment is None else environment
    lacking = [name for name in _VARIABLE.findall(text) if not known.get(name)]
    if lacking:
        raise UsageError(
            f"--notify: the environment variable {lacking[0]} is not set", hint=f"set it: export {lacking[0]}=..."
        )
    url = _VARIABLE.sub(lambda match: known[match[1]], text).strip()
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urllib.parse.urlsplit(""), None
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or not url.isascii()
        or re.search(r"[\x00-\x20\x7f]", url)
    ):
        raise UsageError(
            "--notify is not a URL", hint="write https://host/path; secrets as ${NAME}, set in the environment"
        )
    if parts.username is not None:
        raise UsageError("--notify cannot hold a user and a password", hint=f"set {AUTHORIZATION} in the environment")
    headers = {"Authorization": known[AUTHORIZATION]} if known.get(AUTHORIZATION) else {}
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    return Hook(url=url, headers=headers, name=f"{parts.scheme}://{place}")


def deliver(
    ledger: Ledger,
    where: Hook,
    *,
    sleep: Callable[[float], None] = time.sleep,
    timeout: float = TIMEOUT,
    attempt: float = ATTEMPT,
    in_all: float = IN_ALL,
) -> Delivery:
    """Post what waits in the outbox, oldest first.

    Parameters
    ----------
    ledger
        Open; each acknowledged message is committed at once.
    where
        The URL.
    sleep
        Between attempts.
    timeout, attempt, in_all
        Seconds: of silence, of one attempt, and of all of them.

    Notes
    -----
    Silence, a refused connection, 5xx, 408, 425 and 429 are tried three times in all; if none arrives, the server is taken to be
    down and the rest waits. So it does when the run's time is over. Any other answer refuses this message alone. A redirect is a refusal: it may lead elsewhere.
    """
    messages = leads = 0
    problem = None
    limits = _Limits(silence=timeout, attempt=attempt, until=time.monotonic() + in_all)
    for alert in ledger.outbox():
        if limits.over():
            problem = problem or f"{in_all:g} s are over"
            break
        outcome, tries = _attempts(where, alert, sleep, limits)
        if outcome.acknowledged:
            ledger.acknowledged(alert)
            messages, leads = messages + 1, leads + alert.leads
            continue
        ledger.failed(alert, tries)
        problem = problem or outcome.what
        if outcome.again:
            break
    waiting = len(ledger.outbox())
    return Delivery(messages=messages, leads=leads, waiting=waiting, problem=problem if waiting else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """One attempt's outcome; `again` = worth another attempt; `wait` = what the server asks for, in seconds."""

    acknowledged: bool = False
    again: bool = False
    what: str = ""
    wait: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """Seconds of silence and of an attempt, and the moment at which the run's time is over."""

    silence: float
    attempt: float
    until: float

    def over(self, after: float = 0.0) -> bool:
        """Whether the run's time is over in so many seconds."""
        return time.monotonic() + after >= self.until

    def left(self) -> float:
        """Give the seconds that an attempt may take that begins now."""
        return min(self.attempt, self.until - time.monotonic())


def _attempts(where: Hook, alert: Alert, sleep: Callable[[float], None], limits: _Limits) -> tuple[_Answer, int]:
    answer = _bounded(where, alert, limits)
    for number, wait in enumerate(WAITS, start=1):
        pause = max(wait, answer.wait)
        if answer.acknowledged or not answer.again or answer.wait > LONGEST_WAIT or limits.over(pause):
            return answer, number
        sleep(pause)
        answer = _bounded(where, alert, limits)
    return answer, len(WAITS) + 1


def _bounded(where: Hook, alert: Alert, limits: _Limits) -> _Answer:
    """Post once, and wait no longer than an attempt may take: the library's time-out begins again with each byte."""
    answers: list[_Answer] = []
    seconds = max(0.0, limits.left())
    thread = threading.Thread(
        target=lambda: answers.append(_post(where, alert, min(limits.silence, max(seconds, 0.001)))), daemon=True
    )
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else _Answer(again=True, what=f"no whole answer within {seconds:.2g} s")


def _post(where: Hook, alert: Alert, timeout: float) -> _Answer:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": alert.key,
        "User-Agent": "pqlkit",
        **where.headers,
    }
    try:
        request = urllib.request.Request(where.url, data=alert.body, headers=headers, method="POST")  # noqa: S310 - http or https, checked in `hook`
        with _opener().open(request, timeout=timeout):
            return _Answer(acknowledged=True)
    except urllib.error.HTTPError as error:
        with error:
            again = error.code >= 500 or error.code in _AGAIN
            return _Answer(again=again, what=_status(error.code), wait=_retry_after(error.headers.get("Retry-After")))
    except TimeoutError:
        return _Answer(again=True, what=f"no answer within {timeout:g} s")
    except urllib.error.URLError as error:
        # The reason's own text comes from the system, and names neither path nor query.
        if isinstance(error.reason, TimeoutError):
            return _Answer(again=True, what=f"no answer within {timeout:g} s")
        reason = error.reason.strerror if isinstance(error.reason, OSError) else None
        return _Answer(again=True, what=f"no connection: {reason}" if reason else "no connection")
    except (OSError, http.client.HTTPException):
        return _Answer(again=True, what="the connection broke off")
    except ValueError:
        return _Answer(what="the URL or a header cannot be sent")


def _status(code: int) -> str:
    """Name a status by the standard, not by what the server wrote: that may repeat the secret."""
    try:
        return f"the server answered {code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"the server answered {code}"


def _retry_after(text: str | None) -> float:
    try:
        return min(86_400.0, max(0.0, float(text or 0)))
    except ValueError:
        return 0.0


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: a POST would become a GET, and the secret headers would go elsewhere."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Stay)
