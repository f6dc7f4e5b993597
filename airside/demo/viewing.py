"""Viewing: what a device does with one download, from the request to the deletion.

The license comes first; only with one does the device fetch the media. What is played without
a network is reported when the device is back. A license that ran out is renewed by those who
want to see more, or deleted, or forgotten until the service says that it expired.
"""

from collections.abc import Generator

from airside.demo.device import Device
from airside.demo.refusals import makes_way
from airside.demo.stage import DAY, HOUR, MINUTE, Reply, Step, Story

NEVER_WATCHED = 0.15  # of all downloads
FETCH_FAILS = 0.05
WATCHED_AT_ONCE = 0.35  # the same evening; the others within about ten days
WATCHED_AGAIN = 0.3  # after every viewing: children
SAYS_STARTED = 0.2  # report a play when it begins, too
TIDY = 0.5  # delete what they have seen
RENEWS_EARLY = 0.25  # of those that keep a download
RENEWS_LATE = 0.4
RENEWALS_WANTED_MAX = 4
ATTEMPTS_MAX = 3


def download(device: Device, title_id: str, attempt: int = 1) -> Story:
    """Asks for a title, and again when what stood in the way is gone; then watches it."""
    home = device.home
    yield device.until_online()
    if home.gone or device.lost:
        return
    reply = yield device.acquires(title_id, profile_id=home.random.choice(("main", "kids")))
    if reply.refusal is not None:
        if attempt < ATTEMPTS_MAX and (yield from makes_way(device, title_id, reply.refusal)):
            home.begin(download(device, title_id, attempt + 1))
    elif reply.license_id is not None:
        if (yield from fetch(device, reply.license_id, fails=home.chance(FETCH_FAILS))):
            yield from watch(device, reply.license_id)
        elif attempt < ATTEMPTS_MAX:
            home.tell(device.releases(reply.license_id, reason="failed"))
            home.begin(download(device, title_id, attempt + 1), after_ms=HOUR)


def fetch(
    device: Device, license_id: str, *, fails: bool = False
) -> Generator[Step, Reply, bool]:
    """Fetches the media and says how it went; whether it came."""
    home = device.home
    home.tell(device.reports_download(license_id, "started"))
    yield home.random.randrange(3 * MINUTE, 25 * MINUTE)
    megabytes = home.random.randrange(150, 2_500)
    if fails:
        home.tell(device.reports_download(license_id, "failed", megabytes // 3))
    else:
        home.tell(device.reports_download(license_id, "completed", megabytes))
    return not fails


def watch(device: Device, license_id: str) -> Story:
    """Watches a download once or more, and at last deletes, renews or forgets it."""
    home = device.home
    if home.chance(NEVER_WATCHED):
        yield from grow_tired(device, license_id)
        return
    soon = home.chance(WATCHED_AT_ONCE)
    yield home.until_moment(days=0 if soon else int(home.random.expovariate(1 / 5)))
    while can_play(device, license_id):
        yield from play(device, license_id)
        if not home.chance(WATCHED_AGAIN):
            break
        yield home.until_moment(days=home.random.randrange(4))
    yield from grow_tired(device, license_id)


def can_play(device: Device, license_id: str) -> bool:
    """Whether the device believes that its license holds."""
    return device.has(license_id) and device.clock() < device.held[license_id].expires_at


def play(device: Device, license_id: str, minutes: int | None = None) -> Story:
    """Plays, and reports it as soon as there is a network."""
    home = device.home
    started_at = device.clock()
    session_id = f"{home.random.getrandbits(64):016x}"
    if home.chance(SAYS_STARTED) and not device.until_online():
        home.tell(device.reports_playback(license_id, session_id, started_at, None))
    yield (home.random.randrange(15, 130) if minutes is None else minutes) * MINUTE
    stopped_at = device.clock()
    yield device.until_online()
    if not device.lost:
        home.tell(device.reports_playback(license_id, session_id, started_at, stopped_at))


def grow_tired(device: Device, license_id: str) -> Story:
    """Deletes the download; or keeps it for as long as it is dear."""
    home = device.home
    if home.chance(TIDY):
        yield home.random.randrange(HOUR, 3 * DAY)
        yield device.until_online()
        if device.has(license_id):
            home.tell(device.releases(license_id))
    else:
        yield from keep(device, license_id)


def keep(device: Device, license_id: str) -> Story:
    """Renews a download before or after it ran out, and plays it again, a few times at most."""
    home = device.home
    for _ in range(RENEWALS_WANTED_MAX):
        if not device.has(license_id):
            return
        ends_in = max(0, device.held[license_id].expires_at - home.now_at)
        if home.chance(RENEWS_EARLY):
            yield max(0, ends_in - home.random.randrange(2 * HOUR, 3 * DAY))
        elif home.chance(RENEWS_LATE):
            yield ends_in + home.random.randrange(2 * HOUR, 6 * DAY)
        else:
            return
        yield device.until_online()
        if not device.has(license_id):
            return
        if (yield device.renews(license_id)).refusal is not None:
            home.tell(device.releases(license_id))
            return
        yield home.until_moment(days=home.random.randrange(4))
        if can_play(device, license_id):
            yield from play(device, license_id)
