// What is drawn on each face: kept, undone, and saved as it changes, also after its page was left.
import { Refused, api, toast } from '../lib.js';
import { contours, round } from './masks-geometry.js';

const SAVE_MS = 300, RETRY_MS = 3000, JOIN_MS = 800, MOST_KEPT_ALIVE = 30000;
const CHANGED = 409;

/** The faces of one side in work. One for each address, so that leaving the page and coming back loses no undo. */
export class Docs {
  static of(base) {
    if (!known.has(base)) known.set(base, new Docs(base));
    return known.get(base);
  }
  constructor(base) {
    Object.assign(this, { base, all: new Map(), limits: { corners: 512, polygons: 64 }, current: null, desk: null });
    this.drawnLast = []; // names of the faces drawn on, the latest last
    this.strokes = new WeakMap(); // of polygons that the brush made: their rings
    this.drafts = stored(base);
    for (const name of Object.keys(this.drafts)) this.get(name);
  }
  get(name) {
    if (!this.all.has(name)) this.all.set(name, new Doc(this, name));
    return this.all.get(name);
  }
  unsaved() { return [...this.all.values()].filter((doc) => doc.dirty); }
  /** Tell the page that shows these faces, if there is one. */
  tell(what, ...rest) { this.desk?.[what](...rest); }
  fail(text) { if (this.desk) this.desk.fail(text); else toast(text, { bad: true }); }
  keepDrafts() {
    this.drafts = Object.fromEntries([...this.all.values()].filter((doc) => doc.draft).map((doc) => [doc.name, { kind: doc.draft.kind, points: doc.draft.points, size: doc.size }]));
    sessionStorage.setItem(`drafts ${this.base}`, JSON.stringify(this.drafts));
  }
}
const known = new Map();
function stored(base) {
  try { return JSON.parse(sessionStorage.getItem(`drafts ${base}`)) ?? {}; } catch { return {}; }
}

/** One face. Its polygons are never changed in place, so that undoing is keeping the old ones. */
class Doc {
  constructor(docs, name) {
    Object.assign(this, { docs, name, polygons: [], past: [], future: [], revision: null, size: 0, frame: 0, number: 0, time: 0, problem: '', mask: null, masked: false,
      dirty: false, stuck: false, timer: null, sending: null, sent: null, saves: 0, tag: null, taggedAt: 0 });
    const left = docs.drafts[name];
    this._draft = left ? { kind: left.kind, points: left.points, undone: [] } : null;
    this.draftSize = left?.size;
  }
  /** The polygon that is not closed yet. */
  get draft() { return this._draft; }
  set draft(value) {
    this._draft = value;
    this.docs.keepDrafts();
  }
  /** Read it from the server; what it says is not news if it was asked while a change was being saved. */
  async load(saving = false) {
    while (this.sending && !saving) await this.sending;
    const { saves } = this;
    let found = null, problem = '';
    try { found = await api.get(`${this.docs.base}face?name=${encodeURIComponent(this.name)}`); } catch (error) { problem = error.message; }
    if (saves !== this.saves || (this.sending && !saving)) return;
    this.problem = problem;
    if (found) await this.take(found);
  }
  /** Show what the server says of the face. */
  async take(found) {
    const { revision, size } = found, foreign = this.revision !== null && this.revision !== revision;
    if (this.draftSize && this.draftSize !== size) this.draft = null; // begun on another crop
    this.draftSize = null;
    if (!this.dirty || foreign || this.revision === null) {
      if (foreign) { // somebody else drew; what was here can be brought back
        this.past.push(this.polygons);
        this.future = [];
      }
      if (foreign || this.revision === null) this.polygons = found.polygons;
      Object.assign(this, { revision, size, frame: found.frame, number: found.number, time: found.time_seconds, dirty: false, tag: null });
    }
    await this.putMask(found.mask, size);
    this.docs.tell('count', this);
  }
  async putMask(mask, size) {
    this.masked = Boolean(mask);
    if (mask?.png !== this.mask?.stored.png) this.mask = mask ? await shownMask(mask, size) : null;
  }
  /** Other polygons from now on; steps with the same tag that follow each other soon are undone together. */
  change(polygons, tag = null) {
    const now = performance.now();
    if (!tag || tag !== this.tag || now - this.taggedAt > JOIN_MS) this.past.push(this.polygons);
    Object.assign(this, { polygons, future: [], tag, taggedAt: now });
    this.later();
  }
  undo() { return this.travel(this.past, this.future); }
  redo() { return this.travel(this.future, this.past); }
  travel(from, to) {
    if (!from.length) return false;
    to.push(this.polygons);
    this.polygons = from.pop();
    this.tag = null;
    this.later();
    return true;
  }
  later() {
    Object.assign(this, { dirty: true, stuck: false });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), SAVE_MS);
    this.docs.drawnLast = [...this.docs.drawnLast.filter((name) => name !== this.name), this.name];
    this.docs.tell('count', this);
    this.docs.tell('showState');
  }
  /** Save what is not saved; resolves when nothing is under way. */
  async flush() {
    clearTimeout(this.timer);
    while (this.sending) await this.sending;
    if (!this.dirty || this.revision === null) return;
    this.sending = this.send();
    this.docs.tell('showState');
    await this.sending;
    this.sending = null;
    this.docs.tell('showState');
    if (this.dirty && !this.stuck) await this.flush();
  }
  get message() {
    return { name: this.name, revision: this.revision, polygons: this.polygons.map(({ kind, points }) => ({ kind, points: points.map((p) => p.map(round)) })) };
  }
  async send() {
    const sent = this.sent = this.polygons, { message } = this;
    try {
      const { revision } = await api.post(`${this.docs.base}save`, message, { keepalive: JSON.stringify(message).length < MOST_KEPT_ALIVE });
      this.revision = revision;
      this.saves += 1;
      this.dirty = this.polygons !== sent;
      if (this.stuck) this.docs.tell('say', '');
      this.stuck = false;
    } catch (error) {
      await this.refused(error);
    }
  }
  async refused(error) {
    if (error.status === CHANGED) {
      await this.load(true);
      this.docs.tell('changedByOthers', this);
      this.docs.fail(this.problem || `${this.name} was changed by another program: shown as it is now; Ctrl+Z brings yours back`);
      return;
    }
    this.stuck = true;
    if (error instanceof Refused) this.docs.fail(`${this.name} is not saved: ${error.message}`);
    else {
      this.timer = setTimeout(() => this.flush(), RETRY_MS);
      this.docs.fail('The studio does not answer; what you drew is sent again until it does');
    }
  }
  /** Whether a change may be lost that the browser cannot send after the page has gone. */
  get atRisk() {
    return this.dirty && (this.stuck || (this.sending && this.polygons !== this.sent) || JSON.stringify(this.message).length >= MOST_KEPT_ALIVE);
  }
}

/** A network's mask as it is painted: white where it sees the face, and the line where that ends, in crop pixels. */
async function shownMask(stored, size) {
  const image = new Image();
  image.src = `data:image/png;base64,${stored.png}`;
  try { await image.decode(); } catch { return null; }
  const side = image.width, canvas = Object.assign(document.createElement('canvas'), { width: side, height: side }), pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const pixels = pen.getImageData(0, 0, side, side), grid = new Float32Array((side + 2) ** 2);
  for (let at = 0; at < side * side; at += 1) {
    grid[(Math.floor(at / side) + 1) * (side + 2) + (at % side) + 1] = pixels.data[4 * at];
    pixels.data[4 * at + 3] = pixels.data[4 * at];
  }
  pen.putImageData(pixels, 0, 0);
  pen.globalCompositeOperation = 'source-in';
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, side, side);
  const outline = new Path2D(), scale = size / side;
  for (const ring of contours(grid, side + 2, side + 2, 127)) {
    ring.forEach(([x, y], n) => outline[n ? 'lineTo' : 'moveTo']((x - 0.5) * scale, (y - 0.5) * scale));
    outline.closePath();
  }
  return { stored, canvas, outline };
}

const everyDoc = () => [...known.values()].flatMap((docs) => [...docs.all.values()]);
addEventListener('pagehide', () => {
  for (const doc of everyDoc()) {
    if (doc.dirty && !doc.sending && doc.revision !== null) fetch(`${doc.docs.base}save`, { method: 'POST', body: JSON.stringify(doc.message), keepalive: true }).catch(() => {});
  }
});
addEventListener('beforeunload', (event) => { if (everyDoc().some((doc) => doc.atRisk)) event.preventDefault(); });
