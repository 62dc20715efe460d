"""How long and how often a teacher is asked, in numbers: those of people for a person's work, those of tests for tests."""

from __future__ import annotations

from dataclasses import dataclass

MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often. Times are seconds.

    attempts: sendings of a question that may fail for reasons of their own. refusals: times it may meet a limit. first_wait: after the
    first failure, doubled each time up to longest_wait. retry_after: longest wait an endpoint may ask for; beyond, everything pauses.
    outage: how long an endpoint may be out of reach. answer: from sending to the last byte. silence: between two bytes. grace: for what is under way
    when asked to stop.
    """

    attempts: int = 6
    refusals: int = 40
    first_wait: float = 1.0
    longest_wait: float = 60.0
    retry_after: float = 900.0
    outage: float = 300.0
    answer: float = 900.0
    silence: float = 600.0
    grace: float = 20.0


@dataclass(frozen=True, slots=True)
class Tempo:
    """Times in seconds, and sizes. linger: without a new question, after which those gathered are sent. first_poll: until a batch is looked
    at first; doubled each time up to poll.

    rounds: batches that a question may be in without an answer. attempts: of one request. outage, retry_after: as for `Patience`.
    grace: for a batch that is being cancelled. transfer: for one file up or down.
    """

    linger: float = 5.0
    first_poll: float = 1.0
    poll: float = 30.0
    rounds: int = 3
    attempts: int = 8
    first_wait: float = 1.0
    outage: float = 600.0
    retry_after: float = 900.0
    grace: float = 20.0
    transfer: float = 1800.0
    most_requests: int = MOST_REQUESTS
    most_bytes: int = MOST_BYTES
