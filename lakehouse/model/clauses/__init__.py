"""The clauses of a contract, one frozen class each.

A new clause is a class here, an entry in `CLAUSES`, and, where it works on lines, its place in `STAGES`.
"""

from typing import Annotated

from pydantic import Field

from lakehouse.model.clauses.accounts import Advance, Cost, MinimumGuarantee, Withholding
from lakehouse.model.clauses.base import STAGES, AccountClause, Clause, Flow, Part, Step, Stream
from lakehouse.model.clauses.condition import DIMENSIONS, Condition
from lakehouse.model.clauses.deductions import Deduction, DeductionClause, FreeGoods, Packaging, TerritoryDeduction
from lakehouse.model.clauses.distribution_fee import DistributionFee, Fee, ImporterFee, SubPublisherFee
from lakehouse.model.clauses.escalation import Count, Counter
from lakehouse.model.clauses.fixed_fee import FixedFee
from lakehouse.model.clauses.master_share import MasterShare, RoyaltyClause
from lakehouse.model.clauses.mechanical import Mechanical
from lakehouse.model.clauses.producer_points import Participation, PointsClause, ProducerPoints
from lakehouse.model.clauses.publishing_share import PublishingShare
from lakehouse.model.clauses.reserve import Reserve
from lakehouse.model.clauses.split import Split
from lakehouse.model.clauses.statutory_split import StatutorySplit
from lakehouse.model.clauses.usage import Usage
from lakehouse.model.clauses.writer_share import WriterShare

CLAUSES: tuple[type[Clause], ...] = (
    FixedFee, DistributionFee, ImporterFee, SubPublisherFee, Packaging, FreeGoods, TerritoryDeduction, Deduction, PublishingShare,
    MasterShare, WriterShare, StatutorySplit, Reserve, ProducerPoints, Participation, Mechanical, Split, Cost, Advance, MinimumGuarantee,
    Withholding,
)  # fmt: skip

AnyClause = Annotated[
    FixedFee
    | DistributionFee
    | ImporterFee
    | SubPublisherFee
    | Packaging
    | FreeGoods
    | TerritoryDeduction
    | Deduction
    | PublishingShare
    | MasterShare
    | WriterShare
    | StatutorySplit
    | Reserve
    | ProducerPoints
    | Participation
    | Mechanical
    | Split
    | Cost
    | Advance
    | MinimumGuarantee
    | Withholding,
    Field(discriminator="clause"),
]

__all__ = [
    "CLAUSES", "DIMENSIONS", "STAGES", "AccountClause", "Advance", "AnyClause", "Clause", "Condition", "Cost", "Count", "Counter",
    "DeductionClause", "Fee", "FixedFee", "Flow", "MasterShare", "MinimumGuarantee", "Part", "PointsClause", "ProducerPoints", "Reserve", "RoyaltyClause", "Split",
    "StatutorySplit", "Step", "Stream", "Usage", "Withholding",
]  # fmt: skip
