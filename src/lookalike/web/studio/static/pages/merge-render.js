// Rendering: a piece about the frame, or all; how it is encoded.
import { el, words } from '../lib.js';
import { makeForm } from '../form.js';
import { start } from '../jobs.js';

const LENGTHS = [2, 3, 5, 10];
const PIECE = { codec: 'h264', preset: 'veryfast', crf: 16 };

/** @param others controls of the job `merge` besides those of the look; watch(box, kind) shows a job's progress; play(which) */
export function makeRender(desk, others, watch, play, onmodel) {
  const key = `merge-render-${desk.ws}`;
  const stored = () => { try { return JSON.parse(localStorage.getItem(key)) ?? {}; } catch { return {}; } };
  const names = others.map((control) => control.name);
  const values = Object.fromEntries(Object.entries(stored()).filter(([name]) => names.includes(name)));
  const controls = others.map((control) => (control.name === 'name' ? { ...control, kind: 'choice', choices: desk.facts.models, default: null } : control));
  const form = makeForm(controls, { values, onchange: (set, name) => { localStorage.setItem(key, JSON.stringify(set)); changed(set, name); } });
  const length = el('select', { 'aria-label': 'Length of the piece', id: 'merge-length' }, LENGTHS.map((seconds) => el('option', { value: seconds, selected: seconds === 3 }, `${seconds} s about here`)),
    el('option', { value: 'range' }, 'marked range'));
  const boxes = { piece: el('div', {}), merge: el('div', {}), report: el('div', {}) };
  const made = { piece: el('div', {}), result: el('div', {}) };
  const element = el('div', { class: 'stack' },
    section('A piece', el('p', { class: 'small soft' }, 'A few seconds as the whole will be, with the smoothing over time and with sound, as H.264 to be played here.'),
      el('div', { class: 'row tight' }, length, el('button', { class: 'main', id: 'merge-piece', onclick: piece }, 'Render the piece')), boxes.piece, made.piece),
    section('The whole', el('div', { class: 'row tight' }, el('button', { class: 'main', id: 'merge-all', onclick: all }, 'Render all'),
      el('button', { id: 'merge-report', title: 'Measure the result beside dst and find its worst frames', onclick: () => start(desk.ws, 'report') }, 'Measure the result')), boxes.merge, boxes.report, made.result),
    el('details', { class: 'panel-in', open: true }, el('summary', {}, el('h3', {}, 'How it is rendered')), el('div', { class: 'merge-help-small' }, form.element)));
  for (const kind of Object.keys(boxes)) watch(boxes[kind], kind);

  function section(title, ...content) { return el('section', { class: 'stack merge-section' }, el('h2', {}, title), ...content); }

  /** What of it decides a picture. */
  function run(set = form.values()) {
    return Object.fromEntries(['name', 'stabilize', 'mask_network', 'people', 'device'].filter((one) => one in set).map((one) => [one, set[one]]));
  }

  function changed(set) {
    const before = JSON.stringify(desk.run);
    desk.run = run(set);
    if (JSON.stringify(desk.run) !== before) onmodel();
  }

  async function piece() {
    const range = length.value === 'range' ? desk.marks ?? desk.about(3) : desk.about(Number(length.value));
    await desk.flush();
    await start(desk.ws, 'piece', { ...range, ...run(), ...PIECE });
  }

  async function all() {
    await desk.flush();
    await start(desk.ws, 'merge', form.values());
  }

  function draw() {
    for (const [which, box] of Object.entries(made)) {
      const of = desk.facts[which];
      box.replaceChildren(of ? el('div', { class: 'row tight' }, el('button', { id: `merge-play-${which}`, onclick: () => play(which) }, '▶ Play'),
        el('span', { class: 'small soft cut' }, `${of.name}, frames ${of.first} to ${of.first + of.frames - 1}, ${words.time(of.frames / of.rate)}${of.sound ? ', with sound' : ''}`))
        : which === 'result' ? el('p', { class: 'small soft' }, 'No result lies in the workspace.') : '');
      box.hidden = !box.hasChildNodes() || (!of && which === 'piece');
    }
    element.querySelector('#merge-report').disabled = !desk.facts.result;
  }

  desk.run = run();
  desk.on('facts', draw);
  draw();
  return { element, piece };
}
