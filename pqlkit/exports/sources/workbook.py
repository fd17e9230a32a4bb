"""The workbook: one sheet of an Excel or OpenDocument file as CSV, every cell as the text that it shows."""

from __future__ import annotations

import csv
import zipfile
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pqlkit.errors import DataError, UsageError, suggestion
from pqlkit.exports.sources.extra import needed

if TYPE_CHECKING:
    from pathlib import Path

_OLD: Final = b"\xd0\xcf\x11\xe0"
_ZIP: Final = b"PK\x03\x04"
_OPEN_DOCUMENT: Final = b"application/vnd.oasis.opendocument.spreadsheet"


def is_workbook(path: Path, head: bytes) -> bool:
    """Tell whether a file is a workbook, from its first bytes and the names in its archive."""
    if head.startswith(_OLD):
        return True
    if not head.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(name.startswith("xl/") for name in names):
                return True
            return "mimetype" in names and archive.read("mimetype").startswith(_OPEN_DOCUMENT)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
        return False


def export(path: Path, sheet: str | None, target: Path, name: str) -> None:
    """Write a sheet as CSV, rows without any text left out.

    Dates become ISO dates and whole numbers have no point, so that ids and times read as in other files.

    Parameters
    ----------
    path, target
        The workbook and the CSV file.
    sheet
        The sheet's name; None = the only one.
    name
        How messages call the workbook.

    Raises
    ------
    DataError
        The file is damaged or locked by a password, or the sheet is empty.
    UsageError
        There is no such sheet, or several and none was named.
    """
    fastexcel = needed("fastexcel", extra="excel", what="a workbook")
    try:
        reader = fastexcel.read_excel(path)
        # No row is the header here: titles above it are for the reading of CSV to find.
        frame = pl.DataFrame(reader.load_sheet(_chosen(reader, sheet, name), header_row=None, dtypes="string"))
    except fastexcel.FastExcelError as error:
        raise DataError(f"the workbook cannot be read: {str(error).splitlines()[0]}", where=name, hint=_HINT) from error
    rows = [row for row in frame.rows() if any(cell is not None and cell.strip() for cell in row)]
    if not rows:
        raise DataError("the sheet is empty", where=name)
    with target.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


_HINT: Final = "is it open, damaged or locked by a password? Save it again, or as CSV"


def _chosen(reader: Any, sheet: str | None, name: str) -> str:
    sheets: list[str] = reader.sheet_names
    if sheet is None:
        if len(sheets) == 1:
            return sheets[0]
        raise UsageError(
            f"{len(sheets)} sheets ({', '.join(sheets[:12])})",
            where=name,
            hint=f"state sheet: NAME in pqlkit.yml, or {name}!NAME",
        )
    if sheet in sheets:
        return sheet
    raise UsageError(
        f"there is no sheet {sheet!r}",
        where=name,
        hint=suggestion(sheet, sheets, f"write one of {', '.join(sheets[:12])}"),
    )
