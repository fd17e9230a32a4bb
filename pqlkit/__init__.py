"""pqlkit: find which behaviour in a product says that a free user is about to pay.

The names of `__all__` are the public API, the same steps as the commands; ``docs/library.md`` walks through them. Each is
loaded when it is first used: ``import pqlkit`` costs next to nothing. Everything else may move.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

# Before Polars is loaded: without it a Parquet column of intervals is a panic, and no other column can be read beside it.
os.environ.setdefault("POLARS_IMPORT_INTERVAL_AS_STRUCT", "1")

if TYPE_CHECKING:
    from pqlkit.analysis.analyzing import Analysis, analyze
    from pqlkit.definitions.describing import describe
    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.emitting import emit
    from pqlkit.definitions.folders import load_definition
    from pqlkit.definitions.model import Definition
    from pqlkit.definitions.validation import validate
    from pqlkit.durations import Duration
    from pqlkit.errors import DataError, DefinitionError, EngineError, OutputError, PqlkitError, UsageError
    from pqlkit.exports.dataset import Dataset, open_dataset
    from pqlkit.exports.frames import dataset_of
    from pqlkit.exports.intake import Intake
    from pqlkit.exports.loading import load
    from pqlkit.exports.project import Project, read_project
    from pqlkit.measures.evaluation import Evaluation, evaluate
    from pqlkit.options.data import ExtentOptions
    from pqlkit.options.search import ProposeOptions
    from pqlkit.options.settings import Settings
    from pqlkit.population.population import Population, population_of
    from pqlkit.proposal.proposed import Proposal
    from pqlkit.proposal.proposing import propose
    from pqlkit.proposal.trying import Trial, try_
    from pqlkit.rates.report import Report, report
    from pqlkit.reporting.records.contract import as_record
    from pqlkit.scoring.scoring import Leads, score
    from pqlkit.snapshots.snapshots import Snapshots, snapshots_of
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.rate import Rate

__all__ = [
    "Analysis",
    "Contingency",
    "DataError",
    "Dataset",
    "Definition",
    "DefinitionError",
    "Diagnostic",
    "Duration",
    "EngineError",
    "Evaluation",
    "ExtentOptions",
    "Intake",
    "Leads",
    "OutputError",
    "Population",
    "PqlkitError",
    "Project",
    "Proposal",
    "ProposeOptions",
    "Rate",
    "Report",
    "Settings",
    "Snapshots",
    "Trial",
    "UsageError",
    "__version__",
    "analyze",
    "as_record",
    "dataset_of",
    "describe",
    "emit",
    "evaluate",
    "load",
    "load_definition",
    "open_dataset",
    "population_of",
    "propose",
    "read_project",
    "report",
    "score",
    "snapshots_of",
    "try_",
    "validate",
]

__version__: str

_HOMES: Final = {
    "analysis.analyzing": "Analysis analyze",
    "snapshots.snapshots": "Snapshots snapshots_of",
    "population.population": "Population population_of",
    "options.data": "ExtentOptions",
    "options.settings": "Settings",
    "definitions.describing": "describe",
    "definitions.diagnostics": "Diagnostic",
    "definitions.emitting": "emit",
    "definitions.folders": "load_definition",
    "definitions.model": "Definition",
    "definitions.validation": "validate",
    "durations": "Duration",
    "errors": "DataError DefinitionError EngineError OutputError PqlkitError UsageError",
    "exports.dataset": "Dataset open_dataset",
    "exports.frames": "dataset_of",
    "exports.intake": "Intake",
    "exports.loading": "load",
    "exports.project": "Project read_project",
    "measures.evaluation": "Evaluation evaluate",
    "proposal.proposed": "Proposal",
    "proposal.proposing": "propose",
    "proposal.trying": "Trial try_",
    "options.search": "ProposeOptions",
    "reporting.records.contract": "as_record",
    "rates.report": "Report report",
    "scoring.scoring": "Leads score",
    "statistics.contingency": "Contingency",
    "statistics.rate": "Rate",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from pqlkit.shipped import version

        return version()
    for home, names in _HOMES.items():
        if name in names.split():
            from importlib import import_module

            return globals().setdefault(name, getattr(import_module(f"pqlkit.{home}"), name))
    raise AttributeError(f"module 'pqlkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
