"""The output: records (JSON), renderers (text) and pages (HTML) of what was found."""
