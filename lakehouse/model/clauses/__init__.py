"""The clauses of a contract, one frozen class each, in the order in which they apply.

A new clause is one module here and one entry in `CLAUSES`; its place in the tuple is its stage.
"""

from typing import Annotated

from pydantic import Field

from lakehouse.model.clauses.base import Clause, Condition, Flow, Part, Step, Stream, Usage
from lakehouse.model.clauses.distribution_fee import DistributionFee
from lakehouse.model.clauses.master_share import MasterShare
from lakehouse.model.clauses.producer_points import ProducerPoints
from lakehouse.model.clauses.publishing_share import PublishingShare
from lakehouse.model.clauses.territory_deduction import TerritoryDeduction

CLAUSES: tuple[type[Clause], ...] = (DistributionFee, TerritoryDeduction, PublishingShare, MasterShare, ProducerPoints)
STAGES: tuple[str, ...] = tuple(clause.stage() for clause in CLAUSES)

AnyClause = Annotated[
    DistributionFee | TerritoryDeduction | PublishingShare | MasterShare | ProducerPoints, Field(discriminator="clause")
]

__all__ = ["CLAUSES", "STAGES", "AnyClause", "Clause", "Condition", "Flow", "Part", "Step", "Stream", "Usage"]
