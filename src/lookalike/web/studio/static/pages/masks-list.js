// The list of faces, of which only the rows in sight are there.
import { api, el, words } from '../lib.js';
import { clamp } from './masks-geometry.js';

const ROW = 68, READING_MS = 1500, FETCH_MS = 60, AROUND = 3;
const whole = (n) => n.toLocaleString('en');

export class FaceList {
  /** @param desk the editor: ui, docs, current, shown, open(name), fail(text), pictureOf(name) */
  constructor(desk) {
    Object.assign(this, { desk, ui: desk.ui, all: [], seen: [], at: new Map(), place: new Map(), rows: new Map(), unread: 0, problem: '', asking: null, timer: 0 });
    this.ui.list.addEventListener('scroll', () => this.draw(), { passive: true });
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.ui.list);
    this.ui.only.onchange = () => { this.sift(); this.reveal(); };
  }
  close() {
    clearTimeout(this.timer);
    this.watcher.disconnect();
    this.closed = true;
  }
  /** Ask for the faces; whoever asks meanwhile gets the same answer. */
  refresh() {
    this.asking ??= this.ask().finally(() => { this.asking = null; });
    return this.asking;
  }
  async ask() {
    try {
      const { limits, unread, problem, faces } = await api.get(`${this.desk.docs.base}faces`);
      if (this.closed) return;
      this.desk.docs.limits = limits;
      Object.assign(this, { unread, problem });
      this.all = faces.map(([name, frame, number, include, exclude, wrong, carried, masked]) => ({ name, frame, number, include, exclude, problem: wrong, carried, masked }));
      this.sift();
      clearTimeout(this.timer);
      if (unread) this.timer = setTimeout(() => this.refresh(), READING_MS);
    } catch (error) {
      if (!this.closed) this.desk.fail(error.message);
    }
  }
  find(name) { return this.all[this.at.get(name)]; }
  drawn(face) { return face.include + face.exclude > 0; }
  sift() {
    this.seen = this.ui.only.checked ? this.all.filter((face) => this.drawn(face) || face.name === this.desk.current) : this.all;
    this.at = new Map(this.all.map((face, index) => [face.name, index]));
    this.place = new Map(this.seen.map((face, index) => [face.name, index]));
    this.ui.rows.style.height = `${this.seen.length * ROW}px`;
    for (const doc of this.desk.docs.all.values()) if (doc.dirty || (doc === this.desk.shown && !doc.problem)) this.count(doc, false);
    this.draw();
    this.tell();
  }
  tell() {
    const byHand = this.all.filter((face) => this.drawn(face) && !face.carried).length, carried = this.all.filter((face) => face.carried).length;
    const masked = this.all.filter((face) => face.masked).length;
    this.ui.count.textContent = words.many(this.all.length, 'face');
    this.ui.reading.textContent = this.unread ? `reading, ${whole(this.unread)} left` : `${whole(byHand)} drawn${carried ? `, ${whole(carried)} carried` : ''}, ${whole(masked)} masked`;
    const index = this.at.get(this.desk.current);
    this.ui.before.disabled = !(index > 0);
    this.ui.next.disabled = !(index < this.all.length - 1);
    this.desk.counted({ byHand, carried, masked, all: this.all.length, unread: this.unread });
  }
  /** Show how many polygons a face has. */
  count(doc, draw = true) {
    const face = this.find(doc.name);
    if (!face) return;
    face.include = doc.polygons.filter((polygon) => polygon.kind === 'include').length;
    face.exclude = doc.polygons.length - face.include;
    if (doc.dirty) face.carried = false;
    if (!doc.dirty && doc.revision !== null) face.masked = doc.masked;
    if (!draw) return;
    this.draw();
    this.tell();
  }
  draw() {
    const { list, rows } = this.ui;
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - AROUND);
    const last = Math.min(this.seen.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + AROUND);
    const wanted = new Set(this.seen.slice(first, last).map((face) => face.name));
    for (const [name, row] of this.rows) if (!wanted.has(name)) { row.remove(); this.rows.delete(name); }
    for (let index = first; index < last; index += 1) {
      const face = this.seen[index];
      if (!this.rows.has(face.name)) { const row = this.row(face.name); this.rows.set(face.name, row); rows.append(row); }
      this.dress(this.rows.get(face.name), face, index);
    }
    const active = this.rows.get(this.desk.current);
    if (active) list.setAttribute('aria-activedescendant', active.id); else list.removeAttribute('aria-activedescendant');
  }
  row(name) {
    const image = el('img', { alt: '', draggable: false, decoding: 'async' });
    const row = el('div', { class: 'face', role: 'option', onclick: () => this.desk.open(name) }, image,
      el('div', {}, el('b'), el('small'), el('div', { class: 'marks' })));
    setTimeout(() => { if (row.isConnected) image.src = this.desk.pictureOf(name); }, FETCH_MS); // not for rows that only fly by
    return row;
  }
  /** Say in a row what its face is now. */
  dress(row, face, index) {
    const open = Boolean(this.desk.docs.all.get(face.name)?.draft), chosen = face.name === this.desk.current;
    const key = JSON.stringify([face, index, this.seen.length, open, chosen]);
    if (row.dataset.key === key) return;
    row.dataset.key = key;
    const title = [face.frame === null ? face.name : `Frame ${whole(face.frame + 1)}`];
    if (face.frame !== null && face.number) title.push(`face ${face.number + 1}`);
    const [name, file, marks] = row.lastChild.children, kind = face.carried ? ' carried' : '';
    name.textContent = title.join(' · ');
    file.textContent = face.problem ? 'cannot be read' : face.name;
    marks.replaceChildren(...[
      face.include && el('span', { class: `mark include${kind}`, title: `${face.include} include${kind}` }, `+${face.include}`),
      face.exclude && el('span', { class: `mark exclude${kind}`, title: `${face.exclude} exclude${kind}` }, `−${face.exclude}`),
      face.masked && el('span', { class: 'mark network', title: 'has a mask of the network' }, 'net'),
      open && el('span', { class: 'mark open', title: 'a polygon is not closed' }, 'open')].filter(Boolean));
    const spoken = [...title, face.include && `${face.include} include`, face.exclude && `${face.exclude} exclude`, kind.trim(), face.masked && 'masked', open && 'one open', face.problem];
    const said = { 'aria-setsize': this.seen.length, 'aria-posinset': index + 1, 'aria-label': spoken.filter(Boolean).join(', '), 'aria-selected': chosen };
    for (const [attribute, value] of Object.entries(said)) row.setAttribute(attribute, String(value));
    Object.assign(row, { id: `mask-face-${index}`, title: face.problem ?? face.name });
    row.style.top = `${index * ROW}px`;
  }
  reveal() {
    const { list } = this.ui, top = (this.place.get(this.desk.current) ?? 0) * ROW, height = list.clientHeight;
    if (top < list.scrollTop || top + ROW > list.scrollTop + height) list.scrollTop = top - (height - ROW) / 2;
    this.draw();
  }
  /** The name of the face so many places on, or of the next one that way for which `wanted` holds. */
  step(by, wanted) {
    let index = (this.at.get(this.desk.current) ?? 0) + by;
    if (!wanted) return this.all[clamp(index, 0, this.all.length - 1)]?.name;
    while (this.all[index] && !wanted(this.all[index])) index += by;
    return this.all[index]?.name;
  }
  /** As many faces on as the list shows at once. */
  leaf(by) { return this.step(by * Math.max(1, Math.floor(this.ui.list.clientHeight / ROW) - 1)); }
  /** The first face of a frame, or of the next one that has a face. */
  ofFrame(frame) {
    const readable = this.all.filter((face) => face.frame !== null);
    return readable.find((face) => face.frame >= frame) ?? readable.at(-1);
  }
}
