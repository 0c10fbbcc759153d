// The shell: which page is shown, by the address after #, and what all pages have about them.
import { api, el, onKeys, sheet, tried } from './lib.js';
import { listen, showJobs, tray } from './jobs.js';

/** Pages of a workspace in the order of the work: address, name in the tabs. */
const PAGES = [['videos', 'Videos'], ['faces', 'Faces'], ['align', 'Align'], ['masks', 'Masks'], ['training', 'Training'], ['merge', 'Merge'], ['report', 'Report']];
const KEYS = [['?', 'These keys'], ['Alt+J', 'Jobs'], ['Alt+1 … Alt+7', 'Step of the workspace'], ['Alt+0', 'Home']];
const page = document.getElementById('page');
let current = { stop: () => {}, keys: [] }, visit = 0;

/** #/w/NAME/PAGE/ARGUMENT... */
function address() {
  const parts = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);
  return parts[0] === 'w' && parts[1] ? { ws: parts[1], name: parts[2] ?? 'videos', args: parts.slice(3) } : { ws: null, name: 'home', args: [] };
}
export const go = (ws, name, ...args) => { location.hash = ws ? `#/w/${[ws, name, ...args].map(encodeURIComponent).join('/')}` : '#/'; };

async function show() {
  const { ws, name, args } = address();
  const mine = (visit += 1);
  current.stop();
  current = { stop: () => {}, keys: [] };
  document.getElementById('sheet').close();
  tabs(ws, name);
  try {
    const module = (await import(`./pages/${ws && !PAGES.some(([known]) => known === name) ? 'home' : name}.js`)).default;
    if (mine !== visit) return;
    document.title = `${module.title}${ws ? ` – ${ws}` : ''} – Lookalike`;
    const root = el('div', { class: module.fit ? 'fit' : 'page', 'data-page': name });
    page.replaceChildren(root);
    page.focus({ preventScroll: true });
    const stop = (await module.show(root, { ws, args, go: (...rest) => go(ws, ...rest), home: () => go(null) })) ?? (() => {});
    if (mine !== visit) { stop(); return; }
    current = { stop, keys: module.keys ?? [] };
    root.dataset.ready = 'yes';
  } catch (error) {
    if (mine !== visit) return;
    page.replaceChildren(el('div', { class: 'empty' }, el('p', { class: 'bad' }, error.message), el('a', { class: 'button', href: '#/' }, 'Home')));
    if (!(error.status >= 400)) console.error(error);
  }
}

function tabs(ws, name) {
  document.getElementById('workspace').textContent = ws ? `/ ${ws}` : '';
  document.getElementById('tabs').replaceChildren(...(ws ? PAGES.map(([page_, label], place) => el('a', {
    href: `#/w/${encodeURIComponent(ws)}/${page_}`, 'aria-current': page_ === name ? 'page' : undefined, 'aria-keyshortcuts': `Alt+${place + 1}` }, label)) : []));
}

function help() {
  sheet('Keys', el('dl', { class: 'keys' }, [...current.keys, ...KEYS].map(([key, what]) => el('div', {}, el('dt', {}, what), el('dd', {}, key.split(' or ').flatMap((one, i) => [i ? ' or ' : '', el('kbd', {}, one)]))))));
}

function theme(dark) {
  document.documentElement.classList.toggle('dark', dark);
}

const stored = localStorage.getItem('theme');
theme(stored ? stored === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches);
document.getElementById('theme').onclick = () => {
  const dark = !document.documentElement.classList.contains('dark');
  localStorage.setItem('theme', dark ? 'dark' : 'light');
  theme(dark);
};
document.getElementById('skip').onclick = (event) => { event.preventDefault(); page.focus(); };
document.getElementById('help').onclick = help;
const step = (number) => { const { ws } = address(); if (ws && PAGES[number - 1]) go(ws, PAGES[number - 1][0]); };
onKeys({ '?': help, 'Shift+?': help, 'Alt+j': () => showJobs(), 'Alt+0': () => go(null), ...Object.fromEntries(PAGES.map((_, i) => [`Alt+${i + 1}`, () => step(i + 1)])) });
tray(document.getElementById('tray'));
window.addEventListener('hashchange', show);

const session = await tried(() => api.get('/api/session'));
if (session?.login) {
  const leave = async () => { await fetch('/logout', { method: 'POST' }); location.assign('/login'); };
  document.querySelector('header.top').append(el('button', { id: 'leave', onclick: leave }, 'Log out'));
}
const first = await tried(() => api.get('/api/workspaces'));
if (location.search) history.replaceState(null, '', `/${location.hash}`); // the token does not stay in the address
if (!location.hash && first?.first) location.hash = `#/w/${encodeURIComponent(first.first)}/videos`; else show();
listen();
