// Rocicorp Zero's engine, ZQL, below its client (which needs a server): MemorySource, buildPipeline, a sink.
// Flat views end in a map id -> row, the cheapest sink there is; related rows in Zero's own ArrayView, flushed per change.
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {main, Unsuited, ISSUE, cells} from './clock.mjs';

const root = path.join(process.env.PEER, 'node_modules/@rocicorp/zero/out');
const load = file => import(pathToFileURL(path.join(root, file)).href);
const {MemorySource} = await load('zql/src/ivm/memory-source.js');
const {MemoryStorage} = await load('zql/src/ivm/memory-storage.js');
const {buildPipeline} = await load('zql/src/builder/builder.js');
const {ArrayView} = await load('zql/src/ivm/array-view.js');
const {makeSourceChangeAdd: add, makeSourceChangeEdit: edit, makeSourceChangeRemove: remove} = await load('zql/src/ivm/source.js');

const TYPES = {text: 'string', integer: 'number', real: 'number'};
const drain = stream => { for (const _ of stream); };
const simple = (name, op, value) => ({type: 'simple', op, left: {type: 'column', name}, right: {type: 'literal', value}});
const all = (...conditions) => ({type: 'and', conditions});
const byId = [['id', 'asc']];
const issues = (where, rest = {}) => ({table: 'issue', where, orderBy: byId, ...rest});
const related = (table, parent, child, name) => [{correlation: {parentField: [parent], childField: [child]}, subquery: {table, alias: name, orderBy: byId}}];
const ops = {'<>': '!='};

function query([shape, p]) {
  switch (shape) {
    case 'filter': return issues(all(simple('status', '=', 'open'), simple('priority', '>=', 5)));
    case 'keyed': return issues(simple('owner', '=', p.owner));
    case 'range': case 'moving': return issues(all(simple('score', '>=', p.low), simple('score', '<', p.high)));
    case 'unlike': return issues(all(simple('status', '=', p.status), simple('score', ops[p.score_op] ?? p.score_op, p.score), simple('priority', ops[p.priority_op] ?? p.priority_op, p.priority)));
    case 'top': return {table: 'issue', orderBy: [['score', 'desc'], ['id', 'asc']], limit: 50};
    case 'keyed_top': return {table: 'issue', where: simple('owner', '=', p.owner), orderBy: [['score', 'desc'], ['id', 'asc']], limit: 5};
    case 'join': return {table: 'issue', orderBy: byId, related: related('person', 'owner', 'id', 'person')};
    case 'keyed_join': return issues(simple('owner', '=', p.owner), {related: related('person', 'owner', 'id', 'person')});
    case 'nested': return {table: 'person', orderBy: byId, related: related('issue', 'id', 'owner', 'issues')};
    default: throw new Unsuited(shape.includes('group') ? 'ZQL has no aggregates' : `${shape} is not ZQL`);
  }
}

class MapSink {
  rows = new Map();
  constructor(input) { this.input = input; input.setOutput(this); for (const n of input.fetch({})) if (n !== 'yield') this.rows.set(n.row.id, n.row); }
  *push(change) {
    if (change[0] === 1) this.rows.delete(change[1].row.id);
    else if (change[0] === 0 || change[0] === 2) this.rows.set(change[1].row.id, change[1].row);
  }
  flush() {}
  get data() { return [...this.rows.values()]; }
}

const FORMATS = {
  join: {singular: false, relationships: {person: {singular: true, relationships: {}}}},
  keyed_join: {singular: false, relationships: {person: {singular: true, relationships: {}}}},
  nested: {singular: false, relationships: {issues: {singular: false, relationships: {}}}},
};
const byScore = (a, b) => b.score - a.score || (a.id < b.id ? -1 : 1);
const ANSWERS = {
  join: r => [r.id, r.owner, r.person.name],
  keyed_join: r => [r.id, r.title, r.person.name],
  keyed_top: r => [r.id, r.score],
  nested: r => [r.id, r.name, r.issues.map(i => [i.id, i.status, i.title])],
};

await main({
  note: '',
  load(tables) {
    this.sources = {};
    for (const [name, table] of Object.entries(tables)) {
      const columns = Object.fromEntries(Object.entries(table.columns).map(([c, kind]) => [c, {type: TYPES[kind]}]));
      const source = this.sources[name] = new MemorySource(name, columns, ['id']);
      for (const row of table.rows) drain(source.push(add(row)));
    }
    this.views = [];
  },
  open(views) {
    if (views.length > 1000) throw new Unsuited('hydrating 10,000 queries scans the table 10,000 times');
    const delegate = {
      getSource: name => this.sources[name], createStorage: () => new MemoryStorage(), decorateInput: i => i,
      decorateSourceInput: i => i, decorateFilterInput: i => i, addEdge() {}, enableNotExists: true,
    };
    for (const view of views) {
      const input = buildPipeline(query(view), delegate, 'q'), format = FORMATS[view[0]];
      let sink;
      if (format) { sink = new ArrayView(input, format, true, () => {}); sink.addListener(() => {}); }
      else sink = new MapSink(input);
      this.views.push({view, sink, input});
    }
    this.flushed = this.views.filter(v => FORMATS[v.view[0]]).map(v => v.sink);
  },
  close() { for (const v of this.views) (v.sink.destroy ? v.sink : v.input).destroy(); this.views = []; },
  // There is no other way to new parameters than to ask again
  to(place) { const {view} = this.views[0], {start, width, by} = view[1]; this.close(); this.open([[view[0], {...view[1], low: start + place * by, high: start + place * by + width}]]); },
  prepare: batches => batches.map(batch => batch.map(c => ({table: c.table, change: !c.old ? add(c.new) : !c.new ? remove(c.old) : edit(c.new, c.old)}))),
  run(part) {
    const {sources, flushed} = this;
    for (const batch of part) {
      for (const {table, change} of batch) drain(sources[table].push(change));
      for (const sink of flushed) sink.flush();
    }
  },
  answers() {
    return this.views.map(({view: [shape, p], sink}) => {
      const rows = [...sink.data];
      if (shape.includes('top')) rows.sort(byScore);
      return rows.map(ANSWERS[shape] ?? (r => cells(p.columns ?? ISSUE, r)));
    });
  },
});
