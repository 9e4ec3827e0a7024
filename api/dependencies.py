"""What routes and pages are handed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from api.service import Service


def service_of(request: Request) -> Service:
    """The service of the application that answers this request."""
    service: Service = request.app.state.service
    return service


ServiceDependency = Annotated[Service, Depends(service_of)]
