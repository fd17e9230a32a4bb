"""The snapshot: what had been done by when, and who converted after."""
