// The bars above the gallery: what is shown and how, and what can be done with the selected.
import { el, words } from '../lib.js';
import { GROUP_NAMES } from './faces-data.js';

const SIZES = { least: 48, most: 512, start: 128 };
const SHELVES = [['use', 'In use'], ['removed', 'Removed'], ['trash', 'Trash']];

/** @param page what the controls do */
export function makeBar(page) {
  const sides = el('div', { class: 'row tight', role: 'group', 'aria-label': 'Side' }, ['src', 'dst'].map((side) => el('button', { 'aria-pressed': String(side === page.side), onclick: () => { if (side !== page.side) page.view.go('faces', side); } }, side)));
  const shelves = SHELVES.map(([name, label]) => el('button', { 'aria-pressed': String(name === 'use'), 'data-shelf': name, onclick: () => page.shelf(name) }, label));
  const turn = el('button', { title: 'Turn the order round', 'aria-label': 'Turn the order round', 'aria-pressed': 'false', onclick: () => turn.setAttribute('aria-pressed', String(page.turn())) }, '⇅');
  const group = el('select', { 'aria-label': 'Group', onchange: () => page.group(group.value) },
    el('option', { value: 'none' }, 'no groups'), [...GROUP_NAMES, 'duplicates'].map((name) => el('option', { value: name }, name === 'duplicates' ? 'duplicates' : `by ${name}`)));
  const size = el('input', { type: 'range', min: SIZES.least, max: SIZES.most, step: 4, value: stored(), 'aria-label': 'Size of the pictures', class: 'size', oninput: () => resized() });
  const search = el('input', { type: 'search', placeholder: 'Name, video, reason', 'aria-label': 'Search', class: 'search', oninput: () => page.search(search.value) });
  const filters = el('button', { 'aria-pressed': 'true', onclick: page.filters, 'aria-keyshortcuts': 'F' }, 'Filters');
  const element = el('div', { class: 'panel faces-bar row' }, sides, el('div', { class: 'row tight', role: 'group', 'aria-label': 'Which faces' }, shelves),
    page.orders.element, turn, group, size, search, filters);

  const count = el('span', { class: 'grow cut', role: 'status' }), busy = el('span', { class: 'pill warn', hidden: true, role: 'status' }), trouble = el('span', { class: 'bad small cut', hidden: true }), progress = el('progress', { class: 'reading', hidden: true, 'aria-label': 'Reading the faces' });
  const button = (label, key, run, more = {}) => el('button', { onclick: run, ...more }, label, ' ', el('kbd', {}, key));
  const aside = button('Put aside', 'Del', page.aside, { 'data-act': 'trash' }), remove = button('Remove', 'R', page.remove, { 'data-act': 'removed' });
  const undo = button('Undo', 'Ctrl+Z', page.undo, { disabled: true }), points = button('Landmarks', 'L', page.points, { 'aria-pressed': 'false' });
  const actions = el('div', { class: 'faces-actions row tight' }, count, trouble, progress, busy, el('button', { onclick: page.all }, 'All'), el('button', { onclick: page.none }, 'None'), aside, remove, undo, points);
  let shown = 0, all = 0, chosen = 0;

  function stored() {
    const kept = Number(localStorage.getItem('faces-size'));
    return kept >= SIZES.least && kept <= SIZES.most ? kept : SIZES.start;
  }

  function resized() {
    localStorage.setItem('faces-size', size.value);
    page.resize(Number(size.value));
  }

  function tell() {
    count.textContent = `${chosen ? `${chosen.toLocaleString('en')} selected of ` : ''}${shown === all ? words.many(all, 'face') : `${shown.toLocaleString('en')} of ${words.many(all, 'face')}`}`;
    for (const one of [aside, remove]) one.disabled = !chosen;
  }

  return {
    element, actions,
    count(now, of, selected) { shown = now; all = of; chosen = selected; tell(); },
    select(number) { chosen = number; tell(); },
    /** What the server told of the shelf that is shown. */
    known(data, shelf) {
      for (const one of shelves) {
        const [name, label] = SHELVES.find(([key]) => key === one.dataset.shelf);
        one.textContent = `${label} ${data.counts[name].toLocaleString('en')}`;
        one.setAttribute('aria-pressed', String(name === shelf));
      }
      aside.hidden = shelf === 'trash';
      remove.firstChild.textContent = shelf === 'use' ? 'Remove' : 'Bring back';
      undo.disabled = !data.acts;
      trouble.hidden = !data.trouble || !data.count;
      trouble.textContent = trouble.title = data.trouble ?? '';
      progress.hidden = !data.reading;
      if (data.reading) { [progress.value, progress.max] = data.reading; progress.title = `${data.reading[0].toLocaleString('en')} of ${data.reading[1].toLocaleString('en')} faces read`; }
    },
    busy(text) { busy.hidden = !text; busy.textContent = text; },
    group(name) { group.value = name; },
    pointed(on) { points.setAttribute('aria-pressed', String(on)); },
    filtered(on) { filters.setAttribute('aria-pressed', String(on)); },
    focusSearch() { search.focus(); search.select(); },
    resize(way) { size.value = Number(size.value) + way * 24; resized(); },
  };
}
