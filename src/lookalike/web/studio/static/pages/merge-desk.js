// What the merge page knows: the frame shown, the options of all frames and of shots, what is changed and not yet saved.
import { Refused, api, debounce, toast, tried } from '../lib.js';

const SAVE_MILLISECONDS = 350, RETRY_MILLISECONDS = 3000;

export class Desk {
  /** @param ws workspace; facts of /merge; settings of /merge/settings; controls of MergeConfig */
  constructor(ws, facts, settings, controls) {
    Object.assign(this, { ws, facts, settings, controls, frame: 1, scope: 'all', marks: null, run: {}, boxes: {} });
    this.pending = null; // {act, first, last, options} that is shown and not yet sent
    this.sending = Promise.resolve();
    this.listeners = new Map();
    this.later = debounce(() => this.flush(), SAVE_MILLISECONDS);
  }

  get frames() { return Math.max(1, this.facts.video.frames); }
  get unsaved() { return this.pending !== null || this.busy > 0; }

  /** Listen: 'frame', 'settings' (options or shots), 'facts', 'marks'. */
  on(what, fn) {
    for (const one of what.split(' ')) this.listeners.set(one, [...(this.listeners.get(one) ?? []), fn]);
  }

  tell(what, by) { for (const fn of this.listeners.get(what) ?? []) fn(by); }

  /** Show another frame, from 1; `by` says who wants it. */
  go(frame, by = null) {
    const wanted = Math.min(this.frames, Math.max(1, Math.round(frame) || 1));
    if (wanted === this.frame) return;
    this.frame = wanted;
    this.tell('frame', by);
  }

  seconds(frame) {
    const { times, rate } = this.facts.video;
    return times ? times[frame - 1] ?? 0 : (frame - 1) / rate;
  }

  get shots() { return this.settings.shots; }
  shotAt(frame) { return this.shots.find((shot) => shot.first <= frame && frame <= shot.last) ?? null; }

  /** What a change of an option changes: {act, first, last}; null where nothing is chosen. */
  target() {
    if (this.scope === 'all') return { act: 'defaults', first: 1, last: this.frames };
    if (this.scope === 'range') return this.marks && { act: 'range', ...this.marks };
    const shot = this.shotAt(this.frame);
    return shot && { act: 'range', first: shot.first, last: shot.last };
  }

  /** Options that are set for what is being changed, and what holds where they are not. */
  shown() {
    const target = this.target();
    const change = this.pending?.options ?? {};
    if (this.scope === 'all' || !target) return { set: merged(this.settings.defaults, this.scope === 'all' ? change : {}), base: {} };
    const at = this.frame >= target.first && this.frame <= target.last ? this.frame : target.first;
    return { set: merged(this.shotAt(at)?.options ?? {}, change), base: this.settings.defaults };
  }

  /** All options of a frame, with what is not saved yet. */
  options(frame = this.frame) {
    const { pending } = this, own = this.shotAt(frame)?.options ?? {};
    if (!pending) return { ...this.settings.defaults, ...own };
    if (pending.act === 'defaults') return { ...merged(this.settings.defaults, pending.options), ...own };
    return { ...this.settings.defaults, ...(pending.first <= frame && frame <= pending.last ? merged(own, pending.options) : own) };
  }

  /** Change an option of what is chosen; undefined unsets it. Shown at once, saved soon. `by` is 'form' if the control shows it already. */
  change(name, value, by = 'form') {
    const target = this.target();
    if (!target) return;
    const same = this.pending && ['act', 'first', 'last'].every((key) => this.pending[key] === target[key]);
    if (!same) this.flush();
    this.pending = { ...target, options: { ...(same ? this.pending.options : {}), [name]: value ?? null } };
    this.tell('settings', by);
    this.later();
  }

  /** Send what is not saved yet. */
  flush(more = {}) {
    if (!this.pending) return this.sending;
    const sent = this.pending;
    return this.send(sent, () => { if (this.pending === sent) this.pending = null; }, more);
  }

  /** Do one thing to merge.toml, after what is not saved yet. */
  act(act, what = {}) {
    this.flush();
    return this.send({ act, ...what });
  }

  send(body, done = () => {}, more = {}) {
    this.busy = (this.busy ?? 0) + 1;
    this.sending = this.sending.then(() => this.post(body, done, more)).finally(() => { this.busy -= 1; this.tell('saved'); });
    return this.sending;
  }

  async post(body, done, more) {
    try {
      this.settings = await api.post(api.of(this.ws, 'merge', 'settings'), { ...body, revision: this.settings.revision }, more);
      done();
    } catch (error) {
      if (error instanceof Refused) {
        done();
        toast(error.message, { bad: true });
        await this.reread();
      } else {
        toast(`not saved: the studio does not answer (${error.message})`, { bad: true });
        if (this.pending) setTimeout(this.later, RETRY_MILLISECONDS);
      }
    }
    this.tell('settings', 'saved');
  }

  async reread() {
    const settings = await tried(() => api.get(api.of(this.ws, 'merge', 'settings')));
    if (settings) this.settings = settings;
  }

  /** After a job: what is on disk now. */
  async refresh() {
    await this.flush();
    await this.reread();
    const facts = await tried(() => api.get(api.of(this.ws, 'merge')));
    if (facts) this.facts = facts;
    this.tell('facts');
    this.tell('settings', 'disk');
  }

  /** Mark the first or the last frame of a range. */
  mark(end, frame = this.frame) {
    const { first = frame, last = frame } = this.marks ?? {};
    const wanted = Math.min(this.frames, Math.max(1, frame));
    this.marks = end === 'first' ? { first: wanted, last: Math.max(wanted, this.marks ? last : this.frames) }
      : { first: Math.min(wanted, this.marks ? first : 1), last: wanted };
    this.tell('marks');
  }

  unmark() {
    this.marks = null;
    if (this.scope === 'range') this.scope = 'all';
    this.tell('marks');
  }

  choose(scope) {
    this.flush();
    this.scope = scope;
    if (scope === 'range' && !this.marks) this.marks = this.about(2);
    this.tell('marks');
  }

  /** The frames so many seconds about the one that is shown. */
  about(seconds) {
    const half = Math.max(1, Math.round((seconds * this.facts.video.rate) / 2));
    return { first: Math.max(1, this.frame - half), last: Math.min(this.frames, this.frame + half) };
  }
}

function merged(options, changes) {
  return Object.fromEntries(Object.entries({ ...options, ...changes }).filter(([, value]) => value !== null));
}
