"""The JSON Schema of a contract book's documents, for completion in editors."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from lakehouse.model.contracts import Contract
from lakehouse.model.lint import Preset
from lakehouse.model.rules import BookRules


def book_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a document of a book: a contract, the rules of the book, or a preset."""
    schema = TypeAdapter(Contract | BookRules | Preset).json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A document of a contract book", **schema}
