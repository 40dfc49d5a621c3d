#!/usr/bin/python3
"""Tests that the rules detect each kind of fault: python3 -B tests/cluster/test_verdict.py"""

import unittest
from collections import namedtuple

from load import Request
from verdict import check_answers, check_history, first_success, outages, overlaps

Attempt = namedtuple("Attempt", "start end id port")
TASK = "7f9c24e8-0000-4000-8000-000000000001"


def request(kind, outcome="OK", start=0.0, end=0.1, instance=0, **facts):
    return Request(kind, instance, start, end, outcome, task=TASK, **facts)


def create():
    return request("create", title="a", version=1)


def update(title, expected, outcome="OK"):
    return request("update", outcome, title=title, expected=expected,
                   version=expected + 1 if outcome == "OK" else None)


def toggle(expected, outcome="OK"):
    return request("toggle", outcome, expected=expected, version=expected + 1 if outcome == "OK" else None)


def faults(requests, *changes):
    """The faults found if the database contains these changes (version, title, status)."""
    history = [(TASK, *change) for change in changes]
    tasks = {TASK: changes[-1][:2]} if changes else {}
    return check_history(requests, history, tasks)


FIRST = (1, "a", "PENDING")
DONE = (2, "a", "COMPLETED")


class History(unittest.TestCase):
    def test_stored_acknowledged_changes_are_valid(self):
        self.assertEqual(faults([create(), toggle(1), update("b", 2)], FIRST, DONE, (3, "b", "COMPLETED")), [])

    def test_a_repeated_create_is_valid(self):
        failed = request("create", "TIMEOUT", title="a")
        self.assertEqual(faults([failed, create()], FIRST), [])

    def test_an_unacknowledged_change_may_be_stored_or_not(self):
        for lost in (toggle(1, "SERVICE_UNAVAILABLE"), toggle(1, "TIMEOUT")):
            self.assertEqual(faults([create(), lost], FIRST), [])
            self.assertEqual(faults([create(), lost], FIRST, DONE), [])

    def test_a_lost_create_is_found(self):
        self.assertTrue(faults([create()]))

    def test_a_lost_change_is_found(self):
        self.assertTrue(faults([create(), toggle(1)], FIRST))
        self.assertTrue(faults([create(), update("b", 1), update("c", 1)], FIRST, (2, "c", "PENDING")))

    def test_an_unacknowledged_toggle_that_was_made_twice_is_found(self):
        twice = (FIRST, DONE, (3, "a", "PENDING"))
        self.assertTrue(faults([create(), toggle(1, "SERVICE_UNAVAILABLE")], *twice))
        self.assertTrue(faults([create(), toggle(1)], *twice))

    def test_an_unacknowledged_update_that_was_made_later_is_found(self):
        late = (FIRST, DONE, (3, "b", "COMPLETED"))
        self.assertTrue(faults([create(), toggle(1), update("b", 1, "TIMEOUT")], *late))

    def test_a_refused_change_that_was_made_is_found(self):
        self.assertTrue(faults([create(), update("b", 1, "CONFLICT")], FIRST, (2, "b", "PENDING")))

    def test_a_change_without_a_request_is_found(self):
        self.assertTrue(faults([], FIRST))

    def test_a_task_that_differs_from_its_last_change_is_found(self):
        self.assertTrue(check_history([create()], [(TASK, *FIRST)], {TASK: (1, "z")}))


class Answers(unittest.TestCase):
    SPANS = outages([Attempt(10.0, 10.1, 1, None)], [(20.0, 30.0)])

    def test_a_failure_is_allowed_in_an_outage_and_a_second_longer(self):
        self.assertEqual(self.SPANS, [(10.0, 11.1), (20.0, 31.0)])
        for start, end, allowed in ((5, 9, False), (9, 10, True), (11, 12, True), (12, 19, False), (30.9, 45, True),
                                    (31.1, 32, False)):
            self.assertEqual(overlaps(self.SPANS, start, end), allowed, (start, end))

    def wrong(self, *requests, shared=()):
        return check_answers(requests, shared, self.SPANS, 0.0)

    def test_only_two_codes_are_allowed_in_an_outage(self):
        self.assertFalse(self.wrong(request("read", "TIMEOUT", 21, 22), request("read", "SERVICE_UNAVAILABLE", 21, 22)))
        for code in ("INTERNAL_SERVER_ERROR", "NO_ANSWER", "CONFLICT", "UNAUTHENTICATED"):
            self.assertTrue(self.wrong(request("update", code, 21, 22)))

    def test_a_failure_without_an_outage_is_found(self):
        self.assertTrue(self.wrong(request("read", "SERVICE_UNAVAILABLE", 15, 16)))

    def test_a_conflict_is_valid_only_with_several_writers(self):
        self.assertFalse(self.wrong(request("update", "CONFLICT", 15, 16), shared={TASK}))

    def test_a_late_response_is_found(self):
        self.assertTrue(self.wrong(request("read", "OK", 20, 37)))

    def test_the_first_success_is_the_one_of_the_instance(self):
        requests = [request("create", end=3.0), request("read", end=5.1), request("create", end=5.5),
                    request("create", end=5.2, instance=1), request("create", "TIMEOUT", end=5.3)]
        self.assertEqual(first_success(requests, 0, 5.0), 0.5)
        self.assertIsNone(first_success(requests, 0, 6.0))


if __name__ == "__main__":
    unittest.main()
