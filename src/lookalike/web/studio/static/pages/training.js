// The page of training: choose a model, start and stop it, change its options, see how it comes on, go back.
import { api, debounce, el, onKeys, sheet, tried, words } from '../lib.js';
import { isOver, jobs, onJobs, start, title } from '../jobs.js';
import { Backups, Timelapse } from './training-backups.js';
import { newModel } from './training-new.js';
import { Options } from './training-options.js';
import { KEYS, mount } from './training-view.js';
import { whole } from './training-words.js';

const EVERY_MS = 8000;
const STYLE = '/static/pages/training.css';

export default {
  title: 'Training',
  keys: [['t', 'Start or stop the training'], ['a', 'Apply the changes'], ['n', 'New model'], ['/', 'Search options'], ...KEYS],
  async show(root, view) {
    if (!document.querySelector(`link[href="${STYLE}"]`)) document.head.append(el('link', { rel: 'stylesheet', href: STYLE }));
    const desk = new Desk(root, view);
    await desk.begin();
    return () => desk.stop();
  },
};

class Desk {
  constructor(root, view) {
    Object.assign(this, { root, view, ws: view.ws, name: view.args[0] ?? null, known: null, shown: null, latest: null });
    this.models = el('select', { 'aria-label': 'Model', 'data-part': 'models', onchange: () => view.go('training', this.models.value) });
    this.act = el('button', { class: 'main', 'data-part': 'act', 'aria-keyshortcuts': 't', onclick: () => this.toggle() });
    this.apply = el('button', { 'data-part': 'apply-bar', hidden: true, onclick: () => this.train() });
    this.note = el('span', { class: 'soft small grow cut', 'data-part': 'note' });
    this.pill = el('span', { class: 'train' });
    this.bar = el('div', { class: 'panel row trainbar' }, el('h1', {}, 'Training'), this.models,
      el('button', { 'data-part': 'new', 'aria-keyshortcuts': 'n', onclick: () => this.make() }, 'New model …'), this.note, this.pill, this.apply, this.act);
    this.place = el('div', { class: 'stack' });
    root.append(this.bar, this.place);
  }

  async begin() {
    await this.look();
    const soon = debounce(() => this.look(), 300);
    let before = '';
    this.ends = [onJobs((all) => {
      const text = JSON.stringify(all.filter((job) => job.workspace === this.ws).map((job) => [job.number, job.state]));
      if (text !== before) { before = text; soon(); this.shown?.ask(); }
      this.showBar();
    }),
    onKeys({ t: () => this.toggle(), a: () => { if (this.changes()) this.train(); }, n: () => this.make(), '/': () => this.options?.form?.search.focus(),
      ...Object.fromEntries(['l', 'm', 'c', 'e', ' ', '[', ']'].map((key) => [key, () => this.shown?.keys[key]()])) })];
    this.timer = setInterval(() => { if (!document.hidden) this.look(); }, EVERY_MS);
  }

  stop() {
    this.over = true;
    clearInterval(this.timer);
    for (const end of this.ends ?? []) end();
    this.shown?.stop();
  }

  // ---- which model, and what is known of it -----------------------------------------------------------------------

  async look() {
    try {
      this.known = await api.get(api.of(this.ws, 'training'));
    } catch (error) {
      if (!this.known) throw error;
      return; // the shell says that the studio does not answer
    }
    if (this.over) return;
    const names = this.names();
    this.name ??= Object.keys(this.known.jobs)[0] ?? (names.includes(this.known.last) ? this.known.last : names[0]) ?? null;
    if (!this.name) this.showEmpty();
    else if (!names.includes(this.name)) this.showGone();
    else if (!this.shown) this.showModel();
    this.showBar();
  }

  names() {
    const asked = jobs.filter((job) => job.workspace === this.ws && !isOver(job) && job.kind === 'train').map(modelOf).filter(Boolean);
    return [...new Set([...this.known.models.map((one) => one.name), ...Object.keys(this.known.jobs), ...asked])];
  }

  /** Jobs that train the model or will, the newest first. */
  trainers() {
    const number = this.known?.jobs[this.name]?.number;
    return jobs.filter((job) => job.workspace === this.ws && !isOver(job) && (job.number === number || (job.kind === 'train' && modelOf(job) === this.name)));
  }

  changes() { return Object.keys(this.options?.pending ?? {}).length; }

  // ---- what is shown ---------------------------------------------------------------------------------------------

  showModel() {
    this.latest = null;
    this.place.replaceChildren();
    this.empty = null;
    this.shown = mount(this.place, `${api.of(this.ws, 'training', this.name)}/`, {
      state: (data) => this.state(data),
      onGone: () => { this.shown = null; this.look(); },
      onData: (data) => this.take(data),
    });
    const { shown } = this;
    this.pill.replaceChildren(shown.pill);
    this.place.querySelector('.head').hidden = true; // the bar says it
    this.options = new Options(shown.panel('side', 'options'), `training/${this.ws}/${this.name}`, { act: () => this.train(), changed: () => { this.showBar(); this.showAuto(); } });
    this.backups = this.name === 'xseg' ? null : new Backups(shown.panel('side', 'backups'), this.ws, this.name,
      { jobs: () => this.trainers(), autobackup: (yes) => this.options.set({ autobackup: yes }), done: () => this.look() });
    this.timelapse = this.name === 'xseg' ? null : new Timelapse(shown.panel('side', 'time-lapse'), this.ws, this.name);
    if (this.name === 'xseg') { // which keeps neither curves nor a history
      shown.right.hidden = true;
      this.place.querySelector('[data-panel=history]').hidden = true;
    }
  }

  take(data) {
    this.latest = data;
    this.options.show(data, this.trainers().length > 0);
    this.backups?.show(data);
    this.timelapse?.show(data);
    this.showAuto();
    this.showBar();
  }

  showAuto() { this.backups?.switched(Boolean(this.options.pending.autobackup ?? this.latest?.options.autobackup)); }

  state(data) {
    const mine = this.trainers(), waits = mine.some((job) => job.state === 'waiting');
    const job = mine.find((one) => one.state === 'running' || one.state === 'stopping');
    if (job?.state === 'stopping') return { kind: 'warn', text: waits ? 'Saving, then it goes on' : 'Saving, then it stops' };
    if (job && !data.running) return { kind: 'warn', text: data.kind === 'xseg' ? `Training: ${job.note}` : job.total ? `Starting: ${Math.floor(job.done)} of ${words.many(job.total, job.unit, job.unit)}` : 'Starting …' };
    if (!job && waits) return { kind: '', text: 'Waits in the queue' };
    return !job && data.running ? { kind: 'good', text: 'Training, started outside of the studio' } : null;
  }

  showBar() {
    if (!this.known) return;
    const names = this.names(), text = JSON.stringify([names, this.known.models.map((one) => [one.name, one.iteration, one.kind])]);
    if (text !== this.listed) {
      this.listed = text;
      const told = Object.fromEntries(this.known.models.map((one) => [one.name, one]));
      this.models.replaceChildren(...names.map((name) => el('option', { value: name }, label(name, told[name]))));
    }
    this.models.hidden = !names.length;
    this.models.value = names.includes(this.name) ? this.name : '';
    const mine = this.trainers(), job = mine[0], outside = !job && this.latest?.running, count = this.changes();
    const here = Boolean(this.shown);
    this.act.hidden = !here;
    this.act.disabled = outside || mine.some((one) => one.state === 'stopping');
    this.act.textContent = !job ? (this.latest?.iteration ? 'Go on' : 'Train') : mine.some((one) => one.state === 'stopping') ? 'Saving …' : job.state === 'waiting' ? 'Take out of the queue' : 'Stop and save';
    this.act.classList.toggle('main', !job && !count);
    this.apply.hidden = !here || !count;
    this.apply.textContent = job ? `Apply ${words.many(count, 'change')}` : `Train with ${words.many(count, 'change')}`;
    this.apply.disabled = outside || (job?.state === 'stopping');
    this.apply.classList.toggle('main', count > 0);
    this.options?.button && (this.options.button.disabled = this.apply.disabled);
    this.showNote(job, outside);
  }

  showNote(job, outside) {
    const other = jobs.find((one) => one.workspace === this.ws && (one.state === 'running' || one.state === 'stopping') && !this.trainers().includes(one));
    const failed = jobs.find((one) => one.workspace === this.ws && one.kind === 'train' && modelOf(one) === this.name);
    const text = outside ? 'A command outside of the studio trains this model; it stops with Ctrl-C there.'
      : other && job ? `${title(other)} is at work; this training waits for it.`
        : other ? `${title(other)} is at work; a training started now waits behind it.`
          : failed?.state === 'failed' ? `The last training failed: ${failed.error}` : missing(this.known.faces);
    this.note.textContent = text;
    this.note.title = text;
    this.note.classList.toggle('bad', !outside && !other && failed?.state === 'failed');
    this.note.classList.toggle('soft', !this.note.classList.contains('bad'));
  }

  showEmpty() {
    if (this.empty === 'none') { this.place.querySelector('.steps')?.replaceWith(this.steps()); return; }
    this.empty = 'none';
    this.place.replaceChildren(el('div', { class: 'panel empty' }, el('h2', {}, 'No model yet'),
      el('p', {}, 'A model learns one pair of people. It is trained on their faces, for minutes to days, and may be stopped and taken up again at any time.'), this.steps()));
  }

  steps() {
    const { faces } = this.known, item = (ok, text, page, ...args) => el('li', { class: ok ? 'good' : '' }, ok ? `✓ ${text}` : el('a', { href: `#/w/${encodeURIComponent(this.ws)}/${[page, ...args].join('/')}` }, text));
    const ready = faces.src && faces.dst;
    return el('div', { class: 'steps stack' }, el('ol', {}, item(faces.src, 'faces of src', 'faces', 'src'), item(faces.dst, 'faces of dst', 'faces', 'dst')),
      ready ? el('button', { class: 'main', onclick: () => this.make() }, 'New model …') : el('p', {}, missing(faces)));
  }

  showGone() {
    this.shown?.stop();
    this.pill.replaceChildren();
    this.shown = this.latest = this.options = this.backups = null;
    const failed = jobs.find((one) => one.workspace === this.ws && one.kind === 'train' && modelOf(one) === this.name);
    if (this.empty === `gone ${failed?.state}`) return;
    this.empty = `gone ${failed?.state}`;
    const others = this.names();
    this.place.replaceChildren(el('div', { class: 'panel empty', 'data-part': 'gone' }, el('h2', {}, `There is no model ${this.name}`),
      failed?.error ? el('p', { class: 'bad' }, `Its training failed: ${failed.error}`) : el('p', {}, `The folder model/${this.name} is not there; it may have been deleted or renamed.`),
      el('div', { class: 'row' }, others.map((name) => el('button', { onclick: () => this.view.go('training', name) }, `Show ${name}`)), el('button', { class: 'main', onclick: () => this.make() }, 'New model …'))));
  }

  // ---- what is done ----------------------------------------------------------------------------------------------

  make() { newModel(this.ws, this.names(), (name) => (name === this.name ? this.look() : this.view.go('training', name))); }

  async toggle() {
    if (!this.shown || this.act.disabled) return;
    const job = this.trainers()[0];
    if (job) await tried(() => api.post(`/api/jobs/${job.number}/cancel`));
    else await this.train();
  }

  /** Train with what is pending: what runs is stopped, saved, and goes on. */
  async train() {
    const { latest, options } = this;
    if (!this.shown || this.apply.disabled) return;
    const asked = { ...(this.name === 'xseg' ? { model: 'xseg' } : { name: this.name }), ...options.pending };
    const running = this.trainers().length > 0;
    if (!running && latest && reached(latest, options.pending) && !(await this.askLimit(latest, asked))) return;
    const number = running ? await tried(async () => (await api.post(api.of(this.ws, 'training', this.name, 'change'), { options: options.pending })).number)
      : await start(this.ws, 'train', asked);
    if (number) options.forget();
    this.shown?.ask();
  }

  /** A model that has reached its limit does nothing unless it is given another one. */
  askLimit(latest, asked) {
    return new Promise((resolve) => {
      let answer = false;
      const more = el('input', { type: 'number', min: 1, step: 1, value: Math.max(1000, Math.round(latest.iteration / 2 / 1000) * 1000), 'aria-label': 'Iterations more' });
      const choose = (limits) => { Object.assign(asked, limits); answer = true; dialog.close(); };
      const dialog = sheet('It has reached its limit', el('p', {}, `${this.name} was to be trained ${latest.target ? `for ${whole(latest.target)} iterations` : `for ${latest.minutes} minutes`} in all, and was.`),
        el('div', { class: 'row' },
          this.name === 'xseg' ? null : el('button', { class: 'main', 'data-part': 'endless', onclick: () => choose({ iterations: 0, minutes: 0 }) }, 'Train until I stop it'),
          el('button', { onclick: () => choose({ iterations: latest.iteration + (Number(more.value) || 1000), ...(this.name === 'xseg' ? {} : { minutes: 0 }) }) }, 'Train on for'), more, 'iterations'));
      dialog.addEventListener('close', () => resolve(answer), { once: true });
      dialog.querySelector('.stack button').focus();
    });
  }
}

/** The folder of the model that a job of kind train was asked for, if it says so. */
const modelOf = (job) => (job.options.model === 'xseg' ? 'xseg' : job.options.name ?? null);

const label = (name, seen) => (seen ? [name, seen.kind && seen.kind !== name ? seen.kind : '', seen.resolution ? `${seen.resolution} px` : '', `iteration ${whole(seen.iteration)}`].filter(Boolean).join(' · ') : `${name} · new`);

function missing(faces) {
  const sides = ['src', 'dst'].filter((side) => !faces[side]);
  return sides.length ? `Faces first: there are none of ${sides.join(' and ')} yet. Extract them, then train.` : '';
}

function reached(data, pending) {
  const iterations = pending.iterations ?? (pending.minutes ? 0 : data.target), minutes = pending.minutes ?? (pending.iterations ? 0 : data.minutes);
  return Boolean((iterations && data.iteration >= iterations) || (minutes && (data.seconds ?? 0) >= minutes * 60));
}
