"""The page: a result as one self-contained HTML file that opens offline, without scripts."""
