// The previews of a training from its first to its last, turned over by hand or played.
import { el } from '../lib.js';
import { put, whole } from './training-words.js';

const MOST_PIXELS = 64e6, LEAST_PICTURES = 12; // that are held in memory
const RATES = [4, 12, 30];

export class Film {
  /** In `place`; pictures are read from `${base}previews/NAME.jpg`. */
  constructor(place, base) {
    Object.assign(this, { base, names: [], at: -1, playing: null, cache: new Map(), shown: null });
    this.title = el('span', { class: 'soft grow', 'data-part': 'picture-name' });
    this.canvas = el('canvas', { role: 'img', 'aria-label': 'A preview of the history' });
    this.film = el('div', { class: 'film' }, this.canvas);
    this.button = el('button', { 'aria-pressed': 'false', 'aria-keyshortcuts': 'Space', 'data-part': 'play', onclick: () => this.toggle() }, 'Play');
    this.place = el('input', { type: 'range', min: 0, max: 0, value: 0, 'aria-label': 'Picture of the history', oninput: () => { this.stop(); this.go(Number(this.place.value)); } });
    this.rate = el('select', { 'aria-label': 'Pictures a second' }, RATES.map((rate) => el('option', { value: rate, selected: rate === 12 }, `${rate} / s`)));
    this.whole = el('div', { hidden: true }, this.film, el('div', { class: 'row controls' }, this.button, this.place, this.rate));
    this.none = el('p', { class: 'empty' }, 'No pictures yet. One is kept with every preview; with the option “write preview history” every ten iterations.');
    place.append(el('div', { class: 'row' }, el('h2', {}, 'History'), this.title), this.whole, this.none);
  }

  /** Pictures that came since. */
  add(names) {
    this.names.push(...names);
    this.whole.hidden = !this.names.length;
    this.none.hidden = this.names.length > 0;
    if (!this.names.length) return;
    const atEnd = this.at < 0 || this.at === Number(this.place.max);
    this.place.max = this.names.length - 1;
    this.button.disabled = this.names.length < 2;
    if (atEnd && !this.playing) this.go(this.names.length - 1); else this.label();
  }

  forget() {
    this.stop();
    for (const bitmap of this.cache.values()) bitmap.then((b) => b?.close());
    this.cache.clear();
    Object.assign(this, { names: [], at: -1, shown: null });
  }

  load(name) {
    if (!this.cache.has(name)) {
      this.cache.set(name, fetch(`${this.base}previews/${name}.jpg`).then((r) => (r.ok ? r.blob() : null)).then((b) => b && createImageBitmap(b)).catch(() => null));
      if (this.cache.size > Math.max(LEAST_PICTURES, MOST_PIXELS / (this.canvas.width * this.canvas.height))) {
        const [oldest, bitmap] = this.cache.entries().next().value;
        this.cache.delete(oldest);
        bitmap.then((b) => b?.close());
      }
    }
    return this.cache.get(name);
  }

  label() {
    put(this.title, `iteration ${whole(Number(this.names[this.at]))} (${this.at + 1} of ${this.names.length})`);
    this.place.setAttribute('aria-valuetext', `iteration ${Number(this.names[this.at])}`);
  }

  /** Show one, by its place. */
  async go(at) {
    this.at = at;
    this.place.value = at;
    this.label();
    const name = this.names[at], bitmap = await this.load(name);
    if (!bitmap || this.names[this.at] !== name || this.shown === bitmap) return;
    if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
      this.canvas.width = bitmap.width;
      this.canvas.height = bitmap.height;
      this.film.style.width = `min(100%, calc(60vh * ${bitmap.width / bitmap.height}))`;
    }
    this.canvas.getContext('2d').drawImage(bitmap, 0, 0);
    this.canvas.setAttribute('aria-label', `Preview at iteration ${Number(name)}`);
    this.canvas.dataset.iteration = Number(name);
    this.shown = bitmap;
  }

  /** So many pictures on or back. */
  step(by) {
    if (!this.names.length) return;
    this.stop();
    this.go(Math.max(0, Math.min(this.names.length - 1, this.at + by)));
  }

  toggle() { if (this.playing) this.stop(); else if (this.names.length > 1) this.play(); }

  async play() {
    const mine = this.playing = {};
    put(this.button, 'Pause');
    this.button.setAttribute('aria-pressed', 'true');
    if (this.at >= this.names.length - 1) await this.go(0);
    while (this.playing === mine && this.at < this.names.length - 1) {
      const due = performance.now() + 1000 / Number(this.rate.value);
      for (let ahead = 2; ahead < 8 && this.at + ahead < this.names.length; ahead += 1) this.load(this.names[this.at + ahead]);
      await this.load(this.names[this.at + 1]);
      await new Promise((done) => { setTimeout(done, Math.max(0, due - performance.now())); });
      if (this.playing === mine) await this.go(this.at + 1);
    }
    if (this.playing === mine) this.stop();
  }

  stop() {
    this.playing = null;
    put(this.button, 'Play');
    this.button.setAttribute('aria-pressed', 'false');
  }
}
