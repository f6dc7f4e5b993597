"""What can be asked with: groups of parameters that resources share."""

from typing import Annotated, Literal, cast

from msgspec import Meta, Struct

from projectors.licenses import State
from queries.across import WITHIN_S_MAX
from queries.reader import ANYTHING, WAIT_SECONDS, WAIT_SECONDS_MAX, AtLeast, at_least
from schemas.envelope import ID_CHARACTERS_MAX, derived_id

COMMAND_ID = "0193598ac1007000800000000000000a"  # of the examples
LICENSE_ID = derived_id(COMMAND_ID, "a1/1")
LIMIT_MAX = 1_000  # of one page
CURSOR_CHARACTERS_MAX = 400

Id = Annotated[str, Meta(min_length=1, max_length=ID_CHARACTERS_MAX)]
UUID = (
    "^[0-9a-fA-F]{32}$|"
    "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
)

AccountId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=ID_CHARACTERS_MAX,
        description="The account; a member's own is its token's `sub`.",
        examples=["a1"],
    ),
]


class OfAccount(Struct, frozen=True):
    """Whose."""

    account_id: AccountId


class Freshness(Struct, frozen=True):
    """Read your writes: the answer should hold an event that the asker knows of."""

    min_version: (
        Annotated[
            str,
            Meta(
                pattern="^([0-9]{1,4}:)?[0-9]{1,19}$",
                description="The token of a command's outcome, `shard:seq`: the answer waits "
                "until it holds this event. When the time is up it comes all the same, with "
                "the header Airside-Behind, and `standing` says how far it is behind.",
            ),
        ]
        | None
    ) = None
    wait: (
        Annotated[
            float,
            Meta(
                ge=0,
                le=WAIT_SECONDS_MAX,
                description=f"Seconds to wait for `min_version`. Default: {WAIT_SECONDS:g}.",
            ),
        ]
        | None
    ) = None

    def wanted(self) -> AtLeast:
        """As queries take it. Raises: Invalid."""
        if self.min_version is None:
            return ANYTHING
        return at_least(self.min_version, self.wait_seconds)

    @property
    def wait_seconds(self) -> float:
        """How long this may take longer than otherwise."""
        if self.min_version is None:
            return 0.0
        return WAIT_SECONDS if self.wait is None else self.wait


class Page(Struct, frozen=True):
    """A stretch of a list."""

    limit: Annotated[
        int, Meta(ge=1, le=LIMIT_MAX, description="How many items a page has at most.")
    ] = 100
    cursor: (
        Annotated[
            str,
            Meta(
                pattern="^[A-Za-z0-9_-]+$",
                max_length=CURSOR_CHARACTERS_MAX,
                description="The `next` of the page before; without it: the first page.",
            ),
        ]
        | None
    ) = None


class OfTitle(Struct, frozen=True):
    """Which title."""

    title_id: Annotated[Id, Meta(description="The title.", examples=["t1"])]


class OfStudio(Struct, frozen=True):
    """Which studio."""

    studio_id: Annotated[Id, Meta(description="The studio.", examples=["s1"])]


class OfLicense(Struct, frozen=True):
    """Which license."""

    license_id: Annotated[
        str, Meta(pattern=UUID, description="The license: a UUID, with or without dashes.")
    ]


class OfCommand(Struct, frozen=True):
    """Which command."""

    command_id: Annotated[
        str, Meta(pattern=UUID, description="The command: a UUID, with or without dashes.")
    ]


class LicenseFilter(Struct, frozen=True):
    """Only some licenses."""

    device_id: Annotated[Id, Meta(description="Only on this device.")] | None = None
    title_id: Annotated[Id, Meta(description="Only of this title.")] | None = None
    state: (
        Annotated[
            Literal[
                "ACTIVE", "EXPIRED", "RELEASED", "REVOKED",
                "active", "expired", "released", "revoked",
            ],
            Meta(description="Only in this state, as of now."),
        ]
        | None
    ) = None  # fmt: skip

    def wanted_state(self) -> State | None:
        """As rows have it."""
        return None if self.state is None else cast("State", self.state.upper())


class DownloadOf(Struct, frozen=True):
    """What would be downloaded where."""

    device_id: Annotated[Id, Meta(description="The device.", examples=["d1"])]
    title_id: Annotated[Id, Meta(description="The title.", examples=["t1"])]


class Within(Struct, frozen=True):
    """How far ahead."""

    within_seconds: Annotated[
        int, Meta(ge=0, le=WITHIN_S_MAX, description="Seconds from now; 31 days at most.")
    ] = 3_600


class OfRow(Struct, frozen=True):
    """One stored row."""

    projection: Annotated[Id, Meta(description="The read model.", examples=["downloads"])]
    key: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=2 * ID_CHARACTERS_MAX,
            description="The row's key; a slash in it is written %2F.",
            examples=["a1"],
        ),
    ]
    account_id: AccountId
