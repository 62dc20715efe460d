"""What an operation touched, so that every view can decide for itself whether to refresh.

A change is a plain value that travels from the database thread to the window; it holds no connection and no widget.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Changes:
    """Which aspects of which samples changed.

    membership: samples were added or deleted, so ordered id lists are stale.
    added: membership changed by additions alone: whatever was in a list is in it still.
    text, review, verdict, tag: that aspect changed for `ids`.
    ids: the samples touched, or None when there are too many to be worth naming.
    """

    membership: bool = False
    added: bool = False
    text: bool = False
    review: bool = False
    verdict: bool = False
    tag: bool = False
    ids: tuple[int, ...] | None = ()

    def __bool__(self) -> bool:
        return self.membership or self.text or self.review or self.verdict or self.tag

    def merged(self, other: Changes) -> Changes:
        """Both changes as one."""
        ids = None if self.ids is None or other.ids is None else self.ids + other.ids
        return Changes(
            membership=self.membership or other.membership,
            added=all(one.added for one in (self, other) if one.membership) and (self.added or other.added),
            text=self.text or other.text,
            review=self.review or other.review,
            verdict=self.verdict or other.verdict,
            tag=self.tag or other.tag,
            ids=ids,
        )
