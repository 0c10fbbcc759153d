// What each side's video is, how good it is, and what comes next.
import { api, el, onKeys, toast, tried, words } from '../lib.js';
import { active, onJobs, isOver, share, start } from '../jobs.js';
import { forms } from '../form.js';
import { checkHead, coverage, findings } from './videos-check.js';
import { makeSide } from './videos-side.js';
import { uploadBars } from './uploads.js';

const SIDES = ['src', 'dst'];

export default {
  title: 'Videos',
  keys: [['C', 'Check the videos'], ['1 or 2', 'Play src, dst']],
  async show(root, view) {
    style();
    const [data, controls, home] = await Promise.all([api.get(api.of(view.ws, 'videos')), forms(), api.get('/api/workspaces')]);
    return makePage(root, view, data, controls, home.presets).stop;
  },
};

function style() {
  for (const name of ['home', 'videos']) {
    const href = `/static/pages/${name}.css`;
    if (!document.head.querySelector(`link[href="${href}"]`)) document.head.append(el('link', { rel: 'stylesheet', href }));
  }
}

function makePage(root, view, first, controls, presets) {
  const { ws } = view;
  const bars = uploadBars(ws);
  const check = () => start(ws, 'check');
  const head = checkHead(check);
  const again = async () => { const found = await tried(() => api.get(api.of(ws, 'videos'))); if (found && root.isConnected) draw(found); };
  const sides = Object.fromEntries(SIDES.map((side) => [side, makeSide(ws, side, controls, { most: first.most_bytes, changed: again })]));
  const pair = el('section', { class: 'panel stack', 'aria-label': 'How the two fit' });
  const swap = wholeSwap(ws, presets);
  root.append(bars.element, el('section', { class: 'panel' }, head.element), el('div', { class: 'videos-sides' }, SIDES.map((side) => sides[side].element)), pair, swap.element);

  function draw(data) {
    const checked = data.check;
    for (const side of SIDES) sides[side].draw(data.sides[side], checked?.[side] ?? null, Boolean(checked?.old.includes(side)), checked?.made);
    const both = SIDES.every((side) => data.sides[side].video);
    head.draw(data);
    pair.hidden = !checked?.pair.length || !both;
    if (!pair.hidden) {
      pair.classList.toggle('videos-old', checked.old.length > 0);
      pair.replaceChildren(el('h2', {}, 'How the two fit'), el('div', { class: 'videos-pair' }, el('div', {}, findings(checked.pair),
        el('p', { class: 'soft small' }, 'Beard, hat, hair and glasses are not compared: look whether they fit.')), coverage(checked)));
    }
    swap.element.hidden = !both;
  }

  let over = '';
  const stopJobs = onJobs((jobs) => {
    const mine = jobs.filter((job) => job.workspace === ws);
    head.job(active(ws, 'check'), share);
    for (const side of SIDES) sides[side].jobs(mine.filter((job) => job.side === side && !isOver(job)));
    const ended = mine.filter(isOver).map((job) => job.number).join();
    if (over && ended !== over) again();
    over = ended || ' ';
  });
  draw(first);
  const stopKeys = onKeys({ c: () => { if (!head.disabled()) check(); }, 1: () => sides.src.play(), 2: () => sides.dst.play() });
  return { stop() { stopJobs(); stopKeys(); bars.stop(); for (const side of SIDES) sides[side].stop(); } };
}

/** Everything in a row: extract, train, merge, report. */
function wholeSwap(ws, presets) {
  const preset = el('select', { id: 'swap-preset' }, Object.keys(presets).map((one) => el('option', { value: one }, one)));
  const minutes = el('input', { type: 'number', id: 'swap-minutes', min: 1, step: 'any', placeholder: 'preset' });
  const go = async () => {
    const number = await start(ws, 'swap', { preset: preset.value, ...(minutes.value ? { minutes: Number(minutes.value) } : {}) });
    if (number) toast('The swap is in the queue; it goes on when this page is closed.');
  };
  const element = el('section', { class: 'panel stack', 'aria-labelledby': 'swap-title' }, el('h2', { id: 'swap-title' }, 'The whole swap at once'),
    el('p', { class: 'soft' }, 'Extracts faces, trains, merges and measures the result. What is done already is kept; stopped, it goes on where it was.'),
    el('div', { class: 'row' }, el('label', { class: 'row tight', for: 'swap-preset' }, 'Preset', preset), el('label', { class: 'row tight', for: 'swap-minutes' }, 'Minutes of training', minutes), el('button', { class: 'main', onclick: go }, 'Start a swap')));
  return { element };
}
