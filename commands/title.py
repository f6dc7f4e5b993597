"""One title in one account: its downloads and plays, as far back as any window may reach."""

from msgspec import Struct
from msgspec.structs import replace


class TitleUse(Struct, frozen=True, array_like=True, gc=False):
    """What the account has had of one title."""

    downloads: tuple[tuple[int, str], ...] = ()  # (when it counted, license), oldest first
    plays: dict[str, int] = {}  # session -> when it began

    def since(self, at: int) -> "TitleUse":
        """Without what is older."""
        return TitleUse(
            tuple(download for download in self.downloads if download[0] > at),
            {session: began for session, began in self.plays.items() if began > at},
        )


def download_counted(use: TitleUse, at: int, license_id: str) -> TitleUse:
    """One download more."""
    return replace(use, downloads=(*use.downloads, (at, license_id)))


def download_refunded(use: TitleUse, counted_at: int, license_id: str) -> TitleUse:
    """Exactly that download less."""
    downloads = list(use.downloads)
    if (counted_at, license_id) in downloads:
        downloads.remove((counted_at, license_id))
    return replace(use, downloads=tuple(downloads))


def played(use: TitleUse, session_id: str, began_at: int) -> TitleUse:
    """One session more."""
    return replace(use, plays={**use.plays, session_id: began_at})
