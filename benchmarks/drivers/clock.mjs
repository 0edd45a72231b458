// How a subject on node is timed; `clock.py` says the same for Python, and the form of tasks and results.
import fs from 'node:fs';
import {performance} from 'node:perf_hooks';

const LATENCIES = 2000, MOST_STEPS = 200_000, SLICE = 1e-3;
export class Unsuited extends Error {}
export const task = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const now = () => performance.now() / 1000;
const busy = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1e6; };
export const collect = () => { if (globalThis.gc) { globalThis.gc(); globalThis.gc(); } };

// Tables as {name: {columns, rows: [row object]}}
function readTables() {
  if (!task.tables) return {};
  const tables = JSON.parse(fs.readFileSync(task.tables, 'utf8'));
  for (const table of Object.values(tables)) {
    const names = Object.keys(table.columns);
    table.object = row => row && Object.fromEntries(names.map((name, i) => [name, row[i]]));
    table.rows = table.rows.map(table.object);
  }
  return tables;
}

// Batches of {table, key, old, new} (rows as objects), walked forwards, then backwards unless `once`
class Stream {
  constructor(tables) {
    const current = {};
    for (const [name, t] of Object.entries(tables)) current[name] = new Map(t.rows.map(r => [r[Object.keys(t.columns)[0]], r]));
    this.batches = JSON.parse(fs.readFileSync(task.stream, 'utf8')).map(batch => batch.map(([table, key, row]) => {
      const fresh = tables[table].object(row), old = current[table].get(key) ?? null;
      if (fresh) current[table].set(key, fresh); else current[table].delete(key);
      return {table, key, old, new: fresh};
    }));
    if (!task.once)
      this.batches = this.batches.concat([...this.batches].reverse().map(b => [...b].reverse().map(c => ({...c, old: c.new, new: c.old}))));
    this.applied = 0;
  }
  left() { return task.once ? this.batches.length - this.applied : MOST_STEPS * 1000; }
  take(prepared, count) {
    const found = [];
    for (let i = 0, at = this.applied % prepared.length; i < count; i++) { found.push(prepared[at]); if (++at === prepared.length) at = 0; }
    this.applied += count;
    return found;
  }
}

// The driver has load(tables), open(views), prepare(batches), run(prepared), answers(); any may be asynchronous but run
async function step(driver) {
  const tables = readTables(), stream = new Stream(tables);
  await driver.load(tables);
  let start = now();
  await driver.open(task.views);
  const opened = now() - start, prepared = driver.prepare(stream.batches), {seconds: budget, repeats} = task;
  driver.run(stream.take(prepared, 1));
  let count = 1, spent = 0, each = 0;
  while (spent < 0.15 * budget && stream.left() > count * (repeats + 2)) {
    const part = stream.take(prepared, count);
    start = now();
    driver.run(part);
    const taken = now() - start;
    spent += taken; each = taken / count; count = Math.min(count * 2, MOST_STEPS);
  }
  count = Math.max(1, Math.min(MOST_STEPS, Math.floor(budget / repeats / Math.max(each, 1e-8)), Math.floor(stream.left() / (repeats + 1))));
  const wall = [], cpu = [], slices = [], size = Math.max(1, Math.round(SLICE / Math.max(each, 1e-8)));
  for (let n = 0; n < repeats; n++) {
    const part = stream.take(prepared, count), parts = [];
    for (let i = 0; i < count; i += size) parts.push(part.slice(i, i + size));
    collect();
    const used = busy(), began = now();
    let at = began;
    for (const piece of parts) {
      driver.run(piece);
      const before = at;
      at = now();
      if (piece.length === size) slices.push((at - before) / size);
    }
    wall.push((at - began) / count);
    cpu.push((busy() - used) / count);
  }
  slices.sort((a, b) => a - b);
  const result = {wall, cpu, slice: slices.length >= 20 ? slices[slices.length >> 1] : null, steps: count, opened, note: driver.note ?? ''};
  const singles = Math.min(LATENCIES, Math.floor(0.3 * budget / Math.max(each, 1e-8)), stream.left());
  if (singles >= 20) {
    const found = stream.take(prepared, singles).map(one => { const part = [one], at = now(); driver.run(part); return now() - at; });
    found.sort((a, b) => a - b);
    result.p50 = found[found.length >> 1];
    result.p99 = found[Math.min(found.length - 1, Math.floor(0.99 * found.length))];
  }
  return {...result, answers: await driver.answers(), applied: stream.applied};
}

async function hydrate(driver) {
  await driver.load(readTables());
  const wall = [], cpu = [];
  let answers, spent = 0;
  while (wall.length < task.repeats || (spent < task.seconds && wall.length < 20 * task.repeats)) {
    if (wall.length) await driver.close();
    collect();
    const used = busy(), start = now();
    await driver.open(task.views);
    wall.push(now() - start);
    cpu.push(busy() - used);
    spent += wall.at(-1);
    answers ??= await driver.answers();
  }
  return {wall, cpu, steps: 1, answers, applied: 0, note: driver.note ?? ''};
}

async function memory(driver) {
  await driver.load(readTables());
  await driver.open(task.views.slice(0, 1));
  collect();
  const before = process.memoryUsage().heapUsed;
  await driver.open(task.views.slice(1));
  collect();
  const size = process.memoryUsage().heapUsed - before;
  return {wall: [size / (task.views.length - 1)], cpu: [], steps: 1, note: 'heap used, after gc', answers: await driver.answers(), applied: 0};
}

async function drain(driver) {
  const tables = readTables(), stream = new Stream(tables);
  await driver.load(tables);
  await driver.open(task.views);
  const prepared = driver.prepare(stream.batches), found = [];
  collect();
  const used = busy();
  let spent = 0;
  while (stream.left() && spent < task.seconds) {
    const part = stream.take(prepared, 1), start = now();
    driver.run(part);
    found.push(now() - start);
    spent += found.at(-1);
  }
  const cpu = busy() - used, changes = stream.batches.slice(0, stream.applied).reduce((n, b) => n + b.length, 0);
  found.sort((a, b) => a - b);
  return {wall: [spent / changes], cpu: [cpu / changes], steps: changes, note: stream.left() ? `${changes.toLocaleString('en')} changes` : '',
    p50: found[found.length >> 1], p99: found[Math.min(found.length - 1, Math.floor(0.99 * found.length))],
    answers: await driver.answers(), applied: stream.applied};
}

async function move(driver) {
  await driver.load(readTables());
  await driver.open(task.views);
  let at = 0;
  const walk = async count => {
    const start = now();
    for (let n = at + 1; n <= at + count; n++) await driver.to(n % task.places);
    at += count;
    return now() - start;
  };
  await walk(2);
  const each = await walk(2) / 2;
  const left = task.round ? 1e9 : task.places - at - 1;
  const count = Math.max(1, Math.min(Math.floor(task.seconds / task.repeats / Math.max(each, 1e-8)), Math.floor(left / task.repeats)));
  const wall = [], cpu = [];
  for (let n = 0; n < task.repeats; n++) {
    collect();
    const used = busy();
    wall.push(await walk(count) / count);
    cpu.push((busy() - used) / count);
  }
  return {wall, cpu, steps: count, answers: await driver.answers(), applied: at % task.places, note: driver.note ?? ''};
}

export async function main(driver) {
  let result;
  try {
    const mode = {step, hydrate, memory, drain, move}[task.mode];
    if (!mode) throw new Unsuited(`has no ${task.mode}`);
    result = await mode(driver);
  } catch (error) {
    if (!(error instanceof Unsuited)) console.error(error);
    result = error instanceof Unsuited ? {unsuited: error.message} : {failed: String(error).split('\n')[0].slice(0, 200)};
  }
  fs.writeFileSync(process.argv[3], JSON.stringify(result));
  process.exit(0);
}

export const OPERATORS = {
  '=': (a, b) => a === b, '<>': (a, b) => a !== b, '<': (a, b) => a < b, '<=': (a, b) => a <= b, '>': (a, b) => a > b, '>=': (a, b) => a >= b,
};
export const ISSUE = ['id', 'owner', 'status', 'priority', 'score', 'title'];
export const cells = (names, row) => names.map(name => row[name]);

// What keeps a row of `issue` in a view that only filters; null for other shapes
export function predicate([shape, p]) {
  switch (shape) {
    case 'filter': return r => r.status === 'open' && r.priority >= 5;
    case 'keyed': { const {owner} = p; return r => r.owner === owner; }
    case 'range': { const {low, high} = p; return r => r.score >= low && r.score < high; }
    case 'unlike': {
      const {status, score, priority} = p, first = OPERATORS[p.score_op], second = OPERATORS[p.priority_op];
      return r => r.status === status && first(r.score, score) && second(r.priority, priority);
    }
    default: return null;
  }
}
