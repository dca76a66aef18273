import threading

import pytest

from emag_pipeline.sync.readers import Readers, calls_under_way


@pytest.mark.parametrize(("latency", "calls"), [(0.0, 3), (0.1, 3), (1.5, 7), (60.0, 32)])
def test_the_calls_under_way_follow_from_latency_and_rate(latency: float, calls: int) -> None:
    assert calls_under_way(latency, 2.9) == calls


def test_every_item_is_called_once_and_no_more_than_the_window_at_a_time() -> None:
    lock, under_way, most = threading.Lock(), 0, 0

    def call(item: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        threading.Event().wait(0.002)
        with lock:
            under_way -= 1
        return item * 2

    readers = Readers(lambda: 4)
    assert sorted(readers.each(range(50), call)) == [(item, item * 2) for item in range(50)]
    readers.close()
    assert most == 4


def test_calls_wait_until_results_are_taken_so_that_memory_stays_flat() -> None:
    called: list[int] = []
    readers = Readers(lambda: 3)
    results = readers.each(range(1000), lambda item: called.append(item))
    next(results)
    threading.Event().wait(0.05)
    assert len(called) <= 3
    readers.close()


def test_answers_that_are_taken_slowly_do_not_pile_up_however_many_calls_the_rate_would_allow() -> None:
    called: list[int] = []
    readers = Readers(lambda: 32)
    piled_up = []
    for taken, _ in enumerate(readers.each(range(100), called.append)):
        threading.Event().wait(0.002)
        piled_up.append(len(called) - taken - 1)
    readers.close()
    assert max(piled_up) <= 8


def test_slow_answers_are_met_by_as_many_calls_as_the_rate_allows() -> None:
    lock, under_way, most = threading.Lock(), 0, 0

    def call(_: int) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        threading.Event().wait(0.05)
        with lock:
            under_way -= 1

    readers = Readers(lambda: 12)
    results = readers.each(range(60), call)
    for _ in results:
        threading.Event().wait(0.004)
    readers.close()
    assert most == 12


def test_the_first_failure_ends_it() -> None:
    def call(item: int) -> int:
        if item == 5:
            raise ValueError("five")
        return item

    readers = Readers(lambda: 3)
    with pytest.raises(ValueError, match="five"):
        list(readers.each(range(1000), call))
    readers.close()
