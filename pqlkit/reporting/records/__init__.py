"""The record: a result as the JSON contract spells it (plain dicts and lists)."""
