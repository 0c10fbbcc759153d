// One face large, with all that is known of it.
import { api, el, tried, words } from '../lib.js';
import { outline } from './faces-points.js';

const degrees = (v) => `${v.toFixed(1)}°`;
const ROWS = [
  ['File', (f) => f.name], ['Video', (f) => f.source], ['Frame', (f) => `${f.frame + 1} (${words.time(f.seconds)})`], ['Face of the frame', (f) => String(f.number + 1)],
  ['Detector score', (f) => `${f.score.toFixed(3)} (${f.detector})`], ['Landmarks', (f) => (f.edited ? 'set by hand' : `${f.landmarker}${f.recovered ? ', found by its track' : ''}`)],
  ['Size in the frame', (f) => `${f.side.toFixed(0)} px`], ['Crop', (f) => `${f.size} px, ${f.face_type}`], ['Yaw, pitch', (f) => `${degrees(f.yaw)}, ${degrees(f.pitch)}`],
  ['Sharpness', (f) => f.sharpness.toPrecision(4)], ['Outside the frame', (f) => `${Math.round(f.outside * 100)} %`], ['Person', (f) => (f.person === null ? 'not told apart' : String(f.person))],
  ['Track', (f) => String(f.track)], ['Mask', (f) => f.mask ?? 'none'], ['Polygons', (f) => String(f.polygons)], ['Put aside', (f) => f.reason],
];

/** @param page { view, side, path(), name(), step(way) shows the next, act(key) for keys of the gallery } */
export function makeLarge(page) {
  const picture = el('img', { class: 'large', alt: '' }), over = el('div', { class: 'over' });
  const title = el('h2', { class: 'grow cut', id: 'faces-large-title' }), table = el('table', { class: 'small' }), links = el('div', { class: 'row tight' });
  const dialog = el('dialog', { class: 'faces-large sheet', tabIndex: -1, 'aria-labelledby': 'faces-large-title' },
    el('div', { class: 'row' }, title,
      el('button', { onclick: () => page.step(-1), 'aria-label': 'Face before' }, '←'), el('button', { onclick: () => page.step(1), 'aria-label': 'Next face' }, '→'),
      el('button', { onclick: () => dialog.close(), 'aria-label': 'Close' }, '✕')),
    el('div', { class: 'faces-large-body' }, el('div', { class: 'stage' }, picture, over), el('div', { class: 'stack' }, table, links)));
  const marks = el('button', { 'aria-pressed': 'false', onclick: () => flip() }, 'Landmarks ', el('kbd', {}, 'L'));
  let points = false, shown = null;

  async function show() {
    const name = page.name();
    if (name === null) { dialog.close(); return; }
    const query = `name=${encodeURIComponent(name)}`;
    shown = name;
    title.textContent = name;
    picture.src = `${page.path()}/picture?${query}`;
    picture.alt = `Face ${name}`;
    if (!dialog.open) { dialog.showModal(); dialog.focus(); }
    const facts = await tried(() => api.get(`${page.path()}/facts?${query}`));
    if (shown !== name) return;
    const rows = facts ? ROWS.map(([label, of]) => [label, of(facts)]).filter(([, text]) => text !== null) : [['Problem', page.problem(name) ?? 'its facts cannot be read']];
    table.replaceChildren(...rows.map(([label, text]) => el('tr', {}, el('th', { scope: 'row' }, label), el('td', {}, text))));
    over.replaceChildren(...(facts ? [outline(facts.points)] : []));
    over.hidden = !points;
    const away = facts && page.inUse() ? [
      el('button', { onclick: () => leave('align', page.side, String(facts.frame)) }, 'Alignment of this frame'),
      el('button', { onclick: () => leave('masks', page.side, name) }, 'Mask of this face'),
    ] : [];
    links.replaceChildren(...away, ...(facts ? [marks] : []));
  }

  function leave(...where) { dialog.close(); page.view.go(...where); }
  function flip() { points = !points; over.hidden = !points; marks.setAttribute('aria-pressed', String(points)); }

  dialog.addEventListener('keydown', (event) => {
    const ctrl = event.ctrlKey || event.metaKey;
    const run = { ArrowLeft: () => page.step(-1), ArrowRight: () => page.step(1), ArrowUp: () => page.step(-1), ArrowDown: () => page.step(1), l: flip,
      Delete: () => page.act('Delete'), r: () => page.act('r'), z: ctrl ? () => page.act('undo') : null }[event.key];
    if (event.key === 'Enter' && event.target.tagName !== 'BUTTON') { dialog.close(); event.preventDefault(); }
    if (!run || (ctrl && event.key !== 'z')) return;
    run();
    event.preventDefault();
    event.stopPropagation();
  });
  return { dialog, show, get open() { return dialog.open; } };
}
