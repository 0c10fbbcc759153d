// The gallery itself: what is shown, chosen and done, put together.
import { debounce, el, onKeys, toast, tried, words } from '../lib.js';
import { onJobs, isOver } from '../jobs.js';
import { makeBar } from './faces-bar.js';
import { FORMATS, COLUMN_ORDERS, grouped, ordered, passing } from './faces-data.js';
import { makeGrid } from './faces-grid.js';
import { makeLarge } from './faces-large.js';
import { makeMap } from './faces-map.js';
import { makeMoves } from './faces-moves.js';
import { makeOrders } from './faces-orders.js';
import { makePanel, noFilters } from './faces-panel.js';
import { makePictures } from './faces-pictures.js';
import { makePoints, outline } from './faces-points.js';
import { makeSource } from './faces-source.js';
import './faces-layout.js'; // named here to be loaded with the others
import './faces-marquee.js';

/** Milliseconds given to the first pictures before anything else is asked. */
const LATER = 500;

/** @param early what the server answers of the faces in use, asked for already */
export function makePage(root, view, side, early) {
  const { ws } = view;
  const filters = noFilters();
  let shelf = 'use', data = null, shown = [], order = { by: 'name', names: null, twins: {} }, falls = false, group = 'none', size = 128, allPoints = false;
  let hidden = new Set();

  const source = makeSource(ws, side, () => shelf, early, (now) => { const first = !data; data = now; arrived(first); });
  const pictures = makePictures((key) => { const name = key.slice(key.indexOf('/') + 1, key.lastIndexOf('/')); grid.refresh(name); for (const img of thumbs) if (img.dataset.key === key) img.src = pictures.url(key) ?? ''; });
  const points = makePoints(source.path, (name) => grid.refresh(name));
  const thumbs = new Set();
  const nameOf = (i) => data.names[shown[i]];
  const key = (row) => `${shelf}/${data.names[row]}/${data.columns.stamp[row]}`;

  const grid = makeGrid({ key: nameOf, label: (i) => labelOf(shown[i]), fill, seen, open: () => large.show(), changed: () => { remember(); bar.select(grid.selected.size); }, hover,
    headActions: (part) => (group === 'duplicates' ? el('button', { class: 'small', onclick: () => grid.pick(shown.slice(part.from + 1, part.to).map((row) => data.names[row])) }, 'Select all but the sharpest') : null) });
  const panel = makePanel(filters, () => { map.clear(); update({ top: true }); }, thumb);
  const map = makeMap(ws, (wish) => { delete filters.ranges.yaw; delete filters.ranges.pitch; if (wish) Object.assign(filters.ranges, wish); panel.show(data); update({ top: true }); });
  const orders = makeOrders(ws, side, (now) => { order = now; if (now.by === 'duplicates' && Object.keys(now.twins).length) group = 'duplicates'; else if (group === 'duplicates') group = 'none'; bar.group(group); update({ top: true }); });
  const moves = makeMoves({ ws, side: () => side, path: source.path, hide, unhide: () => { hidden = new Set(); update(); }, refresh: () => source.refresh(), busy: (text) => bar.busy(text), pick });
  const large = makeLarge({ view, side, path: source.path, name: () => (shown.length ? nameOf(grid.focus) : null), problem: (name) => data.problems[name], inUse: () => shelf === 'use',
    step: (way) => { grid.goTo(grid.focus + way); large.show(); }, act: async (what) => { if (what === 'undo') await undo(); else await act(what === 'Delete' ? 'trash' : 'r', [nameOf(grid.focus)]); if (large.open) large.show(); } });
  const bar = makeBar({ side, view, orders, resize: (pixels) => { size = pixels; grid.resize(size); }, group: (by) => { if (by === 'duplicates') { bar.group(group); orders.choose(by); } else { group = by; update({ top: true }); } },
    turn: () => { falls = !falls; update({ top: true }); return falls; }, shelf: choose, search: debounce((text) => { filters.text = text; update({ top: true }); }, 120),
    aside: () => act('trash'), remove: () => act('r'), undo: () => undo(), points: flipPoints, all: () => grid.all(), none: () => grid.none(), filters: () => flipPanel() });

  const mapPart = el('details', { class: 'more', open: true }, el('summary', {}, 'Where src and dst look'), map.element);
  const aside = el('aside', { class: 'panel faces-panel stack', 'aria-label': 'Filters' }, mapPart, panel.element);
  const empty = el('div', { class: 'empty', hidden: true });
  root.append(bar.element, el('div', { class: 'faces-body' }, aside, el('section', { class: 'panel faces-main', 'aria-label': 'Faces' }, bar.actions, el('div', { class: 'faces-stage' }, grid.element, empty))), large.dialog);

  function arrived(first) {
    points.forget();
    for (const name of grid.selected) if (!data.places.has(name)) grid.selected.delete(name);
    panel.show(data);
    update({ top: first });
    bar.known(data, shelf);
  }

  /** Filter, order and group what is known, and show it. */
  function update({ top = false } = {}) {
    if (!data) return;
    const at = shown.length ? data.places.get(atName) : undefined;
    const passes = passing(data, filters);
    let rows = ordered(data, order.by, order.names).filter((row) => passes(row) && !hidden.has(data.names[row]));
    if (falls) rows.reverse();
    const parts = grouped(data, rows, group, order.twins);
    ({ shown: rows } = parts);
    shown = rows;
    const inside = new Set(rows.map((row) => data.names[row]));
    for (const name of grid.selected) if (!inside.has(name)) grid.selected.delete(name);
    const place = top || at === undefined ? -1 : rows.indexOf(at);
    grid.set(rows.length, parts.groups, { top, at: place >= 0 ? place : top ? 0 : grid.focus });
    bar.count(rows.length, data.count, grid.selected.size);
    nothing();
  }
  /** The name of the face that has the focus, whatever its place becomes. */
  let atName = null;
  const remember = () => { atName = shown.length ? nameOf(Math.min(grid.focus, shown.length - 1)) : null; };

  function nothing() {
    empty.hidden = shown.length > 0;
    const texts = { use: 'There are no faces yet. Extract them on the page Videos.', removed: 'Nothing is in removed/. R moves faces there; no step looks at them.', trash: 'The trash is empty.' };
    empty.replaceChildren(el('p', {}, data.count ? 'No face passes the filters.' : data.trouble ?? texts[shelf]), ...(data.count ? [el('button', { onclick: () => panel.reset() }, 'Clear filters')] : []));
  }

  const labelOf = (row) => `${data.names[row]}${Number.isNaN(data.columns.frame[row]) ? '' : `, frame ${data.columns.frame[row]}`}${data.problems[data.names[row]] ? ', cannot be read' : ''}`;

  /** Picture, badges and caption of a cell. */
  function fill(cell, i) {
    const row = shown[i], name = data.names[row], url = pictures.url(key(row));
    let img = cell.firstChild;
    if (!img) {
      img = el('img', { alt: '', draggable: false, onerror: () => cell.classList.add('broken') });
      cell.append(img, el('span', { class: 'marks' }), el('span', { class: 'caption cut' }));
    }
    if (url && img.dataset.url !== url) { img.dataset.url = url; img.src = url; cell.classList.remove('broken'); }
    cell.classList.toggle('broken', url === null || cell.classList.contains('broken'));
    cell.classList.toggle('waiting', url === undefined);
    const problem = data.problems[name];
    cell.title = problem ?? data.reasons[data.columns.reason[row]] ?? '';
    const signs = [problem && '⚠', data.columns.edited[row] === 1 && '✎', data.columns.polygons[row] > 0 && '⬠'].filter(Boolean).join(' ');
    if (cell.children[1].textContent !== signs) cell.children[1].textContent = signs;
    const caption = captionOf(row);
    if (cell.children[2].textContent !== caption) cell.children[2].textContent = caption;
    drawPoints(cell, name, allPoints || cell === hovered);
  }

  function captionOf(row) {
    const column = COLUMN_ORDERS[order.by]?.column, value = column ? data.columns[column][row] : NaN;
    if (!Number.isNaN(value) && column) return FORMATS[column](value);
    return order.by === 'name' || Number.isNaN(data.columns.frame[row]) ? data.names[row] : FORMATS.frame(data.columns.frame[row]);
  }

  function drawPoints(cell, name, wanted) {
    const old = cell.querySelector('svg'), found = wanted ? points.of(name) : null;
    if (!found) { old?.remove(); return; }
    if (old?.dataset.name === name) return;
    old?.remove();
    const svg = outline(found);
    svg.dataset.name = name;
    cell.append(svg);
  }

  let hovered = null, hoverTimer = 0;
  function hover(cell, i) {
    if (cell === hovered) return;
    const before = hovered;
    hovered = cell;
    if (before && !allPoints) before.querySelector('svg')?.remove();
    clearTimeout(hoverTimer);
    if (cell) hoverTimer = setTimeout(() => { if (hovered === cell && i < shown.length) { points.want([nameOf(i)]); drawPoints(cell, nameOf(i), true); } }, 60);
  }

  function seen(list, next) {
    remember();
    for (const img of thumbs) if (!img.isConnected) thumbs.delete(img);
    const extra = [...thumbs].map((img) => ({ key: img.dataset.key, name: img.dataset.name }));
    const asked = (i) => ({ key: key(shown[i]), name: nameOf(i) });
    pictures.want([...list.map(asked), ...extra], next.map(asked), source.path(), size * devicePixelRatio);
    if (allPoints) points.want(list.map(nameOf));
  }

  /** A small picture of a face outside of the grid. */
  function thumb(row) {
    if (row < 0) return null;
    const img = el('img', { class: 'thumb', alt: '', 'data-key': key(row), 'data-name': data.names[row] }), url = pictures.url(key(row));
    if (url) img.src = url;
    thumbs.add(img);
    return img;
  }

  function hide(names) { hidden = new Set(names); for (const name of names) grid.selected.delete(name); update(); }
  function pick(names, where) { if (where === shelf) { grid.pick(names.filter((name) => data.places.has(name))); const i = shown.findIndex((row) => data.names[row] === names[0]); if (i >= 0) grid.goTo(i, 'focus'); } }

  /** Put aside (trash), or r: into removed/ and back. */
  async function act(what, only = null) {
    const names = only ?? shown.map((row) => data.names[row]).filter((name) => grid.selected.has(name));
    if (!names.length) { toast('No face is selected.'); return; }
    const to = what === 'trash' ? 'trash' : shelf === 'use' ? 'removed' : 'use';
    if (to !== shelf) await moves.move(names, to);
  }

  const undo = () => (data?.acts ? moves.undo() : toast('There is nothing to undo.'));

  async function choose(name) {
    if (name === shelf) return;
    shown = []; grid.selected.clear(); grid.set(0, [], { top: true });
    shelf = name; data = null;
    panel.quiet(); orders.allow(name === 'use'); mapPart.hidden = name !== 'use';
    await source.refresh(true);
  }

  function flipPoints() { allPoints = !allPoints; bar.pointed(allPoints); grid.redraw(); }
  function flipPanel() { aside.hidden = !aside.hidden; bar.filtered(!aside.hidden); root.querySelector('.faces-body').classList.toggle('wide', aside.hidden); }
  const larger = (way) => bar.resize(way);

  let jobsOver = -1, later = 0;
  const stops = [
    onKeys({ 'Ctrl+a': () => grid.all(), Escape: () => grid.none(), Delete: () => act('trash'), r: () => act('r'), 'Ctrl+z': () => undo(), l: flipPoints, f: flipPanel, '/': () => bar.focusSearch(),
      '+': () => larger(1), '=': () => larger(1), '-': () => larger(-1), 1: () => choose('use'), 2: () => choose('removed'), 3: () => choose('trash') }),
    onJobs((all) => { const over = all.filter((job) => job.workspace === ws && isOver(job)).length; if (data && over !== jobsOver) source.refresh(); jobsOver = over; }),
    orders.stop, source.stop, pictures.stop, grid.stop, map.stop,
  ];
  const looks = new MutationObserver(() => { map.redraw(); if (data) panel.show(data); });
  looks.observe(document.documentElement, { attributes: true, attributeFilter: ['class'] });
  stops.push(() => looks.disconnect());

  return {
    async begin() {
      bar.resize(0);
      await tried(() => source.refresh(true));
      if (view.args[1] && data?.places.has(view.args[1])) pick([view.args[1]], 'use'); // the address names a face
      grid.element.focus({ preventScroll: true });
      later = setTimeout(() => { orders.load(); map.load(); source.whenRead(() => map.load()); }, LATER);
    },
    stop() { for (const stop of stops) stop(); clearTimeout(hoverTimer); clearTimeout(later); },
  };
}
