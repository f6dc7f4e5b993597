"""A way past the layers, for the few requests that are most: answered as whole bytes.

An application offers it as `app.state.quick`; see `Quick`. What it does not take goes the usual
way, and so does what turns out to be unusual later: it was only looked at. So the usual way
alone says how errors look.
"""

from collections.abc import Callable
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from airside.web.protocol import BoundedHttp

Answered = Callable[[tuple[bytes, bytes] | None], None]
"""Called once: status line and headers, and the body; None: it goes the usual way."""


class Quick(Protocol):
    """Answers some requests."""

    def __call__(self, scope: dict[str, Any], answered: Answered) -> bool:
        """Whether it takes a request; then `answered` is called, now or later."""


class QuickHttp(BoundedHttp):
    """Asks the quick way first, where the application has one and the client has room."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._quick: Quick | None = getattr(getattr(self.app, "state", None), "quick", None)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Called for every request, when the one before is answered."""
        if self._quick is None or app is not self.app or self.flow.write_paused:
            super()._start_asgi_task(cycle, app)
            return

        def answered(answer: tuple[bytes, bytes] | None) -> None:
            if answer is None:
                BoundedHttp._start_asgi_task(self, cycle, app)
            elif not cycle.disconnected:
                self._write(cycle, *answer)

        scope: Any = cycle.scope
        if not self._quick(scope, answered):
            super()._start_asgi_task(cycle, app)

    def _write(self, cycle: RequestResponseCycle, head: bytes, body: bytes) -> None:
        common = b"".join(b"%b: %b\r\n" % one for one in cycle.default_headers)
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        cycle.response_started = cycle.response_complete = True
        self.transport.write(b"".join((head, common, end, body)))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
