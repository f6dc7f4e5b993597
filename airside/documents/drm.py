"""The port to a DRM server. None ships with airside: a license here is the accounting."""

from collections.abc import Mapping
from typing import Protocol

from queries.licenses import LicenseAnswer


class DrmAdapter(Protocol):
    """What puts a content key, wrapped for one device, into a license document.

    To add one, write `airside/adapters/<server>_drm.py` and give it to `Documents`. What it
    returns is signed with the rest, so a device knows that key and terms belong together.
    """

    def license(self, account_id: str, license: LicenseAnswer) -> Mapping[str, object] | None:
        """The claim `drm` of the document: JSON; None where this title has no key.

        Asked for active licenses alone, again for every document: the same license must give
        the same key. A key is readable by the device's DRM only, since the document is signed
        and not encrypted.

        Raises: Unavailable where the DRM server does not answer.
        """


class NoDrm:
    """No DRM server: documents have no claim `drm`, and media stay as they are stored."""

    def license(self, account_id: str, license: LicenseAnswer) -> Mapping[str, object] | None:
        """Nothing to add."""
        return None
