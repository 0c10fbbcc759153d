// What every page uses: elements, requests, notes to the user, keys, numbers in words.

/** An element. Properties are set as such; `class`, `data-*`, `aria-*`, `role` and the like as attributes; `on*` are listeners. */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'class') element.className = value;
    else if (key.includes('-') || key === 'role' || key === 'for' || key === 'list') element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** What went wrong with a request, in the server's own line. */
export class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

async function answered(response) {
  if (response.ok) return response.json();
  if (response.status === 401) location.assign('/login'); // the studio was started anew, or somebody logged out
  let message = `the studio answered ${response.status}`;
  try { message = (await response.json()).error ?? message; } catch { /* plain text */ }
  throw new Refused(response.status, message);
}

export const api = {
  get: async (path, options = {}) => answered(await fetch(path, options)),
  post: async (path, body = {}, options = {}) => answered(await fetch(path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), ...options })),
  /** Path of what belongs to a workspace: api.of('my swap', 'faces', 'src') */
  of: (ws, ...parts) => `/api/w/${[ws, ...parts].map(encodeURIComponent).join('/')}`,
  /** Queue a long job; answers its number. */
  job: async (ws, kind, options = {}, side = null) => (await api.post(api.of(ws, 'jobs'), { kind, side, options })).number,
};

/** A note in the corner; with an action, a button beside it. */
export function toast(text, { bad = false, action = null, seconds = bad ? 12 : 6 } = {}) {
  const note = el('div', { class: bad ? 'toast bad' : 'toast' }, el('span', { class: 'grow' }, text));
  if (action) note.append(el('button', { onclick: () => { note.remove(); action.run(); } }, action.label));
  document.getElementById('toasts').append(note);
  setTimeout(() => note.remove(), seconds * 1000);
  return note;
}

/** Run what may be refused; a refusal is shown, and undefined comes back. */
export async function tried(call) {
  try { return await call(); } catch (error) {
    if (error.name === 'AbortError') return undefined;
    toast(error instanceof Refused ? error.message : `the studio does not answer (${error.message})`, { bad: true });
    return undefined;
  }
}

/** Listen to keys while a page is open: { 'ArrowLeft': fn, 'Ctrl+z': fn, ',': fn }. Answers how to stop.
 *  Keys that are typed into a field are the field's own. */
export function onKeys(map, target = window) {
  const listener = (event) => {
    const inField = event.target.closest?.('input:not([type=range]):not([type=checkbox]):not([type=radio]), select, textarea, dialog[open]');
    if (inField && event.key !== 'Escape') return;
    if (event.target.matches?.('button, a, summary') && (event.key === 'Enter' || event.key === ' ')) return;
    const parts = [event.ctrlKey || event.metaKey ? 'Ctrl' : '', event.altKey ? 'Alt' : ''].filter(Boolean);
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const run = map[[...parts, event.shiftKey ? 'Shift' : '', key].filter(Boolean).join('+')] ?? (event.key.length === 1 ? map[[...parts, event.key].join('+')] : undefined);
    if (!run) return;
    event.preventDefault();
    run(event);
  };
  target.addEventListener('keydown', listener);
  return () => target.removeEventListener('keydown', listener);
}

/** Calls fn once things have been quiet for so many milliseconds. */
export function debounce(fn, milliseconds) {
  let timer = 0;
  return (...args) => { clearTimeout(timer); timer = setTimeout(() => fn(...args), milliseconds); };
}

/** One request at a time, always the latest wish: while one is under way only the newest of the others is kept. */
export function latest(call) {
  let busy = false, next = null;
  return async function run(...args) {
    if (busy) { next = args; return; }
    busy = true;
    try { await call(...args); } finally {
      busy = false;
      if (next) { const wish = next; next = null; run(...wish); }
    }
  };
}

export const words = {
  /** 3725 -> 1:02:05 */
  time(seconds) {
    const whole = Math.max(0, Math.round(seconds)), h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, s = whole % 60;
    return h ? `${h}:${String(m).padStart(2, '0')}:${String(s).padStart(2, '0')}` : `${m}:${String(s).padStart(2, '0')}`;
  },
  bytes: (n) => (n < 1e6 ? `${(n / 1e3).toFixed(0)} kB` : n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`),
  many: (n, one, more = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`,
  option: (name) => name.replaceAll('_', ' '),
};

/** The dialog that all pages share. */
export function sheet(title, ...content) {
  const dialog = document.getElementById('sheet');
  dialog.replaceChildren(
    el('div', { class: 'row' }, el('h2', { class: 'grow', id: 'sheet-title' }, title),
      el('button', { onclick: () => dialog.close(), 'aria-label': 'Close' }, '✕')),
    el('div', { class: 'stack' }, ...content));
  dialog.setAttribute('aria-labelledby', 'sheet-title');
  if (!dialog.open) dialog.showModal();
  return dialog;
}

/** Yes or no. */
export function asked(question, yes) {
  return new Promise((resolve) => {
    let said = false;
    const dialog = sheet(question, el('div', { class: 'row' },
      el('button', { class: 'main', onclick: () => { said = true; dialog.close(); } }, yes), el('button', { onclick: () => dialog.close() }, 'Cancel')));
    dialog.addEventListener('close', () => resolve(said), { once: true });
  });
}
