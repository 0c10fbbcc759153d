// Points and polygons in the plane: pure functions.

export const clamp = (v, low, high) => Math.max(low, Math.min(high, v));
export const round = (v) => Math.round(v * 10000) / 10000;
export const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
export const replaced = (list, index, value) => list.map((one, n) => (n === index ? value : one));
export const without = (list, index) => list.filter((_, n) => n !== index);

/** Whether a point lies inside, by the even-odd rule, which the merge fills by. */
export function inside(points, [x, y]) {
  let within = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i, i += 1) {
    const [ax, ay] = points[i], [bx, by] = points[j];
    if ((ay > y) !== (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax) within = !within;
  }
  return within;
}

/** The point of an edge that is nearest to p. */
export function onEdge(a, b, p) {
  const dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
  const t = length ? clamp(((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length, 0, 1) : 0;
  return [a[0] + t * dx, a[1] + t * dy];
}

/** The area of a ring, negative for one direction of turning. */
export function area(ring) {
  let sum = 0;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) sum += ring[j][0] * ring[i][1] - ring[i][0] * ring[j][1];
  return sum / 2;
}

/** The corners of a closed ring without which it would move by more than `tolerance`. Source: Douglas and Peucker, 1973. */
export function simplified(ring, tolerance) {
  if (ring.length < 4) return ring;
  let far = 0;
  for (let i = 1; i < ring.length; i += 1) if (apart(ring[i], ring[0]) > apart(ring[far], ring[0])) far = i;
  const closed = [...ring, ring[0]], kept = new Set([0, far]), open = [[0, far], [far, ring.length]];
  while (open.length) {
    const [first, last] = open.pop();
    let worst = -1, most = tolerance;
    for (let i = first + 1; i < last; i += 1) {
      const distance = apart(onEdge(closed[first], closed[last], closed[i]), closed[i]);
      if (distance > most) { most = distance; worst = i; }
    }
    if (worst < 0) continue;
    kept.add(worst);
    open.push([first, worst], [worst, last]);
  }
  return [...kept].sort((a, b) => a - b).map((i) => ring[i]);
}

// By which of a cell's corners are inside (bits: upper left, upper right, lower right, lower left): from edge to edge,
// the inside on one hand. Edges: 0 top, 1 right, 2 bottom, 3 left. Source: marching squares (Lorensen and Cline, 1987).
const WAYS = [[], [[3, 0]], [[0, 1]], [[3, 1]], [[1, 2]], null, [[0, 2]], [[3, 2]],
  [[2, 3]], [[2, 0]], null, [[2, 1]], [[1, 3]], [[1, 0]], [[0, 3]], []];
const SADDLES = { 5: [[[3, 0], [1, 2]], [[1, 0], [3, 2]]], 10: [[[0, 1], [2, 3]], [[0, 3], [2, 1]]] };

/** The closed rings along which a grid crosses `level`, in grid places; `area` is negative for outer rings, positive for holes.
 *  The grid's border must lie below the level. */
export function contours(field, width, height, level) {
  const next = new Map(), places = new Map();
  const place = (id, x, y, down) => {
    if (places.has(id)) return;
    const a = field[y * width + x], b = field[down ? (y + 1) * width + x : y * width + x + 1];
    const t = clamp((level - a) / (b - a), 0.001, 0.999);
    places.set(id, down ? [x, y + t] : [x + t, y]);
  };
  for (let y = 0; y < height - 1; y += 1) {
    for (let x = 0; x < width - 1; x += 1) {
      const at = y * width + x, a = field[at], b = field[at + 1], c = field[at + width + 1], d = field[at + width];
      const kind = (a > level) | (b > level) << 1 | (c > level) << 2 | (d > level) << 3;
      if (kind === 0 || kind === 15) continue;
      const ways = WAYS[kind] ?? SADDLES[kind][(a + b + c + d) / 4 > level ? 1 : 0];
      const edges = [[2 * at, x, y, false], [2 * (at + 1) + 1, x + 1, y, true], [2 * (at + width), x, y + 1, false], [2 * at + 1, x, y, true]];
      for (const [from, to] of ways) {
        place(...edges[from]);
        place(...edges[to]);
        next.set(edges[from][0], edges[to][0]);
      }
    }
  }
  const rings = [];
  while (next.size) {
    const ring = [];
    for (let id = next.keys().next().value; next.has(id);) {
      const then = next.get(id);
      ring.push(places.get(id));
      next.delete(id);
      id = then;
    }
    if (ring.length > 2) rings.push(ring);
  }
  return rings;
}
