"""`GET /api/v1/me`: whose key this is, and what it may do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.accounts.key_access import Caller, Demands
from api.accounts.keys import Scope
from api.accounts.model import Role

router = APIRouter(prefix="/api/v1", tags=["account"])


class GrantOut(BaseModel):
    """A role at an organisation: its id or name, empty for all of them."""

    role: Role
    organisation: str


class KeyOut(BaseModel):
    """The key of this call; `prefix` is how it begins."""

    name: str
    prefix: str
    scopes: list[Scope]
    expires_at: datetime


class MeOut(BaseModel):
    """Whose key it is."""

    address: str
    name: str
    roles: list[GrantOut]
    key: KeyOut


@router.get("/me", summary="Whose key is this, and what may it do?")
def me(caller: Annotated[Caller, Depends(Demands(Scope.READ))]) -> MeOut:
    """The person of the key, with their roles; 401 without one."""
    person, key = caller.person, caller.key
    return MeOut(
        address=person.address,
        name=person.name,
        roles=[GrantOut(role=grant.role, organisation=grant.organisation) for grant in person.grants],
        key=KeyOut(name=key.name, prefix=key.prefix, scopes=sorted(key.scopes), expires_at=key.expires_at),
    )
