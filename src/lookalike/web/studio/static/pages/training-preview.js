// The preview of a training: all columns, or the swaps large; one click away from its full size.
import { el } from '../lib.js';
import { ago, put, remember, remembered, whole } from './training-words.js';

const COLUMNS = ['src', 'src redrawn', 'dst', 'dst redrawn', 'swap'];
const DST = 2, SWAP = 4, GAP = 8;
const KINDS = [['preview.jpg', 'whole'], ['preview_masked.jpg', 'masked']];
const LAYOUTS = [['all', 'all columns'], ['swaps', 'swaps large']];
const LOOKS = [['beside', 'swaps beside dst'], ['swaps', 'swaps alone'], ['all', 'all columns'], ['full', 'pixel by pixel']];

/** One of several, as radio buttons in a row; answers {element, value, next(), allow(value, yes)}. */
export function choice(legend, name, values, first, onchange, keys) {
  const inputs = values.map(([value, label]) => [el('input', { type: 'radio', name: `train-${name}`, value, checked: String(value) === String(first), onchange: () => onchange(value) }), label]);
  const chosen = () => inputs.findIndex(([input]) => input.checked);
  return {
    element: el('fieldset', { class: 'choice', 'aria-keyshortcuts': keys, 'data-choice': name }, el('legend', { class: 'hidden' }, keys ? `${legend} (key ${keys})` : legend),
      inputs.map(([input, label]) => el('label', {}, input, label))),
    get value() { return values[Math.max(0, chosen())][0]; },
    set(value) { inputs.forEach(([input]) => { input.checked = input.value === String(value); }); },
    allow(value, yes) { inputs.find(([input]) => input.value === String(value))[0].disabled = !yes; },
    next() {
      const able = inputs.map(([input]) => input).filter((input) => !input.disabled);
      const one = able[(able.findIndex((input) => input.checked) + 1) % able.length];
      one.checked = true;
      onchange(values.find(([value]) => String(value) === one.value)[0]);
    },
  };
}

/** Draw the rows of some columns of a preview into `area`, as large as they fit into `width` by `height`. */
function tiles(area, image, columns, width, height) {
  const side = image.naturalWidth / COLUMNS.length, rows = Math.max(1, Math.round(image.naturalHeight / side));
  const scale = devicePixelRatio || 1, tall = image.naturalHeight / rows;
  let shown = 0;
  for (let across = 1; across <= rows; across += 1) {
    const down = Math.ceil(rows / across);
    shown = Math.max(shown, Math.min((width - GAP * across) / across / columns.length, (height - GAP * down) / down));
  }
  shown = Math.max(16, Math.floor(shown));
  area.replaceChildren(...Array.from({ length: rows }, (_, row) => {
    const tile = el('canvas', { width: Math.floor(shown * scale) * columns.length, height: Math.floor(shown * scale) });
    tile.style.width = `${shown * columns.length}px`;
    const pen = tile.getContext('2d');
    pen.imageSmoothingQuality = 'high';
    columns.forEach((column, n) => pen.drawImage(image, column * side, row * tall, side, tall, n * tile.height, 0, tile.height, tile.height));
    return tile;
  }));
}

export class Preview {
  /** In `place`; pictures are read from `base`. */
  constructor(place, base) {
    Object.assign(this, { base, stamp: null, loaded: null, data: null });
    this.kind = choice('Which preview', 'kind', KINDS, remembered('kind', 'preview.jpg'), (value) => { remember('kind', value); this.stamp = null; if (this.data) this.show(this.data); }, 'm');
    this.layout = choice('Which columns', 'layout', LAYOUTS, remembered('layout', 'all'), (value) => { remember('layout', value); this.arrange(); }, 'c');
    this.age = el('span', { class: 'soft grow', 'data-part': 'preview-age' });
    this.image = el('img', { alt: '' });
    this.captions = el('div', { class: 'captions', 'aria-hidden': 'true' }, COLUMNS.map((name) => el('span', {}, name)));
    this.swaps = el('div', { class: 'tiles', role: 'img', 'aria-label': 'Of each face dst and the swap' });
    this.frame = el('div', { class: 'frame' }, this.image,
      el('button', { class: 'enlarge whole', 'aria-label': 'Show the preview large', 'aria-haspopup': 'dialog', onclick: () => this.open(this.gridded ? 'all' : 'full') }, el('span', {}, 'large')),
      this.enlarge = el('button', { class: 'enlarge', 'aria-label': 'Show the swaps large', 'aria-haspopup': 'dialog', 'aria-keyshortcuts': 'e', onclick: () => this.open('beside') }, el('span', {}, 'large')));
    this.figure = el('figure', { class: 'preview', hidden: true }, this.captions, this.frame);
    this.big = el('button', { class: 'bigtiles', hidden: true, 'aria-label': 'Show the swaps large', 'aria-haspopup': 'dialog', onclick: () => this.open('beside') }, this.swaps);
    this.none = el('p', { class: 'empty' }, 'No preview yet. The first one comes soon after the training has begun.');
    place.append(el('div', { class: 'row' }, el('h2', {}, 'Preview'), this.age, this.layout.element, this.kind.element), this.figure, this.big, this.none, this.dialog());
    this.sized = new ResizeObserver(() => { this.arrange(); this.draw(); });
    this.sized.observe(place);
  }

  stop() { this.sized.disconnect(); this.large.close(); }

  dialog() {
    this.look = choice('What is shown large', 'look', LOOKS, 'beside', () => this.draw());
    this.title = el('h2', { class: 'grow' });
    this.area = el('div', { class: 'tiles', tabIndex: 0, role: 'img', 'aria-label': 'The preview, enlarged' });
    this.large = el('dialog', { class: 'large', 'aria-label': 'Preview, large',
      onclick: (e) => { if (e.target === this.large) this.large.close(); },
      onkeydown: (e) => { if (e.key === 'e') { e.stopPropagation(); this.large.close(); } } },
    el('div', { class: 'row' }, this.title, this.look.element, el('button', { onclick: () => this.large.close() }, 'Close')), this.area);
    return this.large;
  }

  /** What is known by now. */
  show(data) {
    this.data = data;
    this.gridded = data.kind !== 'xseg';
    const masked = KINDS[1][0];
    this.kind.allow(masked, Boolean(data.previews[masked]));
    if (!data.previews[masked] && this.kind.value === masked) this.kind.set(KINDS[0][0]);
    this.kind.element.hidden = this.layout.element.hidden = this.captions.hidden = this.enlarge.hidden = !this.gridded;
    this.frame.classList.toggle('alone', !this.gridded);
    const stamp = data.previews[this.kind.value];
    put(this.age, stamp ? ago(Number(stamp.slice(0, -9))) : '');
    if (!stamp || stamp + this.kind.value === this.stamp) return;
    this.stamp = stamp + this.kind.value;
    this.fetch(`${this.base}${this.kind.value}?t=${stamp}`);
  }

  fetch(address) {
    const mine = this.stamp, next = new Image();
    next.onload = () => {
      if (this.stamp !== mine) return;
      next.alt = this.gridded ? `A row for each face. Columns: ${COLUMNS.join(', ')}.` : 'Faces with what the mask network sees of them.';
      this.image.replaceWith(next);
      this.image = this.loaded = next;
      this.none.hidden = true;
      this.arrange();
      this.draw();
    };
    next.onerror = () => { if (this.stamp === mine) this.stamp = null; };
    next.src = address;
  }

  /** All columns, or dst and the swap alone. */
  arrange() {
    if (!this.loaded) return;
    const { naturalWidth: width, naturalHeight: height } = this.loaded, swaps = this.gridded && this.layout.value === 'swaps';
    this.figure.hidden = swaps;
    this.big.hidden = !swaps;
    this.figure.style.width = `min(100%, calc(74vh * ${width / height}))`;
    if (swaps) tiles(this.swaps, this.loaded, [DST, SWAP], this.big.clientWidth, innerHeight * 0.7);
  }

  toggle() { if (this.large.open) this.large.close(); else this.open(this.gridded ? 'beside' : 'full'); }

  open(look) {
    if (!this.loaded) return;
    this.look.set(look);
    this.look.element.hidden = !this.gridded;
    this.large.showModal();
    this.draw();
  }

  draw() {
    if (!this.large.open || !this.loaded) return;
    const look = this.look.value;
    put(this.title, `Preview${this.kind.value === KINDS[1][0] ? ', masked' : ''}, about iteration ${whole(this.data.iteration)}`);
    this.area.dataset.look = look;
    if (look === 'beside' || look === 'swaps') tiles(this.area, this.loaded, look === 'swaps' ? [SWAP] : [DST, SWAP], this.area.clientWidth, this.area.clientHeight);
    else this.area.replaceChildren(el('img', { src: this.loaded.src, alt: this.loaded.alt }));
  }
}
