// Where src and dst look, as a map of yaw and pitch, with the holes: views of dst that src lacks.
import { api, el, tried } from '../lib.js';

const LEAST_REACH = 30, SIDE = 220, AGAIN = 2000;

/** @param pick called with {yaw: [low, high], pitch: [low, high]} or null when a cell or a hole is chosen */
export function makeMap(ws, pick) {
  const canvas = el('canvas', { class: 'map', tabIndex: 0, role: 'application', 'aria-label': 'Map of yaw and pitch; arrows move, Enter shows the faces that look there' });
  const said = el('p', { class: 'small soft', 'aria-live': 'polite' }), holes = el('div', { class: 'stack' }), share = el('p', { class: 'small' });
  const legend = el('p', { class: 'small soft legend' }, el('span', { class: 'src' }), 'src ', el('span', { class: 'dst' }), 'dst ', el('span', { class: 'alone' }), 'only dst');
  const element = el('div', { class: 'stack' }, canvas, legend, said, share, holes);
  let found = null, at = null, chosen = null, timer = 0, reach = LEAST_REACH;

  async function load() {
    const now = await tried(() => api.get(api.of(ws, 'faces', 'coverage')));
    clearTimeout(timer);
    if (!now) return;
    if (now.unread) timer = setTimeout(load, AGAIN);
    found = now;
    reach = reached();
    share.textContent = found.covered === null ? '' : `${Math.round(found.covered * 100)} % of the dst faces have a src face that looks about there (${Math.round(found.covered_mirrored * 100)} % with src mirrored).`;
    holes.replaceChildren(...found.holes.map((hole) => el('button', { class: 'pick small hole', onclick: () => choose({ yaw: hole.yaw, pitch: hole.pitch }) }, hole.text)));
    if (found.covered !== null && !found.holes.length) holes.replaceChildren(el('p', { class: 'small good' }, 'No holes: src shows every view that dst needs.'));
    draw();
  }

  const lines = () => (reach * 2) / found.cell, pixels = () => SIDE / lines();
  const count = (side, row, column) => { const offset = (90 - reach) / found.cell; return found[side][offset + lines() - 1 - row][offset + column]; };

  /** Degrees from the middle to the farthest view of either side. */
  function reached() {
    const middle = 90 / found.cell;
    let far = LEAST_REACH / found.cell;
    for (const side of [found.src, found.dst]) side.forEach((row, y) => row.forEach((n, x) => { if (n) far = Math.max(far, middle - x, x + 1 - middle, middle - y, y + 1 - middle); }));
    return Math.ceil((far * found.cell) / 10) * 10;
  }

  function draw() {
    if (!found) return;
    const scale = devicePixelRatio, color = (name) => getComputedStyle(canvas).getPropertyValue(name);
    canvas.width = canvas.height = SIDE * scale;
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    const most = Math.max(1, ...found.src.flat());
    for (let row = 0; row < lines(); row += 1) for (let column = 0; column < lines(); column += 1) cell(pen, row, column, most, color);
    pen.fillStyle = color('--soft');
    pen.font = '10px system-ui';
    pen.fillText(`+${reach}°`, SIDE / 2 + 4, 11); pen.fillText(`−${reach}°`, SIDE / 2 + 4, SIDE - 5);
    pen.fillText(`−${reach}°`, 3, SIDE / 2 - 4); pen.fillText(`+${reach}°`, SIDE - 27, SIDE / 2 - 4);
    pen.fillRect(SIDE / 2 - 0.5, 0, 1, SIDE); pen.fillRect(0, SIDE / 2 - 0.5, SIDE, 1);
    if (chosen) outline(pen, chosen, color('--text'));
    if (at && document.activeElement === canvas) outline(pen, range(at), color('--accent'));
  }

  function cell(pen, row, column, most, color) {
    const step = pixels(), x = column * step, y = row * step, src = count('src', row, column), dst = count('dst', row, column), alone = count('alone', row, column);
    pen.globalAlpha = src ? 0.2 + 0.8 * (Math.log1p(src) / Math.log1p(most)) : 1;
    pen.fillStyle = src ? color('--line0') : color('--fill');
    pen.fillRect(x, y, step - 1, step - 1);
    pen.globalAlpha = 1;
    if (dst) {
      pen.strokeStyle = color('--line1'); pen.lineWidth = 2;
      pen.beginPath(); pen.arc(x + step / 2 - 0.5, y + step / 2 - 0.5, Math.min(step / 2 - 2, 2 + Math.log10(dst) * 1.6), 0, 7); pen.stroke();
    }
    if (alone) {
      pen.strokeStyle = color('--bad'); pen.lineWidth = 2;
      pen.strokeRect(x + 1, y + 1, step - 3, step - 3);
    }
  }

  function outline(pen, { yaw, pitch }, style) {
    const x = (v) => ((Math.max(-reach, Math.min(reach, v)) + reach) / (2 * reach)) * SIDE, y = (v) => SIDE - x(v);
    pen.strokeStyle = style; pen.lineWidth = 2;
    pen.strokeRect(x(yaw[0]) + 1, y(pitch[1]) + 1, x(yaw[1]) - x(yaw[0]) - 2, y(pitch[0]) - y(pitch[1]) - 2);
  }

  const range = ([row, column]) => ({ yaw: [column * found.cell - reach, (column + 1) * found.cell - reach], pitch: [reach - (row + 1) * found.cell, reach - row * found.cell] });

  function choose(wish) {
    const same = chosen && wish && JSON.stringify(chosen) === JSON.stringify(wish);
    chosen = same ? null : wish;
    draw();
    pick(chosen);
  }

  function tell() {
    if (!found || !at) { said.textContent = ''; return; }
    const { yaw, pitch } = range(at), alone = count('alone', ...at);
    said.textContent = `yaw ${yaw.join(' to ')}°, pitch ${pitch.join(' to ')}°: src ${count('src', ...at)}, dst ${count('dst', ...at)}${alone ? `, ${alone} without src near` : ''}`.replaceAll('-', '−');
  }

  function under(event) {
    const box = canvas.getBoundingClientRect();
    const line = (part) => Math.max(0, Math.min(lines() - 1, Math.floor(part * lines())));
    return [line((event.clientY - box.top) / box.height), line((event.clientX - box.left) / box.width)];
  }

  canvas.addEventListener('pointermove', (event) => { if (found) { at = under(event); tell(); } });
  canvas.addEventListener('click', (event) => { if (found) { at = under(event); tell(); choose(range(at)); } });
  canvas.addEventListener('focus', draw);
  canvas.addEventListener('blur', draw);
  canvas.addEventListener('keydown', (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!found || !(step || event.key === 'Enter' || event.key === ' ')) return;
    at ??= [lines() / 2, lines() / 2];
    if (step) { at = at.map((line, k) => Math.max(0, Math.min(lines() - 1, line + step[k]))); draw(); } else choose(range(at));
    tell();
    event.preventDefault();
    event.stopPropagation();
  });

  return { element, load, redraw: draw, stop() { clearTimeout(timer); }, clear() { chosen = null; draw(); } };
}
