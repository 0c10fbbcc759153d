// What can be gone back to, and the time-lapse as a video.
import { api, asked, el, tried, words } from '../lib.js';
import { ended, start } from '../jobs.js';
import { span, whole } from './training-words.js';

const WHEN = { dateStyle: 'medium', timeStyle: 'short' };

/** The panel of a model's backups. */
export class Backups {
  /** In `place`; `jobs()` gives the jobs that train the model now, `autobackup(yes)` is the switch's. */
  constructor(place, ws, name, { jobs, autobackup, done }) {
    Object.assign(this, { ws, name, jobs, done, before: '' });
    this.auto = el('input', { type: 'checkbox', 'data-part': 'autobackup', onchange: () => autobackup(this.auto.checked) });
    this.table = el('table', { class: 'backups' });
    this.none = el('p', { class: 'soft' }, 'There is no backup yet. Going back to one loses nothing: what is there then becomes the newest backup, and the options stay as they are.');
    place.append(el('div', { class: 'row' }, el('h2', { class: 'grow' }, 'Backups'), el('label', { class: 'row tight' }, this.auto, 'a backup every hour, the last fifteen')), this.none, this.table);
  }

  switched(on) { this.auto.checked = on; }

  show({ backups }) {
    const text = JSON.stringify(backups);
    if (text === this.before) return;
    this.before = text;
    this.none.hidden = backups.length > 0;
    this.table.hidden = !backups.length;
    this.table.replaceChildren(
      el('thead', {}, el('tr', {}, ['', 'Iteration', 'Trained for', 'Kept on', ''].map((title) => el('th', {}, title)))),
      el('tbody', {}, backups.map((one) => this.row(one))));
  }

  row(one) {
    const address = `${api.of(this.ws, 'training', this.name)}/backups/${one.number}.jpg?t=${one.picture}`;
    return el('tr', { 'data-backup': one.number },
      el('td', {}, one.picture ? el('a', { href: address, target: '_blank', rel: 'noopener' }, el('img', { src: address, loading: 'lazy', alt: `Preview at iteration ${one.iteration}` })) : null),
      el('td', {}, whole(one.iteration)), el('td', {}, one.seconds === null ? '–' : span(one.seconds)), el('td', {}, new Date(one.made * 1000).toLocaleString('en-GB', WHEN)),
      el('td', {}, el('button', { 'aria-label': `Go back to iteration ${one.iteration}`, onclick: () => this.back(one) }, 'Go back to this')));
  }

  async back(one) {
    const running = this.jobs();
    const what = `Train on from iteration ${whole(one.iteration)}? ${running.length ? 'The training is stopped first; what' : 'What'} is there now becomes the newest backup; the options stay as they are now.`;
    if (!(await asked(what, 'Go back'))) return;
    await tried(async () => {
      for (const job of this.jobs()) {
        if (job.state === 'waiting' || job.state === 'running') await api.post(`/api/jobs/${job.number}/cancel`);
      }
      await Promise.all(this.jobs().map((job) => ended(job.number)));
      await api.post(api.of(this.ws, 'training', this.name, 'back'), { mark: one.mark });
      this.done();
    });
  }
}

/** The panel of the time-lapse video. */
export class Timelapse {
  constructor(place, ws, name) {
    Object.assign(this, { ws, name, before: undefined });
    this.fps = el('input', { type: 'number', min: 1, max: 240, step: 1, value: 30 });
    this.seconds = el('input', { type: 'number', min: 1, step: 'any', placeholder: 'all' });
    this.video = el('video', { controls: true, loop: true, muted: true, playsInline: true, preload: 'metadata', 'aria-label': 'Time-lapse of the training', hidden: true });
    this.button = el('button', { 'data-part': 'timelapse', onclick: () => this.make() }, 'Make the video');
    this.link = el('a', { class: 'button', hidden: true, download: `${ws}-${name}.mp4` }, 'Save it as …');
    place.append(el('div', { class: 'row' }, el('h2', {}, 'Time-lapse'), el('span', { class: 'grow' }),
      el('label', { class: 'row tight' }, 'pictures a second', this.fps), el('label', { class: 'row tight' }, 'at most, seconds', this.seconds), this.button, this.link), this.video);
  }

  show({ timelapse, pictures }) {
    this.seen = (this.seen ?? 0) + pictures.length;
    this.button.disabled = !this.seen;
    this.button.title = this.seen ? `${words.many(this.seen, 'picture')} of the history` : 'There is no history yet';
    if (timelapse === this.before) return;
    this.before = timelapse;
    this.video.hidden = this.link.hidden = !timelapse;
    if (!timelapse) { this.video.removeAttribute('src'); return; }
    const address = `${api.of(this.ws, 'training', this.name)}/timelapse.mp4?t=${timelapse}`;
    this.video.src = this.link.href = address;
  }

  make() {
    const options = { name: this.name, fps: Number(this.fps.value) || 30 };
    if (Number(this.seconds.value) > 0) options.seconds = Number(this.seconds.value);
    start(this.ws, 'timelapse', options);
  }
}
