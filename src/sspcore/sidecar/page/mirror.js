// A copy of a view, kept from snapshots and deltas alone. Keys are opaque: their JSON names a row.

export const named = (key) => JSON.stringify(key);

export class Mirror {
  constructor(snap) {
    this.columns = snap.columns;
    this.ordered = Boolean(snap.ordered);
    this.warnings = snap.warnings ?? [];
    this.rows = new Map();
    this.order = [];
    this.add(snap.rows);
  }

  /** More rows of a snapshot that comes in parts. */
  add(rows) {
    for (const [key, values] of rows) {
      const name = named(key);
      this.rows.set(name, values);
      if (this.ordered) this.order.push(name);
    }
  }

  /** Apply a delta. Gives what changed: added and moved names, updated name → changed columns, removed name → values. */
  apply(delta) {
    const changes = { added: new Set(), updated: new Map(), removed: new Map(), moved: new Set() };
    for (const key of delta.removed) {
      const name = named(key);
      changes.removed.set(name, this.rows.get(name));
      this.rows.delete(name);
    }
    for (const [key, values] of delta.added) {
      this.rows.set(named(key), values);
      changes.added.add(named(key));
    }
    for (const [key, values] of delta.updated) {
      if (values === null) continue; // only its place changed
      const name = named(key);
      const before = this.rows.get(name) ?? [];
      const columns = values.flatMap((value, at) => (same(value, before[at]) ? [] : [at]));
      this.rows.set(name, values);
      changes.updated.set(name, new Set(columns));
    }
    for (const entry of delta.nested ?? []) this.nest(entry, changes);
    if (this.ordered) this.place(delta, changes);
    return changes;
  }

  /** Apply what changed within a row of a tree: one nested row that went, changed, came or moved. */
  nest([[[key, column], ...steps], ...told], changes) {
    const name = named(key);
    const at = this.columns.indexOf(column);
    const values = [...this.rows.get(name)];
    values[at] = edited(values[at], steps, ...told);
    this.rows.set(name, values);
    changes.updated.set(name, (changes.updated.get(name) ?? new Set()).add(at));
  }

  /** Take the removed and the placed rows out, then put each placed row behind its predecessor. */
  place(delta, changes) {
    const next = new Map();
    const out = new Set(changes.removed.keys());
    for (const [key, , after] of [...delta.added, ...delta.updated].filter((entry) => entry.length === 3)) {
      next.set(after === null ? null : named(after), named(key));
      out.add(named(key));
      if (!changes.added.has(named(key))) changes.moved.add(named(key));
    }
    if (out.size === 0) return;
    const order = [];
    const follow = (name) => {
      for (let at = next.get(name); at !== undefined; at = next.get(at)) order.push(at);
    };
    follow(null);
    for (const name of this.order) {
      if (out.has(name)) continue;
      order.push(name);
      follow(name);
    }
    this.order = order;
  }
}

/** A nested list with one child removed (only its key is told), replaced, or put behind another. */
const edited = (list, [step, ...steps], key, ...told) => {
  if (step !== undefined) {
    const [owner, member] = step;
    const inside = (child) => ({ ...child, [member]: edited(child[member], steps, key, ...told) });
    return list.map(([k, child]) => [k, named(k) === named(owner) ? inside(child) : child]);
  }
  const [child, after] = told;
  if (told.length === 1) return list.map(([k, held]) => [k, named(k) === named(key) ? child : held]);
  const rest = list.filter(([k]) => named(k) !== named(key));
  if (told.length === 0) return rest;
  const held = list.find(([k]) => named(k) === named(key));
  const at = after === null ? 0 : rest.findIndex(([k]) => named(k) === named(after)) + 1;
  return [...rest.slice(0, at), [key, child ?? held[1]], ...rest.slice(at)];
};

export const same = (a, b) => a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));
