// TanStack's db-ivm: a D2 graph used directly, [key, row] pairs in, a Map out. It keeps no base table.
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {main, Unsuited, ISSUE, cells, predicate} from './clock.mjs';

const file = path.join(process.env.PEER, 'node_modules/@tanstack/db-ivm/dist/esm/index.js');
const {D2, output, filter, map, join, groupBy, groupByOperators, orderByWithFractionalIndex} = await import(pathToFileURL(file).href);
const {sum, count, avg, min, max} = groupByOperators;
const pair = (row, weight) => [[row.id, row], weight];

// A message has the old rows before the new ones of the same key
const sink = rows => output(message => {
  for (const [[key, row], weight] of message.getInner()) {
    if (weight > 0) rows.set(key, row);
    else if (rows.get(key) === row) rows.delete(key);
  }
});
// ... or not: then what goes goes first
const twice = (rows, same, key = k => k) => output(message => {
  const inner = message.getInner();
  for (const [[k, row], weight] of inner) { const at = key(k, row), held = rows.get(at); if (weight < 0 && held && same(held, row)) rows.delete(at); }
  for (const [[k, row], weight] of inner) if (weight > 0) rows.set(key(k, row), row);
});
const always = () => true;   // what a group showed before is not the same object, if an equal one
const sameRow = (a, b) => a[0] === b[0];
const sameJoin = (a, b) => a[0][1] === b[0][1] && a[1][1] === b[1][1];

// Each gives [the Map, how its values become rows, ordered by]
function build(view, inputs) {
  const [shape, p] = view, rows = new Map(), keep = predicate(view);
  const {issue, person} = inputs;
  if (keep) { issue.pipe(filter(([, r]) => keep(r)), sink(rows)); return [rows, r => cells(p.columns ?? ISSUE, r)]; }
  const mine = issue && (p.owner ? issue.pipe(filter(([, r]) => r.owner === p.owner)) : issue);
  switch (shape) {
    case 'join': case 'keyed_join': {
      const left = mine.pipe(map(([k, r]) => [r.owner, [k, r]])), right = person.pipe(map(([k, r]) => [k, [k, r]]));
      left.pipe(join(right, 'inner'), twice(rows, sameJoin, (_, [[k]]) => k));
      return [rows, shape === 'join' ? ([[, i], [, u]]) => [i.id, i.owner, u.name] : ([[, i], [, u]]) => [i.id, i.title, u.name]];
    }
    case 'groups':
      issue.pipe(map(([, r]) => r), groupBy(r => ({status: r.status}), {n: count(), s: sum(r => r.score), a: avg(r => r.score)}), twice(rows, always));
      return [rows, r => [r.status, r.n, r.s, r.a]];
    case 'keyed_group':
      mine.pipe(map(([, r]) => r), groupBy(r => ({status: r.status}), {n: count(), a: min(r => r.score), b: max(r => r.score), s: sum(r => r.priority)}), twice(rows, always));
      return [rows, r => [r.status, r.n, r.a, r.b, r.s]];
    case 'top': case 'keyed_top':
      mine.pipe(orderByWithFractionalIndex(r => r, {comparator: (a, b) => b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0), limit: shape === 'top' ? 50 : 5}), twice(rows, sameRow));
      return [rows, shape === 'top' ? ([r]) => cells(ISSUE, r) : ([r]) => [r.id, r.score], (a, b) => a[1] < b[1] ? -1 : 1];
    case 'carriers':
      inputs.flights.pipe(map(([, r]) => r), groupBy(r => ({carrier: r.carrier}), {n: count(), s: sum(r => r.dep_delay ?? 0)}), twice(rows, always));
      return [rows, r => [r.carrier, r.n, r.s]];
    case 'airlines': {
      const by = (stream, column) => stream.pipe(map(([, r]) => [r[column], r]));
      const named = by(inputs.flights, 'carrier').pipe(join(by(inputs.airlines, 'carrier'), 'inner'), map(([, [f, a]]) => [f.tailnum, {name: a.name, arr_delay: f.arr_delay, id: f.id}]));
      named.pipe(join(by(inputs.planes, 'tailnum'), 'inner'), map(([, [f, pl]]) => ({name: f.name, manufacturer: pl.manufacturer, arr_delay: f.arr_delay, id: f.id})),
        groupBy(r => ({name: r.name, manufacturer: r.manufacturer}), {n: count(), s: sum(r => r.arr_delay ?? 0)}), twice(rows, always));
      return [rows, r => [r.name, r.manufacturer, r.n, r.s]];
    }
    case 'late': {
      const known = inputs.flights.pipe(filter(([, r]) => r.dep_delay !== null));
      known.pipe(orderByWithFractionalIndex(r => r, {comparator: (a, b) => b.dep_delay - a.dep_delay || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0), limit: 10}), twice(rows, sameRow));
      return [rows, ([r]) => [r.id, r.dep_delay], (a, b) => a[1] < b[1] ? -1 : 1];
    }
    default: throw new Unsuited(`${shape} was not written for it`);
  }
}

await main({
  note: 'keeps no base table',
  load(tables) { this.data = Object.entries(tables).map(([name, table]) => [name, table.rows.map(r => pair(r, 1))]); this.views = []; },
  open(views) {
    if (views.length > 1000) throw new Unsuited('every change runs every operator of 10,000 views');
    const graph = new D2(), inputs = Object.fromEntries(this.data.map(([name]) => [name, graph.newInput()]));
    for (const view of views) this.views.push(build(view, inputs));
    graph.finalize();
    for (const [name, pairs] of this.data) if (pairs.length) inputs[name].sendData(pairs);
    graph.run();
    this.graph = graph;
    this.inputs = inputs;
  },
  close() { this.views = []; this.graph = this.inputs = null; },
  prepare: batches => batches.map(batch => {
    const pairs = {};
    for (const c of batch) (pairs[c.table] ??= []).push(...(c.old ? [pair(c.old, -1)] : []), ...(c.new ? [pair(c.new, 1)] : []));
    return Object.entries(pairs);
  }),
  run(part) {
    const {graph, inputs} = this;
    for (const batch of part) {
      for (const [table, pairs] of batch) inputs[table].sendData(pairs);
      graph.run();
    }
  },
  answers() {
    return this.views.map(([rows, cellsOf, order]) => { const found = [...rows.values()]; if (order) found.sort(order); return found.map(cellsOf); });
  },
});
