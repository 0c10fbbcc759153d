// The editor of masks: what is shown and chosen, and what of it is said. Its parts draw, change, listen.
import { el, words } from '../lib.js';
import { clamp } from './masks-geometry.js';
import { Docs } from './masks-docs.js';
import { Edits } from './masks-edit.js';
import { FaceList } from './masks-list.js';
import { build } from './masks-markup.js';
import { listenToMouse } from './masks-mouse.js';
import { makePainter } from './masks-paint.js';
import { View } from './masks-view.js';

const PICTURES = 12, BRUSH_STEPS = 100;
/** How the editor was left, for the next face and the next visit. */
const habits = { tool: 'include', kind: 'include', withBrush: false, brush: 0.05, show: 'polygons', opacity: 0.35 };

/** Builds the editor into root for the faces behind `base`, an address that ends with a slash.
 *  @param address(name): the page's own address of a face
 *  @param counted({byHand, carried, masked, all, unread}): called when they change
 *  @param shownNow(face): called when what is shown changes
 *  @param help(): an element for a side without faces */
export function mount(root, base, { address = () => null, counted = () => {}, shownNow = () => {}, help = () => '' } = {}) {
  return new Editor(root, base, { address, counted, shownNow, help });
}

class Editor {
  constructor(root, base, { address, counted, shownNow, help }) {
    Object.assign(this, { root, address, counted, shownNow, help, ...habits, ui: build(root), docs: Docs.of(base) });
    Object.assign(this, { current: null, shown: null, picture: null, selected: null, corner: null, drag: null, stroke: null, cross: null, pointer: null, hover: null, spaceHeld: false });
    this.pictures = new Map();
    this.view = new View(this, this.ui.canvas);
    this.edits = new Edits(this);
    this.faces = new FaceList(this);
    this.draw = makePainter(this, this.ui.canvas);
    this.docs.desk = this;
    listenToMouse(this, this.ui.canvas);
    this.listen();
    this.watcher = new ResizeObserver(() => { if (this.view.fitted) this.view.fit(); else this.draw(); });
    this.watcher.observe(this.ui.canvas);
    this.dress();
  }
  /** Show a face, else the one shown last, else the first. */
  async begin(name) {
    await this.faces.refresh();
    const { problem } = this.faces, first = [name, this.docs.current].find((one) => this.faces.find(one)) ?? this.faces.all[0]?.name;
    if (first) { this.idle(false); await this.open(first); } else this.nothing(problem);
    this.ui.canvas.focus({ preventScroll: true });
    if (name && first !== name && !problem) this.fail(`${name} is not here any more`);
  }
  close() {
    Object.assign(habits, Object.fromEntries(Object.keys(habits).map((key) => [key, this[key]])));
    void this.shown?.flush();
    this.shown = this.picture = null;
    if (this.docs.desk === this) this.docs.desk = null;
    this.watcher.disconnect();
    this.faces.close();
    document.removeEventListener('visibilitychange', this.seen);
    for (const picture of this.pictures.values()) void picture.then((bitmap) => bitmap?.close());
  }

  // ---- what is there
  get ready() { return this.shown !== null && this.shown.name === this.current && this.picture !== null && !this.shown.problem; }
  get brushes() { return this.withBrush && this.tool !== 'choose'; }
  /** Of the brush, in crop pixels. */
  get radius() { return this.brush * (this.shown?.size ?? 0); }
  polygonsNow() { return this.drag?.polygons ?? this.shown.polygons; }
  pictureOf(name) { return `${this.docs.base}picture/${encodeURIComponent(name)}`; }
  bitmapOf(name) {
    if (!this.pictures.has(name)) {
      const load = async () => { const answer = await fetch(this.pictureOf(name)); return answer.ok ? createImageBitmap(await answer.blob()) : null; };
      this.pictures.set(name, load().catch(() => null));
      if (this.pictures.size > PICTURES) this.pictures.delete(this.pictures.keys().next().value);
    }
    return this.pictures.get(name);
  }
  forgetChoice() { this.selected = this.corner = this.drag = this.stroke = this.cross = this.hover = null; }
  async open(name) {
    if (!name || (name === this.current && this.shown?.name === name)) return;
    void this.shown?.flush();
    if (this.shown?.draft) this.say(`The polygon begun on ${this.shown.name} stays open there`); else if (this.current !== null) this.say('');
    this.current = this.docs.current = name;
    this.forgetChoice();
    const address = this.address(name);
    if (address) history.replaceState(null, '', address);
    if (this.ui.only.checked) this.faces.sift();
    this.faces.reveal();
    this.faces.tell();
    const doc = this.docs.get(name);
    const [bitmap] = await Promise.all([this.bitmapOf(name), doc.load()]);
    if (this.current === name && this.docs.desk === this) this.present(doc, bitmap);
  }
  present(doc, bitmap) {
    const resized = !this.picture || this.shown?.size !== doc.size;
    if (this.shown && this.shown !== doc) this.shown.mask = null; // read anew when it is shown again: they are large
    this.shown = doc;
    this.picture = bitmap;
    if (!doc.problem && !bitmap) doc.problem = `${doc.name} cannot be shown: it is no picture any more`;
    if (!doc.problem && (bitmap.width !== doc.size || bitmap.height !== doc.size)) doc.problem = `${doc.name} is ${bitmap.width}x${bitmap.height} but its record says ${doc.size}; extract again`;
    if (doc.problem) this.fail(doc.problem);
    if (doc.draft) { this.withBrush = false; this.setTool(doc.draft.kind); } else if (!this.withBrush) this.setTool(doc.polygons.length ? 'choose' : this.kind);
    if (resized || this.view.fitted) this.view.fit();
    this.showBrush();
    this.showFace();
    for (const by of [1, 2, -1]) void this.bitmapOf(this.faces.step(by));
  }
  /** Look again at what others may have changed. */
  async refresh() {
    const place = this.faces.at.get(this.current) ?? 0;
    await this.faces.refresh();
    const { all } = this.faces;
    if (this.shown === null && all.length) { await this.begin(null); return; }
    if (this.shown && all.length && !this.faces.find(this.current)) { // put aside meanwhile
      const gone = this.current;
      await this.open(all[Math.min(place, all.length - 1)].name);
      this.say(`${gone} is not here any more`);
      return;
    }
    if (!this.ready || this.drag || this.stroke) return;
    this.pictures.delete(this.current);
    const { shown } = this, [bitmap] = await Promise.all([this.bitmapOf(this.current), shown.dirty ? null : shown.load()]);
    if (shown !== this.shown || this.docs.desk !== this) return;
    if (bitmap) this.picture = bitmap;
    this.showFace();
  }
  changedByOthers(doc) {
    this.pictures.delete(doc.name);
    if (this.shown !== doc) return;
    this.forgetChoice();
    this.showFace();
  }
  count(doc) { this.faces.count(doc); }

  // ---- what is chosen
  setTool(next) {
    if (next === 'choose' && this.shown?.draft) {
      this.say('Enter closes the polygon, Escape drops it');
      next = this.shown.draft.kind;
    }
    this.tool = next;
    if (next !== 'choose') {
      this.kind = next;
      this.selected = this.corner = null;
      if (this.shown?.draft) this.shown.draft = { ...this.shown.draft, kind: next };
    }
    this.dress();
    this.showFace();
  }
  setBrushing(on) {
    if (on && this.shown?.draft) { this.say('Enter closes the polygon, Escape drops it'); this.dress(); return; }
    this.withBrush = on;
    this.setTool(on ? this.kind : this.tool);
  }
  setShow(next) {
    this.show = next;
    this.dress();
    this.showFace();
  }
  setOpacity(percent) {
    this.opacity = clamp(percent, 0, 100) / 100;
    this.dress();
    this.draw();
  }
  choose(index, at = null) {
    this.selected = index;
    this.corner = at;
    if (index !== null) {
      if (this.show !== 'polygons') this.setShow('polygons');
      this.setTool('choose');
    }
    this.showFace();
  }
  nextPolygon(by) {
    const count = this.shown.polygons.length;
    if (!count || this.shown.draft) return;
    this.choose(this.selected === null ? (by > 0 ? count - 1 : 0) : (this.selected - by + count) % count);
    const { kind, points } = this.shown.polygons[this.selected];
    this.say(`Polygon ${this.selected + 1} of ${count}: ${kind}, ${words.many(points.length, 'corner')}`);
  }
  nextCorner(by) {
    if (this.selected === null) return;
    const count = this.shown.polygons[this.selected].points.length;
    this.choose(this.selected, this.corner === null ? (by > 0 ? 0 : count - 1) : (this.corner + by + count) % count);
    this.say(`Corner ${this.corner + 1} of ${count}`);
  }
  nextDrawn(by) {
    const name = this.faces.step(by, (face) => this.faces.drawn(face));
    if (name) void this.open(name); else this.say(by > 0 ? 'No face with polygons after this one' : 'No face with polygons before this one');
  }
  moveCross([dx, dy]) {
    const start = this.cross ?? this.shown.draft?.points.at(-1) ?? [(this.shown.size - 1) / 2, (this.shown.size - 1) / 2];
    this.cross = this.edits.bounded([start[0] + dx, start[1] + dy]);
    this.say(`${Math.round(this.cross[0])}, ${Math.round(this.cross[1])}`);
    this.draw();
  }
  /** A corner, or a dab of the brush, at the cross or the pointer. */
  setAtCross() {
    const at = this.cross ?? (this.pointer ? this.view.toCrop(this.pointer) : null);
    if (!at) this.moveCross([0, 0]); else if (this.brushes) this.edits.dab(at); else this.edits.setCorner(at);
  }
  letGo() {
    this.drag = this.stroke = null;
    this.draw();
    this.point();
  }
  escape() {
    if (this.drag || this.stroke) this.letGo();
    else if (this.shown.draft) this.edits.drop();
    else if (this.corner !== null) this.choose(this.selected);
    else if (this.selected !== null) this.choose(null);
    else this.setTool('choose');
  }

  // ---- what is said
  say(text) { this.ui.error.textContent = ''; this.ui.message.textContent = text; }
  fail(text) { this.ui.message.textContent = ''; this.ui.error.textContent = this.ui.error.title = text; }
  nothing(problem) {
    const { ui } = this;
    ui.empty.hidden = false;
    ui.empty.replaceChildren(el('p', {}, problem ?? 'There is no face here.'), this.help());
    ui.chosen.hidden = true;
    this.idle(true);
    this.showState();
  }
  /** Turn off, or on again, what needs a face. */
  idle(idle) { for (const name of ['copy', 'apply', 'take-out', 'apply-all', 'next-drawn']) this.ui[name].disabled = idle; }
  showState() {
    const open = this.docs.unsaved(), stuck = open.some((doc) => doc.stuck), { ui, shown } = this;
    ui.state.className = `pill ${stuck ? 'warn' : open.length ? '' : 'good'}`;
    ui.state.textContent = stuck ? 'Not saved' : open.length ? 'Saving …' : 'Saved';
    ui.undo.disabled = !shown || !(shown.past.length || shown.draft);
    ui.redo.disabled = !shown || !(shown.future.length || shown.draft?.undone.length);
  }
  hint() {
    const { shown } = this;
    if (this.show === 'network' && !shown.mask) return 'This face has no mask of the network yet: n applies it';
    if (this.show === 'result' && !shown.mask) return 'Without the network\'s mask (n applies it) only what is drawn shows here; merging asks the network for the rest';
    if (shown.draft) return shown.draft.points.length < 3 ? 'Click sets corners · Backspace takes one back · Escape drops them' : 'Click the first corner or press Enter to close · Backspace takes a corner back · Escape drops all';
    if (this.brushes) return `Drag paints what is ${this.tool}d · [ ] size · i, e kind · b polygons instead · Ctrl+Z takes a stroke back`;
    if (this.tool !== 'choose') return `Click sets the first corner of a polygon that ${this.tool}s · b brush · s chooses a polygon instead`;
    if (this.corner !== null) return 'Drag or arrows move the corner · Delete removes it · Insert adds one after it · Escape lets go';
    if (this.selected !== null) return 'Drag moves it, or a corner · Alt+click on an edge adds a corner, right click removes one · k other kind';
    return 'Click inside a polygon chooses it · i or e draws a new one · wheel zooms, Space+drag moves · ? all keys';
  }
  showFace() {
    this.showState();
    this.draw();
    const { shown, ui } = this;
    if (!shown) return;
    const { polygons, name, problem, frame, number, time } = shown, clock = `${Math.floor(time / 60)}:${(time % 60).toFixed(2).padStart(5, '0')}`;
    ui.empty.hidden = !problem;
    if (problem) ui.empty.replaceChildren(el('p', {}, problem));
    ui.hint.textContent = problem ? '' : this.hint();
    const title = problem ? name : `Frame ${(frame + 1).toLocaleString('en')}${number ? `, face ${number + 1}` : ''}`, more = problem ? '' : `${clock} · ${name}`;
    if (ui.place.title !== title + more) { ui.place.replaceChildren(el('strong', {}, title), ' ', el('small', { class: 'soft' }, more)); ui.place.title = title + more; }
    ui.canvas.setAttribute('aria-label', `Face ${name}, ${words.many(polygons.length, 'polygon')}`);
    this.showPolygons();
    this.shownNow(shown);
    this.point();
  }
  showPolygons() {
    const { ui, selected, corner } = this, { polygons } = this.shown, focus = document.activeElement?.dataset?.polygon;
    ui.none.hidden = polygons.length > 0;
    ui.chosen.hidden = !polygons.length;
    ui.polygons.replaceChildren(...polygons.map(({ kind, points }, index) => el('li', {}, el('button', {
      'data-polygon': index, 'aria-pressed': String(index === selected), onclick: () => { if (this.shown.draft) this.say('Enter closes the polygon, Escape drops it'); else this.choose(index); } },
    el('span', { class: `swatch ${kind}` }), `${kind}, ${words.many(points.length, 'corner')}`,
    index === selected && corner !== null ? el('span', { class: 'soft' }, ` · corner ${corner + 1}`) : null))).reverse());
    if (focus !== undefined) ui.polygons.querySelector(`[data-polygon="${focus}"]`)?.focus();
    ui.kind.disabled = ui.remove.disabled = selected === null;
    ui.up.disabled = selected === null || selected >= polygons.length - 1;
    ui.down.disabled = !selected;
  }
  /** Set the controls to what is chosen. */
  dress() {
    const { ui } = this, percent = `${Math.round(this.opacity * 100)} %`;
    ui[`tool-${this.tool}`].checked = ui[`with-${this.withBrush ? 'brush' : 'polygon'}`].checked = ui[`show-${this.show}`].checked = true;
    ui.opacity.value = Math.round(this.opacity * 100);
    ui['opacity-text'].textContent = percent;
    ui['brush-line'].hidden = !this.withBrush;
    this.showBrush();
  }
  showBrush() {
    const size = this.shown?.size ?? 256;
    this.ui.brush.value = BRUSH_STEPS * Math.sqrt(this.brush * 4);
    this.ui['brush-text'].textContent = `${(2 * this.brush * size).toFixed(this.brush * size < 5 ? 1 : 0)} px`;
  }
  /** The shape of the pointer. */
  point() {
    const { drag, hover } = this;
    let shape = 'default';
    if (drag?.pan) shape = 'grabbing';
    else if (this.spaceHeld) shape = 'grab';
    else if (this.ready && this.brushes) shape = 'none';
    else if (this.ready && (hover?.at !== undefined || (hover?.body && this.tool === 'choose'))) shape = 'move';
    else if (this.ready && this.tool !== 'choose') shape = 'crosshair';
    else if (this.ready && hover) shape = 'pointer';
    this.ui.canvas.style.cursor = shape;
  }

  // ---- buttons
  listen() {
    const { ui, faces, edits } = this;
    const acts = { before: () => this.open(faces.step(-1)), next: () => this.open(faces.step(1)), 'next-drawn': () => this.nextDrawn(1), undo: () => edits.travel(-1), redo: () => edits.travel(1),
      copy: () => edits.copyHere(), kind: () => edits.otherKind(), remove: () => edits.removeChosen(), up: () => edits.reorder(1), down: () => edits.reorder(-1) };
    for (const [name, act] of Object.entries(acts)) ui[name].onclick = () => { if (this.ready || name.startsWith('next') || name === 'before') void act(); };
    for (const value of ['choose', 'include', 'exclude']) ui[`tool-${value}`].onchange = () => this.setTool(value);
    for (const value of ['polygons', 'result', 'face', 'network']) ui[`show-${value}`].onchange = () => this.setShow(value);
    ui['with-brush'].onchange = () => this.setBrushing(true);
    ui['with-polygon'].onchange = () => this.setBrushing(false);
    ui.opacity.oninput = () => this.setOpacity(Number(ui.opacity.value));
    ui.brush.oninput = () => edits.setBrush((Number(ui.brush.value) / BRUSH_STEPS) ** 2 / 4);
    ui.go.addEventListener('keydown', (event) => this.goTo(event));
    // After a click with the mouse the keys belong to the drawing again.
    const back = (event) => { if (event.detail > 0 && event.target.closest('button, label')) setTimeout(() => { if (!document.querySelector('dialog[open]')) ui.canvas.focus({ preventScroll: true }); }); };
    for (const place of this.root.querySelectorAll('.tools, .steps')) place.addEventListener('click', back);
    this.seen = () => { if (document.hidden) void this.shown?.flush(); else void this.refresh(); };
    document.addEventListener('visibilitychange', this.seen);
  }
  goTo(event) {
    const { ui, faces } = this;
    if (event.key === 'Escape') ui.canvas.focus();
    if (event.key !== 'Enter' || !ui.go.value) return;
    const wanted = Number(ui.go.value) - 1, found = faces.ofFrame(wanted);
    if (faces.unread) this.fail(`${words.many(faces.unread, 'record')} still to be read; try again in a moment`);
    else if (found) { void this.open(found.name); this.say(found.frame === wanted ? '' : `No face in frame ${wanted + 1}; the next is in frame ${found.frame + 1}`); }
    ui.go.value = '';
    ui.canvas.focus();
  }
}
