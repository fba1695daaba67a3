from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from time import sleep

from evcharge.network.queries import Totals
from evcharge.network.tally import Tally
from make import NOON

SECOND = timedelta(seconds=1)


def counter():
    """Return a way to count that finds one more location each time."""
    found = []

    def count(now=NOON):
        found.append(now)
        return Totals(len(found), 0, 0, counted_at=now)

    return count


def test_what_was_counted_is_shown_for_ten_seconds():
    tally, count = Tally(), counter()

    def shown(now):
        return tally.totals(lambda: count(now), now=now).locations

    assert [shown(NOON + each * SECOND) for each in (0, 5, 9.9, 10, 12)] == [
        *(1, 1, 1),
        *(2, 2),
    ]


def test_what_took_long_to_count_is_shown_for_longer():
    tally, count = Tally(), counter()

    def slowly(now):
        sleep(0.6)
        return count(now)

    first = tally.totals(lambda: slowly(NOON), now=NOON)
    later = tally.totals(lambda: slowly(NOON), now=NOON + 11 * SECOND)

    assert later is first


def test_a_clock_put_back_counts_again():
    tally, count = Tally(), counter()
    tally.totals(count, now=NOON)

    before = NOON - 60 * SECOND

    assert tally.totals(lambda: count(before), now=before).locations == 2


def test_while_one_counts_the_others_are_shown_what_there_was():
    tally, count = Tally(), counter()
    tally.totals(count, now=NOON)
    counting, go_on = Event(), Event()
    later = NOON + 11 * SECOND

    def slowly():
        counting.set()
        assert go_on.wait(10)
        return count(later)

    with ThreadPoolExecutor() as threads:
        slow = threads.submit(tally.totals, slowly, now=later)
        assert counting.wait(10)
        meanwhile = tally.totals(count, now=later)
        go_on.set()

    assert (meanwhile.locations, slow.result().locations) == (1, 2)


def test_those_who_come_first_together_count_once():
    tally, count = Tally(), counter()

    with ThreadPoolExecutor(8) as threads:
        shown = list(threads.map(lambda _: tally.totals(count, now=NOON), range(8)))

    assert {each.locations for each in shown} == {1}
