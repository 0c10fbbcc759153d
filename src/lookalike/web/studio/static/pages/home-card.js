// One workspace on the first page.
import { api, el, words } from '../lib.js';
import { isOver, share, title } from '../jobs.js';

const STEPS = [
  ['videos', 'Videos', (one) => one.sides.src.video && one.sides.dst.video],
  ['videos', 'Extract faces', (one) => one.sides.src.faces && one.sides.dst.faces],
  ['training', 'Train', (one) => one.model?.iteration],
  ['merge', 'Merge', (one) => one.result],
  ['report', 'Report', (one) => one.report && !one.report.old],
];

export function makeCard(name) {
  const to = (page) => `#/w/${encodeURIComponent(name)}/${page}`;
  const picture = el('img', { alt: '', loading: 'lazy', draggable: false });
  const blank = el('span', { class: 'card-blank', 'aria-hidden': 'true' }, 'no picture yet');
  const open = el('a', { class: 'card-open', href: to('videos') }, el('span', { class: 'card-picture' }, picture, blank), el('span', { class: 'card-name cut' }, name));
  const when = el('span', { class: 'soft small' }), facts = el('ul', { class: 'card-facts' });
  const next = el('a', { class: 'button' }), job = el('div', { class: 'card-job stack' });
  const element = el('article', { class: 'panel card', role: 'listitem', 'data-workspace': name, 'aria-label': name }, open, when, facts, el('div', { class: 'card-foot' }, job, next));
  let shown = null;
  picture.onerror = () => { picture.hidden = true; blank.hidden = false; };

  function draw(one) {
    when.textContent = `changed ${ago(one.changed)}`;
    if (one.error) {
      facts.replaceChildren(el('li', { class: 'bad' }, one.error));
      next.hidden = true;
      return;
    }
    picture.hidden = !one.picture;
    blank.hidden = Boolean(one.picture);
    if (one.picture && one.picture !== shown) picture.src = `${api.of(name, 'picture')}?${encodeURIComponent(one.picture)}`;
    shown = one.picture;
    facts.replaceChildren(...['src', 'dst'].map((side) => video(side, one.sides[side])), trained(one.model), made(one.result), measured(one.report), agreed(one.consent));
    const step = STEPS.find(([, , done]) => !done(one)) ?? ['report', 'Report'];
    next.hidden = false;
    next.href = to(step[0]);
    next.textContent = STEPS.includes(step) ? `Next: ${step[1]}` : 'See the report';
  }

  function jobs(mine) {
    const one = mine.find((other) => other.state === 'running' || other.state === 'stopping') ?? mine.find((other) => !isOver(other));
    element.classList.toggle('at-work', Boolean(one));
    job.replaceChildren(...(one ? [el('p', { class: 'small' }, el('strong', {}, title(one)), ` ${one.state}`, one.total ? ` · ${Math.floor(share(one) * 100)} %` : ''),
      one.state === 'waiting' ? null : el('progress', one.total ? { value: one.done, max: one.total, 'aria-label': title(one) } : { 'aria-label': title(one) })].filter(Boolean) : []));
  }
  return { element, draw, jobs };
}

const fact = (done, ...text) => el('li', { class: done ? 'done' : 'soft' }, el('span', { 'aria-hidden': 'true' }, done ? '✓' : '○'), el('span', { class: 'cut' }, ...text));
const video = (side, one) => (one.video ? fact(one.faces > 0 && one.there, `${side}: `, one.faces ? words.many(one.faces, 'face') : 'no faces yet', one.there ? '' : ', its video is gone', el('span', { class: 'soft' }, ` · ${one.video}`))
  : fact(false, `${side}: no video yet`));
const trained = (one) => (one?.iteration ? fact(true, `trained for ${words.many(one.iteration, 'iteration')}`, el('span', { class: 'soft' }, ` · ${one.name}`)) : fact(false, 'not trained'));
const made = (one) => (one ? fact(true, 'result', el('span', { class: 'soft' }, ` · ${one.name}`)) : fact(false, 'no result'));
const measured = (one) => (one ? fact(!one.old, `${one.good} of ${one.checked} checks good`, one.old ? el('span', { class: 'soft' }, ' · outdated') : '') : fact(false, 'no report'));

function agreed(one) {
  if (one.error) return el('li', { class: 'bad' }, one.error);
  const sides = Object.entries(one.sides), open = sides.filter(([, side]) => side.state !== 'valid');
  if (!open.length) return fact(true, 'consent of src and dst');
  const text = sides.every(([, side]) => side.state === 'none') ? 'no consent on record' : `consent: ${sides.map(([name, side]) => `${name} ${side.state}`).join(', ')}`;
  return el('li', { class: 'soft' }, el('span', { 'aria-hidden': 'true' }, '○'), el('details', { class: one.required ? 'card-consent bad' : 'card-consent' }, el('summary', {}, text, one.required ? '; merging needs it' : ''),
    ...open.map(([name, side]) => el('p', { class: 'small' }, `${name}: ${side.lacks}`, el('code', {}, side.command)))));
}

export function ago(seconds) {
  const since = Math.max(0, Date.now() / 1000 - seconds);
  if (since < 90) return 'just now';
  if (since < 5400) return `${Math.round(since / 60)} minutes ago`;
  if (since < 86400) return `${Math.round(since / 3600)} hours ago`;
  return new Date(seconds * 1000).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}
