"""A device as a client: what it knows, and the commands that it writes.

It knows what it was told: its licenses, each with the expiry that was issued to it. It may be
away (without network) until some instant. A command is written once, with its id; sending it
again is a repeat.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from airside.demo.stage import MINUTE, SECOND
from schemas.commands import (
    AcquireLicense,
    DownloadStatus,
    Drm,
    Proof,
    RegisterDevice,
    ReleaseLicense,
    RenewDevice,
    RenewLicense,
    ReportDownload,
    ReportPlayback,
    SyncDevice,
)
from schemas.envelope import Command

if TYPE_CHECKING:
    from airside.demo.household import Household

JITTER_MS = 2 * SECOND  # by which even a good clock is off


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of device, with what its DRM can prove (1 is the strongest)."""

    name: str
    kind: str
    drm: Drm
    level: Literal[1, 2, 3]


PHONE = Model("Pixel 9", "phone", "widevine", 1)
OLD_PHONE = Model("Moto G5", "old-phone", "widevine", 3)
IPHONE = Model("iPhone 16", "iphone", "fairplay", 1)
TABLET = Model("Galaxy Tab S9", "tablet", "widevine", 1)
IPAD = Model("iPad Air", "ipad", "fairplay", 1)
LAPTOP = Model("Surface Laptop", "laptop", "playready", 2)
MODELS = (PHONE, IPHONE, TABLET, IPAD, LAPTOP, OLD_PHONE)


@dataclass(slots=True)
class Held:
    """A license as the device knows it."""

    title_id: str
    expires_at: int


@dataclass(slots=True)
class Device:
    """One phone, tablet or laptop of a household."""

    home: "Household"
    id: str
    model: Model
    clock_error_ms: int = 0  # its clock minus the true time
    away_until: int = 0  # without network until then
    lost: bool = False
    held: dict[str, Held] = field(default_factory=dict)  # by license id

    def has(self, license_id: str) -> bool:
        """Whether the license is on the device, and the device at hand."""
        return license_id in self.held and not self.lost

    def clock(self) -> int:
        """What time it is by the device's clock."""
        jitter = self.home.random.randrange(-JITTER_MS, JITTER_MS)
        return max(0, self.home.now_at + self.clock_error_ms + jitter)

    def until_online(self) -> int:
        """How long (ms) to wait for the network; 0 where there is one."""
        wait = self.away_until - self.home.now_at
        return wait + self.home.random.randrange(MINUTE) if wait > 0 else 0

    def registers(self) -> Command:
        """Says which device this is and what its DRM can prove."""
        return RegisterDevice(
            **self._signed(),
            device_id=self.id,
            model=self.model.name,
            drm=self.model.drm,
            security_level=self.model.level,
        )

    def acquires(self, title_id: str, profile_id: str = "main") -> Command:
        """Asks for a license: first this, then the media."""
        return AcquireLicense(
            **self._signed(),
            device_id=self.id,
            title_id=title_id,
            profile_id=profile_id,
            drm=self.model.drm,
            quality="standard" if self.model.level > 1 else "high",
        )

    def renews(self, license_id: str) -> Command:
        """Asks for a new expiry, before or after the old one has come."""
        return RenewLicense(**self._signed(), license_id=license_id)

    def renews_all(self) -> Command:
        """Asks for a new expiry of everything on the device."""
        return RenewDevice(**self._signed(), device_id=self.id)

    def releases(self, license_id: str, reason: str = "deleted") -> Command:
        """Gives a license back; only strong hardware can prove that the file is gone."""
        proof: Proof = "secure" if self.model.level == 1 else "claimed"
        return ReleaseLicense(
            **self._signed(), license_id=license_id, reason=reason, proof=proof
        )

    def reports_download(
        self, license_id: str, status: DownloadStatus, megabytes: int = 0
    ) -> Command:
        """Says how fetching the media goes."""
        return ReportDownload(
            **self._signed(), license_id=license_id, status=status, bytes=megabytes << 20
        )

    def reports_playback(
        self, license_id: str, session_id: str, started_at: int, stopped_at: int | None
    ) -> Command:
        """Says what was watched; `started_at` and `stopped_at` are by the device's clock."""
        watched_ms = 0 if stopped_at is None else max(0, stopped_at - started_at)
        return ReportPlayback(
            **self._signed(),
            license_id=license_id,
            session_id=session_id,
            started_at=started_at,
            stopped_at=stopped_at,
            position_s=watched_ms // SECOND,
        )

    def syncs(self) -> Command:
        """Says what the device still holds."""
        signed = self._signed()
        return SyncDevice(
            **signed,
            device_id=self.id,
            held_license_ids=tuple(self.held),
            device_clock=signed["issued_at"],
        )

    def _signed(self) -> dict[str, Any]:
        return self.home.signed(issued_at=self.clock())
