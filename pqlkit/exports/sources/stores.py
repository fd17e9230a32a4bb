"""The object store: S3, Google Cloud Storage and Azure, their objects listed and streamed to files."""

from __future__ import annotations

import configparser
import os
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pqlkit.errors import DataError
from pqlkit.exports.raw import SUFFIXES
from pqlkit.exports.sources.extra import needed

if TYPE_CHECKING:
    from collections.abc import Iterator

SLICE: Final = 64 << 20
"""Bytes asked for at a time: a broken connection costs no more than this."""
_CHUNK: Final = 4 << 20
_TRIES: Final = 5
_MAGIC: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object of a store: `key` without the store's root, `tag` changes with the content."""

    key: str
    size: int
    tag: str | None


class Store:
    """One bucket or container.

    Parameters
    ----------
    address
        Of a store or an object in it, checked.
    """

    def __init__(self, address: str) -> None:
        what = address.split("/", 1)[0] + "//"
        self.obstore, self.stores = (needed(name, extra="cloud", what=what) for name in ("obstore", "obstore.store"))
        scheme, _, rest = address.partition("://")
        self.root = f"{scheme}://{rest.partition('/')[0]}"
        self.scheme = scheme.lower()
        try:
            self.store = self._open()
        except self.obstore.exceptions.BaseError as error:
            raise self._failure(error, address) from None

    def _open(self) -> Any:
        config = _shared_credentials() if self.scheme in ("s3", "s3a") else {}
        endpoint = next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")
        # Without keys the machine's own service is asked, which on most machines nobody answers.
        patient = bool(config) or any(os.environ.get(name) for name in _KEYS)
        return self.stores.from_url(
            self.root,
            config=config or None,
            client_options={
                "connect_timeout": "10s" if patient else "5s",
                "timeout": "120s" if patient else "10s",
                "allow_http": endpoint.startswith("http://"),
                "user_agent": "pqlkit",
            },
            retry_config={
                "max_retries": _TRIES if patient else 1,
                "retry_timeout": timedelta(seconds=60 if patient else 5),
            },
        )

    def found(self, address: str) -> tuple[Found, ...]:
        """List the objects behind an address: one, those under a folder (by `SUFFIXES`), or those of a glob, sorted.

        Raises
        ------
        DataError
            There is none, or the store refuses.
        """
        key = address.removeprefix(self.root).lstrip("/")
        try:
            objects = self._found(key)
        except (self.obstore.exceptions.BaseError, OSError) as error:
            raise self._failure(error, address) from None
        if not objects:
            names = "" if _MAGIC.search(key) else f", or a folder with {', '.join(SUFFIXES[:7])} ..."
            raise DataError(
                "there is no such object; the store was reached", where=address, hint=f"name one that is there{names}"
            )
        return tuple(sorted(objects, key=lambda stored: stored.key))

    def _found(self, key: str) -> list[Found]:
        magic = _MAGIC.search(key)
        if magic is not None:
            folder = key[: magic.start()].rpartition("/")[0]
            pattern = _pattern(key)
            return [stored for stored in self._listed(folder) if pattern.fullmatch(stored.key)]
        if key and not key.endswith("/"):
            try:
                return [_found(self.obstore.head(self.store, key))]
            except FileNotFoundError:
                pass
        folder = key.rstrip("/")
        return [stored for stored in self._listed(folder) if _counts(stored.key, folder)]

    def _listed(self, folder: str) -> Iterator[Found]:
        for batch in self.obstore.list(self.store, prefix=folder or None):
            yield from (_found(meta) for meta in batch if not meta["path"].endswith("/"))

    def fetch(self, stored: Found, target: Path) -> None:
        """Stream an object into a file, going on where a connection breaks.

        Raises
        ------
        DataError
            The store refuses or stays silent, or the object changed meanwhile.
        """
        name = f"{self.root}/{stored.key}"
        failures = 0
        with target.open("wb") as stream:
            while stream.tell() < stored.size:
                before = stream.tell()
                try:
                    for chunk in self._slice(stored, before):
                        stream.write(chunk)
                except (self.obstore.exceptions.BaseError, OSError) as error:
                    failures = failures + 1 if stream.tell() == before else 1
                    if failures >= _TRIES or isinstance(error, _final(self.obstore)):
                        raise self._failure(error, name) from None
                    time.sleep(0.2 * 2**failures)

    def _slice(self, stored: Found, start: int) -> Any:
        options: dict[str, Any] = {"range": (start, min(start + SLICE, stored.size))}
        if stored.tag is not None:
            options["if_match"] = stored.tag
        return self.obstore.get(self.store, stored.key, options=options).stream(min_chunk_size=_CHUNK)

    def _failure(self, error: Exception, name: str) -> DataError:
        text = str(error)
        for sign, message, hint in _FAILURES:
            if re.search(sign, text):
                return DataError(
                    message, where=name, hint=hint if hint is not None else _CREDENTIALS.get(self.scheme, _AZURE)
                )
        return DataError(f"the store says: {_words(text)}", where=name)


_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_KEYS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
)
_AZURE: Final = "set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN"
_AMAZON: Final = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; AWS_SKIP_SIGNATURE=true for public data"
)
_CREDENTIALS: Final = {
    "s3": _AMAZON,
    "s3a": _AMAZON,
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or run: gcloud auth application-default login",
}
_FAILURES: Final[tuple[tuple[str, str, str | None], ...]] = (
    ("NoSuchBucket|ContainerNotFound", "no such bucket", "is its name right, and the account or the endpoint?"),
    (r"/latest/(api|meta-data)|metadata\.google|/metadata/identity|MissingAccount|Account must be|CredentialsNotLoaded", "no credentials", None),
    ("AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|403 Forbidden|401 Unauth", "access denied", None),
    ("PermanentRedirect|301 Moved|Received redirect|AuthorizationHeaderMalformed", "the bucket is in another region", "set AWS_REGION to it"),
    ("Precondition", "the object changed while it was read", "run again"),
    ("404 Not Found", "there is no such object", "is its name right?"),
    ("error sending request|dns error|Connection refused", "the store does not answer", "is the network there, and AWS_ENDPOINT_URL right?"),
)  # fmt: skip
"""What stands in a store's words, what that means, and what to do; None = what credentials the store takes."""


def _final(obstore: Any) -> tuple[type[Exception], ...]:
    known = obstore.exceptions
    return (
        FileNotFoundError,
        PermissionError,
        known.PreconditionError,
        known.PermissionDeniedError,
        known.UnauthenticatedError,
    )


def _words(text: str) -> str:
    """Give a store's own words without addresses, whose queries may hold signatures, and without markup."""
    line = re.sub(r"\w+://\S+", "...", re.split(r"\n|<", text, maxsplit=1)[0])
    return line[:200].rstrip(" :")


def _found(meta: Any) -> Found:
    return Found(key=meta["path"], size=meta["size"], tag=meta["e_tag"])


def _counts(key: str, folder: str) -> bool:
    parts = key.removeprefix(folder).lstrip("/").split("/")
    return key.lower().endswith(SUFFIXES) and not any(part.startswith((".", "_")) for part in parts)


def _pattern(glob: str) -> re.Pattern[str]:
    """Make a glob a pattern: ``*`` and ``?`` stay in their folder, ``**/`` is any folders.

    Examples
    --------
    >>> bool(_pattern("e/*.csv").fullmatch("e/a.csv")), bool(_pattern("e/*.csv").fullmatch("e/f/a.csv"))
    (True, False)
    >>> bool(_pattern("e/**/*.csv").fullmatch("e/a.csv")), bool(_pattern("e/[ab].csv").fullmatch("e/c.csv"))
    (True, False)
    """
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]/]+\])", glob)
    classes = ("[^" + part[2:] if part.startswith("[!") else part for part in parts)
    return re.compile(
        "".join(
            words.get(part) or (part if part[:1] == "[" and part[-1:] == "]" else re.escape(part)) for part in classes
        )
    )


def _shared_credentials() -> dict[str, str]:
    """Read the keys of the profile in force from the files of the AWS command line, where the environment has none."""
    if any(os.environ.get(name) for name in _KEYS[:5]):
        return {}
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    section = _section("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile or "default")
    settings = _section("AWS_CONFIG_FILE", "config", f"profile {profile}" if profile else "default")
    known = {**settings, **section}
    if "aws_access_key_id" not in known:
        if profile is None:
            return {}
        raise DataError(
            f"the profile {profile!r} of AWS_PROFILE has no keys",
            where="~/.aws/credentials",
            hint=f"`aws configure export-credentials --profile {profile} --format env` prints some for the environment",
        )
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    options = {name: known[name] for name in names if name in known}
    if "region" in known and not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
        options["aws_region"] = known["region"]
    return options


def _section(variable: str, file: str, name: str) -> dict[str, str]:
    path = Path(os.environ.get(variable) or Path.home() / ".aws" / file)
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return {}
    return dict(parser[name]) if parser.has_section(name) or name in parser else {}
