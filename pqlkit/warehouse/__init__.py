"""The warehouse: a definition as one SQL query."""
