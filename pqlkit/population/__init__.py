"""The entity: who exists, since when, of which account, and who paid."""
