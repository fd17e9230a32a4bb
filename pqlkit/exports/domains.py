"""The domain: the account that a website or the domain of an e-mail address belongs to."""

from __future__ import annotations

from typing import Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, USER_ID
from pqlkit.exports.picked_column import none_if_empty, text_of
from pqlkit.exports.tables import DOMAIN, EMAIL

FREE_MAILERS: Final = frozenset(
    {
        "126.com", "163.com", "aol.com", "att.net", "comcast.net", "duck.com", "fastmail.com", "free.fr", "gmail.com",
        "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com",
        "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it", "icloud.com", "laposte.net", "libero.it", "live.com",
        "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "naver.com", "orange.fr", "outlook.com", "outlook.de",
        "outlook.fr", "pm.me", "posteo.de", "proton.me", "protonmail.com", "qq.com", "rocketmail.com", "t-online.de",
        "tutanota.com", "web.de", "yahoo.co.in", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.com.br", "yahoo.de",
        "yahoo.es", "yahoo.fr", "yandex.com", "yandex.ru", "ymail.com", "zoho.com",
    }
)  # fmt: skip
"""Domains of addresses that say nothing about an employer."""


def domain_of(values: pl.Series) -> pl.Series:
    """Take the domain of websites and e-mail addresses.

    Examples
    --------
    >>> domain_of(pl.Series(["https://www.North.example/home", "ann@north.example", "", None])).to_list()
    ['north.example', 'north.example', None, None]
    """
    return none_if_empty(text_of(values).alias("v").to_frame().select(_domain(pl.col("v"))).to_series())


def address_of(values: pl.Series) -> pl.Series:
    """Take the first e-mail address of a cell, in small letters.

    Examples
    --------
    >>> address_of(pl.Series(["Ann@north.example; ann@home.example", " "])).to_list()
    ['ann@north.example', None]
    """
    first = pl.col("v").str.replace(r"[,;].*$", "").str.strip_chars().str.to_lowercase()
    return none_if_empty(text_of(values).alias("v").to_frame().select(first).to_series())


def _domain(text: pl.Expr) -> pl.Expr:
    host = text.str.strip_chars().str.to_lowercase().str.replace(r"^[a-z]+://", "").str.replace(r"^.*@", "")
    return host.str.replace(r"^www\.", "").str.replace(r"[/:?#].*$", "").str.strip_chars(".")


def domains(users: pl.LazyFrame | None, accounts: pl.LazyFrame | None) -> pl.DataFrame | None:
    """Give the account (text) of each domain: that which states it, else that of the most users with such an address.

    Free mailers are nobody's domain, and a domain of which two accounts have equally many users is neither's.

    Parameters
    ----------
    users, accounts
        Canonical tables; None = there is none.

    Returns
    -------
    polars.DataFrame or None
        `domain` and `account_id`, each domain once; None where nothing can tell a domain.
    """
    parts = [part for part in (_stated(accounts), _of_users(users)) if part is not None]
    return pl.concat(parts).unique(DOMAIN, keep="first", maintain_order=True) if parts else None


def _stated(accounts: pl.LazyFrame | None) -> pl.DataFrame | None:
    if accounts is None or DOMAIN not in accounts.collect_schema():
        return None
    frame = accounts.select(pl.col(ACCOUNT_ID).cast(pl.String), DOMAIN).collect()
    return _of_one(
        frame.with_columns(domain_of(frame[DOMAIN]).alias(DOMAIN), pl.lit(1, dtype=pl.UInt32).alias("users"))
    )


def _of_users(users: pl.LazyFrame | None) -> pl.DataFrame | None:
    if users is None or not {ACCOUNT_ID, EMAIL, USER_ID} <= set(users.collect_schema()):
        return None
    frame = users.select(pl.col(ACCOUNT_ID).cast(pl.String), _domain(pl.col(EMAIL).cast(pl.String)).alias(DOMAIN))
    counted = frame.drop_nulls().group_by(DOMAIN, ACCOUNT_ID).agg(users=pl.len()).collect()
    # An account goes by the domain that most of its users have.
    first = counted.filter(~pl.col(DOMAIN).is_in(FREE_MAILERS)).sort("users", DOMAIN, descending=[True, False])
    return _of_one(first.unique(ACCOUNT_ID, keep="first", maintain_order=True))


def _of_one(counted: pl.DataFrame) -> pl.DataFrame:
    """Keep, of the accounts of a domain, the one with the most users, if it is one."""
    most = counted.drop_nulls().filter(pl.col("users") == pl.col("users").max().over(DOMAIN))
    return most.filter(pl.len().over(DOMAIN) == 1).select(DOMAIN, ACCOUNT_ID)
