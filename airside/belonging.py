"""Whether the read models that a question is put to are those of the event store."""

from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from airside.wiring import Deployment, open_deployment
from projectors.generations import check_history
from schemas.errors import Invalid, NotFound, Unavailable

LOOK_SECONDS = 2  # for an event store to answer: the question goes on without it


def check_belonging(deployment: Deployment, projection: str) -> str:
    """Compare the histories of both; in words why they could not be, or nothing.

    An event store that is away, or does not answer soon, hides no answer. Raises: Contradiction
    where rows and events are of two histories; Unavailable where the read models are away.
    """
    with ExitStack() as held:
        asked = deployment
        if deployment.settings.events is not None:
            events = _impatient(deployment.settings.events)
            settings = replace(deployment.settings, events=events)
            asked = held.enter_context(open_deployment(settings))
        try:
            with asked.event_store() as store:
                history, shards = store.history_id(), store.shards()
        except (Invalid, NotFound, Unavailable) as why:
            return str(why)
    with deployment.view_store() as views:
        found = views.registry(projection)
        check_history(found, projection, history=history, shards=shards)
    return ""


def _impatient(url: str) -> str:
    """The same address, with less time for an answer."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    options["timeout_seconds"] = str(LOOK_SECONDS)
    return urlunsplit(parts._replace(query=urlencode(options)))
