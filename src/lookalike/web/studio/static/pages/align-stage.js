// The frame and what is drawn over it: two canvases, zoom, pan, and the way between frame and screen.
import { el } from '../lib.js';

const MOST_SCALE = 40;

export function makeStage({ draw }) {
  const picture = el('canvas'), over = el('canvas');
  const element = el('div', { class: 'align-stage', tabIndex: 0, role: 'application', id: 'stage', 'aria-label': 'The frame with its faces; the keys are listed under ?' }, picture, over);
  const stage = { element, scale: 1, x: 0, y: 0, fitted: true, bitmap: null, wide: 16, high: 9, lens: null };
  const size = () => [element.clientWidth || 1, element.clientHeight || 1];
  const ratio = () => Math.min(window.devicePixelRatio || 1, 3);

  /** What is shown: the view, or the lens of a small square. */
  const shown = () => stage.lens ?? stage;
  /** Frame to canvas, in CSS pixels; integer frame coordinates are pixel centres. */
  const at = (x, y) => { const s = shown(); return [(x + 0.5) * s.scale + s.x, (y + 0.5) * s.scale + s.y]; };
  stage.at = at;
  /** Screen to frame, by the view, whatever the lens shows. */
  stage.toFrame = (event) => {
    const edge = element.getBoundingClientRect();
    return [(event.clientX - edge.left - stage.x) / stage.scale - 0.5, (event.clientY - edge.top - stage.y) / stage.scale - 0.5];
  };
  stage.toShown = ([x, y]) => at(x, y);

  function context(canvas) {
    const [w, h] = size(), k = ratio();
    if (canvas.width !== Math.round(w * k) || canvas.height !== Math.round(h * k)) { canvas.width = Math.round(w * k); canvas.height = Math.round(h * k); }
    const ctx = canvas.getContext('2d');
    ctx.setTransform(k, 0, 0, k, 0, 0);
    ctx.clearRect(0, 0, w, h);
    return ctx;
  }

  let due = 0;
  stage.redraw = () => { cancelAnimationFrame(due); due = 0; draw(context(over), at, shown().scale); };
  /** Redraw with the next picture of the screen, however often it is asked until then. */
  stage.redrawSoon = () => { due ||= requestAnimationFrame(stage.redraw); };
  stage.repaint = () => {
    const ctx = context(picture), s = shown();
    if (stage.bitmap) {
      ctx.imageSmoothingEnabled = s.scale * stage.wide < stage.bitmap.width * 4;
      ctx.drawImage(stage.bitmap, s.x, s.y, stage.wide * s.scale, stage.high * s.scale);
    }
    stage.redraw();
  };
  stage.fit = () => {
    const [w, h] = size();
    stage.scale = Math.min(w / stage.wide, h / stage.high);
    stage.x = (w - stage.wide * stage.scale) / 2;
    stage.y = (h - stage.high * stage.scale) / 2;
    stage.fitted = true;
    stage.repaint();
  };
  /** Enlarge about a place of the screen, or about the middle. */
  stage.zoom = (factor, event = null) => {
    const edge = element.getBoundingClientRect(), [w, h] = size();
    const u = event ? event.clientX - edge.left : w / 2, v = event ? event.clientY - edge.top : h / 2;
    const least = Math.min(w / stage.wide, h / stage.high) / 2;
    const scale = Math.min(MOST_SCALE, Math.max(least, stage.scale * factor));
    stage.x = u - ((u - stage.x) * scale) / stage.scale;
    stage.y = v - ((v - stage.y) * scale) / stage.scale;
    stage.scale = scale;
    stage.fitted = false;
    stage.repaint();
  };
  stage.pan = (dx, dy) => { stage.x += dx; stage.y += dy; stage.fitted = false; stage.repaint(); };
  /** Bring a box of the frame into view, `share` of the shorter side large. */
  stage.zoomTo = ([left, top, right, bottom], share = 0.7) => {
    const [w, h] = size();
    stage.scale = Math.min(MOST_SCALE, (Math.min(w, h) * share) / Math.max(right - left, bottom - top, 1));
    stage.x = w / 2 - ((left + right) / 2 + 0.5) * stage.scale;
    stage.y = h / 2 - ((top + bottom) / 2 + 0.5) * stage.scale;
    stage.fitted = false;
    stage.repaint();
  };
  /** Show a square, of half a side, half the shorter side of the window large; null for the view again. */
  stage.magnify = (square) => {
    const before = stage.lens;
    if (!square) stage.lens = null;
    else {
      const [w, h] = size(), scale = Math.max(stage.scale, Math.min(w, h) / 4 / square.half);
      stage.lens = { scale, x: w / 2 - (square.x + 0.5) * scale, y: h / 2 - (square.y + 0.5) * scale };
    }
    if (before || stage.lens) stage.repaint(); else stage.redrawSoon();
  };
  stage.show = (bitmap, wide, high) => {
    const other = stage.wide !== wide || stage.high !== high;
    Object.assign(stage, { bitmap, wide, high });
    if (other || stage.fitted) stage.fit(); else stage.repaint();
  };
  const watcher = new ResizeObserver(() => (stage.fitted ? stage.fit() : stage.repaint()));
  watcher.observe(element);
  stage.stop = () => { watcher.disconnect(); cancelAnimationFrame(due); };
  return stage;
}
