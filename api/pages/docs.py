"""A page about the JSON API, made from its own OpenAPI description: no script, no other site."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.pages.language import language_of, words
from api.pages.rendering import render

router = APIRouter()


@dataclass(frozen=True, slots=True)
class FieldView:
    """A parameter, or a field of a body."""

    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class OperationView:
    """What can be asked at an address; `example` is a body to send, as JSON."""

    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[FieldView, ...]
    body: tuple[FieldView, ...]
    example: str | None


@dataclass(frozen=True, slots=True)
class DocsPage:
    """The page about the JSON API."""

    template: ClassVar[str] = "docs.html"
    title: str
    operations: tuple[OperationView, ...]


@router.get("/api/docs")
def docs(request: Request) -> HTMLResponse:
    """The page about the JSON API."""
    app: FastAPI = request.app
    page = DocsPage(words(language_of(request))("docs.title"), operations(app.openapi()))
    return render(request, page)


def operations(description: dict[str, Any]) -> tuple[OperationView, ...]:
    """The operations of an OpenAPI description, in its order."""
    schemas: dict[str, Any] = description.get("components", {}).get("schemas", {})
    found: list[OperationView] = []
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            body = _resolved(content.get("schema", {}), schemas)
            examples = body.get("examples", [])
            found.append(
                OperationView(
                    method=method.upper(),
                    path=path,
                    summary=operation.get("summary", ""),
                    description=operation.get("description", ""),
                    parameters=tuple(
                        FieldView(
                            item["name"],
                            _type(item["schema"], schemas),
                            item["required"],
                            item.get("description", item["schema"].get("description", "")),
                        )
                        for item in operation.get("parameters", ())
                    ),
                    body=tuple(_fields(body, schemas)),
                    example=json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else None,
                )
            )
    return tuple(found)


def _fields(schema: dict[str, Any], schemas: dict[str, Any], prefix: str = "") -> list[FieldView]:
    fields: list[FieldView] = []
    for name, item in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        fields.append(FieldView(prefix + name, _type(item, schemas), required, item.get("description", "")))
        for part in (item, *item.get("anyOf", ())):
            if "$ref" in part:
                fields += _fields(_resolved(part, schemas), schemas, f"{prefix}{name}.")
    return fields


def _type(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _type(_resolved(schema, schemas), schemas)
    if "anyOf" in schema:
        return " | ".join(_type(item, schemas) for item in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"[{_type(schema.get('items', {}), schemas)}]"
    return str(schema.get("type", "any"))


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schemas.get(name, schema)
    return found
