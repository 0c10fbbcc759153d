// What the check found, in words, and where the heads look.
import { api, el, words } from '../lib.js';

const PILLS = { good: 'good', fair: 'warn', poor: 'bad' };
const SVG = 'http://www.w3.org/2000/svg';

/** The findings as a list: how good, what, found, what to do. */
export function findings(rows) {
  return el('ul', { class: 'findings' }, rows.map((row) => el('li', { 'data-verdict': row.verdict }, el('span', { class: `pill ${PILLS[row.verdict]}` }, row.verdict),
    el('div', {}, el('p', {}, el('strong', {}, row.what), ` ${row.found}`), el('p', { class: row.verdict === 'good' ? 'soft small' : 'small' }, row.advice)))));
}

/** The line at the top: what was found in all, and the button. */
export function checkHead(check) {
  const button = el('button', { class: 'main', 'aria-keyshortcuts': 'C', onclick: check }, 'Check the videos');
  const says = el('p', {}), bar = el('progress', { hidden: true, 'aria-label': 'Check' }), note = el('p', { class: 'soft small' });
  let running = null, data = null;
  const element = el('div', { class: 'row', id: 'check' }, el('div', { class: 'grow stack' }, says, note, bar), button);
  function show() {
    const any = data && ['src', 'dst'].some((side) => data.sides[side].video && !data.sides[side].gone);
    button.disabled = Boolean(running) || !any;
    button.textContent = data?.check ? 'Check again' : 'Check the videos';
    bar.hidden = !running || running.state === 'waiting';
    if (running) { says.textContent = running.state === 'waiting' ? 'The check waits for another job.' : 'Looking at frames of the videos …'; note.textContent = [running.step, running.note].filter(Boolean).join(' · '); return; }
    const check_ = data?.check;
    if (!any) { says.textContent = 'Give the workspace its two videos.'; note.textContent = 'src shows the person who is put in, dst receives the face.'; return; }
    if (!check_) { says.textContent = 'Are these videos good enough? A check looks at 40 frames of each.'; note.textContent = 'Size, sharpness, light, angles, expressions, people, what is in front; and whether src shows what dst needs.'; return; }
    const rows = [...(check_.src?.findings ?? []), ...(check_.dst?.findings ?? []), ...check_.pair];
    says.replaceChildren(...['good', 'fair', 'poor'].map((verdict) => [verdict, rows.filter((row) => row.verdict === verdict).length]).filter(([, n]) => n)
      .flatMap(([verdict, n]) => [el('span', { class: `pill ${PILLS[verdict]}` }, `${n} ${verdict}`), ' ']));
    note.textContent = check_.old.length ? `${check_.old.join(' and ')} changed since the check; check again` : `checked ${new Date(check_.made * 1000).toLocaleString('en-GB')}`;
    note.classList.toggle('warn', check_.old.length > 0);
  }
  return {
    element,
    disabled: () => button.disabled,
    draw(now) { data = now; show(); },
    job(one, share) { running = one ?? null; if (one?.total) { bar.max = 1; bar.value = share(one); } else bar.removeAttribute('value'); show(); },
  };
}

/** The faces that were looked at, in the order of their frames. */
export function sheetOf(ws, side, checked, made) {
  if (!checked.sheet) return '';
  const frames = checked.faces.map((face) => face.frame + 1);
  return el('details', { class: 'more' }, el('summary', {}, `The ${words.many(frames.length, 'face')} that it looked at`),
    el('img', { class: 'videos-sheet', loading: 'lazy', src: `${api.of(ws, 'videos', side, 'sheet')}?${made}`, alt: `Faces of ${side} in frames ${frames.join(', ')}` }));
}

/** Where the heads of both look: a point a face. */
export function coverage(check) {
  const all = ['src', 'dst'].flatMap((side) => (check[side]?.faces ?? []).map((face) => ({ ...face, side })));
  const wide = Math.min(90, Math.max(30, ...all.map((face) => Math.abs(face.yaw) + 5))), high = Math.min(90, Math.max(20, ...all.map((face) => Math.abs(face.pitch) + 5)));
  const width = 420, height = 260, left = 42, bottom = 34, x = (yaw) => left + ((yaw + wide) / (2 * wide)) * (width - left - 8), y = (pitch) => 8 + ((high - pitch) / (2 * high)) * (height - bottom - 8);
  const part = (tag, props, text) => { const made = document.createElementNS(SVG, tag); for (const [key, value] of Object.entries(props)) made.setAttribute(key, value); if (text) made.textContent = text; return made; };
  const svg = part('svg', { viewBox: `0 0 ${width} ${height}`, class: 'coverage', role: 'img', 'aria-label': 'Where the heads of src and dst look' });
  const steps = (most) => [-90, -60, -30, -15, 0, 15, 30, 60, 90].filter((one) => Math.abs(one) <= most);
  for (const yaw of steps(wide)) svg.append(part('line', { x1: x(yaw), x2: x(yaw), y1: 8, y2: height - bottom, class: yaw ? 'rule' : 'axis' }), part('text', { x: x(yaw), y: height - bottom + 14, 'text-anchor': 'middle' }, `${yaw}°`));
  for (const pitch of steps(high)) svg.append(part('line', { x1: left, x2: width - 8, y1: y(pitch), y2: y(pitch), class: pitch ? 'rule' : 'axis' }), part('text', { x: left - 5, y: y(pitch) + 4, 'text-anchor': 'end' }, `${pitch}°`));
  svg.append(part('text', { x: (left + width) / 2, y: height - 3, 'text-anchor': 'middle' }, 'left – yaw – right (of the picture)'), part('text', { x: 0, y: 0, 'text-anchor': 'middle', transform: `translate(9 ${(height - bottom) / 2}) rotate(-90)` }, 'down – pitch – up'));
  for (const face of all) {
    const point = part(face.side === 'src' ? 'circle' : 'rect', face.side === 'src' ? { cx: x(face.yaw), cy: y(face.pitch), r: 4.5, class: 'src' } : { x: x(face.yaw) - 3, y: y(face.pitch) - 3, width: 6, height: 6, class: 'dst' });
    point.append(part('title', {}, `${face.side}, frame ${face.frame + 1}: yaw ${face.yaw}°, pitch ${face.pitch}°`));
    svg.append(point);
  }
  return el('figure', {}, svg, el('figcaption', { class: 'soft small' }, el('span', { class: 'key-src' }, '●'), ' src   ', el('span', { class: 'key-dst' }, '■'), ' dst: src should have points wherever dst has some.'));
}
