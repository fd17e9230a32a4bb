"""The contract: any result as the dictionary that its JSON spells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.proposal.proposed import Proposal
    from pqlkit.proposal.trying import Trial
    from pqlkit.rates.report import Report
    from pqlkit.typing import Json


def as_record(result: Analysis | Proposal | Trial | Report) -> dict[str, Json]:
    """Give what ``--format json`` writes of a result, as plain Python values.

    Parameters
    ----------
    result
        Of `analyze`, `propose`, `try_` or `report`. Leads are a frame already.
    """
    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.proposal.proposed import Proposal
    from pqlkit.proposal.trying import Trial
    from pqlkit.reporting.records import analysis, proposal, report, trial

    if isinstance(result, Analysis):
        return analysis.record(result)
    if isinstance(result, Proposal):
        return proposal.record(result)
    if isinstance(result, Trial):
        return trial.record(result)
    return report.record(result)
