// What a gallery is narrowed down to: people, ranges of what is known, marks, reasons.
import { el } from '../lib.js';
import { FLAGS, FORMATS } from './faces-data.js';

const STEPS = 200, BINS = 40;
/** Columns that can be filtered by; log: on a logarithmic scale. */
const RANGES = [
  ['yaw', 'Yaw', {}], ['pitch', 'Pitch', {}], ['sharpness', 'Sharpness', { log: true }], ['score', 'Detector score', {}],
  ['side', 'Size in the frame', { log: true }], ['frame', 'Frame', {}],
];

export const noFilters = () => ({ text: '', ranges: {}, people: new Set(), reasons: new Set(), flags: new Set() });

/** @param changed called with the filters when any is changed; thumb(i) gives an element that shows a face */
export function makePanel(filters, changed, thumb) {
  const people = el('div', { class: 'stack people' }), reasons = el('div', { class: 'stack' }), flags = el('div', { class: 'row tight' });
  const parts = RANGES.map(([column, label, how]) => makeRange(column, label, how, filters, () => changed()));
  const clear = el('button', { class: 'small', onclick: () => reset() }, 'Clear filters');
  const ranges = el('div', { class: 'stack' }, parts.map((part) => part.element));
  const element = el('div', { class: 'stack' }, people, reasons, flags, ranges, clear);
  let data = null;

  function reset() {
    Object.assign(filters, noFilters());
    show(data);
    changed();
  }

  function show(now) {
    data = now;
    const choices = (set) => (value) => { if (!set().delete(value)) set().add(value); show(data); changed(); };
    list(people, 'People', counted(data.columns.person), (value) => (value < 0 ? 'Nobody in particular' : `Person ${value}`),
      filters.people, choices(() => filters.people), (value) => thumb(exampleOf(value)), (values) => values.size > 1);
    const why = new Map([...counted(data.columns.reason)].map(([place, number]) => [data.reasons[place] ?? '', number]));
    list(reasons, 'Reasons', why, (text) => text || 'Without a reason', filters.reasons, choices(() => filters.reasons), null, (values) => [...values.keys()].some(Boolean));
    flags.replaceChildren(...Object.entries(FLAGS).flatMap(([name, { label, test }]) => {
      const is = test(data);
      let number = 0;
      for (let i = 0; i < data.count; i += 1) number += is(i);
      if ((!number || number === data.count) && !filters.flags.has(name)) return [];
      return [el('button', { class: 'small', 'aria-pressed': String(filters.flags.has(name)), onclick: () => choices(() => filters.flags)(name) }, `${label} ${number.toLocaleString('en')}`)];
    }));
    for (const part of parts) part.show(data);
  }

  /** The face of a person that the detector is surest of. */
  function exampleOf(person) {
    const { person: who, score } = data.columns;
    let best = -1;
    for (let i = 0; i < data.count; i += 1) if (who[i] === person && (best < 0 || score[i] > score[best])) best = i;
    return best;
  }

  return { element, show, reset, /** Forget all filters without showing anything. */ quiet() { Object.assign(filters, noFilters()); } };
}

function counted(column) {
  const found = new Map();
  for (const value of column) if (!Number.isNaN(value)) found.set(value, (found.get(value) ?? 0) + 1);
  return new Map([...found].sort(([a], [b]) => (a < 0) - (b < 0) || a - b));
}

function list(place, heading, values, label, chosen, choose, picture, worth) {
  const focused = document.activeElement?.dataset?.value;
  place.hidden = !worth(values);
  if (place.hidden) { place.replaceChildren(); return; }
  const rows = [...values].map(([value, number]) => el('button', { class: 'pick row tight', 'aria-pressed': String(chosen.has(value)), 'data-value': `${heading}${value}`, onclick: () => choose(value) },
    picture ? picture(value) : null, el('span', { class: 'grow cut' }, label(value)), el('span', { class: 'soft small' }, number.toLocaleString('en'))));
  place.replaceChildren(el('h3', {}, heading), ...rows);
  if (focused) place.querySelector(`[data-value="${CSS.escape(focused)}"]`)?.focus();
}

/** Two ends of a column's values over its histogram. */
function makeRange(column, label, { log = false }, filters, changed) {
  const canvas = el('canvas', { width: 200, height: 22, 'aria-hidden': 'true' });
  const end = (which) => el('input', { type: 'range', min: 0, max: STEPS, 'aria-label': `${which} ${label.toLowerCase()}`, oninput: () => moved() });
  const low = end('least'), high = end('most'), said = el('span', { class: 'soft small' });
  const element = el('div', { class: 'range', role: 'group', 'aria-label': label }, el('div', { class: 'row tight' }, el('span', { class: 'grow small' }, label), said), canvas, el('div', { class: 'ends' }, low, high));
  let from = 0, to = 1;
  const scaled = (value) => (log ? Math.log(Math.max(value, 1e-6)) : value);
  const value = (step) => { const at = from + ((to - from) * step) / STEPS; return log ? Math.exp(at) : at; };
  const step = (v) => Math.max(0, Math.min(STEPS, Math.round(((scaled(v) - from) / (to - from)) * STEPS)));

  function moved() {
    if (Number(low.value) > Number(high.value)) [low.value, high.value] = [high.value, low.value];
    const ends = [Number(low.value), Number(high.value)];
    if (ends[0] === 0 && ends[1] === STEPS) delete filters.ranges[column];
    else filters.ranges[column] = [ends[0] === 0 ? -Infinity : value(ends[0]), ends[1] === STEPS ? Infinity : value(ends[1])];
    tell();
    changed();
  }

  function tell() {
    const ends = filters.ranges[column], write = (v) => (FORMATS[column] ?? String)(column === 'frame' ? Math.round(v) : v);
    said.textContent = !ends ? '' : `${Number.isFinite(ends[0]) ? write(ends[0]) : '…'} to ${Number.isFinite(ends[1]) ? write(ends[1]) : '…'}`;
    element.classList.toggle('set', Boolean(ends));
  }

  function show(data) {
    const values = data.columns[column].filter((v) => !Number.isNaN(v)).map(scaled);
    from = values.reduce((a, b) => Math.min(a, b), Infinity); to = values.reduce((a, b) => Math.max(a, b), -Infinity);
    element.hidden = !(to - from > 1e-6) && !filters.ranges[column];
    if (element.hidden) return;
    const ends = filters.ranges[column];
    low.value = ends && Number.isFinite(ends[0]) ? step(ends[0]) : 0;
    high.value = ends && Number.isFinite(ends[1]) ? step(ends[1]) : STEPS;
    histogram(canvas, values, from, to);
    tell();
  }
  return { element, show };
}

function histogram(canvas, values, from, to) {
  const bins = new Array(BINS).fill(0), pen = canvas.getContext('2d');
  for (const value of values) bins[Math.min(BINS - 1, Math.floor(((value - from) / (to - from)) * BINS))] += 1;
  const most = Math.max(...bins);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = getComputedStyle(canvas).color;
  bins.forEach((n, k) => { const h = n ? Math.max(1, Math.sqrt(n / most) * canvas.height) : 0; pen.fillRect((k * canvas.width) / BINS, canvas.height - h, canvas.width / BINS - 1, h); });
}
