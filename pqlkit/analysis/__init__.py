"""The finding: looks, tables, associations, leaks."""
