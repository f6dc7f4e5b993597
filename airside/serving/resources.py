"""The table of the query service: everything that it answers, but for pages and files."""

from importlib.metadata import version

from airside.documents.resource import DOCUMENTS
from airside.serving.account_resources import ACCOUNT_RESOURCES
from airside.serving.across_resources import ACROSS_RESOURCES
from airside.serving.live_resources import LIVE_RESOURCES
from airside.serving.operations_resources import OPERATIONS_RESOURCES
from airside.serving.service import Service
from airside.web.health import HEALTH
from airside.web.openapi import About
from airside.web.resource import Resource

RESOURCES: tuple[Resource[Service], ...] = (
    *ACCOUNT_RESOURCES,
    *LIVE_RESOURCES,
    *ACROSS_RESOURCES,
    *DOCUMENTS,
    *OPERATIONS_RESOURCES,
    *HEALTH,
)


def about() -> About:
    """What the OpenAPI document says of the service."""
    return About(
        title="airside: query service",
        version=version("airside"),
        description=(
            "What happened to licenses for offline viewing, answered from read models. Every "
            "answer says from when it is; with `min_version` it waits for an event that the "
            "asker knows of. Instants are milliseconds since 1970 in UTC and end in `at`. "
            "Errors are problem documents (RFC 9457)."
        ),
        tags={
            "accounts": "One account: a member's own, anybody's for support.",
            "across": "Over all accounts, for support.",
            "operations": "How the pipeline stands, for operators.",
            "health": "For whoever runs the process.",
            "about": "What there is.",
        },
    )
