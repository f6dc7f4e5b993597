"""Reports of what a device did, often long ago: a download, a playback.

They are taken whatever became of the account and the license since, for they are facts.
"""

from commands.account import Account
from commands.ask import Refusal, ask_about
from commands.catalog import Catalog
from commands.license import License
from commands.license_rules import is_late, opens_play_window, play_window_end
from commands.rules import first_refusal, refused
from commands.title_rules import refund_is_due
from schemas.commands import ReportDownload, ReportPlayback
from schemas.envelope import Event
from schemas.events import (
    DownloadCounted,
    DownloadRefunded,
    DownloadReported,
    PlaybackReported,
    PlayWindowOpened,
)


def report_download(
    account: Account, command: ReportDownload, catalog: Catalog, at: int
) -> list[Event]:
    """R16: a completed download counts if it does not yet; an early failure counts no more.

    Whether it counts already was decided when the license was issued, or since by a refund or
    by a playback.
    """
    ask = ask_about(command, account, catalog, at, license_id=command.license_id)
    refusal, license = first_refusal(ask), ask.license
    if refusal or license is None:
        return [refusal or refused(ask, Refusal("LICENSE_UNKNOWN"))]
    reported = DownloadReported(
        license_id=license.license_id,
        device_id=license.device_id,
        title_id=license.title_id,
        status=command.status,
        bytes=command.bytes,
    )
    if command.status == "completed":
        return [reported, *_counted(license)]
    if command.status == "failed" and refund_is_due(license, ask):
        refunded = DownloadRefunded(
            license_id=license.license_id,
            device_id=license.device_id,
            title_id=license.title_id,
            studio_id=license.studio_id,
            counted_at=license.counted_at or 0,
        )
        return [reported, refunded]
    return [reported]


def report_playback(
    account: Account, command: ReportPlayback, catalog: Catalog, at: int
) -> list[Event]:
    """A session played: it counts once (R17), may be late (R27) and open the window (R22).

    What plays was downloaded: a download that does not count yet does so now (R16).
    """
    ask = ask_about(command, account, catalog, at, license_id=command.license_id)
    refusal, license = first_refusal(ask), ask.license
    if refusal or license is None:
        return [refusal or refused(ask, Refusal("LICENSE_UNKNOWN"))]
    late, started_at = is_late(ask), command.started_at
    reported = PlaybackReported(
        license_id=license.license_id,
        device_id=license.device_id,
        title_id=license.title_id,
        studio_id=license.studio_id,
        session_id=command.session_id,
        started_at=started_at,
        stopped_at=command.stopped_at,
        position_s=command.position_s,
        counted=command.session_id not in account.title(license.title_id).plays,
        late=late,
    )
    if late or not opens_play_window(license, started_at):
        return [reported, *_counted(license)]
    opened = PlayWindowOpened(
        license_id=license.license_id,
        device_id=license.device_id,
        title_id=license.title_id,
        first_played_at=started_at,
        expires_at=play_window_end(license, started_at),
        previous_expires_at=license.expires_at,
    )
    return [reported, *_counted(license), opened]


def _counted(license: License) -> list[Event]:
    """R16: the device has the media; nothing, if the download counts already."""
    if license.counted_at is not None:
        return []
    return [
        DownloadCounted(
            license_id=license.license_id,
            device_id=license.device_id,
            title_id=license.title_id,
            studio_id=license.studio_id,
        )
    ]
