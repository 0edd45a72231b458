// The socket: protocol sspcore.v1, subscriptions that outlive it, and a reconnect with backoff and jitter.

import { Mirror } from "/page/mirror.js";

const FIRST_WAIT = 250;
const LONGEST_WAIT = 8000;

export class Connection {
  /** `on.state(state, text)`, `on.locked()` when the token is missing or wrong. */
  constructor(on) {
    this.on = on;
    this.subscriptions = new Map(); // id → {query, reader, mirror, sid}
    this.bySid = new Map();
    this.lastId = 0;
    this.wait = FIRST_WAIT;
    this.heartbeat = 20;
    this.heardAt = 0;
    this.open();
    setInterval(() => this.checkPulse(), 2000);
  }

  get token() { return sessionStorage.getItem("sspcore.token"); }

  open() {
    this.on.state("connecting", "connecting…");
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = this.socket = new WebSocket(url, "sspcore.v1");
    this.ready = false;
    socket.onopen = () => {
      this.heardAt = performance.now();
      this.send({ type: "hello", integers: "text", encodings: ["json"], ...(this.token ? { token: this.token } : {}) });
    };
    socket.onmessage = (event) => socket === this.socket && this.hear(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.lost(event);
  }

  lost(event) {
    this.ready = false;
    this.bySid.clear();
    if (event.code === 4401) return this.on.locked();
    const wait = this.wait * (0.5 + Math.random() / 2);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    this.on.state("lost", event.code === 4008 ? "this page read too slowly; reconnecting…" : "connection lost; reconnecting…");
    setTimeout(() => this.open(), wait);
  }

  checkPulse() {
    if (!this.ready) return;
    const silent = (performance.now() - this.heardAt) / 1000;
    if (silent > 2.5 * this.heartbeat) this.socket.close();
    else if (silent > this.heartbeat / 2) this.send({ type: "ping" });
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Subscribe to `{view}`, `{sql}` (with `circuit`). The reader gets snapshot(mirror), delta(changes), error, closed. */
  subscribe(query, reader) {
    const id = ++this.lastId;
    this.subscriptions.set(id, { query, reader, mirror: null, sid: null });
    if (this.ready) this.send({ type: "sub", id, ...query });
    return id;
  }

  /** Move parameters of a subscription made with `own: true`; what changes comes as a delta. */
  set(id, params) {
    const subscription = this.subscriptions.get(id);
    if (!subscription) return;
    subscription.query = { ...subscription.query, params: { ...subscription.query.params, ...params } };
    if (this.ready && subscription.sid !== null) this.send({ type: "set", sid: subscription.sid, params });
  }

  unsubscribe(id) {
    const subscription = this.subscriptions.get(id);
    if (!subscription) return;
    this.subscriptions.delete(id);
    if (subscription.sid !== null) this.bySid.get(subscription.sid)?.delete(id);
    if (this.ready && !subscription.failed) this.send({ type: "unsub", id });
  }

  hear(message) {
    this.heardAt = performance.now();
    const readers = (sid) => [...(this.bySid.get(sid) ?? [])].map((id) => this.subscriptions.get(id)).filter(Boolean);
    switch (message.type) {
      case "welcome":
        this.ready = true;
        this.wait = FIRST_WAIT;
        this.heartbeat = message.heartbeat;
        this.on.state("live", "live");
        for (const [id, { query }] of this.subscriptions) this.send({ type: "sub", id, ...query });
        break;
      case "snap": this.snap(message); break;
      case "delta":
        for (const subscription of readers(message.sid)) {
          subscription.reader.delta?.(subscription.mirror.apply(message), message);
        }
        break;
      case "restart": for (const subscription of readers(message.sid)) subscription.reader.restart?.(message.reason); break;
      case "closed": for (const subscription of readers(message.sid)) this.end(subscription, message); break;
      case "error": {
        const subscription = this.subscriptions.get(message.id);
        if (subscription) this.end(subscription, message);
        else if (message.code === "forbidden") this.on.locked();
        break;
      }
    }
  }

  snap(message) {
    const subscription = this.subscriptions.get(message.id);
    if (!subscription) return;
    subscription.sid = message.sid;
    if (!this.bySid.has(message.sid)) this.bySid.set(message.sid, new Set());
    this.bySid.get(message.sid).add(message.id);
    if (message.part === 0) subscription.coming = new Mirror(message);
    else subscription.coming.add(message.rows);
    if (!message.last) return;
    subscription.mirror = subscription.coming;
    subscription.reader.snapshot?.(subscription.mirror, message);
  }

  end(subscription, message) {
    subscription.failed = true;
    if (message.type === "error") subscription.reader.error?.(message);
    else subscription.reader.closed?.(message.reason);
  }
}
