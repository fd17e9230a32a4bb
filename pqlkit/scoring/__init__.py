"""The lead: status, evidence, ledger, alerts."""
