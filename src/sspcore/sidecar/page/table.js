// A live table: a mirror's rows as DOM rows that are kept, moved and flashed, at most MOST of them.

import { decimals, fill, numeric, titled, count } from "/page/format.js";

export const MOST = 500;
const SORTED_UP_TO = 20000; // beyond, an unordered view is shown as it came
const GLIDES_UP_TO = 60; // rows that glide to a new place; longer tables just jump
const LEAVE_AT_ONCE = 4; // rows that may be seen leaving: more would push the live ones out of sight
const CALM = 3; // changes a second up to which rows glide and leave visibly: faster, that would be a blur
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class LiveTable {
  constructor(table, empty, foot) {
    this.head = table.tHead.rows[0];
    this.body = table.tBodies[0];
    this.table = table;
    this.empty = empty;
    this.foot = foot;
    this.leaving = 0;
    this.recent = [];
    this.clear();
  }

  /** Nothing is shown until the next `show`. */
  clear() {
    this.mirror = null;
    this.rows = new Map();
    this.forget();
    this.head.replaceChildren();
    this.body.replaceChildren();
    this.empty.hidden = true;
    this.foot.textContent = "";
    this.sort = null;
  }

  forget() {
    this.added = new Set();
    this.updated = new Map();
    this.removed = new Map();
  }

  /** Show a snapshot; rows that were there before keep their place on the screen. */
  show(mirror) {
    const likeBefore = this.mirror && this.mirror.columns.join("\0") === mirror.columns.join("\0");
    if (!likeBefore) this.clear();
    this.mirror = mirror;
    this.columns = mirror.columns;
    this.forget();
    this.measure();
    this.paintHead();
    for (const name of this.rows.keys()) if (mirror.rows.has(name)) this.updated.set(name, null);
    this.render();
  }

  /** Note what a delta changed; it is drawn with the next frame. */
  note(changes) {
    for (const [name, values] of changes.removed) {
      this.added.delete(name);
      this.updated.delete(name);
      this.removed.set(name, values);
    }
    for (const name of changes.added) {
      this.removed.delete(name);
      this.added.add(name);
    }
    for (const [name, columns] of changes.updated) {
      const before = this.updated.get(name);
      if (before) for (const at of columns) before.add(at);
      else this.updated.set(name, new Set(columns));
    }
    this.scheduled ??= requestAnimationFrame(() => {
      this.scheduled = null;
      if (this.mirror) this.render();
    });
  }

  measure() {
    const some = [];
    for (const values of this.mirror.rows.values()) {
      some.push(values);
      if (some.length === 200) break;
    }
    const numbers = numeric(this.columns, some);
    const places = decimals(this.columns, some);
    const changed = String(numbers) !== String(this.numbers) || String(places) !== String(this.places);
    [this.numbers, this.places] = [numbers, places];
    return changed;
  }

  paintHead() {
    const mine = !this.mirror.ordered;
    if (mine) this.sort ??= { at: 0, down: false };
    this.table.classList.toggle("ranked", this.mirror.ordered);
    this.head.replaceChildren(...this.columns.map((name, at) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = titled(name);
      if (this.numbers[at]) cell.className = "number";
      if (mine) {
        cell.dataset.sorts = "";
        if (this.sort.at === at) cell.ariaSort = this.sort.down ? "descending" : "ascending";
        cell.onclick = () => {
          this.sort = { at, down: this.sort.at === at ? !this.sort.down : this.numbers[at] };
          this.paintHead();
          this.render();
        };
      }
      return cell;
    }));
  }

  /** Names of the rows to show, in order. */
  visible() {
    const { mirror } = this;
    if (mirror.ordered) return mirror.order.slice(0, MOST);
    const names = [...mirror.rows.keys()];
    if (names.length <= SORTED_UP_TO) {
      const { at, down } = this.sort;
      const value = (name) => mirror.rows.get(name)[at];
      names.sort((a, b) => order(value(a), value(b)) * (down ? -1 : 1));
    }
    return names.slice(0, MOST);
  }

  render() {
    if (this.measure()) {
      this.paintHead();
      for (const name of this.rows.keys()) if (!this.updated.has(name)) this.updated.set(name, null);
    }
    const names = this.visible();
    const now = performance.now();
    this.recent = [...this.recent.filter((moment) => now - moment < 1000), now];
    this.calm = this.recent.length <= CALM + 1;
    const glide = this.calm && names.length <= GLIDES_UP_TO && this.rows.size > 0 && !still.matches;
    const before = glide ? this.places_of(names) : null;
    this.drop(names);
    let at = this.body.firstChild;
    for (const name of names) {
      while (at?.leaving) at = at.nextSibling;
      const row = this.row(name);
      if (row === at) at = at.nextSibling;
      else this.body.insertBefore(row, at);
    }
    if (before) this.glide(before);
    this.forget();
    this.say(names.length);
  }

  /** The DOM row of a name, made or brought up to date. */
  row(name) {
    const values = this.mirror.rows.get(name);
    let row = this.rows.get(name);
    if (!row) {
      row = document.createElement("tr");
      values.forEach((value, at) => this.cell(row.insertCell(), value, at));
      this.rows.set(name, row);
      if (this.added.has(name)) flash(row, "added");
      return row;
    }
    if (!this.updated.has(name)) return row;
    const columns = this.updated.get(name);
    values.forEach((value, at) => {
      const cell = row.cells[at];
      if (columns !== null && !columns.has(at)) return;
      this.cell(cell, value, at);
      if (columns !== null) flash(cell, "updated");
    });
    return row;
  }

  cell(cell, value, at) {
    fill(cell, value, this.places[at]);
    if (this.numbers[at]) cell.classList.add("number");
  }

  /** Rows no longer shown go: those removed from the view visibly, the others at once. */
  drop(names) {
    const shown = new Set(names);
    for (const [name, row] of this.rows) {
      if (shown.has(name)) continue;
      this.rows.delete(name);
      if (!this.removed.has(name) || document.hidden || !this.calm || this.leaving >= LEAVE_AT_ONCE) {
        row.remove();
        continue;
      }
      row.leaving = true;
      row.className = "removed";
      this.leaving += 1;
      setTimeout(() => {
        row.remove();
        this.leaving -= 1;
      }, 540);
    }
  }

  places_of(names) {
    const places = new Map();
    for (const name of names) if (this.rows.has(name)) places.set(name, this.rows.get(name).offsetTop);
    return places;
  }

  glide(before) {
    for (const [name, top] of before) {
      const row = this.rows.get(name);
      const distance = top - row.offsetTop;
      if (distance) {
        row.animate([{ transform: `translateY(${distance}px)` }, { transform: "none" }], { duration: 240, easing: "ease-out" });
      }
    }
  }

  say(shown) {
    const all = this.mirror.rows.size;
    this.empty.hidden = all > 0;
    this.empty.textContent = "No rows yet. They appear here the moment they exist.";
    const parts = [];
    if (all > shown) parts.push(`Showing ${count(shown)} of ${count(all)} rows.`);
    if (this.mirror.warnings.length) parts.push(...this.mirror.warnings);
    this.foot.textContent = parts.join(" ");
  }
}

/** Ascending, nulls last, numbers by value, the rest by text. */
function order(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [x, y] = [typeof a === "object" ? JSON.stringify(a) : String(a), typeof b === "object" ? JSON.stringify(b) : String(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Play a class's animation, also when it is playing already. */
function flash(element, name) {
  element.classList.remove(name);
  void element.offsetWidth;
  element.classList.add(name);
  element.addEventListener("animationend", () => element.classList.remove(name), { once: true });
}
