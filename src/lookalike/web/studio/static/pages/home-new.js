// A new swap: a name, two videos, and how long to train; or the workspace alone.
import { api, el, toast, tried, words } from '../lib.js';
import { start } from '../jobs.js';
import { give, makePicker } from './chooser.js';
import { send } from './uploads.js';

export function makeNew(facts, { close, changed }) {
  const most = facts.most_bytes;
  const name = el('input', { type: 'text', maxLength: 100, id: 'new-name', autocomplete: 'off', spellcheck: false, 'aria-describedby': 'new-name-help' });
  let named = false, busy = false;
  name.oninput = () => { named = name.value !== ''; };
  const pickers = { src: makePicker('src', 'src: the person who is put in', { most, onchange: suggest }), dst: makePicker('dst', 'dst: receives the face', { most, onchange: suggest }) };
  const preset = el('select', { id: 'new-preset', onchange: explain }, Object.keys(facts.presets).map((one) => el('option', { value: one }, one)));
  const minutes = el('input', { type: 'number', id: 'new-minutes', min: 1, step: 'any', placeholder: 'preset' });
  const says = el('p', { class: 'soft small', id: 'new-preset-help' });
  const swap = el('button', { class: 'main', onclick: () => make(true) }, 'Start a swap');
  const only = el('button', { onclick: () => make(false) }, 'Only make the workspace');
  const element = el('section', { class: 'panel stack new-swap', 'aria-labelledby': 'new-title' },
    el('div', { class: 'row' }, el('h2', { class: 'grow', id: 'new-title' }, 'New swap'), el('button', { 'aria-label': 'Close', onclick: close }, '✕')),
    el('div', { class: 'pickers' }, pickers.src.element, pickers.dst.element),
    el('div', { class: 'new-line' },
      el('label', { class: 'new-field', for: 'new-name' }, el('span', {}, 'Name'), name),
      el('label', { class: 'new-field', for: 'new-preset' }, el('span', {}, 'Preset'), preset),
      el('label', { class: 'new-field', for: 'new-minutes' }, el('span', {}, 'Minutes of training'), minutes)),
    says,
    el('div', { class: 'row' }, swap, only, el('span', { class: 'soft small', id: 'new-name-help' }, 'A folder of that name is made in the studio\'s folder; your files stay as they are.')));

  function suggest() {
    const stems = ['src', 'dst'].map((side) => pickers[side].chosen?.name.replace(/\.[^.]*$/, '')).map((stem) => stem?.replace(/[^\p{L}\p{N}_-]+/gu, '_').slice(0, 40));
    if (!named) name.value = stems.filter(Boolean).join('-on-');
    enable();
  }
  function enable() {
    const both = pickers.src.chosen && pickers.dst.chosen;
    swap.disabled = busy || !both;
    swap.title = both ? '' : 'Choose both videos first';
    only.disabled = busy;
  }
  function explain() {
    const one = facts.presets[preset.value];
    const long = one.minutes ? `trains for ${words.time(one.minutes * 60).replace(/:00$/, '')} ${one.minutes >= 60 ? 'hours' : 'minutes'}` : `trains for ${one.iterations?.toLocaleString('en')} iterations`;
    says.textContent = `${preset.value}: faces of ${one.resolution} pixels, ${long} unless you say how long. A swap extracts, trains, merges and measures by itself; stopped, it goes on where it was.`;
  }
  async function make(start_) {
    if (!name.value.trim()) { toast('Give the swap a name', { bad: true }); name.focus(); return; }
    busy = true;
    enable();
    try { await begin(start_); } finally { busy = false; enable(); }
  }
  async function begin(start_) {
    const made = await tried(() => api.post('/api/workspaces', { name: name.value }));
    if (!made) return;
    changed();
    const chosen = ['src', 'dst'].filter((side) => pickers[side].chosen).map((side) => [side, pickers[side].chosen]);
    const options = { preset: preset.value, ...(minutes.value ? { minutes: Number(minutes.value) } : {}) };
    const got = await Promise.all(chosen.map(([side, one]) => give(made.name, side, one, send)));
    changed();
    if (start_ && got.every(Boolean)) await start(made.name, 'swap', options);
    for (const side of ['src', 'dst']) pickers[side].set(null);
    named = false;
    name.value = '';
    if (element.isConnected) location.hash = `#/w/${encodeURIComponent(made.name)}/videos`;
    else if (!got.every(Boolean)) toast(`${made.name} lacks a video; give it one on its Videos page`, { bad: true });
  }
  explain();
  enable();
  return { element, focus: () => pickers.src.focus(), busy: () => busy };
}
