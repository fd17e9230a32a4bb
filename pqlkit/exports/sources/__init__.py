"""The places where exports live: stores, web servers, databases and workbooks, each brought here as files.

Whatever it is, it becomes a file in a staging folder (`landing`); everything after is as for files that were here.
"""
