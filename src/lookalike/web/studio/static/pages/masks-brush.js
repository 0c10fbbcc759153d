// The brush: what a stroke covers, as polygons.
import { apart, area, contours, inside, onEdge, simplified } from './masks-geometry.js';

const MOST_CELLS = 280, FAR = 1e6;
/** Of the brush's radius: cells of the grid, how far the outline may be off, the least hole's radius. */
const CELL = 0.2, OFF = 0.035, LEAST_HOLE = 0.25;

/** Points of a stroke that are not nearer to each other than `least`; the last is kept. */
export function thinned(points, least) {
  const kept = [points[0]];
  for (const point of points) if (apart(kept.at(-1), point) >= least) kept.push(point);
  if (apart(kept.at(-1), points.at(-1)) > 0) kept.push(points.at(-1));
  return kept;
}

/** Whether a stroke touches an area of rings. */
export function touches(points, radius, rings) {
  return points.some((p) => within(rings, p) || rings.some((ring) => ring.some((corner, i) => {
    const other = ring[(i + 1) % ring.length];
    return apart(onEdge(corner, other, p), p) < radius;
  })));
}
const within = (rings, p) => rings.filter((ring) => inside(ring, p)).length % 2 === 1;

/**
 * The outline of a thick line together with areas that it touches.
 * @param points the stroke in crop pixels
 * @param radius of the brush
 * @param others areas, each its rings: the outer one first, then holes
 * @param most corners of one polygon
 * @returns areas: [outer ring, hole, ...] each
 */
export function outlined(points, radius, others, most) {
  const line = thinned(points, radius / 4);
  const all = [...line, ...others.flat(2)];
  const low = [0, 1].map((axis) => Math.min(...all.map((p) => p[axis])) - radius);
  const high = [0, 1].map((axis) => Math.max(...all.map((p) => p[axis])) + radius);
  const cell = Math.max(radius * CELL, Math.max(high[0] - low[0], high[1] - low[1]) / MOST_CELLS);
  const grid = new Grid(low.map((v) => v - 2 * cell), high.map((v) => v + 2 * cell), cell);
  grid.addLine(line, radius);
  for (const rings of others) grid.addArea(rings);
  for (let off = Math.max(radius * OFF, cell * 0.05); ; off *= 1.5) {
    const areas = areasOf(grid.rings(), off, Math.PI * (radius * LEAST_HOLE) ** 2);
    if (areas.every((rings) => keyholed(rings).length <= most)) return areas;
  }
}

/** Outer rings with their holes, simplified; holes that are too small are filled. */
function areasOf(rings, off, leastHole) {
  const outer = rings.filter((ring) => area(ring) < 0).map((ring) => [ring]);
  for (const hole of rings.filter((ring) => area(ring) > leastHole)) outer.find(([ring]) => inside(ring, hole[0]))?.push(hole);
  return outer.map((all) => all.map((ring) => simplified(ring, off)).filter((ring) => ring.length > 2)).filter((all) => all.length);
}

/** One ring for an area with holes: a cut of no width leads to each. By the even-odd rule it is filled as the area is,
 *  and what lies in a hole stays as it was, which a polygon of the other kind would not leave it. */
export function keyholed([outer, ...holes]) {
  let ring = outer;
  for (const hole of holes) {
    let best = [0, 0], least = Infinity;
    ring.forEach((a, i) => hole.forEach((b, j) => { const d = apart(a, b); if (d < least) { least = d; best = [i, j]; } }));
    const [i, j] = best;
    ring = [...ring.slice(0, i + 1), ...hole.slice(j), ...hole.slice(0, j + 1), ...ring.slice(i)];
  }
  return ring;
}

/** How deep inside of an area each place of a grid lies; below 0 outside. */
class Grid {
  constructor(low, high, cell) {
    this.low = low;
    this.cell = cell;
    [this.width, this.height] = [0, 1].map((axis) => Math.ceil((high[axis] - low[axis]) / cell) + 1);
    this.depth = new Float32Array(this.width * this.height).fill(-FAR);
  }
  addLine(points, radius) {
    points.forEach((point, i) => this.near(points[Math.max(i - 1, 0)], point, radius + 2 * this.cell, (distance, at) => {
      this.depth[at] = Math.max(this.depth[at], radius - distance);
    }));
  }
  addArea(rings) {
    const depth = new Float32Array(this.depth.length).fill(FAR);
    for (const ring of rings) {
      ring.forEach((corner, i) => this.near(corner, ring[(i + 1) % ring.length], 2 * this.cell, (distance, at) => {
        depth[at] = Math.min(depth[at], distance);
      }));
    }
    for (let y = 0; y < this.height; y += 1) {
      const crossings = rings.flatMap((ring) => crossed(ring, this.low[1] + y * this.cell)).sort((a, b) => a - b);
      for (let x = 0, passed = 0; x < this.width; x += 1) {
        while (passed < crossings.length && crossings[passed] <= this.low[0] + x * this.cell) passed += 1;
        const at = y * this.width + x;
        this.depth[at] = Math.max(this.depth[at], passed % 2 ? depth[at] : -depth[at]);
      }
    }
  }
  /** Calls fn with the distance to an edge, for the places near it. */
  near(a, b, reach, fn) {
    const from = [0, 1].map((axis) => Math.max(0, Math.floor((Math.min(a[axis], b[axis]) - reach - this.low[axis]) / this.cell)));
    const to = [this.width, this.height].map((most, axis) => Math.min(most - 1, Math.ceil((Math.max(a[axis], b[axis]) + reach - this.low[axis]) / this.cell)));
    const dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy || 1;
    for (let y = from[1]; y <= to[1]; y += 1) {
      const py = this.low[1] + y * this.cell - a[1];
      for (let x = from[0]; x <= to[0]; x += 1) {
        const px = this.low[0] + x * this.cell - a[0], t = Math.max(0, Math.min(1, (px * dx + py * dy) / length));
        fn(Math.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2), y * this.width + x);
      }
    }
  }
  rings() {
    return contours(this.depth, this.width, this.height, 0).map((ring) => ring.map(([x, y]) => [this.low[0] + x * this.cell, this.low[1] + y * this.cell]));
  }
}

/** Where a row of points crosses a ring. */
function crossed(ring, y) {
  const found = [];
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [ax, ay] = ring[i], [bx, by] = ring[j];
    if ((ay > y) !== (by > y)) found.push((bx - ax) * (y - ay) / (by - ay) + ax);
  }
  return found;
}
