"""What the JSON API takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from corpora.model import ProfileKind
from matcher.model import Filters

MAX_LIMIT = 100

Names = Annotated[
    list[str], BeforeValidator(lambda value: [] if value is None else value), Field(max_length=1000)
]
Kinds = Annotated[list[ProfileKind], BeforeValidator(lambda value: [] if value is None else value)]


class FiltersIn(BaseModel):
    """What to search in; an empty list does not restrict. Research groups unless `kinds` says otherwise."""

    model_config = ConfigDict(extra="forbid")

    kinds: Kinds = Field(default=[], description="Kinds of profile.")
    roadmaps: Names = Field(default=[], description="Codes of HTSM roadmaps; any of them.")
    organisations: Names = Field(default=[], description="Ids or names of institutes.")
    regions: Names = Field(default=[], description="Regions of profiles.")
    languages: Names = Field(default=[], description="Languages of profiles, ISO 639-1.")


class NeedIn(BaseModel):
    """A need to match. It is answered and not kept."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "text": "Wie kan ons helpen om dunwandig aluminium te lassen zonder vervorming?",
                    "language": "nl",
                    "filters": {"kinds": ["research_group"]},
                    "limit": 5,
                }
            ]
        },
    )

    text: str = Field(description="The need in words, at most 20,000 characters.")
    language: str | None = Field(
        default=None, pattern="^[a-z]{2}$", description="ISO 639-1; detected when absent."
    )
    filters: FiltersIn | None = None
    limit: int = Field(default=20, ge=1, le=MAX_LIMIT, description="How many matches at most.")


def filters_of(filters: FiltersIn | None) -> Filters:
    """The pipeline's filters."""
    given = filters or FiltersIn()
    return Filters(
        kinds=tuple(given.kinds),
        roadmaps=tuple(given.roadmaps),
        organisations=tuple(given.organisations),
        regions=tuple(given.regions),
        languages=tuple(given.languages),
    )
