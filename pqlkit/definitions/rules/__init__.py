"""The rule: one file each, named after its code; `registry` finds them, nothing lists them by hand."""
