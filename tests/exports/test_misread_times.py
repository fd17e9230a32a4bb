"""Times that a stated format does not read, and another would have: `load` says so."""

from __future__ import annotations

import pytest

from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.loading import load
from pqlkit.exports.mapping import Column, Source
from pqlkit.exports.project import Project


def project(path: str, form: str | None) -> Project:
    columns = {"timestamp": Column(names=("timestamp",), format=form)}
    return Project(exports={"events": Source(path=(path,), columns=columns)})


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (["01/02/2026"] * 3 + ["13/02/2026"], True),
        (["01/02/2026"] * 3 + ["13/02/2026", "02/13/2026"], False),
        (["01/02/2026"] * 3, False),
        (["01/02/2026", "NULL", "13/02/2026"], True),
    ],
)
def test_another_reading_that_fits_all_rows_is_said(exports, kind, tmp_path, times, said):
    path = exports.written(kind, "events", user_id=["u"] * len(times), event=["a"] * len(times), timestamp=times)
    intake = load(project(path, "%m/%d/%Y"), tmp_path / "out")
    sentence = f"events: 1 of {len(times) - times.count('NULL')} times of timestamp are not '%m/%d/%Y'; '%d/%m/%Y' reads all of them"
    assert (sentence in intake.warnings) is said


@pytest.mark.parametrize(
    ("times", "hint"),
    [
        (["13/02/2026", "14/02/2026"], 'format: "%d/%m/%Y"'),
        (["1767225600000"], 'format: "epoch_ms"'),
        (["soon"], "epoch_ns, excel, or a pattern"),
    ],
)
def test_times_of_which_none_is_read_are_told_with_their_format(exports, times, hint):
    path = exports.written("csv", "events", user_id=["u"] * len(times), event=["a"] * len(times), timestamp=times)
    with pytest.raises(DataError, match="not a time") as caught:
        open_dataset(events=path)
    assert hint in (caught.value.hint or "")
