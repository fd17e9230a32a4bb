"""The export: project file, reading, canonical tables."""
