// Moving landmarks with the mouse: one with what lies about it, or several that were chosen.
import { PARTS } from './align-draw.js';

const REACH = 9;
const soft = (share) => { const s = Math.max(0, 1 - share); return s * s * (3 - 2 * s); };

/** @param on {stage, faces(), picked(), pick(place), changed(place, landmarks, label, milliseconds to wait for more), redraw()} */
export function makePoints(on) {
  const points = { chosen: new Set(), radius: 0, drag: null, frame: null };
  const face = () => on.faces()[on.picked()] ?? null;

  /** The landmark under the mouse: [place of the face, number]; the picked face comes first. */
  function under(event) {
    const edge = on.stage.element.getBoundingClientRect(), u = event.clientX - edge.left, v = event.clientY - edge.top;
    const faces = on.faces().map((one, place) => [place, one]).sort(([a], [b]) => (b === on.picked()) - (a === on.picked()));
    for (const [place, one] of faces) {
      let best = null;
      (one.landmarks ?? []).forEach(([x, y], i) => {
        const [a, b] = on.stage.at(x, y), far = Math.hypot(a - u, b - v);
        if (far <= REACH && (!best || far < best.far)) best = { place, i, far };
      });
      if (best) return best;
    }
    return null;
  }
  /** How far every landmark goes along when one is dragged. */
  function weights(landmarks, i) {
    if (points.chosen.has(i)) return landmarks.map((_, k) => (points.chosen.has(k) ? 1 : 0));
    const [x, y] = landmarks[i];
    return landmarks.map(([a, b], k) => (k === i ? 1 : points.radius > 0 ? soft(Math.hypot(a - x, b - y) / points.radius) : 0));
  }
  const moved = (from, by, dx, dy) => from.map(([x, y], k) => [x + by[k] * dx, y + by[k] * dy]);
  const round = (landmarks) => landmarks.map(([x, y]) => [Math.round(x * 1000) / 1000, Math.round(y * 1000) / 1000]);

  return Object.assign(points, {
    under,
    /** Take hold of a landmark; whether there was one. */
    press(event) {
      const hit = under(event);
      if (!hit) { if (event.shiftKey) { points.drag = { lasso: true, from: on.stage.toFrame(event), to: on.stage.toFrame(event) }; return true; } return false; }
      if (hit.place !== on.picked()) { points.chosen.clear(); on.pick(hit.place); }
      if (event.shiftKey) { if (!points.chosen.delete(hit.i)) points.chosen.add(hit.i); on.redraw(); return true; }
      const from = face().landmarks;
      points.drag = { place: hit.place, from, by: weights(from, hit.i), start: on.stage.toFrame(event), moved: false };
      return true;
    },
    move(event) {
      const drag = points.drag;
      if (!drag) return;
      const [x, y] = on.stage.toFrame(event);
      if (drag.lasso) drag.to = [x, y];
      else {
        drag.moved = true;
        on.faces()[drag.place].landmarks = moved(drag.from, drag.by, x - drag.start[0], y - drag.start[1]);
      }
      on.redraw();
    },
    release() {
      const drag = points.drag;
      points.drag = null;
      if (!drag) return;
      if (drag.lasso) choose(drag);
      else if (drag.moved) on.changed(drag.place, round(on.faces()[drag.place].landmarks), 'move landmarks');
      on.redraw();
    },
    cancel() {
      if (points.drag?.from && !points.drag.lasso) on.faces()[points.drag.place].landmarks = points.drag.from;
      points.drag = null;
      points.chosen.clear();
      on.redraw();
    },
    /** Move what is chosen by whole pixels. */
    nudge(dx, dy) {
      const here = face();
      if (!points.chosen.size || !here?.landmarks) return false;
      here.landmarks = round(here.landmarks.map(([x, y], k) => (points.chosen.has(k) ? [x + dx, y + dy] : [x, y])));
      on.changed(on.picked(), here.landmarks, 'move landmarks', 300);
      on.redraw();
      return true;
    },
    choosePart(step) {
      if (!face()?.landmarks) return null;
      points.part = ((points.part ?? (step > 0 ? -1 : 0)) + step + PARTS.length) % PARTS.length;
      const [name, first, end] = PARTS[points.part];
      points.chosen = new Set(Array.from({ length: end - first }, (_, i) => first + i));
      on.redraw();
      return name;
    },
    choosePoint(step) {
      if (!face()?.landmarks) return null;
      points.single = ((points.single ?? (step > 0 ? -1 : 0)) + step + 68) % 68;
      points.chosen = new Set([points.single]);
      on.redraw();
      return points.single;
    },
    choosePartUnder(event) {
      const hit = under(event);
      if (!hit) return false;
      const [, first, end] = PARTS.find(([, a, b]) => hit.i >= a && hit.i < b);
      points.chosen = new Set(Array.from({ length: end - first }, (_, i) => first + i));
      on.redraw();
      return true;
    },
    chooseAll() { if (face()?.landmarks) { points.chosen = new Set(Array.from({ length: 68 }, (_, i) => i)); on.redraw(); } },
    draw(ctx, at) {
      if (!points.drag?.lasso) return;
      const [a, b] = at(...points.drag.from), [c, d] = at(...points.drag.to);
      ctx.strokeStyle = '#fff';
      ctx.setLineDash([4, 3]);
      ctx.strokeRect(Math.min(a, c), Math.min(b, d), Math.abs(c - a), Math.abs(d - b));
      ctx.setLineDash([]);
    },
  });

  function choose({ from, to }) {
    const [left, right] = [from[0], to[0]].sort((a, b) => a - b), [top, bottom] = [from[1], to[1]].sort((a, b) => a - b);
    (face()?.landmarks ?? []).forEach(([x, y], i) => { if (x >= left && x <= right && y >= top && y <= bottom) points.chosen.add(i); });
  }
}
