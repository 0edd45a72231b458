"""One WebSocket peer: its conversation, its subscriptions, its ingests, and the one task that writes to it.

Owns the tasks of a connection. What a message means is `wire.session`'s to say, what a view holds the runtime's; how
long a peer may be slow is the transport's.

    reader ─▶ session ─▶ replies ─────────────▶┐
                 ├─ sub ─▶ one follower a view ─▶ outgoing ─▶ writer ─▶ transport
                 └─ ingest ─▶ one worker ──────▶┘
"""

from __future__ import annotations

import logging
from typing import Any

import trio

from sspcore.errors import InternalError, SspError
from sspcore.sidecar.feeds import Feed
from sspcore.sidecar.outgoing import Outgoing
from sspcore.sidecar.state import Reading, Sidecar
from sspcore.sidecar.websocket import PeerGone, Transport
from sspcore.wire.changes import decode_change
from sspcore.wire.limits import Limits
from sspcore.wire.messages import Ingest, Set, Sub, Unsub
from sspcore.wire.session import SLOW, UNAUTHORISED, Hangup, Reply, ServerSession

logger = logging.getLogger("sspcore.sidecar")

GOING_AWAY = 1001
OUR_FAULT = InternalError("the server failed at this", hint="its log says why; please report it")


class Peer:
    """Serves one connection. `trusted`: its upgrade request brought the token."""

    def __init__(self, sidecar: Sidecar, transport: Transport, *, trusted: bool) -> None:
        limits = sidecar.limits
        self.sidecar, self.transport = sidecar, transport
        self.session = ServerSession(
            sidecar.new_session(),
            admits=sidecar.guard.admits,
            hello_required=sidecar.guard.token is not None and not trusted,
            limits=Limits(message_bytes=limits.message_bytes, ingests=limits.ingests),
            heartbeat=limits.heartbeat_seconds,
        )
        self.outgoing = Outgoing(limits.replies)
        self._asked: dict[Any, trio.CancelScope] = {}
        self._followed: dict[int, trio.CancelScope] = {}
        self._to_ingest, self._ingests = trio.open_memory_channel[Ingest](limits.ingests)
        self._to_move, self._moves = trio.open_memory_channel[Set](limits.ingests)
        self._feeds: dict[int, Feed] = {}
        self._nursery: trio.Nursery

    async def serve(self) -> None:
        """Talk until one side hangs up. Cancelled, it says goodbye (1001) within the grace time."""
        try:
            async with trio.open_nursery() as self._nursery:
                self._nursery.start_soon(self._write)
                self._nursery.start_soon(self._ingest)
                self._nursery.start_soon(self._move)
                self._nursery.start_soon(self._heartbeat)
                if not self.session.welcomed:
                    self._nursery.start_soon(self._await_hello)
                await self._read()
                self._nursery.cancel_scope.cancel()
        finally:
            with trio.move_on_after(self.sidecar.limits.goodbye_seconds, shield=True):
                await self.transport.close(GOING_AWAY, "the server is going away")

    async def _read(self) -> None:
        while True:
            try:
                data = await self.transport.receive()
            except PeerGone:
                return
            for event in self.session.receive(data):
                if isinstance(event, Reply):
                    self.outgoing.reply(event.text)
                elif isinstance(event, Hangup):
                    self.outgoing.hang_up(event)
                elif isinstance(event, Sub):
                    scope = self._asked[event.id] = trio.CancelScope()
                    self._nursery.start_soon(self._follow, event, scope)
                elif isinstance(event, Set):
                    self._to_move.send_nowait(event)  # as with ingests
                elif isinstance(event, Unsub):
                    self._unsubscribe(event.id)
                elif isinstance(event, Ingest):
                    self._to_ingest.send_nowait(event)  # the session lets no more through than fit

    async def _write(self) -> None:
        try:
            while True:
                due = await self.outgoing.take()
                if isinstance(due, Hangup):
                    await self.transport.close(due.code, due.reason)
                    break
                await self.transport.send(due)
                if self.transport.slow:
                    self.sidecar.cut += 1
                    await self.transport.close(SLOW, "slow: nothing was read for too long")
                    break
        except PeerGone:
            pass
        self._nursery.cancel_scope.cancel()

    async def _heartbeat(self) -> None:
        seconds = self.sidecar.limits.heartbeat_seconds
        while True:
            await trio.sleep(seconds)
            answered = trio.Event()
            self._nursery.start_soon(self._ping, answered)  # its own task: a send is never cancelled half way
            with trio.move_on_after(seconds):
                await answered.wait()
                continue
            self.outgoing.hang_up(Hangup(SLOW, "slow: a ping was not answered"))

    async def _ping(self, answered: trio.Event) -> None:
        try:
            await self.transport.ping()
        except PeerGone:
            return
        answered.set()

    async def _await_hello(self) -> None:
        await trio.sleep(self.sidecar.limits.hello_seconds)
        if not self.session.welcomed:
            self.outgoing.hang_up(Hangup(UNAUTHORISED, "no hello came"))

    # Subscriptions

    async def _follow(self, sub: Sub, scope: trio.CancelScope) -> None:
        """A view for this peer, from asking for it to its end."""
        with scope:
            try:
                async with self.sidecar.subscribe(sub) as reading:
                    if not scope.cancel_called:
                        await self._follow_view(sub, reading, scope)
            except SspError as error:
                self.outgoing.reply(self.session.refused(error, sub).text)
            except Exception:
                logger.exception("subscription %r failed", sub.id)
                self.outgoing.reply(self.session.refused(OUR_FAULT, sub).text)
        if self._asked.get(sub.id) is scope:
            del self._asked[sub.id]

    async def _follow_view(self, sub: Sub, reading: Reading, scope: trio.CancelScope) -> None:
        feed = reading.feed
        before = self._followed.get(feed.sid)
        self._followed[feed.sid] = scope
        self._feeds[feed.sid] = feed
        if before is not None:
            before.cancel()  # another name for a view this peer follows: one stream, begun anew
        texts = self.session.snapshot(sub.id, feed.sid, reading.subscription.snapshot)
        reason = "the view ended"
        try:
            for text in texts:
                await self.outgoing.push(text)
            async for update in reading.subscription:
                await trio.lowlevel.checkpoint_if_cancelled()  # the peer may have left while this came
                for text in self.session.update(feed.sid, update, feed.frame):
                    await self.outgoing.push(text)
            reason = reading.subscription.reason or reason
        except SspError as error:
            reason = str(error)
        except Exception:
            logger.exception("following view %r failed", feed.view)
            reason = OUR_FAULT.message
        finally:
            if self._followed.get(feed.sid) is scope:
                del self._followed[feed.sid], self._feeds[feed.sid]
        self.sidecar.feeds.forget(feed)
        self.outgoing.reply(self.session.closed(feed.sid, reason).text)

    def _unsubscribe(self, id: Any) -> None:
        sid = self.session.unsubscribed(id)
        if sid is not None:
            self._followed[sid].cancel()
        elif id in self._asked and self._asked[id] not in self._followed.values():
            self._asked[id].cancel()  # no snapshot of it has come yet

    async def _move(self) -> None:
        """Move parameters, in the order asked. A view that has ended meanwhile has said so itself."""
        async for move in self._moves:
            feed, refused = self._feeds.get(move.sid), None
            try:
                if feed is not None:
                    await self.sidecar.rebind(feed, move.params)
            except SspError as error:
                refused = error
            except Exception:
                logger.exception("moving the parameters of sid %r failed", move.sid)
                refused = OUR_FAULT
            reply = self.session.moved(move, refused)
            if reply is not None:
                self.outgoing.reply(reply.text)

    # Ingest

    async def _ingest(self) -> None:
        async for request in self._ingests:
            try:
                receipt = await self.sidecar.ingest(self._changes(request), request.ack)
            except SspError as error:
                self.outgoing.reply(self.session.refused(error, request).text)
            except Exception:
                logger.exception("an ingest failed")
                self.outgoing.reply(self.session.refused(OUR_FAULT, request).text)
            else:
                versions = dict(receipt.versions)
                self.outgoing.reply(self.session.accepted(request.seq, receipt.offset, request.ack, versions).text)

    def _changes(self, request: Ingest) -> list[Any]:
        """The changes of a request. A client with a name may send a request again: its seq tells what was had."""
        schema = self.sidecar.schemas()
        changes = [decode_change(data, schema, index=at) for at, data in enumerate(request.changes)]
        self.sidecar.check_foreign(changes)
        if self.session.client_id is None:
            return changes
        source = f"client:anonymous/{self.session.client_id}"
        return [change._replace(source=source, seq=request.seq) for change in changes]
