// The orders of a gallery: those that are a column at once, the others as the server has them, or by a job.
import { api, el, toast, tried, words } from '../lib.js';
import { ended, onJobs, share, start } from './../jobs.js';
import { COLUMN_ORDERS } from './faces-data.js';

/** @param changed called with {by, names, twins} when another order is to be shown; names is null where a column gives it */
export function makeOrders(ws, side, changed) {
  const select = el('select', { 'aria-label': 'Order', onchange: () => choose(select.value) });
  const anew = el('button', { title: 'Sort anew', 'aria-label': 'Sort anew', hidden: true, onclick: () => sort(by) }, '↻');
  const state = el('span', { class: 'pill', hidden: true });
  const element = el('span', { class: 'row tight' }, select, anew, state);
  let known = [], by = 'name', waiting = null, usable = true;

  async function load() {
    const answer = await tried(() => api.get(api.of(ws, 'faces', side, 'orders')));
    known = answer?.orders ?? [];
    options();
  }

  function options() {
    const part = (label, entries) => (entries.length ? el('optgroup', { label }, entries.map(([name, help, more = '']) => el('option', { value: name, title: help }, `${name}${more} – ${help}`))) : null);
    const columns = Object.entries(COLUMN_ORDERS).map(([name, { help }]) => [name, help]);
    const others = usable ? known.filter(({ name }) => !(name in COLUMN_ORDERS)) : [];
    const ready = others.filter(({ made }) => made !== null).map(({ name, help }) => [name, help]);
    const later = others.filter(({ made }) => made === null).map(({ name, help }) => [name, help, ' …']);
    select.replaceChildren(...[part('At once', columns), part('Sorted already', ready), part('Takes a sort', later)].filter(Boolean));
    select.value = by;
    const made = known.find(({ name }) => name === by)?.made;
    anew.hidden = !made || !usable || by in COLUMN_ORDERS;
    if (made) anew.title = `Sorted ${new Date(made * 1000).toLocaleString('en')}; sort anew`;
  }

  async function choose(name) {
    const before = by;
    by = name;
    waiting = null;
    if (name in COLUMN_ORDERS) { options(); changed({ by, names: null, twins: {} }); return; }
    if (!known.length) await load();
    const isMade = (known.find((one) => one.name === name)?.made ?? null) !== null;
    const answer = isMade ? await tried(() => api.get(`${api.of(ws, 'faces', side, 'orders')}?by=${encodeURIComponent(name)}`)) : null;
    if (by !== name) return;
    if (answer && (name !== 'duplicates' || answer.rejects)) {
      options();
      changed({ by, names: answer.names, twins: answer.rejects ?? {} });
      if (name === 'duplicates' && !Object.keys(answer.rejects).length) toast(`${words.many(answer.names.length, 'face')} were compared, none is like another.`);
      return;
    }
    if ((isMade && !answer) || !(await sort(name))) { by = before; options(); }
  }

  /** Have the faces sorted by a job, which neither renames nor puts anything aside; show them when it is over. */
  async function sort(name) {
    const number = await start(ws, 'sort', { by: name, rejects: 'list' }, side);
    if (!number) return false;
    waiting = number;
    ended(number).then(async (job) => {
      await load();
      if (waiting !== number) return;
      waiting = null;
      tell();
      if (job.state === 'done') choose(name); else { by = 'name'; choose('name'); }
    });
    tell();
    return true;
  }

  function tell(all = []) {
    const job = all.find((one) => one.number === waiting);
    state.hidden = waiting === null;
    state.textContent = job?.state === 'running' ? `sorting ${job.total ? `${Math.floor(share(job) * 100)} %` : '…'}` : 'sort is queued';
  }

  const stop = onJobs(tell);
  return {
    element, load, choose, stop,
    get by() { return by; },
    get made() { return known; },
    /** Orders of the server are of faces in use. */
    allow(yes) { usable = yes; if (!yes && !(by in COLUMN_ORDERS)) choose('name'); else options(); },
    sort,
  };
}
