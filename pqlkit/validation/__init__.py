"""The fact: what lint rules and reviews need to know of the data."""
