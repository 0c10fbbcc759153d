// One side's video: the film, its facts, its faces, what was found of it, and the next steps.
import { api, el, toast, tried, words } from '../lib.js';
import { makeForm } from '../form.js';
import { start, title } from '../jobs.js';
import { findings, sheetOf } from './videos-check.js';
import { give, makePicker } from './chooser.js';
import { send } from './uploads.js';

const WHAT = { src: 'src: the person who is put in', dst: 'dst: the video that receives the face' };
const IMPORTANT = ['person', 'size', 'face_type', 'png', 'only_missing'];

export function makeSide(ws, side, controls, { most, changed }) {
  const name = el('span', { class: 'soft cut' }), film = el('div', { class: 'videos-film' }), facts = el('dl', { class: 'videos-facts' });
  const faces = el('div', { class: 'row tight videos-faces' }), work = el('p', { class: 'small', role: 'status' }), found = el('div', { class: 'stack' });
  const extract = steps(ws, side, controls, 'extract', 'Extract faces', 'Find this person\'s face in every frame and cut it out.', IMPORTANT);
  const denoise = steps(ws, side, controls, 'denoise', 'Denoise', 'Take the noise out; the side is read from the cleaned copy from then on, the original stays.', ['factor']);
  const next = el('div', { class: 'stack' }, extract, denoise);
  const missing = el('div', { class: 'stack' });
  const element = el('section', { class: 'panel stack videos-side', 'data-side': side, 'aria-labelledby': `side-${side}` },
    el('div', { class: 'row' }, el('h2', { id: `side-${side}` }, WHAT[side]), name), missing, film, facts, faces, work, next, found);
  const picker = makePicker(side, `Choose the ${side} video`, { most, onchange: takeAtOnce });
  let shown = null, player = null, first = true;

  async function takeAtOnce(one) {
    if (!one.chosen) return;
    const chosen = one.chosen;
    one.set(null);
    if (await give(ws, side, chosen, send)) toast(`${chosen.name} is the ${side} video now`);
    changed();
  }

  function draw(data, checked, old, made) {
    const there = data.video && !data.gone;
    name.textContent = data.video ?? '';
    missing.replaceChildren(...(data.gone ? [el('p', { class: 'bad' }, data.gone)] : data.video ? [] : [picker.element]));
    missing.hidden = !missing.children.length;
    for (const part of [film, facts, faces, next]) part.hidden = !there;
    if (there && data.stamp !== shown) { shown = data.stamp; showFilm(data); showFacts(); }
    faces.replaceChildren(el('strong', {}, data.faces ? words.many(data.faces, 'face') : data.extracted ? 'No faces left' : 'No faces extracted yet'),
      ...(data.faces ? [link('faces', 'Look at them'), link('align', 'Alignment')] : []), data.denoised ? el('span', { class: 'pill' }, 'denoised copy') : '');
    if (there && !data.faces && !data.extracted && first) extract.open = true;
    first = false;
    found.classList.toggle('videos-old', old);
    found.replaceChildren(...(checked && there ? [el('h3', {}, `What the check found in ${words.many(checked.frames, 'frame')}`), findings(checked.findings), sheetOf(ws, side, checked, made)] : []));
  }

  const link = (page, text) => el('a', { class: 'button', href: `#/w/${[ws, page, side].map(encodeURIComponent).join('/')}` }, text);

  function showFilm(data) {
    const still = el('img', { class: 'videos-still', src: `${api.of(ws, 'videos', side, 'still')}?${encodeURIComponent(data.stamp)}`, alt: `A picture of ${data.video}` });
    player = null;
    if (data.images) { film.replaceChildren(still, el('p', { class: 'soft small' }, 'A folder of images.')); return; }
    player = el('video', { controls: true, preload: 'metadata', playsInline: true, poster: still.src, src: `${api.of(ws, 'videos', side, 'file')}?${encodeURIComponent(data.stamp)}`, 'aria-label': `The ${side} video` });
    player.onerror = () => { player = null; film.replaceChildren(still, el('p', { class: 'soft small' }, 'This browser cannot play this file; Lookalike can read it.')); };
    film.replaceChildren(player);
  }

  async function showFacts() {
    facts.replaceChildren(el('div', {}, el('dt', {}, 'Reading …'), el('dd', {})));
    const stamp = shown, told = await tried(() => api.get(api.of(ws, 'videos', side, 'facts')));
    if (stamp === shown) facts.replaceChildren(...(told?.facts ?? []).map(([key, value]) => el('div', {}, el('dt', {}, key), el('dd', {}, value))));
  }

  const jobs = (mine) => { work.textContent = mine.map((job) => `${title(job)} is ${job.state}${job.total ? `, ${Math.floor((job.done / job.total) * 100)} %` : ''}`).join('; '); work.hidden = !mine.length; };
  const play = () => { if (player) { if (player.paused) player.play().catch(() => {}); else player.pause(); } };
  return { element, draw, jobs, play, stop: () => player?.pause() };
}

/** A step as a fold: its button, its important options, the rest under more. */
function steps(ws, side, controls, kind, label, what, important) {
  const rows = controls[kind], rest = rows.map((row) => row.name).filter((one) => !important.includes(one));
  const main = makeForm(rows, { only: important }), more = rest.length ? makeForm(rows, { only: rest }) : null;
  const go = async () => {
    const number = await start(ws, kind, { ...main.values(), ...more?.values() }, side);
    if (number) toast(`${label} of ${side} is in the queue`);
  };
  return el('details', { class: 'more videos-step', 'data-kind': kind }, el('summary', {}, label),
    el('div', { class: 'stack' }, el('p', { class: 'soft small' }, what), main.element,
      more ? el('details', { class: 'more' }, el('summary', {}, 'More options'), more.element) : null,
      el('div', { class: 'row' }, el('button', { class: 'main', onclick: go }, `${label} of ${side}`))));
}
