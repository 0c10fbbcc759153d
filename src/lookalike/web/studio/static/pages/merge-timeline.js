// dst from its first frame to its last: where faces are, the shots, the marked range, the worst frames, the frame shown.
import { api, el, sheet, words } from '../lib.js';

export function makeTimeline(desk) {
  const slider = el('input', { type: 'range', min: 1, step: 1, 'aria-label': 'Frame', class: 'merge-slider', oninput: () => desk.go(Number(slider.value), 'slider') });
  const head = el('div', { class: 'merge-head' });
  const strip = el('div', { class: 'merge-strip', role: 'group', 'aria-label': 'Shots of dst' });
  const number = el('input', { type: 'number', min: 1, 'aria-label': 'Go to frame', id: 'merge-frame', onchange: () => { desk.go(Number(number.value)); number.value = desk.frame; } });
  const time = el('span', { class: 'soft' }), of = el('span', { class: 'soft merge-of' });
  const element = el('div', { class: 'merge-time panel' },
    el('div', { class: 'row tight' },
      el('button', { 'aria-label': 'Frame before', title: 'Frame before (←)', onclick: () => desk.go(desk.frame - 1) }, '‹'),
      el('button', { 'aria-label': 'Next frame', title: 'Next frame (→)', onclick: () => desk.go(desk.frame + 1) }, '›'),
      el('label', { class: 'row tight', for: 'merge-frame' }, 'Frame', number), of, time, el('span', { class: 'grow' }),
      el('span', { class: 'row tight', id: 'merge-marks' })),
    slider, strip);
  const marksRow = element.querySelector('#merge-marks');
  let stretches = null;

  const at = (frame) => `${desk.frames > 1 ? (100 * Math.min(Math.max(frame - 1, 0), desk.frames - 1)) / (desk.frames - 1) : 0}%`;
  const lie = (part, first, last) => { Object.assign(part.style, { left: at(first - 0.5), width: `calc(${at(last + 0.5)} - ${at(first - 0.5)})` }); return part; };

  function draw() {
    const here = desk.shotAt(desk.frame);
    const shots = desk.shots.map((shot, place) => {
      const own = Object.keys(shot.options).length;
      const label = `${shot.name || `Shot ${place + 1}`}: frames ${shot.first} to ${shot.last}${own ? `, ${words.many(own, 'option')} of its own` : ''}`;
      return lie(el('button', { class: `merge-shot${own ? ' own' : ''}`, 'aria-label': label, title: label, 'data-first': shot.first,
        'aria-current': shot === here ? 'true' : undefined, onclick: (event) => { if (event.detail === 0) desk.go(shot.first); } }, shot.name || String(place + 1)), shot.first, shot.last);
    });
    const faces = (stretches ?? []).map(([first, last]) => lie(el('i', { class: 'merge-faces' }), first, last));
    const worst = (desk.facts.worst?.frames ?? []).filter((one) => one.bad).map((one) => { const tick = el('i', { class: 'merge-worst-tick' }); tick.style.left = at(one.frame); return tick; });
    const range = desk.marks ? [lie(el('i', { class: 'merge-range' }), desk.marks.first, desk.marks.last)] : [];
    const focused = document.activeElement?.dataset?.first;
    strip.replaceChildren(...faces, ...shots, ...range, ...worst, head);
    if (focused && !document.activeElement?.dataset?.first) strip.querySelector(`[data-first="${focused}"]`)?.focus();
    marks();
  }

  function marks() {
    const set = (end) => el('button', { onclick: () => desk.mark(end), title: end === 'first' ? 'The range begins here (I)' : 'The range ends here (O)' }, end === 'first' ? '[ In' : 'Out ]');
    marksRow.replaceChildren(set('first'), el('span', { class: 'soft', id: 'merge-marked' }, desk.marks ? `${desk.marks.first}–${desk.marks.last}` : 'no range'), set('last'),
      desk.marks ? el('button', { 'aria-label': 'Forget the range', title: 'Forget the range', onclick: () => desk.unmark() }, '✕') : '');
  }

  function moved() {
    slider.value = desk.frame;
    number.value = desk.frame;
    const seconds = desk.seconds(desk.frame);
    time.textContent = `${words.time(Math.floor(seconds))}.${String(Math.floor((seconds % 1) * 1000)).padStart(3, '0')}`;
    slider.setAttribute('aria-valuetext', `frame ${desk.frame} of ${desk.frames}, ${seconds.toFixed(2)} seconds`);
    head.style.left = at(desk.frame);
    const here = desk.shotAt(desk.frame);
    for (const shot of strip.querySelectorAll('.merge-shot')) {
      if (Number(shot.dataset.first) === here?.first) shot.setAttribute('aria-current', 'true'); else shot.removeAttribute('aria-current');
    }
  }

  function sized() {
    slider.max = number.max = desk.frames;
    of.textContent = `of ${desk.frames.toLocaleString('en')}`;
    draw();
    moved();
  }

  strip.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const to = (x) => { const edge = strip.getBoundingClientRect(); desk.go(1 + Math.round(((x - edge.left) / edge.width) * (desk.frames - 1))); };
    to(event.clientX);
    strip.setPointerCapture(event.pointerId);
    strip.onpointermove = (move) => to(move.clientX);
    strip.onpointerup = strip.onpointercancel = () => { strip.onpointermove = null; };
  });

  async function readFaces() {
    try { stretches = (await api.get(api.of(desk.ws, 'merge', 'faces'))).stretches; draw(); } catch { /* told by the picture */ }
  }

  function ask() {
    const field = el('input', { type: 'number', min: 1, max: desk.frames, value: desk.frame, 'aria-label': 'Frame' });
    const dialog = sheet('Go to frame', el('form', { class: 'row', onsubmit: (event) => { event.preventDefault(); dialog.close(); desk.go(Number(field.value)); } },
      field, el('span', { class: 'soft' }, `1 to ${desk.frames}`), el('button', { class: 'main' }, 'Go')));
    field.select();
  }

  desk.on('frame', moved);
  desk.on('settings marks', (by) => { if (by !== 'form') draw(); });
  desk.on('facts', sized);
  sized();
  return { element, ask, readFaces };
}
