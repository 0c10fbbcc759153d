// Curves over iterations, with what each was between two points as a band around it.
import { el } from '../lib.js';
import { highest, known, lowest, nameOf, put, short, whole } from './training-words.js';

const COLORS = 6;

function axisNumber(n) {
  if (Math.abs(n) >= 1e6) return `${+(n / 1e6).toFixed(2)}M`;
  return Math.abs(n) >= 1e4 ? `${+(n / 1e3).toFixed(1)}k` : `${+n.toPrecision(4)}`;
}

function ticks(low, high, count) {
  let found = [];
  for (const most = count + 6; found.length < 2 && count < most; count += 1) {
    const raw = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
    found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) found.push(k * step);
  }
  return found;
}

/** From the lowest loss to a bit above what the last four fifths reach, so that the steep start does not flatten the rest. */
export function lossReach(lines) {
  const settled = lines.flatMap((line) => known((line.high ?? line.mean).slice(Math.floor(line.mean.length / 5)))).sort((a, b) => a - b);
  const low = lowest(lines.flatMap((line) => known(line.low ?? line.mean)));
  const top = settled.length ? settled[Math.ceil(settled.length * 0.985) - 1] : low;
  const air = (top - low) * 0.06;
  return [Math.max(low - air, Math.min(low, 0)), top + air];
}

export class Chart {
  /** Curves in `place`. `reach(lines)` gives the lowest and highest value to show. */
  constructor(place, label, { reach, hidden = () => false, empty }) {
    Object.assign(this, { label, reach, hiddenAtFirst: hidden, empty, x: [], lines: [], mark: null, at: null, off: new Map() });
    this.canvas = el('canvas', { tabIndex: 0, role: 'img', onpointermove: (e) => this.point(this.nearest(e.offsetX)),
      onpointerleave: () => this.point(null), onblur: () => this.point(null), onkeydown: (e) => this.key(e) });
    this.legend = el('div', { class: 'legend' });
    this.readout = el('div', { class: 'readout' });
    place.append(this.canvas, this.legend, this.readout);
    this.sized = new ResizeObserver(() => this.draw());
    this.sized.observe(this.canvas);
    this.themed = new MutationObserver(() => this.draw());
    this.themed.observe(document.documentElement, { attributes: true, attributeFilter: ['class'] });
  }

  stop() { this.sized.disconnect(); this.themed.disconnect(); }

  set(x, lines, mark = null) {
    Object.assign(this, { x, lines, mark });
    if (this.at != null && this.at >= x.length) this.at = null;
    for (const line of lines) if (!this.off.has(line.key)) this.off.set(line.key, this.hiddenAtFirst(line.key));
    const keys = lines.map((line) => line.key).join();
    if (this.keys !== keys) { this.keys = keys; this.makeLegend(); }
    this.draw();
  }

  makeLegend() {
    this.legend.replaceChildren(...this.lines.map((line, number) => {
      const dash = el('i');
      dash.style.background = `var(--line${number % COLORS})`;
      const button = el('button', { 'aria-pressed': String(!this.off.get(line.key)), onclick: () => {
        this.off.set(line.key, !this.off.get(line.key));
        button.setAttribute('aria-pressed', String(!this.off.get(line.key)));
        this.draw();
      } }, dash, el('span'));
      return button;
    }));
  }

  key(e) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (!by || !this.x.length) return;
    e.preventDefault();
    e.stopPropagation();
    this.point(Math.max(0, Math.min(this.x.length - 1, (this.at ?? (by > 0 ? -1 : this.x.length)) + by * (e.shiftKey ? 20 : 1))));
  }

  nearest(left) {
    if (!this.x.length || !this.box) return null;
    const wanted = this.box.low + (left - this.box.left) / (this.box.width || 1) * (this.box.high - this.box.low);
    let best = 0;
    this.x.forEach((x, n) => { if (Math.abs(x - wanted) < Math.abs(this.x[best] - wanted)) best = n; });
    return best;
  }

  point(at) { this.at = at; this.draw(); }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas, scale = devicePixelRatio || 1;
    if (!width) return;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    const pen = this.canvas.getContext('2d'), style = getComputedStyle(document.documentElement);
    const ink = (name) => style.getPropertyValue(name).trim();
    pen.scale(scale, scale);
    pen.font = '11px system-ui, sans-serif';
    this.name();
    const shown = this.lines.map((line, number) => ({ ...line, color: ink(`--line${number % COLORS}`) })).filter((line) => !this.off.get(line.key));
    if (!this.x.length || !shown.some((line) => known(line.mean).length)) {
      pen.fillStyle = ink('--soft');
      pen.textAlign = 'center';
      pen.font = '13px system-ui, sans-serif';
      pen.fillText(this.empty, width / 2, height / 2);
      put(this.readout, '');
      return;
    }
    let [bottom, top] = this.reach(shown);
    if (!(top > bottom)) { top = bottom + Math.max(Math.abs(bottom) * 0.1, 1e-3); bottom -= top - bottom; }
    const yTicks = ticks(bottom, top, height > 200 ? 5 : 3);
    const left = 8 + highest(yTicks.map((t) => pen.measureText(axisNumber(t)).width)) + 6;
    const box = { left, top: 6, width: width - left - 10, height: height - 6 - 20, low: this.x[0], high: Math.max(this.x.at(-1), this.x[0] + 1) };
    this.box = box;
    const xOf = (x) => box.left + (x - box.low) / (box.high - box.low) * box.width;
    const yOf = (y) => box.top + (1 - (y - bottom) / (top - bottom)) * box.height;
    this.axes(pen, yTicks, xOf, yOf, { width, height }, ink);
    pen.save();
    pen.beginPath(); pen.rect(box.left, box.top - 2, box.width + 10, box.height + 4); pen.clip();
    for (const line of shown) {
      if (line.low) this.band(pen, line, xOf, yOf);
      this.curve(pen, line, xOf, yOf);
    }
    if (this.mark && this.mark.value >= bottom && this.mark.value <= top) this.level(pen, yOf(this.mark.value), width, ink);
    if (this.at != null) this.cross(pen, shown, xOf, yOf, ink('--soft')); else put(this.readout, '');
    pen.restore();
  }

  /** In words, for the legend and for screen readers. */
  name() {
    const last = (line) => short(line.mean.findLast((v) => v != null));
    this.lines.forEach((line, n) => put(this.legend.children[n].lastChild, `${nameOf(line.key)} ${last(line)}`));
    this.canvas.setAttribute('aria-label', this.x.length
      ? `${this.label}, iterations ${whole(this.x[0])} to ${whole(this.x.at(-1))}. Now ${this.lines.map((l) => `${nameOf(l.key)} ${last(l)}`).join(', ')}. Arrow keys read the curve.`
      : `${this.label}: ${this.empty}`);
  }

  axes(pen, yTicks, xOf, yOf, { width, height }, ink) {
    const box = this.box;
    pen.lineWidth = 1;
    pen.strokeStyle = ink('--rule');
    pen.fillStyle = ink('--soft');
    pen.textBaseline = 'middle';
    pen.textAlign = 'right';
    for (const tick of yTicks) {
      const y = Math.round(yOf(tick)) + 0.5;
      pen.beginPath(); pen.moveTo(box.left, y); pen.lineTo(box.left + box.width, y); pen.stroke();
      pen.fillText(axisNumber(tick), box.left - 6, y);
    }
    pen.textAlign = 'center';
    for (const tick of ticks(box.low, box.high, Math.max(2, Math.floor(box.width / 90)))) {
      const half = pen.measureText(axisNumber(tick)).width / 2;
      pen.fillText(axisNumber(tick), Math.min(Math.max(xOf(tick), half), width - half), height - 8);
    }
  }

  curve(pen, line, xOf, yOf) {
    pen.strokeStyle = pen.fillStyle = line.color;
    pen.lineWidth = 1.6;
    pen.lineJoin = 'round';
    pen.beginPath();
    let down = false;
    line.mean.forEach((value, n) => {
      if (value == null) { down = false; return; }
      const x = xOf(this.x[n]), y = yOf(value);
      if (down) pen.lineTo(x, y); else pen.moveTo(x, y);
      if (!down && line.mean[n + 1] == null) pen.lineTo(x + 1, y); // a point on its own shows as a dot
      down = true;
    });
    pen.stroke();
  }

  level(pen, y, width, ink) {
    pen.setLineDash([5, 4]);
    pen.lineWidth = 1;
    pen.strokeStyle = ink('--soft');
    pen.beginPath(); pen.moveTo(this.box.left, y); pen.lineTo(width, y); pen.stroke();
    pen.setLineDash([]);
    pen.textAlign = 'right';
    pen.textBaseline = 'top';
    pen.lineWidth = 4;
    pen.strokeStyle = ink('--panel');
    pen.strokeText(this.mark.text, width - 12, y + 4); // so that curves under the words do not hide them
    pen.fillStyle = ink('--soft');
    pen.fillText(this.mark.text, width - 12, y + 4);
  }

  band(pen, line, xOf, yOf) {
    pen.fillStyle = line.color;
    pen.globalAlpha = 0.16;
    for (let begin = 0; begin < this.x.length;) {
      if (line.low[begin] == null) { begin += 1; continue; }
      let end = begin;
      while (end < this.x.length && line.low[end] != null) end += 1;
      pen.beginPath();
      for (let n = begin; n < end; n += 1) pen.lineTo(xOf(this.x[n]), yOf(line.high[n]));
      for (let n = end - 1; n >= begin; n -= 1) pen.lineTo(xOf(this.x[n]), yOf(line.low[n]));
      pen.fill();
      begin = end;
    }
    pen.globalAlpha = 1;
  }

  cross(pen, shown, xOf, yOf, color) {
    const x = Math.round(xOf(this.x[this.at])) + 0.5;
    pen.strokeStyle = color;
    pen.lineWidth = 1;
    pen.beginPath(); pen.moveTo(x, this.box.top); pen.lineTo(x, this.box.top + this.box.height); pen.stroke();
    const parts = [`iteration ${whole(this.x[this.at])}`];
    for (const line of shown) {
      const value = line.mean[this.at];
      if (value == null) continue;
      pen.fillStyle = line.color;
      pen.beginPath(); pen.arc(x, yOf(value), 3.5, 0, 7); pen.fill();
      parts.push(`${nameOf(line.key)} ${short(value)}`);
    }
    put(this.readout, parts.join('  ·  '));
  }
}
