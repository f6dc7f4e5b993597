"""The gateway's OpenAPI document."""

from importlib.metadata import version
from typing import Any

from msgspec import to_builtins

from airside.gateway.answers import BatchAnswer, CommandAnswer
from airside.gateway.resources import EXAMPLE, RESOURCES
from airside.web.openapi import About, document
from projectors.outcomes import Outcome

ABOUT_TEXT = (
    "Takes commands and puts them onto the commands topic; it decides nothing. Send the same "
    "request again, with the same Idempotency-Key, until there is an answer of success: the "
    "command takes effect at most once."
)


def document_of_gateway() -> dict[str, Any]:
    """The document, made of the table of resources and of the commands' classes."""
    about = About(
        title="airside gateway",
        version=version("airside"),
        description=ABOUT_TEXT,
        tags={"commands": "What devices and operators ask for.", "health": "Is it there."},
    )
    return document(RESOURCES, about, _examples())


def _examples() -> dict[str, Any]:
    command_id, at = EXAMPLE["key"].replace("-", ""), 1_732_456_800_000
    outcome = Outcome(
        status="accepted",
        account_id="a1",
        at=at + 40,
        seq=42,
        version=3,
        catalog_version=1,
        events={"LicenseIssued": 1},
        license_ids=("5f0c1cb6e0a85c5f8ac0a4b1f3f6c1d2",),
        expires_at=at + 2_592_000_000,
    )
    one = CommandAnswer(command_id, "a1", at, outcome, "7:42")
    return {
        "send_command": to_builtins(one),
        "send_commands": to_builtins(BatchAnswer("a1", (one,), "7:42")),
    }
