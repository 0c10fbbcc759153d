// The jobs of all workspaces, told by the server as they change; every open page shows the same.
import { api, asked, el, sheet, toast, tried, words } from './lib.js';

const listeners = new Set();
export let jobs = [];
const OVER = ['done', 'failed', 'cancelled', 'interrupted'];
const PILLS = { running: 'good', stopping: 'warn', waiting: '', done: 'good', failed: 'bad', cancelled: '', interrupted: 'warn' };
const TITLES = { check: 'Check videos', extract: 'Extract faces', denoise: 'Denoise', sort: 'Sort faces', 'mask-apply': 'Apply mask network', 'mask-carry': 'Carry polygons',
  train: 'Train', timelapse: 'Time-lapse', shots: 'Find shots', merge: 'Merge', piece: 'Merge a piece', report: 'Report', swap: 'Swap' };

/** Until a stream that was refused is asked for again, as when too many pages were open. */
const REFUSED_MS = 5000;
/** All that jobs which are over said, by number: the stream has the last of it only. */
const logs = new Map();

export const isOver = (job) => OVER.includes(job.state);
export const title = (job) => `${TITLES[job.kind] ?? job.kind}${job.side ? ` of ${job.side}` : ''}`;
export const share = (job) => (job.total > 0 ? Math.min(1, job.done / job.total) : 0);

/** Call fn with all jobs now and after every change; answers how to stop. */
export function onJobs(fn) {
  listeners.add(fn);
  fn(jobs);
  return () => listeners.delete(fn);
}

/** The newest job of a workspace that is not over, of one kind or of several. */
export const active = (ws, ...kinds) => jobs.find((job) => job.workspace === ws && !isOver(job) && (!kinds.length || kinds.includes(job.kind)));

/** Resolves with a job when it is over. */
export function ended(number) {
  return new Promise((resolve) => {
    const stop = onJobs((all) => {
      const job = all.find((one) => one.number === number);
      if (job && isOver(job)) { setTimeout(() => stop()); resolve(job); }
    });
  });
}

export function listen(before = new Map()) {
  const source = new EventSource('/api/events');
  source.onmessage = (event) => {
    document.getElementById('lost').hidden = true;
    jobs = JSON.parse(event.data).jobs;
    for (const job of jobs) {
      if (before.has(job.number) && before.get(job.number) !== job.state && isOver(job)) say(job);
      before.set(job.number, job.state);
    }
    for (const fn of listeners) fn(jobs);
  };
  source.onerror = () => {
    document.getElementById('lost').hidden = false;
    if (source.readyState !== EventSource.CLOSED) return; // the browser asks again by itself
    setTimeout(() => api.get('/api/session').catch(() => {}).then(() => listen(before)), REFUSED_MS);
  };
}

function say(job) {
  const action = { label: 'Show', run: () => showJobs() };
  if (job.state === 'failed') toast(`${title(job)} of ${job.workspace}: ${job.error}`, { bad: true, action });
  else toast(`${title(job)} (${job.workspace}) is ${job.state}`, { action });
}

/** The tray in the header. */
export function tray(button) {
  onJobs((all) => {
    const running = all.find((job) => job.state === 'running' || job.state === 'stopping');
    const waiting = all.filter((job) => job.state === 'waiting').length;
    button.classList.toggle('cut', true);
    button.textContent = running ? `${title(running)} ${running.total ? `${Math.floor(share(running) * 100)} %` : running.note || '…'}${waiting ? ` +${waiting}` : ''}` : 'Jobs';
    button.style.setProperty('--share', running ? `${share(running) * 100}%` : '0');
  });
  button.onclick = () => showJobs();
}

export function showJobs(ws = null) {
  const list = el('div', { id: 'jobs-list' });
  const opened = new Set();
  const dialog = sheet(ws ? `Jobs of ${ws}` : 'Jobs', list);
  const stop = onJobs((all) => {
    const mine = all.filter((job) => !ws || job.workspace === ws);
    const focused = document.activeElement?.id;
    list.replaceChildren(...(mine.length ? mine.map((job) => row(job, opened)) : [el('p', { class: 'empty' }, 'No job was run yet. Jobs go on when this page is closed.')]));
    if (focused) document.getElementById(focused)?.focus();
  });
  dialog.addEventListener('close', stop, { once: true });
}

/** A job as a block: state, progress, what it said, and what can be done with it. */
export function row(job, opened = new Set()) {
  const took = job.started ? words.time((job.ended ?? Date.now() / 1000) - job.started) : '';
  const left = job.state === 'running' && job.done > 0 && job.total > job.done ? `, about ${words.time(((Date.now() / 1000 - job.started) * (job.total - job.done)) / job.done)} left` : '';
  const amount = job.total ? `${Math.floor(job.done).toLocaleString('en')}/${Math.floor(job.total).toLocaleString('en')} ${job.unit}` : '';
  const said = (lines) => `lookalike ${job.words.join(' ')}\n\n${lines.join('\n')}`;
  const pre = el('pre', { class: 'log' }, said(logs.get(job.number) ?? job.lines));
  const log = el('details', { class: 'more', open: opened.has(job.number), ontoggle: async (event) => {
    event.target.open ? opened.add(job.number) : opened.delete(job.number);
    if (!event.target.open || !isOver(job) || logs.has(job.number)) return;
    const whole = await tried(() => api.get(`/api/jobs/${job.number}`));
    if (whole) { logs.set(job.number, whole.lines); pre.textContent = said(whole.lines); }
  } }, el('summary', { id: `job-log-${job.number}` }, 'What it said'), pre);
  return el('div', { class: 'job', 'data-job': job.number, 'data-state': job.state },
    el('div', { class: 'row' },
      el('strong', { class: 'grow cut' }, title(job), ' ', el('span', { class: 'soft' }, job.workspace)),
      el('span', { class: 'soft small' }, took, left),
      el('span', { class: `pill ${PILLS[job.state]}` }, job.state),
      isOver(job)
        ? el('button', { id: `job-retry-${job.number}`, onclick: () => tried(() => api.post(`/api/jobs/${job.number}/retry`)) }, job.state === 'done' ? 'Run again' : 'Retry')
        : el('button', { id: `job-cancel-${job.number}`, onclick: () => tried(() => api.post(`/api/jobs/${job.number}/cancel`)) }, job.state === 'waiting' ? 'Cancel' : job.state === 'stopping' ? 'Stop at once' : 'Stop')),
    job.state === 'running' || job.state === 'stopping' ? el('progress', job.total ? { value: job.done, max: job.total, 'aria-label': title(job) } : { 'aria-label': title(job) }) : null,
    el('p', { class: 'soft small' }, [job.step, amount, job.note].filter(Boolean).join(' · ')),
    job.error ? el('p', { class: 'bad' }, job.error) : null,
    log);
}

/** Start a job and say so; asks first if another is at work. */
export async function start(ws, kind, options = {}, side = null) {
  const other = jobs.find((job) => !isOver(job));
  if (other && !(await asked(`${title(other)} of ${other.workspace} is ${other.state}. Queue this behind it?`, 'Queue it'))) return null;
  return tried(() => api.job(ws, kind, options, side));
}
