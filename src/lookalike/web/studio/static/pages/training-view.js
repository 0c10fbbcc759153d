// How a training comes on: figures, preview, curves, history. Shown beside `train --preview` and in the studio alike.
import { api, el, words } from '../lib.js';
import { Chart, lossReach } from './training-chart.js';
import { Film } from './training-film.js';
import { choice, Preview } from './training-preview.js';
import { highest, known, lowest, pace, put, remember, remembered, said, span, whole } from './training-words.js';

const EVERY_MS = 2000, PATIENCE_MS = 30000, MOST_POINTS = 1500;
const RANGES = [[0, 'all'], [5000, 'last 5k'], [10000, '10k'], [50000, '50k'], [100000, '100k']];
const HELD = (key) => !['iteration', 'time'].includes(key) && !key.startsWith('identity_');

/** Keys of the view, and what they do. */
export const KEYS = [['l', 'Iterations shown in the graphs'], ['m', 'Masked preview'], ['c', 'All columns or swaps large'], ['e', 'Show the swaps large'],
  ['Space', 'Play the history'], ['[ or ]', 'Picture of the history, back or on']];

/** Show the training whose data are at `${base}data.json` inside `root`, until `stop()`.
 * @param options.state called with the data; {kind, text} where more is known of the state than a folder tells, or null
 * @param options.readOnly list the options, which else the caller shows
 * @param options.onGone called when there is no such model any more
 * @param options.onData called with the data after every look
 * @returns a View: panel(side, name) makes a place for more (left, right or side), pill tells the state, keys is what onKeys wants */
export function mount(root, base, options = {}) {
  const view = new View(root, base, options);
  view.begin();
  return view;
}

class View {
  constructor(root, base, { state = () => null, readOnly = false, onGone = () => {}, onData = () => {} }) {
    Object.assign(this, { base, stateOf: state, onGone, onData, data: null, generation: undefined, asking: null, askedAt: 0, ended: false });
    this.parts = {};
    this.left = el('div', { class: 'stack left' });
    this.right = el('div', { class: 'stack right' });
    this.side = el('div', { class: 'stack side' });
    root.append(el('div', { class: 'train stack' }, this.facts(), el('div', { class: 'columns' }, this.left, this.right, this.side)));
    const preview = this.panel('left', 'preview'), loss = this.panel('right', 'loss'), held = this.panel('right', 'held'), film = this.panel('left', 'history');
    this.preview = new Preview(preview, base);
    this.range = choice('Iterations shown', 'range', RANGES, remembered('range', 0), (value) => { remember('range', value); this.forget(); this.ask(); }, 'l');
    this.film = new Film(film, base);
    this.charts = this.drawn(loss, held);
    if (readOnly) this.listed = this.list(this.panel('side', 'options'));
    this.keys = { l: () => this.range.next(), m: () => this.preview.kind.next(), c: () => this.preview.layout.next(), e: () => this.preview.toggle(),
      ' ': () => this.film.toggle(), '[': () => this.film.step(-1), ']': () => this.film.step(1) };
    this.forget();
  }

  begin() {
    this.timer = setInterval(() => {
      const waits = this.asking && performance.now() - this.askedAt < PATIENCE_MS;
      if (!document.hidden && !waits) this.ask();
    }, EVERY_MS);
    this.seen = () => { if (!document.hidden) this.ask(); };
    document.addEventListener('visibilitychange', this.seen);
    this.ask();
  }

  stop() {
    this.ended = true;
    clearInterval(this.timer);
    document.removeEventListener('visibilitychange', this.seen);
    this.asking?.abort();
    this.film.forget();
    this.preview.stop();
    for (const chart of Object.values(this.charts)) chart.stop();
  }

  panel(side, name) {
    const made = el('section', { class: 'panel', 'aria-label': name, 'data-panel': name });
    this[side].append(made);
    return made;
  }

  facts() {
    const fact = (name, text, ...more) => el('div', {}, el('dt', {}, text), el('dd', {}, this.parts[name] = el('span', { 'data-part': name }, '–'), ' ', more));
    this.bar = el('progress', { max: 1, value: 0, 'aria-label': 'Share of the training that is done', hidden: true });
    this.pill = el('span', { class: 'pill', role: 'status', 'data-part': 'state' }, 'Looking …');
    return el('section', { class: 'panel stack', 'aria-label': 'Where the training stands' },
      el('div', { class: 'row head' }, this.parts.model = el('strong', { 'data-part': 'model' }, 'Training'), this.parts.workspace = el('span', { class: 'soft' }),
        this.parts.message = el('span', { class: 'soft grow cut' }), this.pill),
      el('dl', { class: 'facts' }, fact('iteration', 'Iteration', this.parts.target = el('small', { class: 'soft' }), this.bar),
        fact('speed', 'Speed'), fact('left', 'Time left'), fact('trained', 'Trained for'), fact('memory', 'Memory', this.parts.peak = el('small', { class: 'soft' }))),
      el('p', { class: 'advice' }, el('strong', {}, 'When do I stop?'), ' ', this.parts.advice = el('span', { 'aria-live': 'polite', 'data-part': 'advice' })));
  }

  drawn(loss, held) {
    const lossPlace = el('div', { class: 'chart tall' }), heldPlace = el('div', { class: 'chart' }), identityPlace = el('div', { class: 'chart' });
    loss.append(el('div', { class: 'row' }, el('h2', { class: 'grow' }, 'Loss'), this.range.element), lossPlace);
    held.append(el('h2', {}, 'Faces that are held out ', el('span', { class: 'soft' }, 'and not trained on')),
      el('div', { class: 'pair' }, el('div', {}, el('h3', {}, 'Loss'), heldPlace), el('div', {}, el('h3', {}, 'Distance of the swap'), identityPlace)));
    const hidden = (key) => !key.startsWith('loss_');
    return {
      loss: new Chart(lossPlace, 'Loss', { reach: lossReach, hidden, empty: 'No iteration yet' }),
      held: new Chart(heldPlace, 'Loss on held-out faces', { reach: lossReach, hidden, empty: 'Not measured yet' }),
      identity: new Chart(identityPlace, 'Distance of the swap to src and to dst', { empty: 'Not measured yet',
        reach: (lines) => { const all = [0.6, ...lines.flatMap((l) => known(l.mean))]; return [lowest(all) - 0.05, highest(all) + 0.05]; } }),
    };
  }

  list(place) {
    const rows = el('dl', { class: 'options' }), none = el('p', { class: 'empty' }, 'They are written with the first checkpoint.');
    place.append(el('h2', {}, 'Options'), rows, none);
    let before = '';
    return ({ sizes, options }) => {
      const text = JSON.stringify([sizes, options]);
      if (text === before) return;
      before = text;
      const part = (title, values) => (Object.keys(values).length ? [el('div', { class: 'head' }, el('dt', {}, title)),
        ...Object.entries(values).map(([key, value]) => el('div', {}, el('dt', {}, words.option(key)), el('dd', {}, said(value))))] : []);
      rows.replaceChildren(...part('Network', sizes), ...part('Training', options));
      none.hidden = rows.childElementCount > 0;
    };
  }

  // ---- what is known ---------------------------------------------------------------------------------------------

  forget() { this.curves = { first: [], last: [], values: {} }; }

  add(more) {
    const { curves } = this, before = curves.first.length, count = more.first.length;
    curves.first.push(...more.first);
    curves.last.push(...more.last);
    for (const key of new Set([...Object.keys(curves.values), ...Object.keys(more.values)])) {
      const own = curves.values[key] ??= { low: Array(before).fill(null), high: Array(before).fill(null), mean: Array(before).fill(null) };
      for (const part of ['low', 'high', 'mean']) own[part].push(...more.values[key]?.[part] ?? Array(count).fill(null));
    }
    const range = Number(this.range.value), gone = range ? curves.last.findIndex((n) => n > curves.last.at(-1) - range) : 0;
    if (gone <= 0) return;
    curves.first.splice(0, gone);
    curves.last.splice(0, gone);
    for (const own of Object.values(curves.values)) for (const part of ['low', 'high', 'mean']) own[part].splice(0, gone);
  }

  async ask() {
    if (this.ended) return;
    if (this.curves.first.length > MOST_POINTS) this.forget();
    const pictures = this.film.names;
    const query = new URLSearchParams({ after: this.curves.last.at(-1) ?? 0, last: this.range.value, pictures_after: pictures.length ? Number(pictures.at(-1)) : -1 });
    this.asking?.abort();
    const mine = this.asking = new AbortController();
    this.askedAt = performance.now();
    try {
      this.take(await api.get(`${this.base}data.json?${query}`, { signal: mine.signal }));
    } catch (error) {
      this.failed(error);
    } finally {
      if (this.asking === mine) this.asking = null;
    }
  }

  failed(error) {
    if (this.ended || error.name === 'AbortError') return;
    if (error.status === 404) { this.stop(); this.onGone(); }
    else if (error.status === 403) this.state('', 'Another run has begun: open the address that it printed');
    else this.state('bad', error.status ? error.message : 'No connection: the program that served this page has ended');
  }

  take(data) {
    if (this.ended) return;
    this.data = data;
    const began = this.generation !== undefined && data.generation !== this.generation;
    this.generation = data.generation;
    if (began) { // the training went back: nothing that was handed out is true any more
      this.forget();
      this.film.forget();
      this.asking = null;
      this.ask();
      return;
    }
    this.add(data.curves);
    this.show(data.pictures);
    this.onData(data);
  }

  // ---- showing ---------------------------------------------------------------------------------------------------

  show(pictures = []) {
    if (!this.data) return;
    this.showState();
    this.showFacts();
    this.showCurves();
    this.listed?.(this.data);
    this.preview.show(this.data);
    this.film.add(pictures);
  }

  state(kind, text) {
    this.pill.className = `pill ${kind}`;
    put(this.pill, text);
  }

  showState() {
    const { running, silent_seconds: silent, iteration, target, minutes, seconds } = this.data, more = this.stateOf(this.data);
    if (more) this.state(more.kind, more.text);
    else if (running) this.state('good', 'Training');
    else if (silent != null) this.state('warn', `No sign of life for ${span(silent)}: the training was killed, or hangs`);
    else if ((target && iteration >= target) || (minutes && seconds >= minutes * 60)) this.state('', 'Finished: the target is reached');
    else if (iteration || seconds != null) this.state('warn', 'Stopped');
    else this.state('', 'Not begun yet');
  }

  showFacts() {
    const { status, target, minutes, iteration, seconds, running, model, workspace, resident_bytes: resident } = this.data, { parts } = this;
    const live = running && status ? status : {};
    document.title = `${running ? '' : '■ '}${whole(iteration)} · ${model} – Lookalike`;
    put(parts.model, model);
    put(parts.workspace, workspace ? `in ${workspace}` : '');
    put(parts.message, live.message ?? '');
    put(parts.iteration, whole(iteration));
    put(parts.target, target ? `of ${whole(target)}` : minutes ? `until ${span(minutes * 60)} are over` : 'no limit');
    const share = target ? iteration / target : minutes && seconds != null ? seconds / 60 / minutes : null;
    this.bar.hidden = share == null;
    if (share != null) this.bar.value = Math.min(share, 1);
    put(parts.speed, pace(live.per_second));
    put(parts.left, live.seconds_left == null ? '–' : span(live.seconds_left));
    put(parts.trained, seconds == null ? '–' : span(seconds));
    const most = live.memory_bytes || null;
    put(parts.memory, resident || most ? words.bytes(resident ?? most) : '–');
    put(parts.peak, resident && most > resident * 1.02 ? `at most ${words.bytes(most)}` : '');
    put(parts.advice, this.data.kind === 'xseg' ? 'When the overlap with the faces held out, told at the end, is good enough; it is made of the polygons that you drew.' : this.data.advice);
  }

  showCurves() {
    const { curves, charts } = this, middle = curves.first.map((n, i) => (n + curves.last[i]) / 2);
    charts.loss.set(middle, Object.entries(curves.values).map(([key, own]) => ({ key, ...own })));
    const rows = this.data.validation, x = rows.map((row) => row.iteration);
    const lines = (wanted) => [...new Set(rows.flatMap(Object.keys))].filter(wanted)
      .map((key) => ({ key, mean: rows.map((row) => row[key] ?? null) })).filter((line) => known(line.mean).length);
    charts.held.set(x, lines(HELD));
    charts.identity.set(x, lines((key) => key.startsWith('identity_')), { value: this.data.same_person, text: `below ${this.data.same_person}: the same person` });
  }
}
