"""The definition: model, YAML, lint."""
