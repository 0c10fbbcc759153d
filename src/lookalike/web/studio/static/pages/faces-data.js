// A faceset as the page holds it: names and columns; filtered, ordered and grouped without asking the server.
import { words } from '../lib.js';

const FRAME_PART = 65536;

/** What the server answered: a header, then columns of float32. */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const count = header.names.length, columns = {};
  header.columns.forEach((name, place) => { columns[name] = new Float32Array(buffer, 4 + length + place * count * 4, count); });
  columns.frame = Float64Array.from(columns.frame_low, (low, i) => columns.frame_high[i] * FRAME_PART + low + 1);
  return { ...header, count, columns, places: new Map(header.names.map((name, i) => [name, i])) };
}

const signed = (value) => `${value >= 0.5 ? '+' : value <= -0.5 ? '−' : ''}${Math.abs(value).toFixed(0)}°`;
/** How a value of a column is written. */
export const FORMATS = {
  frame: (v) => `#${v}`, yaw: signed, pitch: signed, roll: signed, score: (v) => v.toFixed(2), sharpness: (v) => v.toPrecision(3),
  side: (v) => `${v.toFixed(0)} px`, outside: (v) => `${Math.round(v * 100)} %`, person: (v) => (v < 0 ? 'nobody' : `person ${v}`), track: (v) => `track ${v}`,
  seconds: (v) => words.time(v),
};

/** Orders that are a column: the column, whether it falls, in words. The keys are names of sort methods where there is one. */
export const COLUMN_ORDERS = {
  name: { help: 'by file name' },
  origname: { help: 'by video and frame', column: 'frame', keys: ['source', 'frame', 'number'] },
  score: { help: 'lowest detector score first', column: 'score' },
  sharpness: { help: 'most blurred first', column: 'sharpness' },
  yaw: { help: 'toward the left of the picture first', column: 'yaw' },
  pitch: { help: 'looking up first', column: 'pitch', falls: true },
  roll: { help: 'tilted clockwise first', column: 'roll', falls: true },
  size: { help: 'largest in the frame first', column: 'side', falls: true },
  outside: { help: 'cut off by the frame first', column: 'outside', falls: true },
  track: { help: 'by track, then frame', column: 'track', keys: ['track', 'frame'] },
  person: { help: 'by person, then frame', column: 'person', keys: ['person', 'frame'] },
  oneface: { help: 'frames with one face first', column: 'frame' },
};

/** Places of the faces in an order: a column's, or the names that the server gave. Unknown values come last. */
export function ordered(data, by, names = null) {
  const all = Array.from({ length: data.count }, (_, i) => i);
  if (names) return byNames(data, all, names);
  const order = COLUMN_ORDERS[by] ?? COLUMN_ORDERS.name;
  if (by === 'oneface') return byFrames(data, all);
  const keys = (order.keys ?? [order.column]).filter(Boolean).map((key) => data.columns[key]);
  if (!keys.length) return all;
  const sign = order.falls ? -1 : 1;
  return all.sort((a, b) => {
    for (const key of keys) {
      const x = key[a], y = key[b];
      if (x === y) continue;
      if (Number.isNaN(x) || Number.isNaN(y)) { if (Number.isNaN(x) && Number.isNaN(y)) continue; return Number.isNaN(x) ? 1 : -1; }
      return (x - y) * sign;
    }
    return a - b;
  });
}

function byNames(data, all, names) {
  const place = new Map(names.map((name, i) => [name, i]));
  const rank = data.names.map((name) => place.get(name) ?? names.length);
  return all.sort((a, b) => rank[a] - rank[b] || a - b);
}

/** How many faces each face's frame has. */
export function faceCounts(data) {
  const counts = new Map(), { source, frame } = data.columns;
  const key = (i) => source[i] * 2 ** 32 + frame[i];
  for (let i = 0; i < data.count; i += 1) counts.set(key(i), (counts.get(key(i)) ?? 0) + 1);
  return Array.from({ length: data.count }, (_, i) => (Number.isNaN(frame[i]) ? 1 : counts.get(key(i))));
}

function byFrames(data, all) {
  const counts = faceCounts(data);
  return all.sort((a, b) => (counts[a] > 1) - (counts[b] > 1) || a - b);
}

/** Whether a face passes: { text, ranges: {column: [low, high]}, people: Set, reasons: Set, flags: Set }. */
export function passing(data, filters) {
  const { columns } = data;
  const ranges = Object.entries(filters.ranges).map(([name, ends]) => [columns[name], ...ends]);
  const text = filters.text.trim().toLowerCase();
  const flags = [...filters.flags].map((name) => FLAGS[name].test(data));
  return (i) => {
    for (const [column, low, high] of ranges) if (!(column[i] >= low && column[i] <= high)) return false;
    if (filters.people.size && !filters.people.has(columns.person[i])) return false;
    if (filters.reasons.size && !filters.reasons.has(data.reasons[columns.reason[i]] ?? '')) return false;
    for (const flag of flags) if (!flag(i)) return false;
    return !text || said(data, i).includes(text);
  };
}

const said = (data, i) => `${data.names[i]} ${data.sources[data.columns.source[i]] ?? ''} ${data.reasons[data.columns.reason[i]] ?? ''} ${data.problems[data.names[i]] ?? ''}`.toLowerCase();

export const FLAGS = {
  problem: { label: 'cannot be read', test: (data) => (i) => data.names[i] in data.problems },
  edited: { label: 'set by hand', test: (data) => (i) => data.columns.edited[i] === 1 },
  recovered: { label: 'found by their track', test: (data) => (i) => data.columns.recovered[i] === 1 },
  polygons: { label: 'with polygons', test: (data) => (i) => data.columns.polygons[i] > 0 },
  unmasked: { label: 'without a mask', test: (data) => (i) => data.columns.mask[i] === 0 },
  several: { label: 'several in the frame', test: (data) => { const counts = faceCounts(data); return (i) => counts[i] > 1; } },
};

/** Ways to group: a key of each face, and the title of a key. */
const GROUPS = {
  person: { key: (data) => (i) => data.columns.person[i], title: (key) => (key >= 0 ? `Person ${key}` : 'Nobody in particular') },
  track: { key: (data) => (i) => data.columns.track[i], title: (key) => `Track ${key}` },
  frame: { key: (data) => (i) => data.columns.frame[i], title: (key) => `Frame ${key}` },
  reason: { key: (data) => (i) => data.reasons[data.columns.reason[i]] ?? '', title: (key) => key || 'Without a reason' },
  video: { key: (data) => (i) => data.sources[data.columns.source[i]] ?? '', title: (key) => key || 'Not read yet' },
};
export const GROUP_NAMES = Object.keys(GROUPS);

/** The faces shown, and their groups [{title, from, to}] in the order of their first face. */
export function grouped(data, shown, by, twins = {}) {
  if (by === 'duplicates') return byTwins(data, shown, twins);
  if (!GROUPS[by]) return { shown, groups: [] };
  const key = GROUPS[by].key(data), found = new Map();
  for (const i of shown) {
    const of = Number.isNaN(key(i)) ? null : key(i);
    if (!found.has(of)) found.set(of, []);
    found.get(of).push(i);
  }
  const parts = [...found].sort(([a], [b]) => (by === 'person' ? (a < 0) - (b < 0) || a - b : 0));
  return joined(parts.map(([of, rows]) => [of === null ? 'Not read yet' : GROUPS[by].title(of), rows]));
}

/** Faces that are much alike, the one that stays first; others are left out. */
function byTwins(data, shown, twins) {
  const inside = new Set(shown), found = new Map();
  for (const [name, why] of Object.entries(twins)) {
    const kept = data.places.get(why.replace(/^duplicate of /, '')), i = data.places.get(name);
    if (kept === undefined || !inside.has(i)) continue;
    if (!found.has(kept)) found.set(kept, [kept]);
    found.get(kept).push(i);
  }
  return joined([...found].sort(([a], [b]) => a - b).map(([kept, rows]) => [`Much like ${data.names[kept]}`, rows]));
}

function joined(parts) {
  const shown = [], groups = [];
  for (const [title, rows] of parts) {
    groups.push({ title, from: shown.length, to: shown.length + rows.length });
    for (const row of rows) shown.push(row);
  }
  return { shown, groups };
}
