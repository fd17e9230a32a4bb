"""The rate: what became of leads, by period, arm, contact and team."""
