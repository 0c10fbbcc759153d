// How a result was made, and whether it says so itself.
import { el, words } from '../lib.js';

export function madeOf(result) {
  const facts = [
    ['File', `${result.name}, ${words.bytes(result.bytes)}`],
    ['Made', new Date(result.changed * 1000).toLocaleString('en-GB')],
    ['By', `Lookalike ${result.version}`],
    ['Model', result.model ? `${result.model}${result.kind && result.kind !== result.model ? ` (${result.kind})` : ''}${result.iterations ? `, ${result.iterations.toLocaleString('en')} iterations` : ''}` : 'not noted'],
    ['Frames', result.frames ? `${result.frames.toLocaleString('en')}, of which ${(result.frames_with_face ?? 0).toLocaleString('en')} with the new face` : 'not noted'],
  ];
  return el('section', { class: 'panel stack', id: 'made', 'data-jump': 'Signature', 'aria-label': 'Signature and how it was made' },
    el('div', { class: 'row' }, el('h2', { class: 'grow' }, 'Signature'), el('span', { class: 'pill warn' }, 'not signed')),
    el('p', {}, 'This version does not sign results yet: the file carries no content credentials (C2PA), so nobody can tell from it that its face was replaced. Say so where you show it.'),
    el('dl', { class: 'made-facts' }, facts.map(([key, value]) => el('div', {}, el('dt', {}, key), el('dd', {}, value)))),
    el('details', { class: 'more' }, el('summary', {}, 'Settings it was made with'), el('div', { class: 'made-settings' }, Object.entries(result.settings).map(([step, options]) => el('div', {}, el('h3', {}, step),
      el('dl', { class: 'made-facts' }, Object.entries(options).map(([key, value]) => el('div', {}, el('dt', {}, words.option(key)), el('dd', {}, String(value))))))))));
}
