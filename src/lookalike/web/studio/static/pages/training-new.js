// The dialog for a new model: what for, how large, with which options.
import { api, debounce, el, sheet, tried } from '../lib.js';
import { forms } from '../form.js';
import { start } from '../jobs.js';
import { foldedForm } from './training-options.js';

const PRESETS = [
  ['quick', 'A look in ten minutes, on a processor too: 96 px'],
  ['balanced', 'A processor overnight, or a small graphics card: 128 px, 4 hours'],
  ['quality', 'A graphics card of 12 GiB and more: 256 px, 300,000 iterations'],
  ['tutorial', 'The tutorial’s settings: SAE df, 128 px, 40,000 iterations'],
  ['quick96', 'DeepFaceLab 2’s Quick96, for a small graphics card'],
  ['xseg', 'No swap: the mask network, taught by the polygons that you drew'],
];
const FIRST_SIZES = ['model', 'resolution', 'face_type', 'archi', 'ae_dims'];
const NAME = /^\w[\w.-]{0,99}$/;

/** Opens it; `done(name)` is called when the training is queued. */
export async function newModel(ws, taken, done) {
  const controls = await tried(async () => (await forms()).train);
  if (controls) new Dialog(ws, taken, controls, done).show();
}

class Dialog {
  constructor(ws, taken, controls, done) {
    Object.assign(this, { ws, taken, controls, done, preset: 'balanced', sizes: {}, options: {}, named: false, asked: 0 });
    this.name = el('input', { type: 'text', maxLength: 100, spellcheck: false, oninput: () => { this.named = true; this.check(); } });
    this.problem = el('p', { class: 'bad', role: 'alert' });
    this.network = el('div');
    this.training = el('div');
    this.searchPlace = el('span', { class: 'grow' });
    this.button = el('button', { class: 'main', 'data-part': 'create', disabled: true, onclick: () => this.create() }, 'Make and train');
    this.plan = debounce(() => this.ask(), 150);
  }

  show() {
    const presets = el('fieldset', { class: 'presets' }, el('legend', { class: 'hidden' }, 'Preset'), PRESETS.map(([name, what]) => el('label', {},
      el('input', { type: 'radio', name: 'preset', value: name, checked: name === this.preset, onchange: () => { this.preset = name; this.sizes = {}; this.options = {}; this.ask(); } }),
      el('span', {}, el('strong', {}, name), el('span', { class: 'soft small' }, what)))));
    sheet('New model', el('div', { class: 'newmodel stack' }, presets,
      el('label', { class: 'row' }, 'Name of its folder', this.name), this.problem,
      this.networkTitle = el('h3', {}, 'Network: stays as it is for the life of the model'), this.network,
      el('div', { class: 'row' }, el('h3', {}, 'Training: may change at any time'), this.searchPlace), this.training,
      el('div', { class: 'row foot' }, this.button, el('span', { class: 'soft small' }, 'It goes on until its limit, or until you stop it; all is saved.'))));
    presets.querySelector(':checked').focus();
    this.ask();
  }

  /** What the preset and the changes come to; the server knows. */
  async ask() {
    const mine = this.asked += 1;
    const found = await tried(() => api.post(api.of(this.ws, 'training', 'plan'), { options: this.wanted() }));
    if (!found || mine !== this.asked) return;
    this.refused = (found.problem ?? '').replace(/--([a-z][a-z-]*)/g, (_, name) => name.replaceAll('-', ' '));
    if (!found.problem) this.fill(found);
    this.check();
  }

  wanted() {
    return this.preset === 'xseg' ? { model: 'xseg', ...this.options } : { preset: this.preset, ...this.sizes, ...this.options };
  }

  fill({ sizes, options }) {
    this.kind = sizes.model ?? 'xseg';
    const without = (values, set) => Object.fromEntries(Object.entries(values).filter(([name]) => !(name in set)));
    const text = JSON.stringify([Object.keys(sizes), without(sizes, this.sizes), without(options, this.options)]);
    if (text === this.filled) return;
    this.filled = text;
    const focused = document.activeElement?.getAttribute('id')?.replace(/-\d+$/, '');
    const controls = this.controls.map((one) => (one.name === 'model' ? { ...one, optional: false, choices: one.choices.filter((choice) => choice !== 'xseg') } : one));
    this.sizes = Object.fromEntries(Object.entries(this.sizes).filter(([name]) => name in sizes));
    const network = foldedForm(controls, sizes, { values: this.sizes, first: FIRST_SIZES, onchange: (values, name) => {
      this.sizes = name === 'model' ? { model: values.model } : values; // another architecture has other sizes
      this.plan();
    } });
    const training = foldedForm(this.controls, options, { values: this.options, onchange: (values) => { this.options = values; this.plan(); } });
    this.network.replaceChildren(network.element);
    this.networkTitle.hidden = this.network.hidden = this.kind === 'xseg';
    this.training.replaceChildren(training.element);
    this.searchPlace.replaceChildren(training.search);
    if (focused?.startsWith('field-')) document.querySelector(`.newmodel [id^="${CSS.escape(focused)}-"]`)?.focus();
  }

  check() {
    if (!this.named || this.kind === 'xseg') this.name.value = this.kind === 'xseg' ? 'xseg' : this.free(this.kind);
    this.name.disabled = this.kind === 'xseg';
    const name = this.name.value.trim();
    const wrong = this.kind === 'xseg' ? ''
      : !NAME.test(name) ? 'The name takes letters, digits, dots, - and _, and begins with a letter or digit.'
        : name === 'xseg' ? 'xseg is the folder of the mask network; choose another name.'
          : this.taken.includes(name) ? `There is a model ${name} already; choose another name.` : '';
    this.problem.textContent = wrong || this.refused;
    this.button.disabled = Boolean(wrong || this.refused) || !this.kind;
  }

  free(kind) {
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? kind : `${kind}-${number}`;
      if (!this.taken.includes(name)) return name;
    }
  }

  async create() {
    const name = this.name.value.trim(), options = this.kind === 'xseg' ? this.wanted() : { name, ...this.wanted() };
    this.button.disabled = true;
    const number = await start(this.ws, 'train', options);
    if (number) { document.getElementById('sheet').close(); this.done(name); } else this.button.disabled = false;
  }
}
