// The side: every circuit's views, queues and counters, polled once a second.

import { count, titled } from "/page/format.js";

const element = (tag, props = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...children);
  return made;
};

export class Overview {
  /** `pick(circuit, view)` is called when a view is chosen; `on.locked()` when the token is refused. */
  constructor({ views, circuits, tables, totals }, pick, on) {
    Object.assign(this, { views, circuits, tables, totals, pick, on });
    this.buttons = new Map();
    this.versions = new Map();
    this.before = null;
    this.current = null;
    this.known = new Map();
  }

  async poll(token) {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const answer = await fetch("/statistics", { headers }).catch(() => null);
    if (answer?.status === 401) return this.on.locked();
    if (!answer?.ok) return;
    const { runtime, server } = await answer.json();
    const now = performance.now();
    this.paintViews(runtime.circuits);
    this.paintCircuits(runtime.circuits, now);
    this.paintTables(runtime.tables);
    this.paintTotals(runtime, server, now);
    this.before = { runtime, now };
  }

  paintViews(circuits) {
    const names = Object.keys(circuits);
    const shown = names.flatMap((circuit) =>
      Object.values(circuits[circuit].views).filter((view) => view.pinned !== false).map((view) => ({ ...view, circuit })));
    this.known = new Map(shown.map((view) => [`${view.circuit}/${view.id}`, view]));
    const layout = JSON.stringify([...this.known.keys()]);
    if (layout !== this.layout) {
      this.layout = layout;
      this.buttons.clear();
      this.views.replaceChildren(...names.flatMap((circuit) => this.group(circuit, shown, names.length > 1)));
      this.mark();
    }
    for (const [name, view] of this.known) {
      const button = this.buttons.get(name);
      button.lastChild.textContent = count(view.rows);
      button.dataset.state = view.state;
      button.classList.toggle("stirs", this.versions.has(name) && this.versions.get(name) !== view.version);
      this.versions.set(name, view.version);
    }
  }

  group(circuit, shown, named) {
    const mine = shown.filter((view) => view.circuit === circuit);
    if (mine.length === 0) return [];
    const heading = element("h2", { textContent: named ? `Views of ${circuit}` : "Views" });
    return [heading, ...mine.map((view) => {
      const button = element("button", { className: "view", type: "button", title: view.id },
        element("span", { textContent: titled(view.id) }), element("i"), element("b"));
      button.onclick = () => this.pick(circuit, view.id);
      this.buttons.set(`${circuit}/${view.id}`, button);
      return button;
    })];
  }

  mark(current = this.current) {
    this.current = current;
    for (const [name, button] of this.buttons) button.setAttribute("aria-current", String(name === current));
  }

  paintCircuits(circuits, now) {
    this.circuits.replaceChildren(element("h2", { textContent: "Circuits" }), ...Object.values(circuits).map((circuit) => {
      const before = this.before?.runtime.circuits[circuit.name];
      const rate = before ? (circuit.applied - before.applied) / ((now - this.before.now) / 1000) : 0;
      const full = circuit.capacity ? circuit.depth / circuit.capacity : 0;
      const gauge = element("div", { className: "gauge", title: `queue: ${circuit.depth} of ${circuit.capacity}` }, element("span"));
      gauge.firstChild.style.width = `${Math.min(100, full * 100).toFixed(1)}%`;
      gauge.dataset.full = String(full > 0.8);
      const box = element("div", { className: "circuit" },
        element("p", {}, circuit.name, element("small", { textContent: circuit.state })), gauge,
        facts([
          ["queue", `${count(circuit.depth)} of ${count(circuit.capacity)}`],
          ["applied", `${count(circuit.applied)} rows`],
          ["rate", `${count(Math.max(0, rate))}/s`],
          ["commits", count(circuit.version)],
          ["views", count(Object.keys(circuit.views).length)],
          ...(circuit.restarts ? [["restarts", count(circuit.restarts)]] : []),
        ]));
      box.dataset.state = circuit.state;
      if (circuit.error) box.title = circuit.error;
      return box;
    }));
  }

  paintTables(tables) {
    const listed = Object.entries(tables).map(([name, rows]) => [name, count(rows)]);
    this.tables.replaceChildren(element("h2", { textContent: "Tables" }), facts(listed));
  }

  paintTotals(runtime, server, now) {
    const rate = this.before ? (runtime.accepted - this.before.runtime.accepted) / ((now - this.before.now) / 1000) : 0;
    const total = (name, value) => element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value }));
    this.totals.replaceChildren(
      total("changes", count(runtime.accepted)), total("per second", count(Math.max(0, rate))), total("readers", count(server.peers)));
  }
}

function facts(listed) {
  return element("dl", { className: "facts" }, ...listed.flatMap(([name, value]) =>
    [element("dt", { textContent: name }), element("dd", { textContent: value })]));
}
