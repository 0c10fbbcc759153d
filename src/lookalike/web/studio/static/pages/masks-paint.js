// Drawing a face, what is drawn on it, what the network sees of it, and what comes out of both.
import { apart } from './masks-geometry.js';
import { NEAR } from './masks-view.js';

export const COLORS = { include: '#22d36b', exclude: '#ff4a3f', network: '#4db2ff' };
const TILE = 8;

/** Answers how to ask for the picture to be drawn at the next frame. */
export function makePainter(desk, canvas) {
  const pen = canvas.getContext('2d'), stripes = hatch(pen, '#7a0d07');
  const layers = [0, 1].map(() => document.createElement('canvas').getContext('2d'));
  let due = false;
  const paint = () => {
    due = false;
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (!desk.picture || !desk.shown || desk.shown.problem) return;
    new Painting(desk, pen, stripes, layers, ratio).paint();
  };
  return () => { if (!due) { due = true; requestAnimationFrame(paint); } };
}

function hatch(pen, color) {
  const tile = Object.assign(document.createElement('canvas'), { width: TILE, height: TILE }), brush = tile.getContext('2d');
  brush.strokeStyle = color;
  brush.lineWidth = 2;
  for (const shift of [-TILE, 0, TILE]) { brush.beginPath(); brush.moveTo(shift - 1, TILE + 1); brush.lineTo(shift + TILE + 1, -1); brush.stroke(); }
  return pen.createPattern(tile, 'repeat');
}

class Painting {
  constructor(desk, pen, stripes, layers, ratio) { Object.assign(this, { desk, pen, stripes, layers, ratio, view: desk.view, face: desk.shown }); }
  paint() {
    const { desk, pen, view } = this, { show } = desk;
    pen.imageSmoothingEnabled = view.scale < 6;
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(desk.picture, ...this.frame);
    if (show === 'polygons') this.polygons();
    if (show === 'network' && this.face.mask) this.network();
    if (show === 'result') this.result();
    this.stroke();
    this.draft();
    this.cross();
    this.brush();
  }
  /** Where the crop lies. */
  get frame() { const { view, face } = this; return [view.x, view.y, face.size * view.scale, face.size * view.scale]; }
  trace(on, points, closed = true) {
    on.beginPath();
    points.forEach((point, n) => { const [x, y] = this.view.toScreen(point); if (n) on.lineTo(x, y); else on.moveTo(x, y); });
    if (closed) on.closePath();
  }
  fill(on, polygon) {
    this.trace(on, polygon.points);
    on.fillStyle = COLORS[polygon.kind];
    on.fill('evenodd');
    if (polygon.kind === 'exclude') { on.fillStyle = this.stripes; on.fill('evenodd'); } // told apart without colours, too
  }
  line(polygon, width, closed = true) {
    const { pen } = this;
    this.trace(pen, polygon.points, closed);
    pen.lineJoin = 'round';
    pen.strokeStyle = '#000a'; pen.lineWidth = width + 2; pen.stroke();
    pen.strokeStyle = COLORS[polygon.kind]; pen.lineWidth = width; pen.stroke();
  }
  handle(point, color, size, filled) {
    const { pen } = this, [x, y] = this.view.toScreen(point);
    pen.beginPath(); pen.arc(x, y, size, 0, 7);
    pen.fillStyle = filled ? color : '#fff'; pen.fill();
    pen.lineWidth = 1.5; pen.strokeStyle = filled ? '#fff' : color; pen.stroke();
  }
  /** An empty canvas as large as the picture's. */
  layer(number) {
    const layer = this.layers[number], { width, height } = this.pen.canvas;
    Object.assign(layer.canvas, { width, height });
    layer.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    return layer;
  }
  lay(layer, alpha) {
    const { pen } = this;
    pen.save();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.globalAlpha = alpha;
    pen.drawImage(layer.canvas, 0, 0);
    pen.restore();
  }
  polygons() {
    const { desk } = this, polygons = desk.polygonsNow(), { selected, corner, hover } = desk, layer = this.layer(0);
    for (const polygon of polygons) this.fill(layer, polygon);
    this.lay(layer, desk.opacity);
    if (this.face.mask) this.edge([5, 4], 1.25);
    polygons.forEach((polygon, index) => {
      if (index === selected) return;
      this.line(polygon, 1.5);
      if (desk.withBrush) return;
      for (const point of polygon.points) this.handle(point, COLORS[polygon.kind], 2.5, true);
    });
    const chosen = polygons[selected];
    if (chosen) { this.line(chosen, 2.5); chosen.points.forEach((point, at) => this.handle(point, COLORS[chosen.kind], at === corner ? 6 : 4.5, at === corner)); }
    if (hover?.at !== undefined && polygons[hover.index]?.points[hover.at]) this.handle(polygons[hover.index].points[hover.at], COLORS[polygons[hover.index].kind], 6.5, true);
    if (hover?.point) this.handle(hover.point, '#1f66c9', 4.5, false);
  }
  /** The line at which the network's face ends. */
  edge(dashes, width) {
    const { pen, view } = this;
    pen.save();
    pen.translate(view.x, view.y);
    pen.scale(view.scale, view.scale);
    for (const [color, wide, dash] of [['#000a', width + 1.5, []], [COLORS.network, width, dashes]]) {
      pen.strokeStyle = color;
      pen.lineWidth = wide / view.scale;
      pen.setLineDash(dash.map((d) => d / view.scale));
      pen.stroke(this.face.mask.outline);
    }
    pen.restore();
  }
  network() {
    const layer = this.layer(0);
    layer.drawImage(this.face.mask.canvas, ...this.frame);
    layer.globalCompositeOperation = 'source-in';
    layer.fillStyle = COLORS.network;
    layer.fillRect(...this.frame);
    this.lay(layer, this.desk.opacity);
    this.edge([], 2);
  }
  /** What dst shows is dark: all that neither mask nor polygons leave to the new face. */
  result() {
    const { face } = this, seen = this.layer(0), dark = this.layer(1);
    if (face.mask) seen.drawImage(face.mask.canvas, ...this.frame);
    else if (!face.polygons.some((polygon) => polygon.kind === 'include')) seen.fillRect(...this.frame); // only the network knows the rest
    for (const polygon of this.desk.polygonsNow()) {
      seen.globalCompositeOperation = polygon.kind === 'include' ? 'source-over' : 'destination-out';
      this.trace(seen, polygon.points);
      seen.fill('evenodd');
    }
    dark.fillStyle = '#05070a';
    dark.fillRect(...this.frame);
    dark.globalCompositeOperation = 'destination-out';
    dark.setTransform(1, 0, 0, 1, 0, 0);
    dark.drawImage(seen.canvas, 0, 0);
    this.lay(dark, 0.5 + this.desk.opacity / 2);
  }
  draft() {
    const { desk, pen, view } = this, { draft } = this.face;
    if (!draft) return;
    const tip = desk.cross ?? (desk.pointer && desk.tool !== 'choose' && !desk.drag ? view.toCrop(desk.pointer) : null);
    const open = tip && this.face.name === desk.current ? [...draft.points, tip] : draft.points;
    pen.save(); pen.globalAlpha = desk.opacity * 0.6; this.fill(pen, { kind: draft.kind, points: open }); pen.restore();
    this.line({ kind: draft.kind, points: open }, 1.5, false);
    const closing = tip && draft.points.length > 2 && apart(view.toScreen(draft.points[0]), view.toScreen(tip)) <= NEAR;
    draft.points.forEach((point, n) => this.handle(point, COLORS[draft.kind], n ? 3.5 : closing ? 8 : 5.5, n > 0 || closing));
  }
  /** The stroke under way. */
  stroke() {
    const { stroke, opacity } = this.desk;
    if (!stroke) return;
    const layer = this.layer(0);
    this.trace(layer, stroke.points, false);
    if (stroke.points.length === 1) layer.lineTo(...this.view.toScreen(stroke.points[0]));
    Object.assign(layer, { lineCap: 'round', lineJoin: 'round', lineWidth: 2 * stroke.radius * this.view.scale });
    for (const style of [COLORS[stroke.kind], ...(stroke.kind === 'exclude' ? [this.stripes] : [])]) { layer.strokeStyle = style; layer.stroke(); }
    this.lay(layer, Math.max(opacity, 0.3));
  }
  /** How large the brush is, at the pointer or the cross. */
  brush() {
    const { desk, pen, view } = this, at = desk.cross ?? (desk.pointer ? view.toCrop(desk.pointer) : null);
    if (!desk.withBrush || desk.tool === 'choose' || !at || desk.spaceHeld) return;
    const [x, y] = view.toScreen(at);
    for (const [color, wide] of [['#000c', 3], [COLORS[desk.kind], 1.5]]) {
      pen.strokeStyle = color; pen.lineWidth = wide;
      pen.beginPath(); pen.arc(x, y, desk.radius * view.scale, 0, 7); pen.stroke();
    }
  }
  cross() {
    const { desk, pen } = this;
    if (!desk.cross) return;
    const [x, y] = this.view.toScreen(desk.cross);
    for (const [color, wide] of [['#000', 3], ['#fff', 1]]) {
      pen.strokeStyle = color; pen.lineWidth = wide;
      pen.beginPath(); pen.moveTo(x - 14, y); pen.lineTo(x - 3, y); pen.moveTo(x + 3, y); pen.lineTo(x + 14, y);
      pen.moveTo(x, y - 14); pen.lineTo(x, y - 3); pen.moveTo(x, y + 3); pen.lineTo(x, y + 14); pen.stroke();
    }
  }
}
