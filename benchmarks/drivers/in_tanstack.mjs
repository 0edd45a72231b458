// TanStack DB through its public API: collections fed by a sync adapter, live queries with a subscriber.
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {main, Unsuited, ISSUE, cells, OPERATORS} from './clock.mjs';

const file = path.join(process.env.PEER, 'node_modules/@tanstack/db/dist/esm/index.js');
const {createCollection, createLiveQueryCollection, eq, gt, gte, lt, lte, not, and, count, sum, avg, min, max, toArray} = await import(pathToFileURL(file).href);
const COMPARE = {'=': eq, '<>': (a, b) => not(eq(a, b)), '<': lt, '<=': lte, '>': gt, '>=': gte};
if (Object.keys(OPERATORS).some(op => !COMPARE[op])) throw new Error('an operator is missing');
const plain = columns => r => cells(columns, r);

// Each gives [the query, how its rows become cells]
function build([shape, p], {issue, person}) {
  const issues = q => q.from({i: issue});
  switch (shape) {
    case 'filter': return [q => issues(q).where(({i}) => and(eq(i.status, 'open'), gte(i.priority, 5))), plain(ISSUE)];
    case 'keyed': return [q => issues(q).where(({i}) => eq(i.owner, p.owner)), plain(ISSUE)];
    case 'range': return [q => issues(q).where(({i}) => and(gte(i.score, p.low), lt(i.score, p.high))), plain(ISSUE)];
    case 'unlike': return [q => issues(q).where(({i}) => and(eq(i.status, p.status), COMPARE[p.score_op](i.score, p.score), COMPARE[p.priority_op](i.priority, p.priority))), plain(p.columns)];
    case 'top': return [q => issues(q).orderBy(({i}) => i.score, 'desc').orderBy(({i}) => i.id, 'asc').limit(50), plain(ISSUE)];
    case 'keyed_top': return [q => issues(q).where(({i}) => eq(i.owner, p.owner)).orderBy(({i}) => i.score, 'desc').orderBy(({i}) => i.id, 'asc').limit(5), plain(['id', 'score'])];
    case 'groups': return [q => issues(q).groupBy(({i}) => i.status).select(({i}) => ({status: i.status, n: count(i.id), s: sum(i.score), a: avg(i.score)})), plain(['status', 'n', 's', 'a'])];
    case 'keyed_group': return [q => issues(q).where(({i}) => eq(i.owner, p.owner)).groupBy(({i}) => i.status)
      .select(({i}) => ({status: i.status, n: count(i.id), a: min(i.score), b: max(i.score), s: sum(i.priority)})), plain(['status', 'n', 'a', 'b', 's'])];
    case 'join': case 'keyed_join': {
      const from = q => shape === 'join' ? issues(q) : issues(q).where(({i}) => eq(i.owner, p.owner));
      return [q => from(q).join({u: person}, ({i, u}) => eq(i.owner, u.id), 'inner').select(({i, u}) => ({id: i.id, owner: i.owner, title: i.title, name: u.name})),
        plain(shape === 'join' ? ['id', 'owner', 'name'] : ['id', 'title', 'name'])];
    }
    case 'nested': return [
      q => q.from({u: person}).select(({u}) => ({
        id: u.id, name: u.name,
        issues: toArray(q.from({i: issue}).where(({i}) => eq(i.owner, u.id)).orderBy(({i}) => i.id, 'asc').select(({i}) => ({id: i.id, status: i.status, title: i.title}))),
      })), r => [r.id, r.name, r.issues.map(plain(['id', 'status', 'title']))]];
    default: throw new Unsuited(`${shape} was not written for it`);
  }
}

await main({
  note: '',
  async load(tables) {
    this.tables = {};
    for (const [name, table] of Object.entries(tables)) {
      let sync;
      const collection = createCollection({
        id: name, getKey: r => r.id, startSync: true, gcTime: 0,
        sync: {sync: params => {
          sync = params;
          params.begin();
          for (const value of table.rows) params.write({type: 'insert', value});
          params.commit();
          params.markReady();
        }},
      });
      await collection.preload();
      this.tables[name] = {collection, sync};
    }
    this.views = [];
  },
  open(views) {
    if (views.length > 1000) throw new Unsuited('every change runs every operator of 10,000 views');
    const collections = Object.fromEntries(Object.entries(this.tables).map(([name, t]) => [name, t.collection]));
    for (const view of views) {
      const [query, cellsOf] = build(view, collections);
      const live = createLiveQueryCollection({query, startSync: true, gcTime: 0});
      live.subscribeChanges(() => {});
      this.views.push({live, cellsOf});
    }
  },
  async close() { for (const {live} of this.views) await live.cleanup(); this.views = []; },
  prepare: batches => batches.map(batch => {
    const last = new Map();   // a transaction writes each row once
    for (const c of batch) { const id = c.table + ' ' + c.key; last.set(id, {...c, old: last.has(id) ? last.get(id).old : c.old}); }
    const writes = {};
    for (const c of last.values())
      if (c.old || c.new) (writes[c.table] ??= []).push(!c.new ? {type: 'delete', value: c.old} : {type: c.old ? 'update' : 'insert', value: c.new});
    return Object.entries(writes);
  }),
  run(part) {
    for (const batch of part) for (const [name, writes] of batch) {
      const {sync} = this.tables[name];
      sync.begin();
      for (const write of writes) sync.write(write);
      sync.commit();
    }
  },
  answers() { return this.views.map(({live, cellsOf}) => live.toArray.map(cellsOf)); },
});
