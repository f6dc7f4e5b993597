"""What holds for every household, whatever it does under whatever policies."""

from itertools import accumulate
from typing import get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.account import Account
from commands.ask import ask_about
from commands.catalog import Catalog
from commands.decide import decide
from commands.device_rules import slot_holders
from commands.dry_run import can_download
from commands.evolve import evolve
from commands.rules import RULES, Rule
from schemas.codes import REFUSALS
from schemas.commands import (
    AcquireLicense,
    ReleaseLicense,
    RenewLicense,
    ReportDownload,
    ReportPlayback,
)
from schemas.envelope import Event
from schemas.events import (
    AnyEvent,
    CommandNoted,
    CommandRefused,
    DeviceActivated,
    DownloadCounted,
    LicenseIssued,
    LicenseRenewed,
)
from tests.kit.given import catalog_of, folded, stamped
from tests.kit.happenings import DAY, HOUR
from tests.kit.households import DEVICES, TITLES, Deed, Step, catalogs, deeds, lived
from tests.kit.told import is_told_by

lives = given(catalogs(), deeds())
few = settings(max_examples=60, deadline=None)

FREE = {"title.count_renewals": False}
FETCHING = (*[AcquireLicense, ReportPlayback, ReportDownload] * 3, RenewLicense)
WISH = Deed(AcquireLicense, 0, 0, False)
of_t1 = st.builds(
    Deed,
    st.sampled_from((*FETCHING, ReleaseLicense)),
    st.sampled_from([1, HOUR, HOUR, HOUR, DAY, DAY, 31 * DAY]),
    st.sampled_from([0, 0, 1, 1, 13]),
    st.booleans(),
)
PERIODIC = {"R08", "R13", "R14", "R17"}
ENCODER, DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Account)


def of_type(steps: list[Step], *kinds: type) -> list[Step]:
    return [step for step in steps if any(isinstance(event, kinds) for event in step.events)]


@few
@lives
def test_every_command_has_an_outcome_on_every_state(
    catalog: Catalog, doing: list[Deed]
) -> None:
    steps = lived(catalog, doing)
    assert all(step.events for step in steps)
    assert {type(event) for step in steps for event in step.events} <= set(get_args(AnyEvent))


@few
@lives
def test_a_decision_is_the_same_when_it_is_made_again(
    catalog: Catalog, doing: list[Deed]
) -> None:
    steps = lived(catalog, doing)
    again = [tuple(decide(s.before, s.command, catalog, s.at)) for s in steps]
    assert again == [step.events for step in steps]


@few
@lives
def test_a_fold_is_deterministic_and_leaves_the_old_state_alone(
    catalog: Catalog, doing: list[Deed]
) -> None:
    steps = lived(catalog, doing)
    before = [ENCODER.encode(step.before) for step in steps]
    again = [folded(step.before, stamped(step.events, step.at)) for step in steps]
    assert again == [step.after for step in steps]
    assert [ENCODER.encode(step.before) for step in steps] == before


@few
@lives
def test_a_state_comes_back_from_its_snapshot(catalog: Catalog, doing: list[Deed]) -> None:
    states = [step.after for step in lived(catalog, doing)]
    assert [DECODER.decode(ENCODER.encode(state)) for state in states] == states


@few
@lives
def test_refusals_have_a_known_code_and_change_nothing(
    catalog: Catalog, doing: list[Deed]
) -> None:
    steps = lived(catalog, doing)
    refusals = [e for step in steps for e in step.events if isinstance(e, CommandRefused)]
    assert {refusal.code for refusal in refusals} <= set(REFUSALS)
    quiet = [s for s in steps if isinstance(s.events[0], CommandRefused | CommandNoted)]
    assert all(step.after == step.before for step in quiet)


@few
@lives
def test_licenses_are_held_only_by_registered_devices_that_have_a_slot(
    catalog: Catalog, doing: list[Deed]
) -> None:
    held = [
        (step.after.devices.get(license.device_id), license.is_active(step.at))
        for step in lived(catalog, doing)
        for license in step.after.licenses.values()
    ]
    assert all(device and device.removed_at is None for device, _ in held)
    assert all(device and device.activated_at for device, is_active in held if is_active)


@few
@lives
def test_no_device_takes_a_slot_beyond_the_plan(catalog: Catalog, doing: list[Deed]) -> None:
    steps = of_type(lived(catalog, doing), DeviceActivated)
    taken = [e for step in steps for e in step.events if isinstance(e, DeviceActivated)]
    assert all(e.slots_limit is None or e.slots_used <= e.slots_limit for e in taken)
    assert [recorded(step.after) for step in steps] == [
        len(slot_holders(step.after, catalog.policy(step.after.plan_id, None), step.at))
        for step in steps
    ]


def recorded(account: Account) -> int:
    return sum(device.activated_at is not None for device in account.devices.values())


@few
@lives
def test_no_more_is_counted_than_the_limit(catalog: Catalog, doing: list[Deed]) -> None:
    counted = [
        event
        for step in lived(catalog, doing)
        for event in step.events
        if isinstance(event, LicenseIssued | LicenseRenewed) and event.counted
    ]
    assert all(event.limit is None or event.used <= event.limit for event in counted)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([1, 2]), st.sampled_from([7, 365]), st.lists(of_t1))
def test_no_more_counts_on_completion_than_the_limit(
    most: int, days: int, doing: list[Deed]
) -> None:
    window = {"title.max_downloads": most, "title.max_downloads_window_s": days * 86_400}
    policies = catalog_of({**window, "title.count_at": "completed", **FREE})
    steps = lived(policies, [*[WISH] * 3, *doing])
    so_far = [steps[:n] for n, step in enumerate(steps, 1) if counts_t1(step)]
    assert all(downloads_in_time(until, days * 86_400) <= most for until in so_far)


def counts_t1(step: Step) -> bool:
    """Whether a download of t1 counts on completion."""
    kinds = [event for event in step.events if isinstance(event, DownloadCounted)]
    return any(event.title_id == "t1" for event in kinds)


def counts_in_time(step: Step) -> bool:
    """Whether it counts while its license holds the place that it got when it was issued.

    A report about a license that was over, or came back by a free renewal, is a fact.
    """
    names = [event.license_id for event in step.events if isinstance(event, DownloadCounted)]
    held = [step.before.licenses.get(name) for name in names]
    return any(one and one.is_active(step.at) and not one.renewals for one in held)


def downloads_in_time(steps: list[Step], window_s: int) -> int:
    """Downloads of t1 in the window, without those that counted when it was too late."""
    in_time = {step.at for step in steps if counts_t1(step) and counts_in_time(step)}
    horizon = steps[-1].at - window_s * 1000
    counted = steps[-1].after.title("t1").downloads
    return sum(at in in_time and at > horizon for at, _ in counted)


@settings(max_examples=150, deadline=None)
@lives
def test_what_an_event_says_is_in_the_state_after_it(
    catalog: Catalog, doing: list[Deed]
) -> None:
    steps = lived(catalog, doing)
    assert [untold for step in steps for untold in untold_by(step)] == []


def untold_by(step: Step) -> list[Event]:
    """Events of the step that the state right after them does not tell."""
    happened = stamped(step.events, step.at)
    states = list(accumulate(happened, evolve, initial=step.before))[1:]
    return [
        event
        for event, state in zip(happened, states, strict=True)
        if not is_told_by(state, event)
    ]


@few
@lives
def test_no_license_is_issued_that_is_over_already(catalog: Catalog, doing: list[Deed]) -> None:
    issued = [
        (event.expires_at, step.at)
        for step in lived(catalog, doing)
        for event in step.events
        if isinstance(event, LicenseIssued | LicenseRenewed)
    ]
    assert all(expires_at > at for expires_at, at in issued)


@few
@given(catalogs(), deeds(), st.sampled_from(DEVICES), st.sampled_from(TITLES))
def test_a_dry_run_says_first_what_the_command_gets(
    catalog: Catalog, doing: list[Deed], device_id: str, title_id: str
) -> None:
    steps = lived(catalog, [*doing, WISH])
    last = steps[-1]
    wish = msgspec.structs.replace(last.command, device_id=device_id, title_id=title_id)
    got = decide(last.before, wish, catalog, last.at)[0]
    said = can_download(last.before, catalog, "a1", device_id, title_id, last.at)
    assert said[:1] == [event for event in [got] if isinstance(event, CommandRefused)]


@settings(max_examples=150, deadline=None)
@given(catalogs(), deeds(), st.sampled_from(DEVICES[:3]), st.sampled_from(TITLES[:3]))
def test_what_is_available_again_at_an_instant_passes_then_and_not_before(
    catalog: Catalog, doing: list[Deed], device_id: str, title_id: str
) -> None:
    last = lived(catalog, [*doing, WISH])[-1]
    wish = msgspec.structs.replace(last.command, device_id=device_id, title_id=title_id)

    def refuses(rule: Rule, at: int) -> bool:
        ask = ask_about(wish, last.before, catalog, at, device_id=device_id, title_id=title_id)
        return rule.refuses(ask) is not None

    ask = ask_about(wish, last.before, catalog, last.at, device_id=device_id, title_id=title_id)
    answers = [(rule, rule.refuses(ask)) for rule in RULES if rule.id in PERIODIC]
    dated = [(rule, no.available_at) for rule, no in answers if no and no.available_at]
    assert all(refuses(rule, again_at - 1) for rule, again_at in dated)
    assert not any(refuses(rule, again_at) for rule, again_at in dated)
