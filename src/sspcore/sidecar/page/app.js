// The page: one view at a time, chosen at the side or asked for in SQL, shown as it changes.

import { Connection } from "/page/connection.js";
import { Editor } from "/page/editor.js";
import { count, titled } from "/page/format.js";
import { Overview } from "/page/overview.js";
import { Pulse } from "/page/pulse.js";
import { LiveTable } from "/page/table.js";

const at = (id) => document.getElementById(id);
const table = new LiveTable(at("table"), at("empty"), at("foot"));
const pulse = new Pulse(at("pulse"), at("rate"));
let shown = null; // the subscription on the screen
let coming = null; // the one that will replace it with its snapshot

const locked = () => {
  state("lost", "locked");
  const dialog = at("locked");
  if (dialog.open) return;
  dialog.showModal();
  dialog.onclose = () => {
    sessionStorage.setItem("sspcore.token", at("token").value);
    connection.open();
    poll();
  };
};

const connection = new Connection({ state, locked });
const overview = new Overview(
  { views: at("views"), circuits: at("circuits"), tables: at("tables"), totals: at("totals") },
  (circuit, view) => { location.hash = `${encodeURIComponent(circuit)}/${encodeURIComponent(view)}`; },
  { locked },
);
const editor = new Editor(
  { box: at("editor"), text: at("sql"), hint: at("editor-hint"), error: at("error"), sheet: at("sheet") },
  (sql) => follow({ sql }, "Your query"),
);

function state(name, text) {
  at("status").dataset.state = name;
  at("status").textContent = text;
}

/** Subscribe to a query; what is on the screen stays until its snapshot is here. */
function follow(query, title) {
  if (coming !== null) connection.unsubscribe(coming);
  const id = coming = connection.subscribe(query, {
    snapshot(mirror, message) {
      editor.fine();
      if (shown !== null && shown !== id) connection.unsubscribe(shown);
      if (shown !== id) pulse.clear();
      [shown, coming] = [id, null];
      at("title").textContent = title;
      describe(mirror, message.version);
      table.show(mirror);
    },
    delta(changes, message) {
      if (shown !== id) return;
      pulse.beat(changes.added.size + changes.updated.size + changes.removed.size + changes.moved.size);
      table.note(changes);
      describe(table.mirror, message.to);
    },
    restart(reason) { at("foot").textContent = `Started over: ${reason}.`; },
    closed(reason) { at("foot").textContent = `This view has ended: ${reason}.`; },
    error(message) {
      connection.unsubscribe(id);
      if (coming === id) coming = null;
      if (query.sql !== undefined) return editor.fail(message);
      leave();
      at("title").textContent = title;
      at("foot").textContent = [message.message, message.hint].filter(Boolean).join(". ");
    },
  });
}

function describe(mirror, version) {
  const rows = mirror.rows.size;
  at("subtitle").textContent = `${count(rows)} ${rows === 1 ? "row" : "rows"} · ${mirror.ordered ? "in the query's order · " : ""}version ${count(version)}`;
}

function leave() {
  for (const id of [shown, coming]) if (id !== null) connection.unsubscribe(id);
  shown = coming = null;
  table.clear();
  pulse.clear();
  at("title").textContent = at("subtitle").textContent = "\u00a0";
}

/** Show what the address names: #circuit/view, #sql, or the first view there is. */
function route() {
  const [circuit, view] = location.hash.slice(1).split("/").map(decodeURIComponent);
  at("ask").setAttribute("aria-pressed", String(circuit === "sql" && !view));
  if (circuit === "sql" && !view) {
    overview.mark(null);
    at("query").hidden = true;
    leave();
    at("title").textContent = "Your query";
    return editor.show(pending);
  }
  pending = undefined;
  editor.hide();
  if (!view) {
    const first = overview.known.values().next().value;
    if (first) history.replaceState(null, "", `#${encodeURIComponent(first.circuit)}/${encodeURIComponent(first.id)}`);
    return first ? route() : undefined;
  }
  leave();
  overview.mark(`${circuit}/${view}`);
  follow({ view, circuit }, titled(view));
  explain(overview.known.get(`${circuit}/${view}`));
}

let pending; // SQL to start the editor with

function explain(view) {
  at("query").hidden = !view?.query;
  if (view?.query) at("query").querySelector("pre").textContent = view.query;
}

at("ask").onclick = () => { location.hash = "sql"; };
at("edit").onclick = () => {
  pending = at("query").querySelector("pre").textContent;
  location.hash = "sql";
};
addEventListener("hashchange", route);

async function poll() {
  await overview.poll(connection.token);
  if (!location.hash || location.hash === "#") route();
  else if (at("query").hidden && overview.current) explain(overview.known.get(overview.current));
}

setInterval(() => document.hidden || poll(), 1000);
await poll();
if (location.hash.length > 1) route();
