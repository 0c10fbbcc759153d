import { api, debounce, el, onKeys } from '../lib.js';
import { isOver, onJobs, row } from '../jobs.js';
import { forms } from '../form.js';
import { Desk } from './merge-desk.js';
import { makeLook } from './merge-look.js';
import { makePlayer } from './merge-player.js';
import { makeRender } from './merge-render.js';
import { makeShots } from './merge-shots.js';
import { Stage, VIEWS } from './merge-stage.js';
import { makeTimeline } from './merge-timeline.js';
import { makeWorst } from './merge-worst.js';

const FILMS = [['piece', 'Piece', 'The piece that was rendered last'], ['film', 'Rendered', 'The whole that was rendered last']];
/** Views that are videos, and which. */
const FILM_OF = { piece: 'piece', film: 'result' };
const PANELS = [['look', 'Options'], ['shots', 'Shots'], ['render', 'Render']];
const VIEW = 'merge-view', PANEL = 'merge-panel';

export default {
  title: 'Merge',
  fit: true,
  keys: [['← or →', 'Frame before, next frame'], ['Shift+← or Shift+→', 'Ten frames'], ['Home or End', 'First, last frame'], ['G', 'Go to a frame'],
    ['PageUp or PageDown', 'Shot before, next shot'], ['N or Shift+N', 'Next worst frame, the one before'],
    ['1 … 5', 'Result, side by side, wipe, dst, mask'], ['6 or 7', 'Play the piece, the result'], ['Space', 'Play, pause'],
    ['Z', 'Zoom to the face and follow it; again: whole frame'], ['+ or −', 'Zoom'], ['Ctrl+arrows', 'Move the zoomed picture'],
    ['I or O', 'The range begins, ends here'], ['S', 'A shot begins here'], ['P', 'Render a piece'], ['Ctrl+Z or Ctrl+Shift+Z', 'Undo, redo'], ['Esc', 'Out of a field, back to these keys']],
  async show(root, view) {
    style();
    const [facts, settings, all] = await Promise.all([api.get(api.of(view.ws, 'merge')), api.get(api.of(view.ws, 'merge', 'settings')), forms()]);
    if (facts.problem) {
      root.append(el('div', { class: 'panel empty' }, el('p', {}, facts.problem), el('button', { class: 'main', onclick: () => view.go('videos') }, 'Videos')));
      return () => {};
    }
    const controls = facts.look.map((name) => all.merge.find((control) => control.name === name)).filter(Boolean);
    const desk = new Desk(view.ws, facts, settings, controls);
    desk.frame = Math.min(desk.frames, Math.max(1, Number(view.args[0]) || 1));
    return build(root, desk, all.merge.filter((control) => !facts.look.includes(control.name)));
  },
};

function style() {
  const href = '/static/pages/merge.css';
  if (!document.querySelector(`link[href="${href}"]`)) document.head.append(el('link', { rel: 'stylesheet', href }));
}

/** All parts of the page, and what they have to do with each other. */
function build(root, desk, others) {
  const page = { desk, here: true, status: el('span', { class: 'small soft', id: 'merge-status', role: 'status' }) };
  page.stage = new Stage(desk, (looked) => { page.face?.setAttribute('aria-pressed', page.stage.following); if (looked && page.player && !page.player.which) said(page, looked); });
  page.player = makePlayer(desk);
  page.timeline = makeTimeline(desk);
  page.worst = makeWorst(desk);
  page.jobs = watcher(desk);
  page.render = makeRender(desk, others, page.jobs.watch, (which) => shown(page, which === 'result' ? 'film' : which, true), () => page.stage.again());
  page.shots = makeShots(desk, page.jobs.watch);
  page.views = new Map([...VIEWS, ...FILMS].map(([name, label, title], place) => [name, el('button', { 'aria-pressed': 'false', title: `${title} (${place + 1})`, 'data-view': name,
    onclick: () => shown(page, name, true) }, name in FILM_OF ? `▶ ${label}` : label)]));
  page.face = el('button', { 'aria-pressed': 'false', title: 'Zoom to the face and follow it (Z)', onclick: () => page.stage.face() }, 'Face');
  page.whole = el('button', { title: 'The whole frame', onclick: () => page.stage.fit() }, 'Fit');
  root.classList.add('merge');
  root.append(el('div', { class: 'merge-left' },
    el('div', { class: 'row tight merge-bar' }, el('div', { class: 'row tight', role: 'group', 'aria-label': 'View' }, ...page.views.values()), el('span', { class: 'grow' }), page.face, page.whole),
    el('div', { class: 'merge-pictures' }, page.stage.element, page.player.element), page.status, page.timeline.element, page.worst.element),
  tabs({ look: makeLook(desk), shots: page.shots, render: page.render }));
  connect(page);
  const stopKeys = onKeys(keysOf(page));
  const kept = localStorage.getItem(VIEW);
  shown(page, VIEWS.some(([name]) => name === kept) ? kept : 'result');
  page.timeline.readFaces();
  return () => {
    page.here = false;
    stopKeys();
    for (const part of [page.jobs, page.player, page.stage]) part.stop();
    desk.flush({ keepalive: true });
  };
}

/** Who is told of what. */
function connect(page) {
  const { desk, stage, player, jobs } = page;
  const remember = debounce(() => { if (page.here) history.replaceState(null, '', `#/w/${encodeURIComponent(desk.ws)}/merge/${desk.frame}`); }, 300);
  desk.on('frame', (by) => { if (by !== 'player') player.seek(desk.frame); stage.load(); remember(); });
  desk.on('settings', () => stage.load());
  desk.on('facts', () => {
    const film = Object.keys(FILM_OF).find((name) => FILM_OF[name] === player.which);
    if (film) shown(page, film); else enabled(page);
    stage.again();
  });
  jobs.ended = async (job) => {
    await desk.refresh();
    if (job.kind === 'piece' && job.state === 'done' && page.here) shown(page, 'piece', true);
  };
}

/** Show a view of the frame, or a video. */
function shown(page, name, play = false) {
  const { desk, stage, player, views } = page;
  const film = desk.facts[FILM_OF[name]] ? FILM_OF[name] : null;
  const now = film || !(name in FILM_OF) ? name : stage.view;
  for (const [one, button] of views) button.setAttribute('aria-pressed', one === now);
  for (const button of [page.face, page.whole]) button.disabled = Boolean(film);
  player.show(film);
  stage.setVisible(!film);
  if (film) {
    page.status.textContent = 'Rendered, with everything. The scrubber goes with the video; choose a view to look at that frame.';
    if (play) player.play();
  } else {
    stage.setView(now);
    localStorage.setItem(VIEW, now);
  }
  enabled(page);
}

function enabled({ desk, views }) {
  for (const [name, made] of Object.entries(FILM_OF)) views.get(name).disabled = !desk.facts[made];
}

function said(page, { view, milliseconds, faces, failed }) {
  const nobody = view !== 'dst' && faces === 0 ? 'No face in this frame. ' : '';
  const what = view === 'dst' || page.desk.facts.missing ? 'dst as it is.' : 'One frame by itself, without the smoothing of colours and masks over time that a render adds.';
  page.status.textContent = failed ? '' : `${nobody}${what} ${milliseconds === null ? '' : `${Math.round(milliseconds)} ms`}`;
}

function keysOf(page) {
  const { desk, stage, player, timeline, worst, shots, render, views } = page;
  const step = (by) => () => desk.go(desk.frame + by);
  const cut = (way) => () => {
    const firsts = desk.shots.map((shot) => shot.first);
    const next = way > 0 ? firsts.find((one) => one > desk.frame) : firsts.findLast((one) => one < desk.frame);
    if (next) desk.go(next);
  };
  const zoom = (factor) => () => stage.zoomBy(factor), pan = (dx, dy) => () => stage.panBy(dx, dy);
  return {
    ArrowLeft: step(-1), ArrowRight: step(1), 'Shift+ArrowLeft': step(-10), 'Shift+ArrowRight': step(10), Home: () => desk.go(1), End: () => desk.go(desk.frames),
    PageUp: cut(-1), PageDown: cut(1), g: timeline.ask, n: () => worst.step(1), 'Shift+n': () => worst.step(-1), z: () => stage.face(),
    '+': zoom(1.25), 'Shift++': zoom(1.25), '=': zoom(1.25), '-': zoom(0.8),
    'Ctrl+ArrowLeft': pan(40, 0), 'Ctrl+ArrowRight': pan(-40, 0), 'Ctrl+ArrowUp': pan(0, 40), 'Ctrl+ArrowDown': pan(0, -40),
    i: () => desk.mark('first'), o: () => desk.mark('last'), s: shots.split, p: render.piece, ' ': () => { if (player.which) player.toggle(); },
    Escape: () => document.getElementById('page').focus({ preventScroll: true }),
    'Ctrl+z': () => desk.act('undo'), 'Ctrl+Shift+z': () => desk.act('redo'), 'Ctrl+y': () => desk.act('redo'),
    ...Object.fromEntries([...views.keys()].map((name, place) => [String(place + 1), () => { if (!views.get(name).disabled) shown(page, name, true); }])),
  };
}

/** The panel at the right: one of several, by tabs. */
function tabs(parts) {
  const bodies = Object.fromEntries(PANELS.map(([name]) => [name, el('div', { role: 'tabpanel', id: `merge-panel-${name}`, 'aria-labelledby': `merge-tab-${name}`, class: 'merge-body' }, parts[name].element)]));
  const buttons = Object.fromEntries(PANELS.map(([name, label]) => [name, el('button', { role: 'tab', id: `merge-tab-${name}`, 'aria-controls': `merge-panel-${name}`, onclick: () => choose(name) }, label)]));
  function choose(name) {
    for (const [one, button] of Object.entries(buttons)) {
      button.setAttribute('aria-selected', one === name);
      button.setAttribute('aria-pressed', one === name);
      button.tabIndex = one === name ? 0 : -1;
      bodies[one].hidden = one !== name;
    }
    localStorage.setItem(PANEL, name);
  }
  const list = el('div', { role: 'tablist', class: 'row tight', 'aria-label': 'Merge', onkeydown: (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key], names = PANELS.map(([name]) => name);
    if (!way || event.ctrlKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = names[(names.findIndex((name) => !bodies[name].hidden) + way + names.length) % names.length];
    choose(next);
    buttons[next].focus();
  } }, ...Object.values(buttons));
  const kept = localStorage.getItem(PANEL);
  choose(PANELS.some(([name]) => name === kept) ? kept : 'look');
  return el('aside', { class: 'panel merge-side', 'aria-label': 'Options and rendering' }, list, ...Object.values(bodies));
}

/** Shows the jobs of the workspace where they were started, and says when one is over. */
function watcher(desk) {
  const boxes = [], opened = new Set();
  let before = null;
  const made = { ended: () => {}, watch(box, kind) { boxes.push([box, kind]); }, stop: () => {} };
  made.stop = onJobs((all) => {
    const mine = all.filter((job) => job.workspace === desk.ws);
    queueMicrotask(() => { for (const [box, kind] of boxes) draw(box, mine.find((job) => job.kind === kind)); });
    if (before) for (const job of mine) if (isOver(job) && before.get(job.number) === false && ['shots', 'piece', 'merge', 'report', 'train', 'extract'].includes(job.kind)) made.ended(job);
    before = new Map(mine.map((job) => [job.number, isOver(job)]));
  });
  function draw(box, job) {
    const focused = box.contains(document.activeElement) ? document.activeElement.id : null;
    box.hidden = !job || job.state === 'done';
    box.replaceChildren(...(box.hidden ? [] : [row(job, opened)]));
    if (focused) document.getElementById(focused)?.focus();
  }
  return made;
}
