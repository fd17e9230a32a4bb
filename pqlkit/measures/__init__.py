"""The measurement: how much, and when."""
