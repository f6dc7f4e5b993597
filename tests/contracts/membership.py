"""What membership promises where workers share shards out; the fixture `join` makes members."""

from collections.abc import Callable, Sequence

from airside.membership import Membership
from tests.kit.kafka import share_out, until

Join = Callable[[], Membership]

SHARDS = 6
ALL = frozenset(range(SHARDS))


class MembershipContract:
    def test_the_only_member_gets_every_shard(self, join: Join) -> None:
        assert share_out([join()], SHARDS) == [ALL]

    def test_two_members_share_out_all_shards(self, join: Join) -> None:
        one, other = share_out([join(), join()], SHARDS)
        assert (one | other, one & other) == (ALL, frozenset())

    def test_more_members_than_shards_leave_some_without(self, join: Join) -> None:
        members = [join() for _ in range(SHARDS + 1)]
        assert until(lambda: sizes(members) == [0, *[1] * SHARDS])

    def test_what_a_member_leaves_goes_to_the_others(self, join: Join) -> None:
        one, other = join(), join()
        share_out([one, other], SHARDS)
        other.close()
        assert share_out([one], SHARDS) == [ALL]

    def test_who_gives_shards_up_is_told_before_another_gets_them(self, join: Join) -> None:
        first = join()
        share_out([first], SHARDS)
        second = join()
        told: list[tuple[frozenset[int], frozenset[int]]] = []

        def leave(shards: frozenset[int]) -> None:
            told.append((shards, second.shards(ignore)))

        until(lambda: bool(first.shards(leave) and second.shards(ignore)))
        assert [(len(shards), others) for shards, others in told] == [(3, frozenset())]

    def test_what_leave_raises_is_raised_and_the_shards_are_given_up_all_the_same(
        self, join: Join
    ) -> None:
        first = join()
        share_out([first], SHARDS)
        second = join()
        raised: list[str] = []

        def leave(shards: frozenset[int]) -> None:
            raise RuntimeError(f"cannot finish {len(shards)}")

        until(lambda: bool(ask(first, leave, raised) and second.shards(ignore)))
        assert raised == ["cannot finish 3"]
        assert sorted(map(len, share_out([first, second], SHARDS))) == [3, 3]

    def test_groups_do_not_disturb_each_other(self, join: Join, join_another: Join) -> None:
        assert [share_out([join()], SHARDS), share_out([join_another()], SHARDS)] == [
            [ALL],
            [ALL],
        ]


def ignore(_shards: frozenset[int]) -> None:
    """Nothing is in flight."""


def sizes(members: Sequence[Membership]) -> list[int]:
    """How many shards each has, the fewest first; asks each once."""
    return sorted(len(member.shards(ignore)) for member in members)


def ask(
    member: Membership, leave: Callable[[frozenset[int]], None], raised: list[str]
) -> frozenset[int]:
    """A member's shards; none where `leave` raised, which is written down."""
    try:
        return member.shards(leave)
    except RuntimeError as error:
        raised.append(str(error))
        return frozenset()
