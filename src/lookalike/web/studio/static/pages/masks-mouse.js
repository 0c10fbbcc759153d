// What the mouse does on the picture.
import { apart, clamp } from './masks-geometry.js';
import { NEAR } from './masks-view.js';

const SLIP = 4, LINE = 16, PAGE = 200;

/** Listens to the canvas; all listeners go with it. */
export function listenToMouse(desk, canvas) {
  const mouse = new Mouse(desk, canvas);
  const on = (what, options) => canvas.addEventListener(what, (event) => mouse[what](event), options);
  for (const what of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel', 'pointerleave', 'dblclick']) on(what);
  on('wheel', { passive: false });
  for (const what of ['contextmenu', 'auxclick']) canvas.addEventListener(what, (event) => event.preventDefault());
}

class Mouse {
  constructor(desk, canvas) { Object.assign(this, { desk, canvas, pressed: null }); }
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  /** What could be grasped at a place. */
  look(p, alt) {
    const { desk } = this, { view } = desk;
    if (desk.shown.draft || desk.show !== 'polygons' || desk.brushes) return null;
    const at = view.cornerAt(p);
    if (at) return at;
    if (alt && view.edgeAt(p)) return view.edgeAt(p);
    if (desk.tool !== 'choose') return null;
    const hits = view.polygonsAt(p);
    return hits.length ? { body: hits.includes(desk.selected) } : null;
  }
  pointerdown(event) {
    const { desk } = this, p = this.place(event);
    this.canvas.focus({ preventScroll: true });
    desk.pointer = p;
    if (!desk.ready) return;
    this.canvas.setPointerCapture(event.pointerId);
    desk.cross = null;
    if (event.button === 1 || (event.button === 0 && desk.spaceHeld)) {
      event.preventDefault();
      desk.drag = { pan: [desk.view.x, desk.view.y], from: p };
    } else if (event.button === 0) this.left(p, event.altKey);
    else if (event.button === 2) this.right(p);
    desk.point();
  }
  left(p, alt) {
    const { desk } = this, { view, edits } = desk, { draft } = desk.shown;
    if (draft) {
      if (draft.points.length > 2 && apart(view.toScreen(draft.points[0]), p) <= NEAR) edits.close(); else edits.setCorner(view.toCrop(p));
      return;
    }
    if (desk.brushes) { edits.beginStroke(view.toCrop(p)); return; }
    const seen = desk.show === 'polygons', at = seen ? view.cornerAt(p) : null, edge = seen && alt && !at ? view.edgeAt(p) : null;
    if (edge) { edits.insertCorner(edge.index, edge.after, edge.point); this.grasp(p, edge.index, edge.after + 1); return; }
    if (at) { desk.choose(at.index, at.at); this.grasp(p, at.index, at.at); return; }
    if (desk.tool !== 'choose') { edits.setCorner(view.toCrop(p)); return; }
    if (!seen) desk.setShow('polygons');
    const hits = view.polygonsAt(p);
    if (hits.includes(desk.selected)) {
      desk.corner = null;
      this.grasp(p, desk.selected, null);
      this.pressed = hits[(hits.indexOf(desk.selected) + 1) % hits.length]; // chosen if it is no drag
      desk.showFace();
    } else desk.choose(hits[0] ?? null);
  }
  right(p) {
    const { desk } = this, { view, edits } = desk, { draft } = desk.shown;
    if (draft) {
      const at = draft.points.findIndex((point) => apart(view.toScreen(point), p) <= NEAR);
      if (at >= 0) edits.dropCornerOfDraft(at);
      return;
    }
    const at = desk.show === 'polygons' && !desk.brushes ? view.cornerAt(p) : null;
    if (at) { edits.removeCorner(at.index, at.at); desk.hover = null; }
  }
  grasp(p, index, at) {
    this.desk.drag = { index, at, from: p, polygons: null };
    this.pressed = null;
  }
  pointermove(event) {
    const { desk } = this, { view, edits } = desk, p = this.place(event);
    desk.pointer = p;
    if (!desk.ready) return;
    const { drag } = desk, by = drag && [p[0] - drag.from[0], p[1] - drag.from[1]];
    if (drag?.pan) view.moveTo(drag.pan[0] + by[0], drag.pan[1] + by[1]);
    else if (drag) {
      if (drag.polygons || Math.hypot(...by) >= SLIP) drag.polygons = edits.withPoints(drag.index, edits.moved(desk.shown.polygons[drag.index].points, drag.at, by.map((d) => d / view.scale)));
      desk.hover = drag.at === null ? { body: true } : { index: drag.index, at: drag.at };
    } else if (desk.stroke) {
      const all = event.getCoalescedEvents?.() ?? [];
      for (const one of all.length ? all : [event]) desk.stroke.points.push(view.toCrop(this.place(one)));
    } else desk.hover = this.look(p, event.altKey);
    if (event.movementX || event.movementY) desk.cross = null;
    desk.point();
    desk.draw();
  }
  pointerup() {
    const { desk } = this, { drag } = desk, next = this.pressed;
    if (desk.stroke) desk.edits.endStroke();
    desk.drag = this.pressed = null;
    if (drag?.polygons) {
      desk.shown.change(drag.polygons);
      desk.say(drag.at === null ? 'Polygon moved' : 'Corner moved');
      desk.showFace();
    } else if (drag && !drag.pan && next !== null && next !== desk.selected) desk.choose(next);
    desk.point();
    desk.draw();
  }
  pointercancel() {
    this.pressed = null;
    this.desk.letGo();
  }
  pointerleave() {
    const { desk } = this;
    if (desk.drag || desk.stroke) return;
    desk.pointer = desk.hover = null;
    desk.draw();
  }
  dblclick(event) {
    const { desk } = this;
    if (!desk.ready || desk.shown.draft || desk.tool !== 'choose' || desk.show !== 'polygons' || event.altKey) return;
    const p = this.place(event), edge = desk.view.cornerAt(p) ? null : desk.view.edgeAt(p);
    if (edge) desk.edits.insertCorner(edge.index, edge.after, edge.point);
  }
  wheel(event) {
    event.preventDefault();
    if (!this.desk.ready) return;
    const lines = event.deltaMode === 1 ? LINE : event.deltaMode === 2 ? PAGE : 1;
    this.desk.view.zoom(Math.exp(-clamp(event.deltaY * lines, -300, 300) * (event.ctrlKey ? 0.01 : 0.0016)), this.place(event));
  }
}
