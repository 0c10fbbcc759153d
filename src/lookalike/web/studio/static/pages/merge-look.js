// The options of merging as controls, and what they hold for: all frames, a shot, or a range.
import { el, words } from '../lib.js';
import { makeForm } from '../form.js';

const GROUPS = [['Mask', ['mask', 'erode', 'blur', 'clip_sides']], ['Colour', ['mode', 'color_transfer', 'hist_match_threshold', 'masked_hist_match']],
  ['Detail', ['sharpen', 'super_resolution', 'motion_blur', 'scale', 'morph_factor']], ['Degrade', ['denoise', 'degrade_bicubic', 'degrade_color']]];
const EXPLAIN = 'merge-explain';

const sorted = (options) => JSON.stringify(Object.entries(options).sort(([one], [other]) => (one < other ? -1 : 1)));

export function makeLook(desk) {
  const known = desk.controls.map((control) => control.name), grouped = GROUPS.flatMap(([, names]) => names);
  const rest = known.filter((name) => !grouped.includes(name));
  const groups = rest.length ? [...GROUPS, ['More', rest]] : GROUPS;
  const scopes = el('div', { class: 'merge-scopes', role: 'radiogroup', 'aria-label': 'What a change holds for' });
  const note = el('p', { class: 'small soft', role: 'status' });
  const body = el('fieldset', { class: 'stack merge-fields' }, el('legend', { class: 'hidden' }, 'Options'));
  const undo = el('button', { title: 'Undo (Ctrl+Z)', 'aria-label': 'Undo', id: 'merge-undo', onclick: () => desk.act('undo') }, '↶');
  const redo = el('button', { title: 'Redo (Ctrl+Shift+Z)', 'aria-label': 'Redo', id: 'merge-redo', onclick: () => desk.act('redo') }, '↷');
  const saved = el('span', { class: 'soft small grow', id: 'merge-saved', role: 'status' });
  const explain = el('button', { 'aria-pressed': 'false', title: 'What each option does', onclick: () => explained(explain.getAttribute('aria-pressed') !== 'true') }, 'Explain');
  const apply = el('div', { class: 'row tight' });
  const element = el('div', { class: 'stack merge-look' }, el('div', { class: 'row tight' }, undo, redo, saved, explain), scopes, note, body,
    el('h3', {}, 'Take the options of this frame to'), apply);
  let forms = [], drawn = '', filled = '';

  function explained(on) {
    element.classList.toggle('explained', on);
    explain.setAttribute('aria-pressed', on);
    localStorage.setItem(EXPLAIN, on ? 'yes' : 'no');
  }

  function build(base, set) {
    const controls = desk.controls.map((control) => (control.name in base ? { ...control, default: base[control.name] } : control));
    forms = groups.map(([title, names]) => {
      const form = makeForm(controls, { values: set, only: names, onchange: (values, name) => desk.change(name, values[name]) });
      for (const name of names) fieldOf(form, name)?.querySelector('.control')?.append(el('button', { class: 'merge-reset', 'data-reset': name, title: 'As it is without', 'aria-label': `Reset ${words.option(name)}`,
        onclick: () => { desk.change(name, undefined, 'reset'); form.control(name).focus(); } }, '↺'));
      return { form, names, title };
    });
    body.replaceChildren(body.firstChild, ...forms.map(({ title, form }) => el('details', { open: localStorage.getItem(`merge-group-${title}`) !== 'no',
      ontoggle: (event) => localStorage.setItem(`merge-group-${title}`, event.target.open ? 'yes' : 'no') }, el('summary', {}, el('h3', {}, title)), form.element)));
  }

  const fieldOf = (form, name) => form.control(name)?.closest('.field');

  function show(by) {
    const { set, base } = desk.shown();
    const key = sorted(base), values = sorted(set);
    if (key !== drawn || !forms.length) build(base, set);
    else if (by !== 'form' && values !== filled) for (const { form } of forms) form.set(set); // what somebody is typing stays
    [drawn, filled] = [key, values];
    for (const { form, names } of forms) for (const name of names) {
      const reset = fieldOf(form, name)?.querySelector('[data-reset]');
      if (reset) reset.disabled = !(name in set);
    }
    body.disabled = !desk.target();
    scope();
    applied();
    undo.disabled = !desk.settings.undo && !desk.unsaved;
    redo.disabled = !desk.settings.redo;
    saved.textContent = desk.unsaved ? 'saving…' : 'saved in merge.toml';
  }

  function scope() {
    const shot = desk.shotAt(desk.frame), { marks } = desk;
    const radio = (value, text) => el('label', { class: 'merge-scope' }, el('input', { type: 'radio', name: 'merge-scope', value, checked: desk.scope === value, onchange: () => desk.choose(value) }), ' ', text);
    const focused = scopes.contains(document.activeElement);
    scopes.replaceChildren(radio('all', 'All frames'), radio('shot', shot ? `This shot (${shot.name ? `${shot.name}, ` : ''}${shot.first}–${shot.last})` : 'This shot (none here)'),
      radio('range', marks ? `Frames ${marks.first}–${marks.last}` : 'Marked frames'));
    if (focused) scopes.querySelector(':checked')?.focus();
    note.textContent = noted(shot, marks);
    note.hidden = !note.textContent;
  }

  function noted(shot, marks) {
    const own = Object.keys(shot?.options ?? {}).map(words.option);
    if (desk.scope === 'all' && own.length) return `This shot has its own ${own.join(', ')}: a change of these for all frames does not show here.`;
    if (desk.scope === 'shot' && !shot) return 'No shot is here: let one begin (S), find the cuts, or choose what else to change.';
    if (desk.scope === 'range' && marks && (desk.frame < marks.first || desk.frame > marks.last)) return 'The frame shown is outside of the marked ones.';
    if (desk.scope !== 'all') return 'What is bold is set here; everything else is as for all frames.';
    return '';
  }

  function applied() {
    const whole = () => Object.fromEntries(desk.controls.map(({ name, default: start }) => [name, desk.options()[name] ?? start]));
    const shot = desk.shotAt(desk.frame);
    apply.replaceChildren(
      el('button', { id: 'merge-apply-shot', disabled: !shot, onclick: () => desk.act('range', { first: shot.first, last: shot.last, options: whole() }) }, 'this shot'),
      el('button', { id: 'merge-apply-range', disabled: !desk.marks, onclick: () => desk.act('range', { ...desk.marks, options: whole() }) }, desk.marks ? `frames ${desk.marks.first}–${desk.marks.last}` : 'marked frames'),
      el('button', { id: 'merge-apply-all', title: 'Shots lose options of their own', onclick: () => desk.act('everywhere', { options: whole() }) }, 'all frames'));
  }

  // Arrow keys belong to the control that has the focus, not to the frames.
  element.addEventListener('keydown', (event) => {
    if (event.target.matches('input[type=range], input[type=radio]') && /^(Arrow|Home|End|Page)/.test(event.key) && !event.ctrlKey) event.stopPropagation();
  });
  explained(localStorage.getItem(EXPLAIN) === 'yes');
  desk.on('settings frame marks saved', (by) => show(by));
  show();
  return { element };
}
