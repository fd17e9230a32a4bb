"""The warehouse: a definition as one SQL query, and as a dbt model."""
