// Options as controls, told by the server's own option classes (/api/forms): only what was changed is sent.
import { api, el, words } from './lib.js';

let loading = null;
/** The controls of every kind of job: {train: [{name, help, kind, default, choices, least, most, optional}, ...], ...} */
export function forms() {
  loading ??= api.get('/api/forms').catch((error) => { loading = null; throw error; });
  return loading;
}

/** A form.
 * @param controls rows of forms()[kind]
 * @param options.values what is set already, by name; other options show their default
 * @param options.only names to show, in this order; all if left out
 * @param options.onchange called with ({name: value, ...}, changed name)
 * @returns {{element, values(), set(values), control(name)}} values() has only what differs from unset
 */
export function makeForm(controls, { values = {}, only = null, onchange = () => {} } = {}) {
  const known = Object.fromEntries(controls.map((control) => [control.name, control]));
  const shown = only ? only.map((name) => known[name]).filter(Boolean) : controls;
  const set = { ...values };
  const parts = {};
  const change = (name, value) => {
    if (value === undefined) delete set[name]; else set[name] = value;
    parts[name].mark();
    onchange({ ...set }, name);
  };
  const element = el('div', { class: 'form' }, shown.map((control) => (parts[control.name] = field(control, set, change)).element));
  return {
    element,
    values: () => ({ ...set }),
    set(changed) {
      for (const key of Object.keys(set)) delete set[key];
      Object.assign(set, changed);
      for (const part of Object.values(parts)) part.show();
    },
    control: (name) => parts[name]?.input,
  };
}

let count = 0;
function field(control, set, change) {
  const id = `field-${control.name}-${count += 1}`;
  const start = () => set[control.name] ?? control.default;
  const name = el('span', { class: 'name' }, words.option(control.name));
  const help = el('p', { class: 'help', id: `${id}-help` }, control.help);
  let input, extra = null;
  const send = (value) => change(control.name, value);
  if (control.kind === 'flag') {
    input = el('input', { type: 'checkbox', onchange: () => send(input.checked) });
  } else if (control.kind === 'choice') {
    const choices = control.optional || control.default === null ? ['', ...control.choices] : control.choices;
    input = el('select', { onchange: () => send(input.value === '' ? undefined : control.choices.find((c) => String(c) === input.value)) },
      choices.map((choice) => el('option', { value: String(choice) }, choice === '' ? '–' : String(choice))));
  } else if (control.kind === 'text') {
    input = el('input', { type: 'text', onchange: () => send(input.value.trim() || undefined) });
  } else {
    const whole = control.kind === 'whole';
    const number = (text) => (text === '' || Number.isNaN(Number(text)) ? undefined : Number(text));
    input = el('input', { type: 'number', step: whole ? '1' : 'any', onchange: () => { send(number(input.value)); if (extra) extra.value = input.value; } });
    if (control.least !== null) input.min = control.least;
    if (control.most !== null) input.max = control.most;
    if (control.least !== null && control.most !== null && control.most <= 1000) {
      extra = el('input', { type: 'range', min: control.least, max: control.most, step: whole ? '1' : String((control.most - control.least) / 200),
        'aria-label': words.option(control.name), oninput: () => { input.value = extra.value; send(number(extra.value)); } });
    }
  }
  input.id = id;
  input.setAttribute('aria-describedby', help.id);
  const mark = () => name.classList.toggle('set', control.name in set);
  const show = () => {
    const value = start();
    if (control.kind === 'flag') input.checked = value === true; else input.value = value ?? '';
    if (extra) extra.value = value ?? 0;
    mark();
  };
  show();
  return { element: el('div', { class: 'field' }, el('label', { for: id }, name, el('span', { class: 'control' }, extra, input)), help), input, mark, show };
}
