"""Options of `pqlkit score`: refuse those that do not go together, and say what one night is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.model import EntityKind
from pqlkit.options.output import Format, OutputOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.model import Definition
    from pqlkit.exports.days_off import DaysOff
    from pqlkit.options.leads import ScoreOptions
    from pqlkit.scoring.night import Order


def check(options: ScoreOptions, out: OutputOptions) -> None:
    """Refuse options that do not go together.

    Raises
    ------
    UsageError
        Naming what is missing.
    """
    from pqlkit.errors import UsageError

    if not options.definition:
        raise UsageError("score needs a definition", hint="pqlkit score definitions/NAME.yml")
    if options.ledger is not None and options.previous is not None:
        raise UsageError("--ledger and --previous both say what was before", hint="leave one of them out")
    if options.only_new and options.ledger is None and options.previous is None:
        raise UsageError("--only-new needs earlier leads", hint="add --ledger leads.ledger, or --previous LEADS")
    if options.notify is not None and options.ledger is None:
        raise UsageError(
            "--notify needs --ledger FILE: without it, nobody is alerted only once", hint="add --ledger leads.ledger"
        )
    if options.only_new and options.all:
        raise UsageError("--only-new and --all contradict each other", hint="leave one of them out")
    if options.properties is not None and options.preset is None:
        raise UsageError("--properties lists the fields of a CRM", hint="add --preset hubspot or --preset salesforce")
    several = len(options.definition) > 1
    if several and options.previous is not None:
        raise UsageError("--previous is the list of one definition", hint="with several -d, use --ledger FILE")
    if several and out.out is None and out.format in {Format.CSV, Format.JSON}:
        raise UsageError("several definitions give several lists", hint="name a folder with --out DIR")
    if several and out.out is not None and out.out.is_file():
        raise UsageError(
            f"{out.out} is a file; with several -d, --out is a folder", hint="name a folder with --out DIR"
        )


def refuse_unready(definitions: Sequence[Definition], options: ScoreOptions) -> None:
    """Refuse to hand over the leads of a definition that nobody has put to work.

    Raises
    ------
    UsageError
        One is a hypothesis or retired, and its leads would be remembered, sent, or imported.
    """
    from pqlkit.definitions.model import Status
    from pqlkit.errors import UsageError

    asked = {"--ledger": options.ledger, "--notify": options.notify, "--preset": options.preset}
    given = next((name for name, value in asked.items() if value is not None), None)
    if given is None:
        return
    for definition in definitions:
        if definition.status is Status.RETIRED:
            raise UsageError(
                f"{definition.name} is retired, and {given} hands its leads over",
                where=definition.path,
                hint="leave it out, or write status: active into it",
            )
        if definition.status is Status.HYPOTHESIS and not options.allow_hypothesis:
            raise UsageError(
                f"{definition.name} is a hypothesis, and {given} hands its leads over",
                where=definition.path,
                hint="write status: active into it once it is agreed on, or add --allow-hypothesis",
            )


def refuse_keyless(definitions: Sequence[Definition], options: ScoreOptions) -> None:
    """Refuse a file for a CRM that does not say which record each row is.

    Raises
    ------
    UsageError
        Neither a key is named, nor the id called as a field of the CRM.
    """
    from pqlkit.errors import UsageError

    for definition in definitions:
        name = f"{definition.entity}_id"
        if options.preset is not None and options.key is None and name not in (options.rename or {}):
            usual = "email" if definition.entity is EntityKind.USER else "domain"
            raise UsageError(
                f"--preset {options.preset} does not say by what the CRM knows {definition.entity}s",
                hint=f"add --key {usual}, --key TRAIT, or --rename {name}=FIELD with the name of a unique field",
            )


def order(options: ScoreOptions, days_off: DaysOff) -> Order:
    """Turn the options, and the days off of the project, into values.

    Raises
    ------
    UsageError
        An option cannot be read.
    DataError
        The file of ``--suppress`` cannot be read.
    """
    from pqlkit.errors import UsageError
    from pqlkit.scoring.guards import Guards
    from pqlkit.scoring.lead_file import Shape
    from pqlkit.scoring.night import Order
    from pqlkit.scoring.suppression import suppressed

    guards = Guards(max_new=options.max_new, min_new=options.min_new, max_age=options.max_age, days_off=days_off)
    if guards.relative and options.ledger is None:
        raise UsageError(
            "--max-new and --min-new as a multiple need the nights before", hint="add --ledger FILE, or write a number"
        )
    told = options.ledger is not None or options.previous is not None or options.since is not None
    if (guards.max_new is not None or guards.min_new is not None) and not told:
        raise UsageError(
            "--max-new and --min-new need to know who is new", hint="add --ledger FILE, --previous LEADS or --since 7d"
        )
    return Order(
        every=options.all,
        only_new=options.only_new,
        since=options.since,
        control=options.control,
        suppressed=frozenset() if options.suppress is None else suppressed(options.suppress),
        guards=guards,
        accepted=options.accept_change,
        shape=Shape(columns=options.columns, rename=options.rename or {}, preset=options.preset, key=options.key),
        notify=options.notify is not None,
    )
