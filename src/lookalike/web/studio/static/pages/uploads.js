// Files on their way to the server. They go on while other pages of the studio are shown; a reload would end them.
import { api, el, Refused, toast, tried, words } from '../lib.js';

const listeners = new Set();
let sending = [];
const tell = () => { for (const fn of listeners) fn(sending); };
const warn = (event) => { event.preventDefault(); };

function change(list) {
  if (!sending.length && list.length) window.addEventListener('beforeunload', warn);
  if (sending.length && !list.length) window.removeEventListener('beforeunload', warn);
  sending = list;
  tell();
}

/** Call fn with the files under way now and after every change; answers how to stop. */
export function onUploads(fn) {
  listeners.add(fn);
  fn(sending);
  return () => listeners.delete(fn);
}

/** Send a file as a side's video. Resolves with what it is, or with null if it was cancelled or refused, which is said. */
export async function send(ws, side, file) {
  const asked = await tried(() => api.get(`${api.of(ws, 'videos', side, 'room')}?bytes=${file.size}`));
  if (asked === undefined) return null;
  const request = new XMLHttpRequest();
  const one = { ws, side, name: file.name, total: file.size, sent: 0, began: performance.now(), cancel: () => request.abort() };
  change([...sending, one]);
  try {
    return await carried(request, one, file);
  } catch (error) {
    if (error.name !== 'AbortError') toast(error instanceof Refused ? `${file.name}: ${error.message}` : `${file.name} could not be sent (${error.message})`, { bad: true });
    else toast(`${file.name} was not sent; nothing of it is kept`);
    return null;
  } finally {
    change(sending.filter((other) => other !== one));
  }
}

function carried(request, one, file) {
  return new Promise((resolve, reject) => {
    request.open('POST', `${api.of(one.ws, 'videos', one.side, 'upload')}?name=${encodeURIComponent(file.name)}`);
    request.upload.onprogress = (event) => { one.sent = event.loaded; tell(); };
    request.onload = () => {
      let body = {};
      try { body = JSON.parse(request.responseText); } catch { /* plain text */ }
      if (request.status < 300) resolve(body); else reject(new Refused(request.status, body.error ?? `the studio answered ${request.status}`));
    };
    request.onerror = () => reject(new Error('the connection broke'));
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.send(file);
  });
}

/** Bars of the files under way: of all workspaces, or of one. Answers the element and how to stop. */
export function uploadBars(ws = null) {
  const element = el('div', { class: 'uploads stack', 'aria-label': 'Uploads', role: 'group' });
  const rows = new Map();
  const stop = onUploads((all) => {
    const mine = all.filter((one) => !ws || one.ws === ws);
    element.hidden = !mine.length;
    for (const one of mine) if (!rows.has(one)) { rows.set(one, bar(one)); element.append(rows.get(one).element); }
    for (const [one, row] of rows) { if (mine.includes(one)) row.show(); else { row.element.remove(); rows.delete(one); } }
  });
  return { element, stop };
}

function bar(one) {
  const progress = el('progress', { max: Math.max(one.total, 1), value: 0, 'aria-label': `Upload of ${one.name}` });
  const says = el('span', { class: 'soft small' });
  const element = el('div', { class: 'panel stack upload' }, el('div', { class: 'row' }, el('strong', { class: 'grow cut' }, `${one.name} `, el('span', { class: 'soft' }, `to ${one.side} of ${one.ws}`)), says,
    el('button', { onclick: one.cancel }, 'Cancel')), progress);
  return { element, show() {
    progress.value = one.sent;
    const seconds = (performance.now() - one.began) / 1000;
    const left = one.sent > 0 && seconds > 2 ? `, about ${words.time((seconds * (one.total - one.sent)) / one.sent)} left` : '';
    says.textContent = one.sent >= one.total && one.total ? 'is being looked at …' : `${words.bytes(one.sent)} of ${words.bytes(one.total)}${left}`;
  } };
}
