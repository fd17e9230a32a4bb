"""The finding: snapshots, tables, associations, leaks."""
