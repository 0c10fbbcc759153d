// Landmarks drawn over faces.
import { api } from '../lib.js';

const SVG = 'http://www.w3.org/2000/svg';
/** First and last of the 68 points of a line, and whether it is closed. */
const LINES = [[0, 16], [17, 21], [22, 26], [27, 30], [31, 35], [36, 41, true], [42, 47, true], [48, 59, true], [60, 67, true]];
const MOST = 200;

/** A drawing of 68 points, x and y in turn in shares of the side. */
export function outline(points) {
  const svg = document.createElementNS(SVG, 'svg'), at = (k) => `${(points[2 * k] * 100).toFixed(2)} ${(points[2 * k + 1] * 100).toFixed(2)}`;
  svg.setAttribute('viewBox', '0 0 100 100');
  svg.setAttribute('class', 'points');
  svg.setAttribute('aria-hidden', 'true');
  const lines = LINES.map(([from, to, closed]) => `M${Array.from({ length: to - from + 1 }, (_, k) => at(from + k)).join('L')}${closed ? 'Z' : ''}`).join('');
  const dots = Array.from({ length: 68 }, (_, k) => `M${at(k)}h0`).join('');
  for (const [name, d] of [['line', lines], ['dot', dots]]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', name);
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

/** Points of faces, asked for once each. */
export function makePoints(path, arrived) {
  let known = new Map(), asked = new Set();
  return {
    of: (name) => known.get(name),
    async want(names) {
      const missing = names.filter((name) => !known.has(name) && !asked.has(name)).slice(0, MOST);
      if (!missing.length) return;
      const mine = asked;
      for (const name of missing) mine.add(name);
      try {
        const { points } = await api.post(`${path()}/points`, { names: missing });
        if (mine !== asked) return;
        for (const name of missing) { known.set(name, points[name] ?? null); arrived(name); }
      } catch { for (const name of missing) mine.delete(name); }
    },
    forget() { known = new Map(); asked = new Set(); },
  };
}
