"""The query service as an ASGI application."""

from collections.abc import Sequence
from importlib.resources import files

import msgspec
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from airside.serving.by_key import ByKey
from airside.serving.resources import RESOURCES, about
from airside.serving.service import Service
from airside.web.app import make_app
from airside.web.handler import Edge
from airside.web.openapi import Json, document, openapi

EXAMPLES = "examples.json"  # written by `python -m tests.kit.examples`


def query_app(service: Service, edge: Edge, *, more: Sequence[BaseRoute] = ()) -> Starlette:
    """All resources, the OpenAPI document, and `more` routes: the console, metrics."""
    app = make_app([*RESOURCES, openapi(query_document)], service, edge, more=more)
    app.state.quick = ByKey(service, edge)
    return app


def query_document() -> Json:
    """The OpenAPI document of the query service."""
    examples = msgspec.json.decode(files(__package__).joinpath(EXAMPLES).read_bytes())
    return document([*RESOURCES, openapi(dict)], about(), examples)
