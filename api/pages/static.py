"""Styles, scripts and fonts."""

from __future__ import annotations

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOR_EVER = "public, max-age=31536000, immutable"
FOR_AN_HOUR = "public, max-age=3600"


class StaticAssets(StaticFiles):
    """Files that may be cached: for ever when the address carries a mark of their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it keeps."""
        response = await super().get_response(path, scope)
        marked = scope.get("query_string", b"").startswith(b"v=")
        response.headers["Cache-Control"] = FOR_EVER if marked else FOR_AN_HOUR
        return response
