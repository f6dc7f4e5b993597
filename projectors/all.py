"""Every read model there is. A new one is a file beside these and a line here."""

from typing import Any

from projectors import (
    devices,
    downloads,
    expiring,
    licenses,
    outcomes,
    refusals,
    studios,
    timeline,
    titles,
)
from projectors.projection import Projection

PROJECTIONS: tuple[Projection[Any], ...] = (
    downloads.PROJECTION,
    licenses.PROJECTION,
    devices.PROJECTION,
    outcomes.PROJECTION,
    timeline.PROJECTION,
    titles.PROJECTION,
    studios.PROJECTION,
    expiring.PROJECTION,
    refusals.PROJECTION,
)
