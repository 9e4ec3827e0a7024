"""`GET /api/v1/profiles` and `GET /api/v1/profiles/{id}`: who is here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api import demonstration
from api.accounts.key_access import Allows
from api.accounts.keys import Scope
from api.dependencies import ServiceDependency
from api.directory import DirectoryQuery, look_up
from api.problems import ProblemError
from api.routes.schemas import DirectoryOut, ProfileDetailOut, ProfileOut
from corpora.directory_store import Directory
from corpora.model import ProfileKind
from corpora.store import Records

router = APIRouter(prefix="/api/v1", tags=["profiles"], dependencies=[Depends(Allows(Scope.READ))])

MAX_OFFSET = 1_000_000


@router.get("/profiles", summary="The directory")
def list_profiles(
    service: ServiceDependency,
    q: Annotated[str, Query(max_length=200, description="Name, acronym, or something like it.")] = "",
    kind: ProfileKind | None = None,
    organisation: Annotated[str | None, Query(description="Id of an institute.")] = None,
    roadmap: Annotated[str | None, Query(description="Code of an HTSM roadmap.")] = None,
    language: str | None = None,
    region: str | None = None,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DirectoryOut:
    """A page of the directory, by name; with `q`, what looks most like it first."""
    query = DirectoryQuery(q, kind, organisation, roadmap, language, region)
    with service.reading() as session:
        listing = look_up(Directory(session), query, offset, limit)
    return DirectoryOut(
        total=listing.total,
        offset=offset,
        profiles=[ProfileOut.of_entry(entry) for entry in listing.entries],
    )


@router.get("/profiles/{profile_id:path}", summary="A profile with its documents")
def get_profile(profile_id: str, service: ServiceDependency) -> ProfileDetailOut:
    """All that a profile shows; 404 when there is none, or when it has been erased."""
    with service.reading() as session:
        profile = Records(session).get_profile(profile_id)
    if profile is None:
        raise ProblemError(
            404,
            "no_such_profile",
            f"expected the id of a profile, found {profile_id[:100]!a}; see GET /api/v1/profiles",
        )
    return ProfileDetailOut.of_record(profile, profile.id in demonstration.profile_ids())
