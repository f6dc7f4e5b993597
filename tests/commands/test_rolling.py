"""Rolling windows."""

from commands.policy import WindowBound
from commands.rolling import Use, count_within, possible_again_at, tightest

TWO = WindowBound(2, 10, "title")  # two in ten seconds
THREE = WindowBound(3, 100, "studio")


def test_an_instant_leaves_the_window_when_its_length_has_passed() -> None:
    assert count_within([0], 9_999, 10) == 1
    assert count_within([0], 10_000, 10) == 0


def test_without_limits_there_is_no_use() -> None:
    assert tightest((), [1, 2, 3], 5) is None


def test_the_limit_with_the_fewest_left_is_the_tightest() -> None:
    assert tightest((THREE, TWO), [1, 2], 3) == Use(2, 2, 10, "title")


def test_once_the_short_window_is_over_the_long_one_is_the_tightest() -> None:
    assert tightest((THREE, TWO), [1, 2], 50_000) == Use(3, 2, 100, "studio")


def test_what_is_granted_raises_every_limit() -> None:
    use = tightest((TWO,), [1, 2], 3, lambda at: 5)
    assert use is not None
    assert (use.limit, use.left) == (7, 5)


def test_what_is_possible_now_is_possible_now() -> None:
    assert possible_again_at((TWO,), [1], 3) == 3


def test_it_is_possible_again_when_enough_have_left() -> None:
    assert possible_again_at((TWO,), [1_000, 2_000, 3_000], 4_000) == 12_000


def test_it_is_possible_again_when_every_window_has_room() -> None:
    instants = [0, 40_000, 41_000]
    assert possible_again_at((TWO, THREE), instants, 42_000) == 100_000


def test_a_limit_of_none_is_never_possible() -> None:
    assert possible_again_at((WindowBound(0, 10, "title"),), [1], 3) is None


def test_a_grant_that_ends_before_anything_leaves_helps_nobody() -> None:
    def granted(at: int) -> int:
        return 1 if at < 5_000 else 0

    assert possible_again_at((TWO,), [0, 1, 2], 100, granted) == 10_001


def test_a_place_that_is_held_counts_until_then() -> None:
    use = tightest((TWO,), [1], 3, held_until=[2, 3, 4])
    assert use is not None
    assert (use.used, use.left) == (2, 0)
    assert possible_again_at((TWO,), [1], 3, held_until=[2, 3, 4]) == 4


def test_a_grant_that_lasts_long_enough_helps_until_it_ends() -> None:
    assert possible_again_at((TWO,), [0, 1, 2], 100, lambda at: int(at < 10_001)) == 10_000


def test_the_next_possible_instant_is_found_as_fast_among_very_many() -> None:
    plays = range(1_000_000)  # trying one instant after another would take days
    assert possible_again_at((TWO,), plays, 1_000_000) == 1_000_000 - 2 + 10_000
