"""The synonym: folded headers under which exports hold canonical columns, the best first."""

from __future__ import annotations

from typing import Final

from pqlkit.columns import (
    ACCOUNT_ID,
    AMOUNT,
    ANONYMOUS_ID,
    CONVERTED_AT,
    DELETED_AT,
    ENDED_AT,
    EVENT,
    EVENT_ID,
    FROM_PLAN,
    KIND,
    PLAN,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
)
from pqlkit.exports.tables import ACCOUNTS, CONVERSIONS, DOMAIN, EMAIL, EVENTS, IDENTITIES, USERS

_USER: Final = (
    "userid", "uid", "distinctid", "personid", "memberid", "visitorid", "externalid", "externaluserid", "appuserid", "localid",
    "usersub", "sub", "profileid", "contactid", "user",
)  # fmt: skip
_ACCOUNT: Final = (
    "accountid", "orgid", "organizationid", "organisationid", "companyid", "workspaceid", "teamid", "groupid", "tenantid",
    "associatedcompanyidsprimary", "associatedcompanyids", "associatedcompanyid", "account", "org", "organization",
    "organisation", "company", "workspace", "team", "tenant",
)  # fmt: skip
_SIGNED_UP: Final = (
    "signedupat", "signupat", "signupdate", "signuptime", "signupts", "signedup", "signupon", "signup", "registeredat",
    "registeredon", "registrationdate", "registrationtime", "registration", "userregistered", "registered", "datejoined",
    "joinedat", "joinedon", "joindate", "joined", "membersince", "customersince", "accountcreatedat", "accountcreated",
    "usercreatedat", "usercreatedate", "createdat", "createdon", "createddate", "createdate", "createdtime", "createtime",
    "datecreated", "creationdate", "creationtime", "created", "personcreated", "insertedat", "firstseenat", "firstseentime",
    "firstseen", "trialstartedat", "trialstart",
)  # fmt: skip
_DELETED: Final = ("deletedat", "deletedon", "removedat", "deactivatedat", "deactivatedon", "closedat")
_EMAIL: Final = (
    "email", "emailaddress", "useremail", "workemail", "primaryemail", "contactemail", "customeremail", "personemailwork",
    "personemail", "emailwork", "billingemail", "receiptemail", "mail",
)  # fmt: skip
_DOMAIN: Final = ("domain", "companydomainname", "companydomain", "emaildomain", "websitedomain", "website")

SYNONYMS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    EVENTS: {
        USER_ID: (*_USER, "customerid"),
        ACCOUNT_ID: _ACCOUNT,
        ANONYMOUS_ID: ("anonymousid", "deviceid", "cookieid", "clientid"),
        EVENT: ("event", "eventname", "eventtype", "name", "action", "activity", "page", "type"),
        TIMESTAMP: (
            "timestamp", "ts", "time", "eventtime", "eventtimestamp", "occurredat", "datetime", "createdat", "sentat", "date",
            "day",
        ),
        EVENT_ID: ("eventid", "messageid", "insertid", "eventuuid", "uuid"),
    },
    USERS: {
        USER_ID: (*_USER, "recordid", "customerid", "objectid", "guid", "uuid", "id"),
        ACCOUNT_ID: _ACCOUNT,
        SIGNED_UP_AT: _SIGNED_UP,
        DELETED_AT: _DELETED,
        EMAIL: _EMAIL,
    },
    IDENTITIES: {
        ANONYMOUS_ID: (
            "anonymousid", "anonid", "previousid", "oldid", "deviceid", "cookieid", "clientid", "visitorid", "alias", "fromid",
        ),
        USER_ID: ("userid", "newid", "knownid", "uid", "personid", "memberid", "externalid", "user", "toid"),
    },
    ACCOUNTS: {
        ACCOUNT_ID: (*_ACCOUNT, "recordid", "objectid", "guid", "uuid", "id"),
        SIGNED_UP_AT: _SIGNED_UP,
        DELETED_AT: _DELETED,
        DOMAIN: _DOMAIN,
    },
    CONVERSIONS: {
        USER_ID: (*_USER, "customerid", "accountcode"),
        ACCOUNT_ID: _ACCOUNT,
        CONVERTED_AT: (
            "convertedat", "conversiontime", "conversiondate", "upgradedat", "upgradedate", "upgradedon", "paidat",
            "statustransitionspaidat", "paidon", "paymentdate", "paymenttime", "collectedat", "billedat", "purchasedat",
            "purchasedate", "purchasetime", "subscribedat", "activatedat", "wontime", "wonat", "wondate", "closedate",
            "closeddate", "startdate", "startedat", "starttime", "start", "orderdate", "timestamp", "createddate", "createdat",
            "created", "time", "date",
        ),
        ENDED_AT: (
            "endedat", "expiredat", "expiresat", "terminatedat", "enddate", "effectiveendtime", "churnedat", "canceledat",
            "cancelledat",
        ),
        PLAN: (
            "plan", "planname", "plancode", "planid", "newplan", "toplan", "productname", "productidentifier", "product",
            "variantname", "pricename", "priceid", "planpriceid", "tier", "package",
        ),
        FROM_PLAN: ("fromplan", "previousplan", "oldplan", "planbefore"),
        AMOUNT: (
            "amount", "amountpaid", "amountusd", "grandtotal", "total", "mrr", "revenue", "value", "dealvalue", "price",
            "unitamount", "priceinusd",
        ),
        KIND: ("kind", "conversiontype"),
        EMAIL: _EMAIL,
        DOMAIN: _DOMAIN,
    },
}  # fmt: skip
"""Table -> canonical column -> folded headers (`pqlkit.exports.headers.folded`)."""

STATUS: Final = (
    "status", "state", "dealstage", "stagename", "stage", "dealstatus", "iswon", "isclosedwon", "paid", "refunded", "captured",
    "subscriptionstatus", "paymentstatus", "invoicestatus", "livemode", "mode", "istrial", "istrialperiod", "billingreason",
    "dealtype",
)  # fmt: skip
"""Folded headers of columns that may say which rows are upgrades."""

NAMES_OF_COMPANIES: Final = frozenset(
    {"account", "org", "organization", "organisation", "company", "workspace", "team", "tenant"}
)
"""Folded headers that may hold an account's name as well as its id."""
