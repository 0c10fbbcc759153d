// One frame, merged: as it comes out, beside dst, wiped over dst, dst alone, or the mask; zoomed and moved.
import { Refused, api, el, latest } from '../lib.js';
import { Zoom } from './merge-zoom.js';

export const VIEWS = [['result', 'Result', 'The merged frame'], ['side', 'Side by side', 'dst on the left, the merged frame on the right'],
  ['wipe', 'Wipe', 'dst left of a line that you drag, the merged frame right of it'], ['dst', 'dst', 'The frame as it was'], ['mask', 'Mask', 'White where the new face shows']];
const KINDS = { result: ['result'], side: ['dst', 'result'], wipe: ['dst', 'result'], dst: ['dst'], mask: ['mask'] };
const NAMES = { result: 'merged', dst: 'dst', mask: 'mask' };
const STEP_PIXELS = 160, SHARP = 3;

export class Stage {
  /** @param onlooked called after every look, with {frame, view, milliseconds, faces, failed} if pictures were asked for */
  constructor(desk, onlooked) {
    Object.assign(this, { desk, onlooked, view: 'result', line: 0.5, panes: [], shown: {}, visible: true, stale: false });
    this.zoom = new Zoom(desk.facts.video.size);
    this.element = el('div', { class: 'merge-stage', role: 'group', 'aria-label': 'Picture' });
    this.problem = el('p', { class: 'merge-problem bad', role: 'status', hidden: true });
    this.load = latest(() => this.look());
    this.resized = new ResizeObserver(() => { this.layout(); this.load(); });
    this.resized.observe(this.element);
    this.listen();
    this.build();
  }

  get following() { return this.zoom.follow; }
  get pane() { return this.panes[0].element; }

  /** What a view needs; without a model or faces there is dst alone. */
  get kinds() { return this.desk.facts.missing ? KINDS.dst : KINDS[this.view]; }

  setView(view) { if (view !== this.view) { this.view = view; this.build(); } }
  setVisible(visible) { this.visible = visible; this.element.hidden = !visible; if (visible) { this.layout(); this.load(); } }
  /** What is on disk may be another one now. */
  again() { this.stale = true; this.build(); }
  stop() { this.resized.disconnect(); this.drop('result', 'dst', 'mask'); }

  fit() { this.zoom.fit(); this.moved(); }
  face() { this.zoom.follow = !this.zoom.follow; if (this.zoom.follow) this.moved(); else this.fit(); }
  zoomBy(factor) { this.zoom.by(factor, this.pane); this.moved(); }
  panBy(dx, dy) { this.zoom.pan(dx, dy, this.pane); this.moved(); }

  /** Panes of the view; pictures that are there already stay. */
  build() {
    const split = this.view === 'side' ? this.kinds.map((kind) => [kind]) : [this.kinds];
    this.panes = split.map((kinds) => this.makePane(kinds));
    this.element.replaceChildren(...this.panes.map((pane) => pane.element), this.problem);
    this.element.dataset.view = this.view;
    this.layout();
    this.load();
  }

  makePane(kinds) {
    const plane = el('div', { class: 'merge-plane' }, kinds.map((kind) => this.shown[kind]?.image));
    const element = el('div', { class: 'merge-pane' }, plane, el('span', { class: 'merge-tag' }, kinds.map((kind) => NAMES[kind]).join(' | ')));
    const divider = kinds.length > 1 ? makeDivider(() => this.line, (share) => { this.line = share; this.layout(); }) : null;
    if (divider) element.append(divider);
    return { element, plane, kinds, divider };
  }

  layout() {
    const { zoom, desk, shown } = this;
    if (zoom.follow) zoom.aim(this.boxes = desk.boxes[desk.frame] ?? this.boxes, this.pane);
    for (const { element, plane, divider } of this.panes) {
      const { left, top, scale } = zoom.place(element);
      Object.assign(plane.style, { left: `${left}px`, top: `${top}px`, width: `${zoom.width * scale}px`, height: `${zoom.height * scale}px` });
      plane.classList.toggle('sharp', scale * devicePixelRatio > SHARP);
      const x = this.line * element.clientWidth;
      if (shown.result) shown.result.image.style.clipPath = divider ? `inset(0 0 0 ${Math.min(zoom.width * scale, Math.max(0, x - left))}px)` : '';
      if (!divider) continue;
      divider.style.left = `${x}px`;
      divider.setAttribute('aria-valuenow', Math.round(this.line * 100));
    }
  }

  moved() {
    this.element.dataset.zoom = this.zoom.kind;
    this.layout();
    this.load();
    this.onlooked();
  }

  listen() {
    const { element } = this, paneOf = (event) => event.target.closest('.merge-pane');
    element.addEventListener('wheel', (event) => {
      const pane = paneOf(event);
      if (!pane) return;
      event.preventDefault();
      const edge = pane.getBoundingClientRect();
      this.zoom.by(Math.exp(-event.deltaY * 0.0015), pane, event.clientX - edge.left, event.clientY - edge.top);
      this.moved();
    }, { passive: false });
    element.addEventListener('pointerdown', (event) => {
      const pane = paneOf(event);
      if (!pane || event.button > 1) return;
      let { clientX: x, clientY: y } = event;
      pane.setPointerCapture(event.pointerId);
      pane.onpointermove = (move) => { this.panBy(move.clientX - x, move.clientY - y); ({ clientX: x, clientY: y } = move); };
      pane.onpointerup = pane.onpointercancel = () => { pane.onpointermove = null; };
    });
    element.addEventListener('dblclick', (event) => { if (paneOf(event)) { if (this.zoom.kind === 'fit') this.face(); else this.fit(); } });
  }

  /** Ask for what the view needs and show it together; until then what is there stays. */
  async look() {
    if (!this.visible || !this.element.isConnected || !this.element.clientWidth) return;
    const { desk, view, element } = this, { frame } = desk, began = performance.now();
    element.dataset.state = 'loading';
    element.setAttribute('aria-busy', 'true');
    const settled = await Promise.allSettled(this.kinds.map((kind) => this.picture(kind, frame)));
    const failed = settled.find((one) => one.status === 'rejected')?.reason;
    this.stale = false;
    if (view === this.view) {
      for (const one of settled) if (one.status === 'fulfilled') this.show(one.value);
      if (failed) this.drop('result', 'mask');
    }
    this.say(failed);
    element.dataset.state = failed ? 'failed' : 'shown';
    element.dataset.frame = frame;
    element.setAttribute('aria-busy', 'false');
    this.layout();
    const asked = settled.some((one) => !one.value?.known);
    this.onlooked({ frame, view, milliseconds: asked ? performance.now() - began : null, faces: desk.boxes[frame]?.length, failed });
  }

  say(failed) {
    const text = failed instanceof Refused ? failed.message : failed && `no picture (${failed.message})`;
    this.problem.textContent = text ?? this.desk.facts.missing ?? '';
    this.problem.hidden = !this.problem.textContent;
  }

  /** A picture that is ready to be shown; the one that is shown, if it is of that address. */
  async picture(kind, frame) {
    const url = this.address(kind);
    if (this.shown[kind]?.url === url && !this.stale) return { ...this.shown[kind], kind, known: true };
    const response = await fetch(url);
    if (!response.ok) throw new Refused(response.status, (await response.json().catch(() => ({}))).error ?? `the studio answered ${response.status}`);
    const boxes = response.headers.get('x-faces');
    if (boxes) this.desk.boxes[frame] = JSON.parse(boxes);
    const image = el('img', { alt: `Frame ${frame}, ${NAMES[kind]}`, draggable: false, src: URL.createObjectURL(await response.blob()), 'data-kind': kind });
    await image.decode();
    return { kind, url, image };
  }

  address(kind) {
    const { desk, zoom } = this;
    const wide = Math.max(...this.panes.map((pane) => pane.plane.clientWidth)) * devicePixelRatio;
    const ask = new URLSearchParams({ kind, frame: desk.frame, width: Math.min(zoom.width, Math.max(1, Math.ceil(wide / STEP_PIXELS)) * STEP_PIXELS) });
    if (kind !== 'dst') { ask.set('options', JSON.stringify(desk.options())); ask.set('run', JSON.stringify(desk.run)); }
    return `${api.of(desk.ws, 'merge', 'picture')}?${ask}`;
  }

  show({ kind, url, image }) {
    const old = this.shown[kind];
    if (old?.image === image) return;
    this.shown[kind] = { url, image };
    const plane = this.panes.find((pane) => pane.kinds.includes(kind))?.plane;
    if (kind === 'dst') plane?.prepend(image); else plane?.append(image);
    if (old) { old.image.remove(); URL.revokeObjectURL(old.image.src); }
  }

  drop(...kinds) {
    for (const kind of kinds.filter((one) => this.shown[one])) {
      this.shown[kind].image.remove();
      URL.revokeObjectURL(this.shown[kind].image.src);
      delete this.shown[kind];
    }
  }
}

/** The line of the wipe, dragged or moved by arrow keys; its place is a share of the pane's width. */
function makeDivider(place, move) {
  const line = el('div', { class: 'merge-divider', role: 'slider', tabIndex: 0, 'aria-label': 'Line between dst and result', 'aria-valuemin': '0',
    'aria-valuemax': '100', 'aria-orientation': 'horizontal' });
  const to = (share) => move(Math.min(1, Math.max(0, share)));
  line.onpointerdown = (event) => {
    event.stopPropagation();
    line.setPointerCapture(event.pointerId);
    line.onpointermove = (moved) => { const edge = line.parentElement.getBoundingClientRect(); to((moved.clientX - edge.left) / edge.width); };
    line.onpointerup = line.onpointercancel = () => { line.onpointermove = null; };
  };
  line.onkeydown = (event) => {
    const step = event.shiftKey ? 0.1 : 0.02;
    const wanted = { ArrowLeft: place() - step, ArrowRight: place() + step, Home: 0, End: 1 }[event.key];
    if (wanted === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    to(wanted);
  };
  return line;
}
