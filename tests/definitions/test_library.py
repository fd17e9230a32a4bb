from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pqlkit.definitions.describing import describe, evidence, missing
from pqlkit.definitions.documents import check_definition
from pqlkit.definitions.emitting import emit
from pqlkit.definitions.folders import Loaded, load_definitions
from pqlkit.definitions.model import EntityKind, leaves
from pqlkit.definitions.yaml_source import parse
from pqlkit.shipped import shipped

FILES = {Path(loaded.document.path).stem: loaded for loaded in load_definitions([shipped("definitions")])}
EXAMPLES = {
    "slack-team": EntityKind.ACCOUNT,
    "facebook-friends": EntityKind.USER,
    "drift-conversations": EntityKind.ACCOUNT,
    "dropbox-user": EntityKind.USER,
    "dropbox-limit": EntityKind.ACCOUNT,
    "crm-contact-limit": EntityKind.ACCOUNT,
    "crm-trial": EntityKind.USER,
    "design-tool": EntityKind.USER,
    "project-tool": EntityKind.ACCOUNT,
    "email-tool": EntityKind.USER,
    "onboarding-week": EntityKind.USER,
    "xero-invoices": EntityKind.ACCOUNT,
    "hubspot-gate": EntityKind.ACCOUNT,
    "minimum-viable": EntityKind.USER,
    "velocity": EntityKind.ACCOUNT,
    "breadth": EntityKind.USER,
    "repeat-usage": EntityKind.USER,
    "limit-reached": EntityKind.ACCOUNT,
    "team-rollout": EntityKind.ACCOUNT,
    "activated": EntityKind.USER,
    "activated-team": EntityKind.ACCOUNT,
    "scorecard": EntityKind.USER,
}


def test_every_example_of_the_documentation_is_there() -> None:
    assert set(FILES) == {*EXAMPLES, "returning"}  # success in facebook-friends


@pytest.mark.parametrize("stem", sorted(FILES))
def test_each_file_is_in_order(stem: str) -> None:
    loaded = FILES[stem]
    assert loaded.diagnostics == ()
    assert loaded.definition is not None
    assert loaded.definition.name == stem
    assert EXAMPLES.get(stem, EntityKind.USER) is loaded.definition.entity
    assert loaded.definition.owner
    assert loaded.definition.rationale


@pytest.mark.parametrize("stem", sorted(FILES))
def test_each_file_begins_with_the_line_for_editors(stem: str) -> None:
    first = FILES[stem].document.text.splitlines()[0]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (shipped("definitions") / schema).resolve().is_file()


@pytest.mark.parametrize("stem", sorted(FILES))
def test_each_file_survives_being_emitted(stem: str) -> None:
    definition = FILES[stem].definition
    assert definition is not None
    known = {name: loaded.definition for name, loaded in FILES.items()}
    again, found = check_definition(parse(emit(definition), "again.yml"), known.__getitem__)  # type: ignore[arg-type]
    assert found == []
    assert again is not None
    assert replace(again, path=definition.path) == definition


@pytest.mark.parametrize("stem", sorted(FILES))
def test_each_file_reads_as_a_sentence(stem: str) -> None:
    definition = FILES[stem].definition
    assert definition is not None
    sentence = describe(definition)
    assert sentence.startswith(("A user who", "An account that"))
    assert sentence.endswith(".")
    assert "None" not in sentence
    for part in leaves(definition.qualify):
        assert evidence(part, 1)
        assert missing(part, 0, limit=100)


SENTENCES = {
    "crm-trial": "A user who, within 14 days of signup, has contacts adding up to at least 50 in contacts_imported events, "
    "at least one pipeline_created event and 5 or more days with login. Only users whose signup_plan is free or"
    ' trial and whose email does not match "@example\\.com$". Success is a conversion within 30 days of '
    "qualifying, where amount is at least 2 and which lasts 90 days. A lead is fresh for 30 days and may "
    "qualify again 90 days after it lapsed.",
    "dropbox-user": "A user who, within 30 days of signup, has at least one desktop_app_installed event, at least one "
    "file_uploaded event and (a latest stored_bytes value of at least 1,000,000,000 in storage_measured events "
    "or 2 or more different device_id values in device_linked events). Success is a conversion within 60 days "
    "of qualifying.",
    "dropbox-limit": "An account that, at any time, has a latest stored_bytes value of at least 80 % of storage_limit in "
    "storage_measured events. Success is a conversion within 30 days of qualifying.",
    "breadth": "A user who, within 14 days of signup, has at least 2 of: at least one teammate_invited event; at least one"
    " integration_connected event; at least one template_used event. Success is a conversion within 30 days of "
    "qualifying.",
    "activated-team": "An account that has 3 or more users qualified as activated. Success is a conversion within 30 days of "
    "qualifying.",
    "facebook-friends": "A user who, within 10 days of signup, has 7 or more different friend_id values in friend_added events. "
    "Success is meeting the definition returning within 30 days of qualifying.",
    "scorecard": "A user who has at least 75 of 100 points: 40 for contacts adding up to at least 50 in contacts_imported "
    "events within 14 days of signup; 35 for at least one pipeline_created event within 14 days of signup; 25 "
    "for 5 or more days with login within 14 days of signup. Success is a conversion within 30 days of "
    "qualifying.",
}


@pytest.mark.parametrize("stem", sorted(SENTENCES))
def test_the_sentences_themselves(stem: str) -> None:
    loaded: Loaded = FILES[stem]
    assert loaded.definition is not None
    assert describe(loaded.definition) == SENTENCES[stem]
