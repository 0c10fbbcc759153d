// Align: the frames of a video with their faces, the worst first, and landmarks set by hand.
import { api, debounce, el, latest, onKeys, toast, tried, Refused } from '../lib.js';
import { drawFace } from './align-draw.js';
import { links, makeFaces } from './align-faces.js';
import { makePictures } from './align-frames.js';
import { makeList, makeTrack } from './align-list.js';
import { makeManual } from './align-manual.js';
import { makePoints } from './align-points.js';
import { makeStage } from './align-stage.js';

const KEYS = [['← or →', 'Frame before, after'], ['Shift+← or Shift+→', 'Ten frames'], ['Home or End', 'First, last frame'], ['g', 'Go to a frame'], ['n or b', 'Next, previous in the list'],
  ['m', 'Set the face by hand'], ['+', 'Add a face by hand'], ['f', 'Choose the next face'], ['Delete', 'Delete the chosen face'], ['e', 'This frame shows no face'], ['Backspace', 'Back to what was found'],
  ['i', 'Move evenly from the frame before that is set by hand'], ['o or p', 'Choose landmarks: next one, next part'], ['Ctrl+A', 'Choose all landmarks'], ['arrows', 'Move chosen landmarks (Shift: 5 pixels)'],
  ['[ or ]', 'Less, more moves along'], ['Escape', 'Choose no landmarks'], ['z', 'Zoom to the face, or all'], ['Ctrl+Z or Ctrl+Shift+Z', 'Undo, redo'], ['t', 'Show or hide what is drawn'],
  ['Enter', 'By hand: accept, next frame'], ['Space', 'By hand: no face, next frame'], ['. or ,', 'By hand: next, back (stored if locked)'], ['l or click', 'By hand: lock, unlock'], ['a', 'By hand: accurate or fast'], ['r', 'By hand: turn by 90°'], ['h', 'By hand: help'], ['q', 'By hand: leave']];
const QUIET_MS = 2000, BUSY_MS = 400;

function styles() {
  if (!document.getElementById('align-css')) document.head.append(el('link', { id: 'align-css', rel: 'stylesheet', href: '/static/pages/align.css' }));
}

export default {
  title: 'Align',
  keys: KEYS,
  fit: true,
  async show(root, view) {
    styles();
    const side = view.args[0] === 'src' ? 'src' : 'dst';
    const desk = new Desk(root, view, side);
    await desk.open(Number.parseInt(view.args[1] ?? '0', 10) || 0);
    return () => desk.stop();
  },
};

class Desk {
  constructor(root, view, side) {
    Object.assign(this, { view, side, path: api.of(view.ws, 'align', side), info: null, data: null, frame: 0, picked: 0, hidden: false, stopped: false, saving: Promise.resolve() });
    this.pictures = makePictures(this.path);
    this.stage = makeStage({ draw: (ctx, at) => this.draw(ctx, at) });
    this.list = makeList({ go: (n) => this.go(n) });
    this.track = makeTrack({ go: (n) => this.go(n) });
    this.faces = makeFaces({ pick: (i) => this.pick(i), zoom: (i) => this.zoomTo(i), remove: (i) => this.remove(i), take: (i, too) => this.take(i, too),
      empty: () => this.save([], 'no face'), revert: () => this.save(null, 'back to what was found'), link: (a, b, on) => this.link(a, b, on) });
    this.points = makePoints({ stage: this.stage, faces: () => this.data?.faces ?? [], picked: () => this.picked, pick: (i) => this.pick(i), redraw: () => this.stage.redraw(),
      changed: (place, landmarks, label, rests = 0) => this.moved(place, landmarks, label, rests) });
    this.manual = makeManual({ path: this.path, stage: this.stage, state: () => this, store: (landmarks, adding) => this.store(landmarks, adding),
      empty: () => this.save([], 'no face'), go: (by) => this.step(by), left: () => this.leave() });
    this.scrub = latest((n) => tried(async () => { await this.show(n); if (this.manual.active) this.manual.entered(); }));
    this.build(root);
  }

  build(root) {
    const button = (label, run, more = {}) => el('button', { onclick: () => { run(); this.stage.element.focus({ preventScroll: true }); }, ...more }, label);
    this.number = el('input', { type: 'number', min: 1, id: 'number', 'aria-label': 'Go to frame', onchange: () => this.go(Number(this.number.value) - 1),
      onkeydown: (event) => { if (event.key === 'Enter') { this.go(Number(this.number.value) - 1); this.stage.element.focus(); } } });
    this.of = el('span', { class: 'soft' });
    this.byHand = button('Set by hand', () => this.toggleManual(), { id: 'manual', 'aria-pressed': 'false', class: 'main', 'aria-keyshortcuts': 'm' });
    this.undoButton = button('Undo', () => tried(() => this.undo('undo')), { id: 'undo', disabled: true });
    this.redoButton = button('Redo', () => tried(() => this.undo('redo')), { id: 'redo', disabled: true });
    this.state = el('span', { class: 'soft small cut grow', role: 'status', id: 'state' });
    this.reach = el('input', { type: 'range', min: 0, max: 200, step: 1, value: 0, id: 'reach', 'aria-label': 'How far about a landmark others move along, frame pixels', oninput: () => this.setReach(Number(this.reach.value)) });
    this.reachText = el('span', {}, 'none');
    const sides = ['src', 'dst'].map((name) => button(name, () => this.view.go('align', name), { 'aria-pressed': String(name === this.side) }));
    const bar = el('div', { class: 'row align-bar' }, sides, el('span', { class: 'gap' }), button('‹', () => this.go(this.frame - 1), { 'aria-label': 'Frame before' }), this.number, this.of, button('›', () => this.go(this.frame + 1), { 'aria-label': 'Frame after' }),
      el('span', { class: 'gap' }), this.byHand, button('Add a face', () => this.startManual(true), { id: 'add' }), this.undoButton, this.redoButton, button('Fit', () => this.stage.fit(), { title: 'Show the whole frame' }), this.state);
    const reach = el('label', { class: 'align-reach', title: 'How far about a dragged landmark others move along' }, 'Others move along within', this.reach, this.reachText);
    this.track.legend.append(reach);
    root.classList.add('align');
    root.append(el('div', { class: 'align-main' }, bar, this.stage.element, this.track.element), el('div', { class: 'align-side' }, this.faces.element, this.list.element));
  }

  async open(frame) {
    await this.poll(true);
    this.mouse();
    this.stopKeys = onKeys(this.keys());
    await this.show(Math.min(frame, this.info.frames - 1));
    this.again();
  }
  stop() {
    this.flush();
    this.stopped = true;
    clearTimeout(this.timer);
    this.stopKeys?.();
    this.manual.stop();
    this.pictures.stop();
    this.stage.stop();
    this.track.stop();
  }

  // What is shown

  wide() {
    const asked = Math.ceil((this.stage.element.clientWidth * Math.min(window.devicePixelRatio || 1, 2)) / 320) * 320;
    const zoomed = this.stage.scale * this.info.width > this.stage.element.clientWidth * 1.6;
    return zoomed || asked >= this.info.width ? 0 : asked;
  }
  async show(n) {
    const frame = Math.max(0, Math.min(n, this.info.frames - 1)), width = this.wide();
    this.flush();
    await this.saving;
    const [data, bitmap] = await Promise.all([api.get(`${this.path}/faces?n=${frame}`), this.pictures.load(frame, width).catch((error) => { if (error instanceof Refused) toast(error.message, { bad: true }); return null; })]);
    if (this.stopped) return;
    if (frame !== this.frame) { this.points.chosen.clear(); this.points.drag = null; }
    this.frame = frame;
    this.take_in(data);
    this.stage.show(bitmap, this.info.width, this.info.height);
    this.number.value = frame + 1;
    this.list.mark(frame);
    this.track.mark(frame);
    history.replaceState(null, '', `#/w/${encodeURIComponent(this.view.ws)}/align/${this.side}/${frame}`);
    if (frame + 1 < this.info.frames) this.pictures.prepare(frame + 1, width);
  }
  take_in(data) {
    this.data = data;
    this.picked = Math.max(0, Math.min(this.picked, data.faces.length - 1));
    this.faces.set(data, this.info, this.picked);
    this.stage.redraw();
  }
  draw(ctx, at) {
    if (!this.data || this.hidden) return;
    const { faces, others, waits } = this.data, manual = this.manual.active;
    others.forEach((one) => drawFace(ctx, at, one, { other: true, label: one.person === null ? null : `person ${one.person}` }));
    if (!manual || this.manual.adding) faces.forEach((one, i) => drawFace(ctx, at, one, { picked: i === this.picked, waits, chosen: i === this.picked ? this.points.chosen : null, label: faces.length + others.length > 1 ? `face ${i + 1}` : null }));
    else faces.forEach((one) => { if (!this.manual.restored) drawFace(ctx, at, one, { other: true }); });
    this.points.draw(ctx, at);
    if (manual) this.manual.draw(ctx, at);
  }
  go(n) { if (Number.isFinite(n)) this.scrub(n); }
  async step(by) {
    if (!this.manual.active) { this.scrub(this.frame + by); return; }
    await this.show(this.frame + by);
    this.manual.entered(by < 0 ? this.data.faces[this.picked] : null);
  }
  pick(i) {
    if (!this.data.faces.length) return;
    this.picked = (i + this.data.faces.length) % this.data.faces.length;
    this.points.chosen.clear();
    this.take_in(this.data);
  }
  zoomTo(i) { const face = this.data.faces[i]; if (face) this.stage.zoomTo(face.box); this.sharpen(); }
  sharpen = debounce(() => { if (!this.stopped && this.data) this.pictures.load(this.frame, this.wide()).then((bitmap) => { this.stage.bitmap = bitmap; this.stage.repaint(); }, () => {}); }, 200);

  // What is on the server

  again() {
    clearTimeout(this.timer);
    if (this.stopped) return;
    const busy = this.info.state || this.info.reading || this.info.waiting.length || this.data?.waits;
    this.timer = setTimeout(async () => { if (!document.hidden) await this.poll(false).catch(() => {}); this.again(); }, busy ? BUSY_MS : QUIET_MS);
  }
  async poll(first) {
    const news = await api.get(`${this.path}?known=${first ? 0 : this.info.version}`);
    if (this.stopped || (news.version === this.info?.version && !news.frames)) return;
    this.info = news;
    this.tell();
    if (first || !this.data || this.points.drag || this.unsaved) return;
    const frame = this.frame, data = await api.get(`${this.path}/faces?n=${frame}`);
    if (!this.stopped && frame === this.frame && !this.points.drag && !this.unsaved) this.take_in(data);
  }
  tell() {
    const { info } = this;
    this.number.max = info.frames;
    this.of.textContent = `of ${info.frames.toLocaleString('en')}`;
    this.list.set(info);
    this.track.set(info);
    const reading = info.reading ? `reading faces ${info.reading.done.toLocaleString('en')}/${info.reading.total.toLocaleString('en')}` : '';
    this.state.textContent = info.problem ?? [reading, info.state].filter(Boolean).join(' · ');
    this.state.title = this.state.textContent;
    for (const [name, button] of [['undo', this.undoButton], ['redo', this.redoButton]]) { button.disabled = !info[name]; button.title = info[name] ? `${name}: ${info[name]}` : ''; }
  }
  /** Save all faces of the frame, or null for what was found; saves go one after another. */
  save(faces, label) {
    const frame = this.frame;
    const call = async () => {
      const { revision } = frame === this.frame ? this.data : await api.get(`${this.path}/faces?n=${frame}`);
      const body = { frame, revision, label, faces: faces && faces.map((one) => (one.landmarks ? { landmarks: one.landmarks } : { box: one.box })) };
      return this.changed(() => api.post(`${this.path}/save`, body));
    };
    const done = this.saving.then(call, call);
    this.saving = done.catch(() => {});
    return done;
  }
  async changed(call) {
    try {
      const data = await call();
      if (data.frame === this.frame) this.take_in(data);
      await this.poll(false);
      this.again();
      return data;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      toast(error.message, { bad: true });
      this.take_in(await api.get(`${this.path}/faces?n=${this.frame}`));
      return false;
    }
  }
  async undo(what) {
    this.flush();
    await this.saving;
    const data = await this.changed(() => api.post(`${this.path}/${what}`));
    if (!data) return;
    toast(`${what === 'undo' ? 'undone' : 'done again'}: ${data.label} (frame ${data.frame + 1})`);
    if (data.frame !== this.frame) await this.show(data.frame);
    if (this.manual.active) this.manual.entered();
  }
  /** Landmarks were moved on the screen; those moved by keys are saved when the keys rest. */
  moved(place, landmarks, label, rests) {
    clearTimeout(this.unsaved?.timer);
    this.unsaved = { faces: this.data.faces.map((one, i) => (i === place ? { landmarks } : one)), label, timer: setTimeout(() => this.flush(), rests) };
    if (!rests) this.flush();
  }
  flush() {
    const { unsaved } = this;
    if (!unsaved) return;
    clearTimeout(unsaved.timer);
    this.unsaved = null;
    tried(() => this.save(unsaved.faces, unsaved.label));
  }
  remove(place) { this.save(this.data.faces.filter((_, i) => i !== place), 'delete a face'); }
  take(place, too) { this.save([...(too ? this.data.faces : []), this.data.others[place]], too ? 'take another person too' : 'take another person'); }
  async link(first, last, on) { await this.saving; await this.changed(() => api.post(`${this.path}/between`, { first, last, on })); }
  linkHere() {
    const [pair] = links(this.data, this.info);
    if (pair) this.link(pair[0], pair[1], !pair[2]); else toast('Set two frames by hand first; those between them can then move evenly.');
  }

  // By hand

  startManual(adding = false) { this.points.cancel(); this.byHand.setAttribute('aria-pressed', 'true'); this.manual.start(adding); this.stage.redraw(); }
  toggleManual() { if (this.manual.active) this.leave(); else this.startManual(); }
  leave() { this.manual.stop(); this.byHand.setAttribute('aria-pressed', 'false'); this.stage.redraw(); }
  /** Landmarks set by hand take the place of the chosen face, of the only one, or are added. */
  store(landmarks, adding) {
    const faces = [...this.data.faces];
    if (adding || !faces.length) faces.push({ landmarks }); else faces[this.picked] = { landmarks };
    return this.save(faces, adding ? 'add a face' : 'set by hand');
  }
  setReach(pixels) {
    this.points.radius = pixels;
    this.reach.value = pixels;
    this.reachText.textContent = pixels ? `${pixels} px` : 'none';
  }

  // Mouse and keys

  mouse() {
    const { element } = this.stage;
    let pan = null;
    const raw = 'onpointerrawupdate' in element; // told before the screen's next picture is due
    if (raw) element.addEventListener('pointerrawupdate', (event) => { if (this.manual.active && !pan) this.manual.move(event); });
    element.addEventListener('pointerdown', (event) => {
      element.focus({ preventScroll: true });
      if (this.manual.active && event.button === 0) { this.manual.move(event); this.manual.click(); return; }
      element.setPointerCapture(event.pointerId);
      if (event.button === 0 && this.data && this.points.press(event)) return;
      pan = { u: event.clientX, v: event.clientY };
    });
    element.addEventListener('pointermove', (event) => {
      if (pan) { this.stage.pan(event.clientX - pan.u, event.clientY - pan.v); pan = { u: event.clientX, v: event.clientY }; return; }
      if (this.manual.active) { if (!raw) this.manual.move(event); return; }
      if (this.points.drag) this.points.move(event); else if (this.data) element.classList.toggle('point', Boolean(this.points.under(event)));
    });
    const up = () => { pan = null; this.points.release(); };
    element.addEventListener('pointerup', up);
    element.addEventListener('pointercancel', up);
    element.addEventListener('dblclick', (event) => { if (!this.manual.active && this.data) this.points.choosePartUnder(event); });
    element.addEventListener('contextmenu', (event) => event.preventDefault());
    element.addEventListener('wheel', (event) => {
      event.preventDefault();
      if (this.manual.active && !event.ctrlKey) { this.manual.wheel(event.deltaY < 0); return; }
      this.stage.zoom(Math.exp(-Math.max(-200, Math.min(200, event.deltaY)) / 500), event);
      this.sharpen();
    }, { passive: false });
  }
  keys() {
    const hand = (yes, no = () => {}) => () => tried(() => (this.manual.active ? yes() : no()));
    const arrow = (dx, dy, by) => hand(() => this.manual.nudge(dx, dy), () => { if (!this.points.nudge(dx, dy) && by) this.step(by); });
    const far = (dx, dy, by) => hand(() => this.manual.nudge(dx * 5, dy * 5), () => { if (!this.points.nudge(dx * 5, dy * 5) && by) this.step(by); });
    const reach = (by) => () => this.setReach(Math.max(0, Math.min(200, this.points.radius + by)));
    const listed = (by) => hand(() => {}, () => { const n = this.list.step(by); if (n !== null) this.go(n); });
    return {
      ArrowLeft: arrow(-1, 0, -1), ArrowRight: arrow(1, 0, 1), ArrowUp: arrow(0, -1, 0), ArrowDown: arrow(0, 1, 0),
      'Shift+ArrowLeft': far(-1, 0, -10), 'Shift+ArrowRight': far(1, 0, 10), 'Shift+ArrowUp': far(0, -1, 0), 'Shift+ArrowDown': far(0, 1, 0),
      Home: () => this.go(0), End: () => this.go(this.info.frames - 1), g: () => { this.number.focus(); this.number.select(); }, n: listed(1), b: listed(-1),
      m: () => this.toggleManual(), '+': hand(() => this.manual.wheel(true), () => this.startManual(true)), '=': hand(() => this.manual.wheel(true)), '-': hand(() => this.manual.wheel(false)),
      f: () => this.pick(this.picked + 1), Delete: hand(() => {}, () => { if (this.data.faces.length) this.remove(this.picked); }), e: hand(() => {}, () => this.save([], 'no face')),
      Backspace: hand(() => {}, () => { if (this.data.hand) this.save(null, 'back to what was found'); }), i: hand(() => {}, () => this.linkHere()),
      o: hand(() => {}, () => this.points.choosePoint(1)), 'Shift+o': hand(() => {}, () => this.points.choosePoint(-1)), p: hand(() => {}, () => this.points.choosePart(1)), 'Shift+p': hand(() => {}, () => this.points.choosePart(-1)),
      'Ctrl+a': hand(() => {}, () => this.points.chooseAll()), '[': reach(-10), ']': reach(10), Escape: hand(() => this.leave(), () => this.points.cancel()),
      z: () => { if (this.stage.fitted && this.data.faces.length) this.zoomTo(this.picked); else this.stage.fit(); }, t: () => { this.hidden = !this.hidden; this.stage.redraw(); },
      'Ctrl+z': () => tried(() => this.undo('undo')), 'Ctrl+Shift+z': () => tried(() => this.undo('redo')), 'Ctrl+y': () => tried(() => this.undo('redo')),
      Enter: hand(() => this.manual.accept()), ' ': hand(() => this.manual.empty()), '.': hand(() => this.manual.step(1)), ',': hand(() => this.manual.step(-1)),
      l: hand(() => this.manual.click()), a: hand(() => this.manual.accurate()), r: hand(() => this.manual.turn()), h: hand(() => this.manual.help()), q: hand(() => this.manual.leave()),
    };
  }
}
