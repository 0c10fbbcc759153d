// The list of frames that need a look, the worst first, and the strip that shows where in the video they are.
import { el, words } from '../lib.js';

const GROUPS = [['all', 'All'], ['none', 'No face'], ['score', 'Score'], ['jump', 'Jump'], ['shape', 'Shape'], ['mask', 'Mask'], ['hand', 'By hand'], ['waits', 'Waiting']];
const PAGE = 200;
const LEGEND = [['--bad', 'no face'], ['--warn', 'odd'], ['--accent', 'by hand'], ['--line3', 'between two']];

/** Change what is in an element, and leave the focus where it was. */
export function keepingFocus(element, change) {
  const all = () => [...element.querySelectorAll('button')], here = all().indexOf(document.activeElement);
  change();
  if (here >= 0 && !element.contains(document.activeElement)) all()[Math.min(here, all().length - 1)]?.focus({ preventScroll: true });
}

/** Rows of one kind: [frame, last, severity, group, why]. */
function rowsOf(info, group) {
  const failed = Object.entries(info.failed).map(([frame, why]) => [Number(frame), Number(frame), 1, 'waits', why]);
  const waiting = runs(info.waiting).map(([a, b]) => [a, b, 0, 'waits', `not made yet: ${info.state || 'next'}`]);
  if (group === 'waits') return [...failed, ...waiting];
  if (group === 'hand') {
    const empty = new Set(info.empty);
    const told = info.hand.map((n) => [n, n, 0, 'hand', empty.has(n) ? 'set by hand: shows no face' : 'set by hand']);
    const between = info.between.filter(([a, b]) => b - a > 1).map(([a, b]) => [a + 1, b - 1, 0, 'hand', `moves evenly from ${a + 1} to ${b + 1}`]);
    return [...told, ...between].sort((x, y) => x[0] - y[0]);
  }
  const worst = group === 'all' ? info.worst : info.worst.filter((row) => row[3] === group);
  return group === 'all' ? [...failed, ...worst] : worst;
}

function runs(frames) {
  const found = [];
  for (const n of frames) { const last = found.at(-1); if (last && last[1] === n - 1) last[1] = n; else found.push([n, n]); }
  return found;
}

export function makeList({ go }) {
  let info = null, group = 'all', shown = PAGE, frame = 0, rows = [];
  const chips = el('div', { class: 'align-chips', role: 'group', 'aria-label': 'Which frames are listed' });
  const list = el('div', { class: 'align-list', id: 'worst' });
  const element = el('div', { class: 'panel align-worst' }, el('h2', {}, 'Worst first'), chips, list);
  const label = ([first, last]) => (first === last ? `Frame ${first + 1}` : `Frames ${first + 1}–${last + 1}`);
  const is = ([first, last]) => frame >= first && frame <= last;

  function fill() {
    rows = rowsOf(info, group);
    chips.replaceChildren(...GROUPS.map(([name, text]) => el('button', { 'aria-pressed': String(name === group), 'data-group': name, onclick: () => { group = name; shown = PAGE; keepingFocus(element, fill); } },
      `${text} ${rowsOf(info, name).length}`)));
    list.replaceChildren(...rows.slice(0, shown).map((row) => el('button', { 'data-frame': row[0], 'aria-current': String(is(row)), onclick: () => go(row[0]) },
      el('strong', {}, label(row)), row[2] >= 0.1 ? el('meter', { value: row[2], max: 1, low: 0.3, high: 0.6, optimum: 0, 'aria-label': `how odd: ${row[2]}` }) : el('span'),
      el('span', { class: 'why' }, row[4]))));
    if (rows.length > shown) list.append(el('button', { onclick: () => { shown += PAGE; fill(); } }, `Show ${Math.min(PAGE, rows.length - shown)} more of ${words.many(rows.length, 'row')}`));
    if (!rows.length) list.append(el('p', { class: 'soft' }, info.reading ? 'The faces are being read.' : info.extracted ? 'Nothing here.' : 'No faces yet: extract them on the page Videos, or set them by hand.'));
  }
  return {
    element,
    set(news) { info = news; keepingFocus(element, fill); },
    mark(n) {
      frame = n;
      [...list.children].forEach((child, i) => { if (rows[i]) child.setAttribute('aria-current', String(is(rows[i]))); });
    },
    /** The frame of the row after or before the one that is shown. */
    step(by) {
      if (!rows.length) return null;
      const here = rows.findIndex(is), to = here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + by));
      list.children[to]?.scrollIntoView({ block: 'nearest' });
      return rows[to][0];
    },
  };
}

/** Slider and strip. */
export function makeTrack({ go }) {
  const strip = el('canvas', { class: 'align-strip', 'aria-hidden': 'true', onclick: (event) => go(Math.floor((event.offsetX / strip.clientWidth) * count)) });
  const slider = el('input', { type: 'range', min: 0, max: 0, step: 1, value: 0, id: 'slider', 'aria-label': 'Frame', oninput: () => go(Number(slider.value)) });
  const legend = el('div', { class: 'align-legend' }, LEGEND.map(([color, text]) => { const swatch = el('i'); swatch.style.background = `var(${color})`; return el('span', {}, swatch, text); }));
  let letters = '', count = 1, frame = 0;
  const rank = { '.': 0, b: 1, h: 2, x: 4 };

  function paint() {
    const wide = strip.width = Math.max(1, Math.round(strip.clientWidth * Math.min(window.devicePixelRatio || 1, 2))), high = strip.height = 22;
    const ctx = strip.getContext('2d'), style = getComputedStyle(document.documentElement), color = (name) => style.getPropertyValue(name);
    const colors = { b: color('--line3'), h: color('--accent'), x: color('--bad') }, odd = color('--warn');
    for (let u = 0; u < wide; u += 1) {
      const first = Math.floor((u * count) / wide), end = Math.max(first + 1, Math.floor(((u + 1) * count) / wide));
      let best = '.';
      for (let n = first; n < end; n += 1) { const c = letters[n] ?? '.'; if ((rank[c] ?? 3 + Number(c) / 20) > (rank[best] ?? 3 + Number(best) / 20)) best = c; }
      if (best === '.') continue;
      const tall = /\d/.test(best) ? high * (0.25 + (0.75 * Number(best)) / 9) : high;
      ctx.fillStyle = colors[best] ?? odd;
      ctx.fillRect(u, high - tall, 1, tall);
    }
    ctx.fillStyle = color('--text');
    ctx.fillRect(Math.round(((frame + 0.5) / count) * wide) - 1, 0, 3, high);
  }
  const watcher = new ResizeObserver(paint);
  watcher.observe(strip);
  return {
    element: el('div', { class: 'align-track' }, strip, slider, legend),
    legend,
    set(news) { ({ strip: letters, frames: count } = news); slider.max = count - 1; slider.value = frame; paint(); },
    mark(n) { frame = n; slider.value = n; slider.setAttribute('aria-valuetext', `frame ${n + 1} of ${count}`); paint(); },
    stop: () => watcher.disconnect(),
  };
}
