// Where things are on the screen, and what lies under the pointer. The centre of pixel 0 lies half a pixel inside the picture.
import { apart, clamp, inside, onEdge } from './masks-geometry.js';

export const NEAR = 9;
const NEAR_EDGE = 7, MARGIN = 24, MOST_SCALE = 64;

export class View {
  /** @param desk the editor: shown, selected, draw() */
  constructor(desk, canvas) { Object.assign(this, { desk, canvas, scale: 1, x: 0, y: 0, fitted: true }); }
  toScreen = ([x, y]) => [(x + 0.5) * this.scale + this.x, (y + 0.5) * this.scale + this.y];
  toCrop = ([x, y]) => [(x - this.x) / this.scale - 0.5, (y - this.y) / this.scale - 0.5];
  get middle() { return [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2]; }
  fit() {
    const size = this.desk.shown?.size;
    if (!size) return;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.scale = Math.max(Math.min(width, height) - 2 * MARGIN, 16) / size;
    this.x = (width - size * this.scale) / 2;
    this.y = (height - size * this.scale) / 2;
    this.fitted = true;
    this.desk.draw();
  }
  zoom(by, [x, y]) {
    const least = Math.min(this.canvas.clientWidth, this.canvas.clientHeight) / this.desk.shown.size / 4;
    const scale = clamp(this.scale * by, least, Math.max(MOST_SCALE, least));
    this.x = x - (x - this.x) * scale / this.scale;
    this.y = y - (y - this.y) * scale / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.desk.draw();
  }
  moveTo(x, y) { Object.assign(this, { x, y, fitted: false }); }

  /** Polygons from the one that a hand would grasp first: the chosen, then from above. */
  graspOrder() {
    const { shown, selected } = this.desk, order = shown.polygons.map((_, index) => index).reverse();
    return selected === null ? order : [selected, ...order.filter((index) => index !== selected)];
  }
  cornerAt(p) {
    for (const index of this.graspOrder()) {
      let best = null, least = NEAR;
      this.desk.shown.polygons[index].points.forEach((point, at) => {
        const distance = apart(this.toScreen(point), p);
        if (distance <= least) { least = distance; best = { index, at }; }
      });
      if (best) return best;
    }
    return null;
  }
  edgeAt(p) {
    for (const index of this.graspOrder()) {
      const ends = this.desk.shown.polygons[index].points.map(this.toScreen);
      let best = null, least = NEAR_EDGE;
      ends.forEach((a, at) => {
        const on = onEdge(a, ends[(at + 1) % ends.length], p), distance = apart(on, p);
        if (distance <= least) { least = distance; best = { index, after: at, point: this.toCrop(on) }; }
      });
      if (best) return best;
    }
    return null;
  }
  polygonsAt(p) {
    const { polygons } = this.desk.shown, at = this.toCrop(p);
    return polygons.map((_, index) => index).reverse().filter((index) => inside(polygons[index].points, at));
  }
}
