"""The conversation from both ends, without a wire: what one says the other understands, and nothing makes it fall."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.update import Snapshot, ViewUpdate
from sspcore.errors import Full, InternalError, PeerError, UnknownView
from sspcore.wire.client_session import ClientSession, Whole
from sspcore.wire.limits import Limits
from sspcore.wire.messages import CLIENT_MESSAGES, Ack, Delta, Error, Ingest, Pong, Restart, Sub, Unsub, Welcome
from sspcore.wire.session import SLOW, UNAUTHORISED, Hangup, Reply, ServerSession
from tests.profiles import fuzz
from tests.wire.mirror import Mirror

SNAPSHOT = Snapshot("late", "e1", 3, ("carrier", "n"), ["AA", "UA"], [("AA", 1), ("UA", 2)])


def update(changes: list[Any], start: int = 3, end: int = 4, placed: tuple[Any, ...] = (), **more: Any) -> ViewUpdate:
    return ViewUpdate("late", "e1", start, end, ("carrier", "n"), tuple(changes), placed, **more)


def opened(snapshot: Snapshot = SNAPSHOT, **options: Any) -> tuple[ServerSession, ClientSession, Mirror]:
    """Both ends, with the client holding the snapshot as sid 1 under the id `a`."""
    server, client = ServerSession("s", **options), ClientSession()
    assert server.receive(client.sub("a", view="late")) == [Sub("a", view="late")]
    events = [event for text in server.snapshot("a", 1, snapshot) for event in client.receive(text)]
    (whole,) = events
    assert isinstance(whole, Whole)
    return server, client, Mirror(whole)


def told(server: ServerSession, data: str | bytes) -> Error:
    """The error that a faulty message is answered with."""
    (reply,) = server.receive(data)
    assert isinstance(reply, Reply)
    (error,) = ClientSession().receive(reply.text)
    assert isinstance(error, Error)
    return error


def test_hello_is_answered_with_limits_and_heartbeat() -> None:
    server, client = ServerSession("s1", heartbeat=15.0), ClientSession()
    (reply,) = server.receive(client.hello("board", integers="text"))
    (welcome,) = client.receive(reply.text)
    assert isinstance(welcome, Welcome)
    assert (welcome.session, welcome.heartbeat, welcome.limits["subscriptions"]) == ("s1", 15.0, 100)
    assert (server.client_id, server.integers_as_text) == ("board", True)


def test_hello_is_optional_without_a_token() -> None:
    server = ServerSession("s")
    assert server.receive('{"type":"unsub","id":1}') != []
    assert server.receive('{"type":"sub","id":1,"view":"late"}') == [Sub(1, view="late")]


def test_with_a_token_nothing_is_heard_before_a_good_hello() -> None:
    server = ServerSession("s", admits=lambda token: token == "key", hello_required=True)
    assert told(server, '{"type":"sub","id":1,"view":"late"}').code == "hello_first"
    assert server.receive('{"type":"ping"}') == [Reply('{"type":"pong"}')]
    error, hangup = server.receive('{"type":"hello","token":"guess"}')
    assert "forbidden" in error.text
    assert hangup == Hangup(UNAUTHORISED, "unauthorised")
    (welcome,) = server.receive('{"type":"hello","token":"key"}')
    assert '"welcome"' in welcome.text
    assert told(server, '{"type":"hello","token":"key"}').code == "hello_twice"


def test_a_wrong_token_is_refused_also_where_none_is_needed_yet_given() -> None:
    server = ServerSession("s", admits=lambda token: token is None)
    _, hangup = server.receive('{"type":"hello","token":"guess"}')
    assert isinstance(hangup, Hangup)


def test_snapshot_then_updates_keep_a_mirror() -> None:
    server, client, mirror = opened()
    changes = [("AA", ("AA", 1), None), ("UA", ("UA", 2), ("UA", 5)), ("DL", None, ("DL", 1))]
    for text in server.update(1, update(changes)):
        (delta,) = client.receive(text)
        assert isinstance(delta, Delta)
        mirror.apply(delta)
    assert mirror.listed == [["UA", 5], ["DL", 1]]
    assert server.receive(client.ack(1)) == [Ack(1, 4)]


def test_an_empty_view_is_one_empty_part() -> None:
    server, _, mirror = opened(Snapshot("late", "e1", 0, ("n",), [], []))
    assert mirror.listed == []
    assert server.streams[1].version == 0


def test_a_long_snapshot_leaves_in_parts_below_256_kb() -> None:
    rows = [(f"{i}", "é" * 997) for i in range(1_000)]
    server = ServerSession("s")
    server.receive('{"type":"sub","id":"a","view":"late"}')
    snapshot = Snapshot("late", "e1", 3, ("i", "text"), [row[0] for row in rows], rows)
    texts = list(server.snapshot("a", 1, snapshot))
    assert len(texts) >= 8
    assert max(len(text.encode()) for text in texts) <= 257 * 1024
    client = ClientSession()
    client.sub("a", view="late")
    (whole,) = [event for text in texts for event in client.receive(text)]
    assert isinstance(whole, Whole)
    assert [values for _, values in whole.rows] == [list(row) for row in rows]


def test_one_row_may_exceed_a_part() -> None:
    snapshot = Snapshot("late", "e1", 3, ("text",), [1, 2], [("x" * 300_000,), ("y",)])
    server = ServerSession("s")
    server.receive('{"type":"sub","id":"a","view":"late"}')
    assert len(list(server.snapshot("a", 1, snapshot))) == 2


def test_ordered_updates_tell_each_moved_row_its_place() -> None:
    rows = [("a", 1), ("b", 2), ("c", 3), ("e", 5)]
    first = Snapshot("late", "e1", 3, ("carrier", "n"), [row[0] for row in rows], rows, ordered=True)
    server, client, mirror = opened(first)
    moved = update(
        [("b", ("b", 2), None), ("d", None, ("d", 0)), ("a", ("a", 1), ("a", 9)), ("c", ("c", 3), ("c", 4))],
        placed=(("d", None), ("a", "c"), ("e", "a")),
    )
    (text,) = server.update(1, moved)
    (delta,) = client.receive(text)
    assert isinstance(delta, Delta)
    assert delta.added == [["d", ["d", 0], None]]
    assert delta.updated == [["a", ["a", 9], "c"], ["e", None, "a"], ["c", ["c", 4]]]
    mirror.apply(delta)
    assert mirror.listed == [["d", 0], ["c", 4], ["a", 9], ["e", 5]]


def test_a_derived_view_restarts_with_a_snapshot_in_a_new_epoch() -> None:
    server, client, _ = opened()
    whole = ViewUpdate(
        "late", "e2", 0, 1, ("carrier", "n"), (("DL", None, ("DL", 7)),), reset=True, reason="the circuit was refilled"
    )
    events = [event for text in server.update(1, whole) for event in client.receive(text)]
    assert events[0] == Restart(1, "the circuit was refilled")
    assert isinstance(events[1], Whole)
    assert (events[1].epoch, events[1].version, events[1].rows) == ("e2", 1, [["DL", ["DL", 7]]])
    after = ViewUpdate("late", "e2", 1, 2, ("carrier", "n"), (("DL", ("DL", 7), None),))
    assert [type(e) for text in server.update(1, after) for e in client.receive(text)] == [Delta]


@pytest.mark.parametrize("wrong", [update([], start=2), ViewUpdate("late", "e2", 3, 4, ("n",), ())])
def test_the_server_never_sends_an_update_that_does_not_chain(wrong: ViewUpdate) -> None:
    server, _, _ = opened()
    with pytest.raises(InternalError):
        list(server.update(1, wrong))


def test_the_client_refuses_a_gap() -> None:
    _, client, _ = opened()
    with pytest.raises(PeerError, match="does not follow version 3"):
        client.receive('{"type":"delta","sid":1,"from":4,"to":5,"added":[],"updated":[],"removed":[]}')


def test_the_client_refuses_parts_out_of_turn() -> None:
    client = ClientSession()
    client.sub("a", view="late")
    text = '{"type":"snap","id":"a","sid":1,"epoch":"e","version":1,"part":1,"last":true,"columns":[],"rows":[]}'
    with pytest.raises(PeerError, match="out of turn"):
        client.receive(text)


def test_updates_under_way_when_the_client_left_are_no_fault() -> None:
    server, client, _ = opened()
    late = list(server.update(1, update([("AA", ("AA", 1), None)])))
    assert server.receive(client.unsub("a")) == [Unsub("a")]
    assert server.unsubscribed("a") == 1
    assert [event for text in late for event in client.receive(text)] == []


def test_two_names_for_one_view_share_its_stream() -> None:
    server, client, _ = opened()
    server.receive(client.sub("b", view="late"))
    events = [event for text in server.snapshot("b", 1, SNAPSHOT) for event in client.receive(text)]
    assert isinstance(events[0], Whole)
    assert server.streams[1].aliases == ["a", "b"]
    assert server.unsubscribed("a") is None
    assert server.unsubscribed("b") == 1


def test_ingest_is_answered_by_its_seq() -> None:
    server, client = ServerSession("s"), ClientSession()
    (request,) = server.receive(client.ingest([{"table": "t", "op": "delete", "id": 1}]))
    assert isinstance(request, Ingest)
    assert told(server, '{"type":"ingest","changes":[],"seq":1}').code == "seq_in_use"
    (accepted,) = client.receive(server.accepted(1, 7, "applied", {"main": 3}).text)
    assert (accepted.seq, accepted.offset, accepted.versions) == (1, 7, {"main": 3})  # type: ignore[union-attr]
    (request,) = server.receive(client.ingest([]))
    assert isinstance(request, Ingest)
    full = Full("queue of circuit 'main' is full", depth=9, capacity=9, retry_after=0.5)
    (error,) = client.receive(server.refused(full, request).text)
    assert isinstance(error, Error)
    assert (error.code, error.seq, error.retry_after, error.depth) == ("full", 2, 0.5, 9)


def test_a_failed_subscription_frees_its_name() -> None:
    server, client = ServerSession("s"), ClientSession()
    (request,) = server.receive(client.sub("a", view="lat"))
    (error,) = client.receive(server.refused(UnknownView("lat", ["late"]), request).text)  # type: ignore[arg-type]
    assert isinstance(error, Error)
    assert (error.id, error.code, error.hint) == ("a", "unknown_view", "did you mean 'late'?")
    assert isinstance(server.receive(client.sub("a", view="late"))[0], Sub)


def test_limits_are_obeyed() -> None:
    server = ServerSession("s", limits=Limits(subscriptions=1, sql_bytes=20, changes=1, ingests=1, message_bytes=900))
    assert told(server, json.dumps({"type": "sub", "id": 1, "sql": "SELECT " + "é" * 10})).code == "too_expensive"
    server.receive('{"type":"sub","id":1,"view":"late"}')
    assert told(server, '{"type":"sub","id":2,"view":"late"}').code == "too_expensive"
    assert told(server, '{"type":"ingest","seq":1,"changes":[1,2]}').code == "too_expensive"
    server.receive('{"type":"ingest","seq":1,"changes":[]}')
    assert told(server, '{"type":"ingest","seq":2,"changes":[]}').retry_after == 0.1
    assert told(server, " " * 901).code == "too_expensive"
    server = ServerSession("s", limits=Limits(query_bytes=100))
    assert told(server, json.dumps({"type": "sub", "id": 1, "plan": {"x": "y" * 100}})).code == "too_expensive"


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        ("", "malformed", "not JSON"), (b"\xff", "malformed", "UTF-8 at byte 0"), ("[]", "malformed", "with a type"),
        ("NaN", "malformed", "NaN is no JSON"), ('{"type":"ping","type":"ping"}', "malformed", "named twice"),
        ('{"type":"subs"}', "unknown_type", "unknown message type 'subs'"),
        ('{"type":["ping"]}', "unknown_type", "a list"), ('{"type":"ping","x":1}', "unknown_field", "no field 'x'"),
        ('{"type":"snap"}', "unknown_type", "'snap'"), ('{"type":"sub","id":1}', "malformed", "one of view, sql"),
        ('{"type":"sub","id":1,"view":"a","sql":"b"}', "malformed", "one of"),
        ('{"type":"sub","id":1,"view":"a","params":{}}', "malformed", "params go with"),
        ('{"type":"sub","view":"a"}', "malformed", "needs the field 'id'"),
        ('{"type":"sub","id":true,"view":"a"}', "malformed", "sub.id is a short text or an integer, not True"),
        ('{"type":"unsub","id":7}', "unknown_id", "no subscription 7"),
        ('{"type":"ack","sid":1,"version":1}', "unknown_sid", "sid 1"),
        ('{"type":"ingest","changes":{},"seq":1}', "malformed", "a list of changes"),
        ('{"type":"ingest","changes":[],"seq":-1}', "malformed", "an integer"),
        ('{"type":"ingest","changes":[],"seq":1,"ack":"durable"}', "malformed", "'queued' or 'applied'"),
        ('{"type":"hello","integers":"hex"}', "malformed", "'number' or 'text'"),
        ('{"type":"hello","encodings":["cbor"]}', "peer", "offer 'json'"),
        ("[" * 65, "too_expensive", "nesting"), ("1" * 5000, "malformed", "not JSON we take"),
        ('{"type":"\\ud800"}', "malformed", "lone surrogate"),
    ],
)  # fmt: skip
def test_a_faulty_message_is_answered_with_the_reason(data: str | bytes, code: str, says: str) -> None:
    error = told(ServerSession("s"), data)
    assert error.code == code
    assert says in f"{error.message} {error.hint}"


def test_an_error_names_the_request_it_answers() -> None:
    assert told(ServerSession("s"), '{"type":"sub","id":"a","wiew":"late"}').id == "a"
    assert told(ServerSession("s"), '{"type":"ingest","seq":5}').seq == 5


def test_an_ack_of_what_was_never_sent_is_refused() -> None:
    server, _, _ = opened()
    assert told(server, '{"type":"ack","sid":1,"version":4}').code == "bad_ack"


def test_a_lost_view_ends_all_its_names() -> None:
    server, client, _ = opened()
    (closed,) = client.receive(server.closed(1, "the view was unregistered").text)
    assert closed.reason == "the view was unregistered"  # type: ignore[union-attr]
    assert client.views == {}
    assert isinstance(server.receive(client.sub("a", view="late"))[0], Sub)


def test_codes_of_closing_are_in_the_private_range() -> None:
    assert 4000 <= SLOW <= 4999
    assert 4000 <= UNAUTHORISED <= 4999


# Any order of valid messages, any garbage

IDS = st.sampled_from(["a", "b", 1, 2])
VALID = st.one_of(
    st.fixed_dictionaries({"type": st.just("sub"), "id": IDS, "view": st.sampled_from(["v", "w"])}),
    st.fixed_dictionaries({"type": st.just("unsub"), "id": IDS}),
    st.fixed_dictionaries({"type": st.just("ack"), "sid": st.integers(0, 3), "version": st.integers(0, 9)}),
    st.fixed_dictionaries({"type": st.just("ingest"), "seq": st.integers(0, 5), "changes": st.just([])}),
    st.just({"type": "ping"}), st.just({"type": "hello"}),
)  # fmt: skip


@given(st.lists(VALID, max_size=30), st.data())
def test_any_order_of_valid_messages_keeps_both_ends_agreed(messages: list[Any], data: st.DataObject) -> None:
    """A server that serves each request as it comes, and a client that is told only what it says."""
    server, client = ServerSession("s"), ClientSession()
    sids = {"v": 1, "w": 2}
    version = {1: 0, 2: 0}
    mirrors: dict[int, Mirror] = {}
    for message in messages:
        if message["type"] == "sub" and message["id"] not in client._asked:
            client.sub(message["id"], view=message["view"])
        if message["type"] == "unsub" and message["id"] in client._asked:
            client.unsub(message["id"])
        if message["type"] == "ingest":
            client._unanswered.add(message["seq"])
        outgoing: list[str] = []
        for event in server.receive(json.dumps(message)):
            if isinstance(event, Reply):
                outgoing.append(event.text)
            elif isinstance(event, Sub):
                assert event.view is not None
                sid = sids[event.view]
                rows = [(i,) for i in range(version[sid])]
                outgoing += server.snapshot(event.id, sid, Snapshot("v", "e", version[sid], ("n",), rows, rows))
            elif isinstance(event, Unsub):
                server.unsubscribed(event.id)
            elif isinstance(event, Ingest):
                outgoing.append(server.accepted(event.seq, 1, event.ack, {}).text)
        for sid in list(server.streams):
            if data.draw(st.booleans()):
                row = (version[sid],)
                step = ViewUpdate("v", "e", version[sid], version[sid] + 1, ("n",), ((row, None, row),))
                version[sid] += 1
                outgoing += server.update(sid, step)
        for text in outgoing:
            for received in client.receive(text):
                if isinstance(received, Whole):
                    mirrors[received.sid] = Mirror(received)
                elif isinstance(received, Delta):
                    mirrors[received.sid].apply(received)
        assert {sid: held.version for sid, held in client.views.items()} == {
            sid: stream.version for sid, stream in server.streams.items()
        }
        for sid in client.views:
            assert sorted(mirrors[sid].listed) == [[i] for i in range(version[sid])]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
FIELD_NAMES = ["id", "sid", "view", "sql", "plan", "params", "changes", "seq", "ack", "version", "token", "integers"]
NEARLY = st.builds(
    lambda kind, rest: {"type": kind} | rest,
    st.sampled_from(list(CLIENT_MESSAGES)),
    st.dictionaries(st.sampled_from(FIELD_NAMES), JSON, max_size=4),
)
GARBAGE = st.one_of(
    st.binary(max_size=60), st.text(max_size=60), JSON.map(json.dumps), NEARLY.map(json.dumps),
    st.text(alphabet='[]{}",:\\u18d0aefnltr-.', max_size=200),
)  # fmt: skip


@pytest.mark.fuzz
@fuzz()
@given(st.lists(GARBAGE, min_size=1, max_size=3), st.booleans())
def test_any_bytes_are_answered_or_understood_and_the_session_lives_on(messages: list[Any], locked: bool) -> None:
    server = ServerSession("s", admits=lambda token: token == "key", hello_required=locked)
    for message in messages:
        for event in server.receive(message):
            if isinstance(event, Reply):
                (answer,) = ClientSession().receive(event.text)
                event.text.encode()
                assert isinstance(answer, Error | Pong | Welcome)
    assert server.receive('{"type":"ping"}') == [Reply('{"type":"pong"}')]


@pytest.mark.fuzz
@fuzz()
@given(GARBAGE)
def test_any_bytes_from_a_server_are_an_event_or_its_fault(message: Any) -> None:
    client = ClientSession()
    client.sub("a", view="late")
    try:
        client.receive(message)
    except Exception as error:
        fault = error
    else:
        return
    assert type(fault).__name__ in ("PeerError", "TooExpensive")
