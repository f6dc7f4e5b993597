"""Which licenses an account has: in which state, on which device, until when."""

from msgspec import Struct

from projectors.licenses import PROJECTION, License, Licenses, State, license_of
from queries.reader import ANYTHING, AtLeast, Reader, Standing, the_row
from queries.warnings import MemberWarning, of_expiry
from schemas.errors import NotFound


class LicenseAnswer(Struct, frozen=True):
    """One license as it is at the moment that was asked about."""

    license_id: str
    state: State  # EXPIRED from `expires_at` on, whether or not that is recorded yet
    recorded_state: State  # what events said
    title_id: str
    studio_id: str
    device_id: str
    profile_id: str
    drm: str
    quality: str
    issued_at: int | None
    expires_at: int
    expires_in_s: int | None  # while active
    renewals: int
    renewed_at: int | None
    first_played_at: int | None  # since the last renewal
    play_window_s: int | None
    played_at: int | None
    plays: int
    late_plays: int
    download: str
    bytes: int
    refunded: bool
    ended_at: int | None
    reason: str
    proof: str


class OneLicenseAnswer(Struct, frozen=True):
    """One license of an account, at one moment."""

    account_id: str
    at: int
    version: int  # of the account
    standing: Standing
    license: LicenseAnswer


class LicensesAnswer(Struct, frozen=True):
    """The licenses of one account, at one moment."""

    account_id: str
    at: int
    version: int  # of the account: the ETag
    standing: Standing | None
    licenses: tuple[LicenseAnswer, ...]  # the latest expiry first
    warnings: tuple[MemberWarning, ...]


def licenses(
    reader: Reader,
    account_id: str,
    *,
    at: int,
    device_id: str | None = None,
    state: State | None = None,
    title_id: str | None = None,
    wanted: AtLeast = ANYTHING,
) -> LicensesAnswer:
    """The account's licenses, of one device, title or state. Raises: NotFound, Unavailable."""
    reading = reader.of_account(PROJECTION, account_id, (account_id,), wanted)
    row = the_row(reading, account_id, account_id)
    return licenses_of(
        row,
        account_id,
        at=at,
        device_id=device_id,
        state=state,
        title_id=title_id,
        standing=reading.standing,
    )


def one_license(
    reader: Reader, account_id: str, license_id: str, *, at: int, wanted: AtLeast = ANYTHING
) -> OneLicenseAnswer:
    """One license of the account. Raises: NotFound, Unavailable."""
    reading = reader.of_account(PROJECTION, account_id, (account_id,), wanted)
    row = the_row(reading, account_id, account_id)
    found = license_of(row, license_id)
    if found is None:
        raise NotFound(
            f"license {license_id:.60}: account {account_id:.60} never held it, as of version "
            f"{reading.standing.version} of its shard. Its licenses are listed without the id."
        )
    return OneLicenseAnswer(
        account_id=account_id,
        at=at,
        version=row.version,
        standing=reading.standing,
        license=_answer(license_id, found, at),
    )


def licenses_of(
    row: Licenses,
    account_id: str,
    *,
    at: int,
    device_id: str | None = None,
    state: State | None = None,
    title_id: str | None = None,
    standing: Standing | None = None,
) -> LicensesAnswer:
    """The answer that a row gives at a moment."""
    known = ((license_id, license_of(row, license_id)) for license_id in row.licenses)
    some = [
        _answer(license_id, one, at)
        for license_id, one in known
        if one is not None
        and device_id in (None, one.device)
        and title_id in (None, one.title)
        and state in (None, state_of(one, at))
    ]
    some.sort(key=lambda one: (-one.expires_at, one.license_id))
    return LicensesAnswer(
        account_id=account_id,
        at=at,
        version=row.version,
        standing=standing,
        licenses=tuple(some),
        warnings=tuple(
            warning
            for one in some
            if one.state == "ACTIVE"
            for warning in of_expiry(one.title_id, one.license_id, one.expires_at, at=at)
        ),
    )


def state_of(one: License, at: int) -> State:
    """The state at a moment: an active license is over when its expiry comes."""
    return "EXPIRED" if one.state == "ACTIVE" and one.expires_at <= at else one.state


def _answer(license_id: str, one: License, at: int) -> LicenseAnswer:
    state = state_of(one, at)
    return LicenseAnswer(
        license_id=license_id,
        state=state,
        recorded_state=one.state,
        title_id=one.title,
        studio_id=one.studio,
        device_id=one.device,
        profile_id=one.profile,
        drm=one.drm,
        quality=one.quality,
        issued_at=one.issued_at,
        expires_at=one.expires_at,
        expires_in_s=(one.expires_at - at) // 1_000 if state == "ACTIVE" else None,
        renewals=one.renewals,
        renewed_at=one.renewed_at,
        first_played_at=one.first_played_at,
        play_window_s=one.play_window_s,
        played_at=one.played_at,
        plays=one.plays,
        late_plays=one.late_plays,
        download=one.download,
        bytes=one.bytes,
        refunded=one.refunded,
        ended_at=one.ended_at,
        reason=one.reason,
        proof=one.proof,
    )
