// What the server knows of a shelf of faces, asked again while the page is open; little is sent when nothing changed.
import { Refused, api } from '../lib.js';
import { unpack } from './faces-data.js';

const IDLE = 1500, READING = 700;

async function bytes(response) {
  if (response.ok) return response.arrayBuffer();
  let message = `the studio answered ${response.status}`;
  try { message = (await response.json()).error ?? message; } catch { /* plain text */ }
  throw new Refused(response.status, message);
}

/** @param early the first answer, on its way already; arrived is called with what is known, now and after every change */
export function makeSource(ws, side, shelf, early, arrived) {
  let known = '', timer = 0, stopped = false, reading = false, waiting = [];
  const path = () => api.of(ws, 'faces', side, shelf());

  async function look(fresh) {
    const asked = path(), first = early;
    early = null;
    const buffer = await bytes(await (first ?? fetch(`${asked}?known=${encodeURIComponent(fresh ? '' : known)}`)));
    if (stopped || asked !== path() || !buffer.byteLength) return;
    const data = unpack(buffer);
    known = data.known;
    reading = Boolean(data.reading);
    arrived(data);
    if (!reading) for (const fn of waiting) fn();
  }

  function later() {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(async () => {
      if (!document.hidden) { try { await look(false); } catch { /* told by the shell */ } }
      later();
    }, reading ? READING : IDLE);
  }

  return {
    path,
    /** Ask now; `fresh` when another shelf is shown. */
    async refresh(fresh = false) { try { await look(fresh); } finally { later(); } },
    /** Call fn whenever a change came in whole. */
    whenRead(fn) { waiting.push(fn); },
    stop() { stopped = true; clearTimeout(timer); },
  };
}
