"""The rendering of a report: one file per format, all over the same `Report`."""
