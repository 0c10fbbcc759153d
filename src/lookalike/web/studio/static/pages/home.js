// The first page: the workspaces as cards, and new ones.
import { api, el, onKeys, words } from '../lib.js';
import { onJobs, isOver } from '../jobs.js';
import { makeCard } from './home-card.js';
import { makeNew } from './home-new.js';
import { uploadBars } from './uploads.js';

export default {
  title: 'Home',
  keys: [['N', 'New swap'], ['Arrows', 'Go to a workspace'], ['Enter', 'Open it'], ['Escape', 'Close the new swap']],
  async show(root) {
    style();
    const first = await api.get('/api/workspaces');
    const page = makePage(root, first);
    return page.stop;
  },
};

function style() {
  const href = '/static/pages/home.css';
  if (!document.head.querySelector(`link[href="${href}"]`)) document.head.append(el('link', { rel: 'stylesheet', href }));
}

function makePage(root, first) {
  const bars = uploadBars();
  const count = el('p', { class: 'soft' });
  const button = el('button', { class: 'main', 'aria-expanded': 'false', 'aria-keyshortcuts': 'N', onclick: () => toggle(!fresh.element.isConnected) }, 'New swap');
  const grid = el('div', { class: 'cards', role: 'list', 'aria-label': 'Workspaces' });
  const none = el('div', { class: 'panel empty', hidden: true }, el('h2', {}, 'Put a face into a video'), el('p', {}, 'Choose a video of the person who is put in (src) and the one that receives the face (dst).'));
  const fresh = makeNew(first, { close: () => toggle(false), changed: () => again() });
  const cards = new Map();
  root.append(el('div', { class: 'row' }, el('h1', {}, 'Workspaces'), el('div', { class: 'grow' }, count), button), bars.element, none, grid);

  function toggle(open) {
    if (open) { none.before(fresh.element); fresh.focus(); } else { fresh.element.remove(); if (root.contains(document.activeElement) || document.activeElement === document.body) button.focus(); }
    button.setAttribute('aria-expanded', String(open));
  }

  function draw(found) {
    count.textContent = `${words.many(found.workspaces.length, 'workspace')} in ${found.root}`;
    none.hidden = found.workspaces.length > 0;
    for (const [name, card] of cards) if (!found.workspaces.some((one) => one.name === name)) { card.element.remove(); cards.delete(name); }
    found.workspaces.forEach((one, place) => {
      if (!cards.has(one.name)) cards.set(one.name, makeCard(one.name));
      const card = cards.get(one.name);
      card.draw(one);
      if (grid.children[place] !== card.element) grid.insertBefore(card.element, grid.children[place] ?? null);
    });
    for (const [name, card] of cards) card.jobs(all.filter((job) => job.workspace === name));
  }

  let all = [], over = '';
  async function again() {
    try { const found = await api.get('/api/workspaces'); if (root.isConnected) draw(found); } catch { /* the next change asks anew */ }
  }
  const stopJobs = onJobs((jobs) => {
    all = jobs;
    for (const [name, card] of cards) card.jobs(jobs.filter((job) => job.workspace === name));
    const ended = jobs.filter(isOver).map((job) => job.number).join();
    if (over && ended !== over) again();
    over = ended || ' ';
  });
  draw(first);
  if (!first.workspaces.length) toggle(true);

  function move(way) {
    const links = [...grid.querySelectorAll('a.card-open')], at = links.indexOf(document.activeElement);
    const columns = Math.max(1, links.filter((one) => one.getBoundingClientRect().top === links[0].getBoundingClientRect().top).length);
    const next = at < 0 ? 0 : at + (way === 'left' ? -1 : way === 'right' ? 1 : way === 'up' ? -columns : columns);
    links[Math.max(0, Math.min(links.length - 1, next))]?.focus();
  }
  const stopKeys = onKeys({
    n: () => toggle(true), Escape: () => { if (fresh.element.isConnected && !fresh.busy()) toggle(false); },
    ArrowLeft: () => move('left'), ArrowRight: () => move('right'), ArrowUp: () => move('up'), ArrowDown: () => move('down'),
  });
  return { stop() { stopJobs(); stopKeys(); bars.stop(); } };
}
