// Changing what is drawn on the face that is shown: each function is one step that can be undone.
import { api, words } from '../lib.js';
import { keyholed, outlined, touches } from './masks-brush.js';
import { apart, clamp, replaced, round, without } from './masks-geometry.js';

const SLIP = 2, LEAST = 3, LARGEST_BRUSH = 0.25, LEAST_BRUSH = 0.5;

export class Edits {
  /** @param desk the editor */
  constructor(desk) { this.desk = desk; }
  get face() { return this.desk.shown; }
  get limits() { return this.desk.docs.limits; }
  withPoints(index, points) { return replaced(this.face.polygons, index, { ...this.face.polygons[index], points }); }
  bounded([x, y]) { return [x, y].map((v) => round(clamp(v, -this.face.size / 2, this.face.size * 1.5))); }

  // ---- a polygon, corner by corner
  setCorner(point) {
    const { desk, face, limits } = this;
    if (!desk.ready) return;
    if (desk.tool === 'choose') desk.setTool(desk.kind);
    if (!face.draft && face.polygons.length >= limits.polygons) { desk.fail(`A face holds up to ${limits.polygons} polygons; delete one first`); return; }
    const { points } = face.draft ?? { points: [] };
    if (points.length >= limits.corners) { desk.fail(`A polygon has up to ${limits.corners} corners: Enter closes it`); return; }
    if (points.length && apart(points.at(-1), point) * desk.view.scale < SLIP) return; // the second half of a double click
    face.draft = { kind: desk.kind, points: [...points, this.bounded(point)], undone: [] };
    if (!points.length) desk.count(face);
    desk.say(`Corner ${points.length + 1}`);
    desk.showFace();
  }
  close() {
    const { desk, face } = this, { draft } = face;
    if (draft.points.length < LEAST) { desk.fail('A polygon needs three corners'); return; }
    face.draft = null;
    face.change([...face.polygons, { kind: draft.kind, points: draft.points }]);
    desk.say(`Polygon closed: ${draft.kind}, ${words.many(draft.points.length, 'corner')}`);
    desk.cross = null;
    desk.choose(face.polygons.length - 1);
  }
  drop() {
    this.face.draft = null;
    this.desk.cross = null;
    this.desk.count(this.face);
    this.desk.say('Dropped');
    this.desk.showFace();
  }
  backDraft(by) {
    const { face } = this, { draft } = face, { points, undone } = draft;
    const next = by < 0 ? { points: points.slice(0, -1), undone: [...undone, ...points.slice(-1)] } : { points: [...points, ...undone.slice(-1)], undone: undone.slice(0, -1) };
    if (!next.points.length) { this.drop(); return; }
    face.draft = { ...draft, ...next };
    this.desk.showFace();
  }
  dropCornerOfDraft(at) {
    const { face } = this, { points } = face.draft;
    if (points.length === 1) { this.drop(); return; }
    face.draft = { ...face.draft, points: without(points, at), undone: [] };
    this.desk.showFace();
  }

  // ---- the brush
  beginStroke(point) {
    const { desk } = this;
    desk.setShow('polygons');
    desk.stroke = { kind: desk.kind, radius: desk.radius, points: [point] };
    desk.draw();
  }
  /** What the stroke covers becomes a polygon, together with the strokes of its kind that it touches, if nothing lies over them. */
  endStroke() {
    const { desk, face, limits } = this, { kind, radius, points } = desk.stroke, { strokes } = desk.docs;
    desk.stroke = null;
    let first = face.polygons.length;
    while (first > 0 && face.polygons[first - 1].kind === kind && strokes.has(face.polygons[first - 1])) first -= 1;
    const below = face.polygons.slice(0, first), mine = face.polygons.slice(first);
    const joined = mine.filter((polygon) => touches(points, radius, strokes.get(polygon)));
    const made = outlined(points, radius, joined.map((polygon) => strokes.get(polygon)), limits.corners).map((rings) => {
      const polygon = { kind, points: keyholed(rings).map((point) => this.bounded(point)) };
      strokes.set(polygon, rings);
      return polygon;
    });
    const polygons = [...below, ...mine.filter((polygon) => !joined.includes(polygon)), ...made];
    if (polygons.length > limits.polygons) { desk.fail(`A face holds up to ${limits.polygons} polygons; delete one first`); desk.draw(); return; }
    face.change(polygons);
    desk.say(joined.length ? `Stroke added: ${kind}` : `Stroke: ${kind}, ${words.many(made.reduce((sum, one) => sum + one.points.length, 0), 'corner')}`);
    desk.showFace();
  }
  dab(point) { this.beginStroke(point); this.endStroke(); }
  setBrush(share) {
    const { desk } = this;
    desk.brush = clamp(share, LEAST_BRUSH / (desk.shown?.size ?? 256), LARGEST_BRUSH);
    desk.showBrush();
    desk.draw();
  }

  // ---- corners and polygons that are there
  insertCorner(index, after, point) {
    const { points } = this.face.polygons[index];
    if (points.length >= this.limits.corners) { this.desk.fail(`A polygon has up to ${this.limits.corners} corners`); return; }
    this.face.change(this.withPoints(index, [...points.slice(0, after + 1), point.map(round), ...points.slice(after + 1)]));
    this.desk.say('Corner inserted');
    this.desk.choose(index, after + 1);
  }
  insertAfterChosen() {
    const { selected, corner } = this.desk;
    if (selected === null) return;
    const { points } = this.face.polygons[selected], after = corner ?? points.length - 1, a = points[after], b = points[(after + 1) % points.length];
    this.insertCorner(selected, after, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
  }
  removeCorner(index, at) {
    const { points } = this.face.polygons[index];
    if (points.length <= LEAST) { this.desk.fail('A polygon needs three corners: Delete with none of them chosen removes it whole'); return; }
    this.face.change(this.withPoints(index, without(points, at)));
    this.desk.say('Corner removed');
    this.desk.choose(index);
  }
  removeChosen() {
    const { desk, face } = this, { selected, corner } = desk;
    if (selected === null) return;
    if (corner !== null) { this.removeCorner(selected, corner); return; }
    face.change(without(face.polygons, selected));
    desk.say('Polygon deleted');
    desk.choose(null);
    if (!face.polygons.length) desk.setTool(desk.kind);
  }
  otherKind() {
    const { desk, face } = this, { selected } = desk;
    if (selected === null) return;
    const polygon = face.polygons[selected], kind = polygon.kind === 'include' ? 'exclude' : 'include';
    face.change(replaced(face.polygons, selected, { ...polygon, kind }));
    desk.say(`Now ${kind}`);
    desk.showFace();
  }
  reorder(by) {
    const { desk, face } = this, { selected, corner } = desk, list = [...face.polygons], other = selected === null ? -1 : selected + by;
    if (!list[other]) return;
    [list[selected], list[other]] = [list[other], list[selected]];
    face.change(list);
    desk.say(by > 0 ? 'Raised' : 'Lowered');
    desk.choose(other, corner);
  }
  /** Points of which one is moved, or all, so far that none leaves the canvas. */
  moved(points, at, by) {
    if (at !== null) return replaced(points, at, this.bounded([points[at][0] + by[0], points[at][1] + by[1]]));
    const low = -this.face.size / 2, high = this.face.size * 1.5;
    const [dx, dy] = by.map((d, axis) => {
      const values = points.map((p) => p[axis]);
      return clamp(d, Math.min(0, low - Math.min(...values)), Math.max(0, high - Math.max(...values)));
    });
    return points.map((p) => [round(p[0] + dx), round(p[1] + dy)]);
  }
  nudge(by) {
    const { desk, face } = this, { selected, corner } = desk;
    if (selected === null) return;
    face.change(this.withPoints(selected, this.moved(face.polygons[selected].points, corner, by)), `nudge ${selected} ${corner}`);
    desk.showFace();
  }
  travel(by) {
    const { desk, face } = this;
    if (!desk.ready || desk.drag || desk.stroke) return;
    if (face.draft) { this.backDraft(by); return; }
    const done = by < 0 ? face.undo() : face.redo();
    if (by < 0) desk.say(done ? 'Undone' : 'Nothing to undo on this face'); else desk.say(done ? 'Done again' : 'Nothing to redo on this face');
    if (desk.selected !== null && desk.selected >= face.polygons.length) desk.selected = null;
    if (desk.selected === null || desk.corner >= face.polygons[desk.selected].points.length) desk.corner = null;
    if (!face.polygons.length && desk.tool === 'choose') desk.setTool(desk.kind);
    desk.showFace();
  }
  /** The polygons of the face drawn on last, as they lie on this one. */
  async copyHere() {
    const { desk, face } = this, { faces, docs } = desk;
    if (!desk.ready) return;
    const drawn = (name) => { const one = faces.find(name); return one && name !== face.name && faces.drawn(one); };
    const source = docs.drawnLast.findLast(drawn) ?? faces.step(-1, (one) => drawn(one.name)) ?? faces.step(1, (one) => drawn(one.name));
    if (!source) { desk.fail('No other face has polygons yet'); return; }
    try {
      await docs.all.get(source)?.flush();
      const { polygons } = await api.post(`${docs.base}copy`, { from: source, to: face.name });
      const before = face.polygons.length;
      face.change(polygons.map(({ kind, points }) => ({ kind, points: points.map((p) => p.map(round)) })));
      if (face !== desk.shown) return;
      desk.say(`${words.many(face.polygons.length, 'polygon')} of ${source} copied${before ? `, in place of ${before}; Ctrl+Z brings back` : ''}`);
    } catch (error) { desk.fail(error.message); return; }
    if (!face.draft) desk.setTool('choose');
    desk.choose(null);
  }
}
