"""Views as peers see them: one number each, and each update encoded once for all peers that need it.

Owns the numbers (sids) and the encoded updates. Refuses to know peers and sockets.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from sspcore.engine.update import ViewUpdate
from sspcore.wire.frames import delta_message
from sspcore.wire.json_text import encode_json
from sspcore.wire.messages import to_plain

KEPT_FRAMES = 32
"""Encoded updates kept per view: peers a few commits behind one another still share them."""
KEPT_BYTES = 1_000_000


class Feed:
    """One view of one circuit under its sid. `readers` counts the peers that follow it."""

    def __init__(self, sid: int, circuit: str, view: str, encode: Callable[[object], str]) -> None:
        self.sid, self.circuit, self.view = sid, circuit, view
        self.readers = 0
        self.encodes = 0
        self._encode = encode
        self._frames: OrderedDict[tuple[str, int, int, bool], str] = OrderedDict()
        self._bytes = 0

    def frame(self, update: ViewUpdate, integers_as_text: bool) -> str:
        """The `delta` text of an update; made once per (versions, form of integers) while peers need it."""
        name = (update.epoch, update.from_version, update.version, integers_as_text)
        text = self._frames.get(name)
        if text is None:
            self.encodes += 1
            text = self._encode(to_plain(delta_message(self.sid, update, integers_as_text=integers_as_text)))
            self._frames[name] = text
            self._bytes += len(text)
            while len(self._frames) > KEPT_FRAMES or (self._bytes > KEPT_BYTES and len(self._frames) > 1):
                _, dropped = self._frames.popitem(last=False)
                self._bytes -= len(dropped)
        return text


class Feeds:
    """The feeds in use. A view nobody follows any more loses its sid; sids are never given twice."""

    def __init__(self, encode: Callable[[object], str] = encode_json) -> None:
        self._encode = encode
        self._feeds: dict[tuple[str, str], Feed] = {}
        self._last_sid = 0
        self._encodes_before = 0

    def __len__(self) -> int:
        return len(self._feeds)

    @property
    def encodes(self) -> int:
        """Updates encoded so far: one per view, versions and form of integers, however many peers there are."""
        return self._encodes_before + sum(feed.encodes for feed in self._feeds.values())

    def enter(self, circuit: str, view: str) -> Feed:
        """The feed of a view, for one more reader."""
        feed = self._feeds.get((circuit, view))
        if feed is None:
            self._last_sid += 1
            feed = self._feeds[circuit, view] = Feed(self._last_sid, circuit, view, self._encode)
        feed.readers += 1
        return feed

    def leave(self, feed: Feed) -> None:
        """One reader less."""
        feed.readers -= 1
        if feed.readers == 0:
            self.forget(feed)

    def forget(self, feed: Feed) -> None:
        """The view ended: whoever subscribes to that name from now on reads another view."""
        if self._feeds.get((feed.circuit, feed.view)) is feed:
            del self._feeds[feed.circuit, feed.view]
            self._encodes_before += feed.encodes
