// A grid of many faces of which only the visible are in the document; chosen by mouse and keys.
import { el } from '../lib.js';
import { makeLayout } from './faces-layout.js';
import { marquee } from './faces-marquee.js';

const DRAG_PIXELS = 5;

/** @param host { key(i), label(i), fill(cell, i), seen(list of i, list of i that may be next), changed(), open(i), hover(cell, i) or hover(null) } */
export function makeGrid(host) {
  const space = el('div', { class: 'faces-space', role: 'presentation' });
  const element = el('div', { class: 'faces-grid', tabIndex: 0, role: 'listbox', 'aria-multiselectable': 'true', 'aria-label': 'Faces' }, space);
  const cells = new Map(), selected = new Set();
  let items = 0, groups = [], size = 128, layout = makeLayout(0, [], 100, size);
  let focus = 0, anchor = 0, pending = 0, before = 0, titles = new Map();

  const watcher = new ResizeObserver(() => measure());
  watcher.observe(element);

  function measure() {
    const width = element.clientWidth - 2;
    if (width < 10) return;
    const first = firstSeen();
    layout = makeLayout(items, groups, width, Math.min(size, width - 10));
    space.style.height = `${layout.height}px`;
    if (first > 0 && first < items) element.scrollTop = layout.place(first).y - 4;
    draw();
  }

  const firstSeen = () => { let first = -1; if (element.scrollTop > 8) layout.strips(element.scrollTop, element.scrollTop + element.clientHeight, (from) => { if (first < 0) first = from; }); return first; };

  /** Put cells where they belong, for all that can be seen and a row more on both ends. */
  function draw() {
    pending = 0;
    const top = element.scrollTop, high = Math.min(element.clientHeight, window.innerHeight), bottom = top + high, seen = [], near = [], next = [];
    const down = top >= before;
    before = top;
    layout.strips(top - (down ? layout.stepY : high), bottom + (down ? high : layout.stepY), (from, to, y) => {
      const inside = y + layout.size >= top && y <= bottom, close = y + layout.stepY + layout.size >= top && y <= bottom + layout.stepY;
      for (let i = from; i < to; i += 1) (inside ? seen : close ? near : next).push(i);
    });
    const shown = [...seen, ...near], keys = new Set(shown.map((i) => host.key(i)));
    for (const [key, cell] of cells) if (!keys.has(key)) { cell.remove(); cells.delete(key); }
    for (const i of shown) place(i);
    headers(top, bottom);
    active();
    host.seen(shown, next);
  }

  function place(i) {
    const key = host.key(i);
    let cell = cells.get(key);
    if (!cell) {
      cell = el('div', { class: 'face', role: 'option', id: `face-${key}` });
      cells.set(key, cell);
      space.append(cell);
    }
    const { x, y } = layout.place(i), lies = `${i} ${items} ${x} ${y} ${layout.size}`;
    if (cell.dataset.lies !== lies) {
      cell.dataset.lies = lies;
      cell.dataset.i = i;
      cell.style.transform = `translate(${x}px, ${y}px)`;
      cell.style.width = `${layout.size}px`;
      cell.style.height = `${layout.size + layout.caption}px`;
      cell.setAttribute('aria-posinset', i + 1);
      cell.setAttribute('aria-setsize', items);
    }
    cell.ariaLabel = host.label(i);
    mark(cell, i);
    host.fill(cell, i);
  }

  function mark(cell, i) {
    cell.setAttribute('aria-selected', selected.has(host.key(i)));
    cell.classList.toggle('at', i === focus);
  }

  function headers(top, bottom) {
    const now = new Map(layout.headers(top - 100, bottom));
    for (const [part, head] of titles) if (!now.has(part)) { head.remove(); titles.delete(part); }
    for (const [part, y] of now) {
      if (!titles.has(part)) {
        const { title, from, to } = groups[part];
        titles.set(part, el('div', { class: 'faces-head row' }, el('strong', { class: 'cut' }, title), el('span', { class: 'soft' }, `${(to - from).toLocaleString('en')}`),
          el('button', { class: 'small', onclick: () => choose(from, to), 'aria-label': `Select all of ${title}` }, 'Select'),
          host.headActions?.(groups[part])));
        space.append(titles.get(part));
      }
      titles.get(part).style.transform = `translateY(${y}px)`;
    }
  }

  function active() {
    const cell = items ? cells.get(host.key(focus)) : null;
    if (cell) element.setAttribute('aria-activedescendant', cell.id); else element.removeAttribute('aria-activedescendant');
  }

  const later = () => { pending ||= requestAnimationFrame(draw); };
  element.addEventListener('scroll', later, { passive: true });

  function marks() {
    for (const cell of cells.values()) mark(cell, Number(cell.dataset.i));
    active();
    host.changed();
  }

  function choose(from, to, { add = false } = {}) {
    if (!add) selected.clear();
    for (let i = from; i < to; i += 1) selected.add(host.key(i));
    marks();
  }

  /** Go to an item; with `range` choose all from the anchor to it, with `only` it alone, else choose nothing new. */
  function goTo(i, how = 'only') {
    focus = Math.max(0, Math.min(items - 1, i));
    if (!items) return;
    if (how === 'range') choose(Math.min(anchor, focus), Math.max(anchor, focus) + 1);
    else if (how === 'only') { anchor = focus; choose(focus, focus + 1); } else marks();
    reveal(focus);
  }

  function reveal(i) {
    const { y } = layout.place(i), bottom = y + layout.size + layout.caption;
    if (y - 4 < element.scrollTop) element.scrollTop = Math.max(0, y - 44);
    else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom + 4 - element.clientHeight;
    draw();
  }

  function toggle(i) {
    const key = host.key(i);
    if (!selected.delete(key)) selected.add(key);
    focus = anchor = i;
    marks();
  }

  const page = () => Math.max(1, Math.floor(element.clientHeight / layout.stepY) - 1);
  function paged(way) {
    let i = focus;
    for (let row = page(); row > 0; row -= 1) i = layout.vertical(i, way);
    return i;
  }

  element.addEventListener('keydown', (event) => {
    if (event.target !== element || event.altKey || !items) return;
    const ways = { ArrowLeft: () => focus - 1, ArrowRight: () => focus + 1, ArrowUp: () => layout.vertical(focus, -1), ArrowDown: () => layout.vertical(focus, 1),
      Home: () => 0, End: () => items - 1, PageUp: () => paged(-1), PageDown: () => paged(1) };
    if (ways[event.key]) goTo(ways[event.key](), event.shiftKey ? 'range' : event.ctrlKey || event.metaKey ? 'focus' : 'only');
    else if (event.key === ' ') toggle(focus);
    else if (event.key === 'Enter') host.open(focus);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const itemAt = (event) => { const cell = event.target.closest?.('.face'); return cell ? Number(cell.dataset.i) : -1; };
  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || event.target.closest('button') || event.offsetX > element.clientWidth && event.target === element) return;
    event.preventDefault();
    element.focus({ preventScroll: true });
    const i = itemAt(event), before = event.ctrlKey || event.metaKey ? new Set(selected) : new Set();
    marquee(element, space, event, DRAG_PIXELS, (box) => {
      selected.clear();
      for (const key of before) selected.add(key);
      for (const k of layout.within(box.left, box.top, box.right, box.bottom)) selected.add(host.key(k));
      marks();
    }, () => clicked(i, event));
  });

  function clicked(i, event) {
    if (i < 0) { selected.clear(); marks(); return; }
    if (event.shiftKey) { focus = i; choose(Math.min(anchor, i), Math.max(anchor, i) + 1); }
    else if (event.ctrlKey || event.metaKey) toggle(i);
    else { focus = anchor = i; choose(i, i + 1); }
  }

  element.addEventListener('dblclick', (event) => { const i = itemAt(event); if (i >= 0) host.open(i); });
  element.addEventListener('pointerover', (event) => { const cell = event.target.closest?.('.face'); host.hover(cell, cell ? Number(cell.dataset.i) : -1); });
  element.addEventListener('pointerleave', () => host.hover(null, -1));

  return {
    element, selected,
    get focus() { return focus; },
    /** Show so many items, in groups [{title, from, to}] or in none; `top` scrolls to the first. */
    set(count, parts, { top = false, at = focus } = {}) {
      items = count; groups = parts; focus = Math.max(0, Math.min(count - 1, at)); anchor = Math.min(anchor, Math.max(0, count - 1));
      for (const head of titles.values()) head.remove();
      titles = new Map();
      layout = makeLayout(items, groups, Math.max(100, element.clientWidth - 2), Math.min(size, Math.max(60, element.clientWidth - 10)));
      space.style.height = `${layout.height}px`;
      if (top) element.scrollTop = 0;
      draw();
    },
    resize(pixels) { size = pixels; measure(); },
    /** Fill a cell anew, if it is in the document. */
    refresh(key) { const cell = cells.get(key); if (cell) host.fill(cell, Number(cell.dataset.i)); },
    redraw: draw,
    all: () => choose(0, items),
    none() { selected.clear(); marks(); },
    pick(keys) { selected.clear(); for (const key of keys) selected.add(key); marks(); },
    goTo,
    cells,
    stop() { watcher.disconnect(); cancelAnimationFrame(pending); },
  };
}
