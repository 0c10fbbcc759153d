// Where a frame lies in the panes that show it: whole, zoomed to a face, or as the mouse left it.
const MOST = 24, FACE_SHARE = 0.94;

export class Zoom {
  constructor([width, height]) { Object.assign(this, { width, height, zoom: 1, x: 0.5, y: 0.5, follow: false }); }

  get kind() { return this.follow ? 'face' : this.zoom > 1 ? 'free' : 'fit'; }

  scale(pane) { return Math.min((pane.clientWidth || 1) / this.width, (pane.clientHeight || 1) / this.height) * this.zoom; }

  /** Left, top and scale of the frame in a pane. */
  place(pane) {
    const scale = this.scale(pane);
    const at = (share, size, room) => {
      const whole = size * scale;
      return whole <= room ? (room - whole) / 2 : Math.min(0, Math.max(room - whole, room / 2 - share * whole));
    };
    return { left: at(this.x, this.width, pane.clientWidth || 1), top: at(this.y, this.height, pane.clientHeight || 1), scale };
  }

  fit() { Object.assign(this, { follow: false, zoom: 1, x: 0.5, y: 0.5 }); }

  /** Let [[left, top, right, bottom], ...] fill a pane. */
  aim(boxes, pane) {
    if (!boxes?.length) return;
    const [left, top, right, bottom] = boxes.reduce((a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]);
    this.zoom = 1;
    const wanted = FACE_SHARE * Math.min(pane.clientWidth / (right - left), pane.clientHeight / (bottom - top));
    Object.assign(this, { zoom: Math.min(MOST, Math.max(1, wanted / this.scale(pane))), x: (left + right) / 2 / this.width, y: (top + bottom) / 2 / this.height });
  }

  /** Zoom about a point of a pane, its middle if none is given. */
  by(factor, pane, x = pane.clientWidth / 2, y = pane.clientHeight / 2) {
    const before = this.place(pane);
    const [fx, fy] = [(x - before.left) / before.scale, (y - before.top) / before.scale];
    this.follow = false;
    this.zoom = Math.min(MOST, Math.max(1, this.zoom * factor));
    const scale = this.scale(pane);
    this.x = (fx + (pane.clientWidth / 2 - x) / scale) / this.width;
    this.y = (fy + (pane.clientHeight / 2 - y) / scale) / this.height;
  }

  pan(dx, dy, pane) {
    const scale = this.scale(pane);
    const kept = (share, size, room) => { const half = Math.min(0.5, room / 2 / (size * scale)); return Math.min(1 - half, Math.max(half, share)); };
    this.follow = false;
    this.x = kept(this.x - dx / scale / this.width, this.width, pane.clientWidth);
    this.y = kept(this.y - dy / scale / this.height, this.height, pane.clientHeight);
  }
}
