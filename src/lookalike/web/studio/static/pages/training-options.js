// Options of a training: those that hold, what a person changes of them, and the search among them.
import { el, words } from '../lib.js';
import { forms, makeForm } from '../form.js';
import { said } from './training-words.js';

const FIRST = ['iterations', 'minutes', 'batch_size', 'random_warp', 'pixel_loss', 'gan_power', 'apply_random_ct', 'random_flip', 'write_preview_history', 'preview_seconds'];
/** Changes that belong together, by name. */
const RECIPES = {
  'Tutorial, rest of training': { iterations: 0, minutes: 0, batch_size: 12, pixel_loss: true, autobackup: true },
  'Sharpen: no warp': { random_warp: false },
  'Last detail: no warp, GAN 0.1': { random_warp: false, gan_power: 0.1, autobackup: true },
  'Until I stop it': { iterations: 0, minutes: 0 },
};

/** Controls of some options whose defaults are what holds, a few of them open, the others under "more", with a search by name.
 * @returns {{element, set(values), search, values()}} values() is what was set, also if it is the same as what holds */
export function foldedForm(controls, holds, { values = {}, first = FIRST, onchange = () => {} } = {}) {
  const mine = controls.filter((control) => control.name in holds).map((control) => ({ ...control, default: holds[control.name] }));
  const [open, folded] = [mine.filter((one) => first.includes(one.name)), mine.filter((one) => !first.includes(one.name))];
  const parts = [open, folded].map((some) => makeForm(some, { values: only(values, some), onchange: (_, name) => onchange(all(), name) }));
  const all = () => Object.assign({}, ...parts.map((part) => part.values()));
  const more = el('details', { class: 'more', hidden: !folded.length }, el('summary', {}, `More (${folded.length})`), parts[1].element);
  const none = el('p', { class: 'soft', hidden: true }, 'No option is called that.');
  const fields = [open, folded].flatMap((some, n) => some.map((control, place) => [`${words.option(control.name)} ${control.name} ${control.help}`.toLowerCase(), parts[n].element.children[place], n]));
  const search = el('input', { type: 'search', placeholder: 'Search options', 'aria-label': 'Search options', 'aria-keyshortcuts': '/', oninput: () => find(search.value) });
  function find(text) {
    const wanted = text.trim().toLowerCase().split(/\s+/);
    let found = 0, below = 0;
    for (const [said_, field, n] of fields) {
      field.hidden = !wanted.every((word) => said_.includes(word));
      if (!field.hidden) { found += 1; below += n; }
    }
    more.open = Boolean(text.trim()) && below > 0;
    none.hidden = found > 0;
  }
  return {
    element: el('div', { class: 'stack folded' }, parts[0].element, more, none), search, values: all,
    set(changed) { [open, folded].forEach((some, n) => parts[n].set(only(changed, some))); },
  };
}

const only = (values, controls) => Object.fromEntries(Object.entries(values).filter(([name]) => controls.some((control) => control.name === name)));

/** The panel of a model's options. `pending` is what differs from what holds; it is kept until the page is left for good. */
export class Options {
  /** In `place`; `act` is called to train on with what is pending, `changed` after every change. */
  constructor(place, key, { act, changed }) {
    Object.assign(this, { key, act, changed, holds: {}, pending: kept(key), busy: false, before: '' });
    this.sizes = el('p', { class: 'soft small', 'data-part': 'sizes' });
    this.searchPlace = el('span', { class: 'grow' });
    this.recipes = el('select', { 'aria-label': 'Fill in', onchange: () => { const of = RECIPES[this.recipes.value]; this.recipes.value = ''; if (of) this.set(of); } },
      el('option', { value: '' }, 'Fill in …'), Object.keys(RECIPES).map((name) => el('option', { value: name }, name)));
    this.formPlace = el('div');
    this.list = el('ul', { class: 'changes' });
    this.button = el('button', { class: 'main', 'data-part': 'apply', 'aria-keyshortcuts': 'a', onclick: () => this.act() });
    this.summary = el('div', { class: 'stack pending', hidden: true, 'data-part': 'pending' }, el('h3', {}, 'What would change'), this.list,
      el('div', { class: 'row' }, this.button, el('button', { onclick: () => this.forget() }, 'Forget changes')));
    this.none = el('p', { class: 'empty' }, 'They are written with the first checkpoint.');
    place.append(el('div', { class: 'row' }, el('h2', {}, 'Options'), this.searchPlace, this.recipes), this.sizes, this.summary, this.formPlace, this.none);
  }

  async show({ options, sizes, kind }, running) {
    const text = JSON.stringify([options, sizes]);
    if (text !== this.before) {
      this.before = text;
      this.holds = options;
      this.sizes.textContent = Object.entries(sizes).filter(([, value]) => value !== null).map(([name, value]) => (name === 'model' ? value : `${words.option(name)} ${said(value)}`)).join(' · ');
      this.recipes.hidden = kind === 'xseg';
      await this.build();
      this.set({});
    }
    this.none.hidden = Object.keys(options).length > 0;
    this.button.textContent = running ? 'Apply changes: stops, saves, goes on' : 'Train with these changes';
  }

  async build() {
    const controls = (await forms()).train, typed = this.form?.search.value ?? '', focused = this.form?.search === document.activeElement;
    this.form = foldedForm(controls, this.holds, { values: this.real(), onchange: (values) => this.replace(values) });
    this.searchPlace.replaceChildren(this.form.search);
    this.formPlace.replaceChildren(this.form.element);
    if (typed) { this.form.search.value = typed; this.form.search.dispatchEvent(new Event('input')); }
    if (focused) this.form.search.focus();
  }

  /** Set some more; a value that holds already is no change. */
  set(changes) { this.replace({ ...this.pending, ...changes }); }

  replace(values) {
    this.pending = values;
    this.pending = this.real();
    if (JSON.stringify(this.form?.values()) !== JSON.stringify(this.pending)) this.form?.set(this.pending);
    keep(this.key, this.pending);
    const names = Object.keys(this.pending);
    this.summary.hidden = !names.length;
    this.list.replaceChildren(...names.map((name) => el('li', {}, `${words.option(name)}: `, el('s', {}, said(this.holds[name])), ' → ', el('strong', {}, said(this.pending[name])))));
    this.changed(this.pending);
  }

  forget() { this.replace({}); }

  real() {
    return Object.fromEntries(Object.entries(this.pending).filter(([name, value]) => name in this.holds && value !== this.holds[name]));
  }
}

function kept(key) {
  try { return JSON.parse(sessionStorage.getItem(key)) ?? {}; } catch { return {}; }
}

function keep(key, pending) {
  try { sessionStorage.setItem(key, JSON.stringify(pending)); } catch { /* private windows keep nothing */ }
}
