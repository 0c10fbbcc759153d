// How a result was made, and whether it says so itself.
import { el, words } from '../lib.js';

const STATES = {
  trusted: ['good', 'signed', 'Signed, not changed since, and the signer is known on this machine. Elsewhere a local signature reads as valid, by a signer on no list.'],
  valid: ['good', 'signed', 'Signed, and not changed since. The signer is on no list that this machine knows.'],
  tampered: ['bad', 'changed since', 'The file was changed after it was signed. Merge again, or sign what you changed: lookalike sign.'],
  removed: ['warn', 'credentials removed', 'The file was signed once, and what signed it is gone, as after a remux. Sign it again: lookalike sign.'],
  absent: ['warn', 'not signed', 'The file carries no content credentials, so nobody can tell from it that its face was replaced. Say so where you show it.'],
};

export function madeOf(result) {
  const [kind, word, meaning] = STATES[result.trust.credentials];
  const facts = [
    ['File', `${result.name}, ${words.bytes(result.bytes)}`],
    ['Made', new Date(result.changed * 1000).toLocaleString('en-GB')],
    ['By', `Lookalike ${result.version}`],
    ['Model', result.model ? `${result.model}${result.kind && result.kind !== result.model ? ` (${result.kind})` : ''}${result.iterations ? `, ${result.iterations.toLocaleString('en')} iterations` : ''}` : 'not noted'],
    ['Signed by', result.trust.signer || 'nobody'],
    ['Content check', result.trust.content_check || 'not noted'],
    ['Consent', result.trust.consents ? `${result.trust.consents} valid ${result.trust.consents === 1 ? 'record' : 'records'}` : 'no record'],
    ['Frames', result.frames ? `${result.frames.toLocaleString('en')}, of which ${(result.frames_with_face ?? 0).toLocaleString('en')} with the new face` : 'not noted'],
  ];
  return el('section', { class: 'panel stack', id: 'made', 'data-jump': 'Signature', 'aria-label': 'Signature and how it was made' },
    el('div', { class: 'row' }, el('h2', { class: 'grow' }, 'Signature'), el('span', { class: `pill ${kind}` }, word)),
    el('p', {}, meaning),
    el('dl', { class: 'made-facts' }, facts.map(([key, value]) => el('div', {}, el('dt', {}, key), el('dd', {}, value)))),
    el('details', { class: 'more' }, el('summary', {}, 'Settings it was made with'), el('div', { class: 'made-settings' }, Object.entries(result.settings).map(([step, options]) => el('div', {}, el('h3', {}, step),
      el('dl', { class: 'made-facts' }, Object.entries(options).map(([key, value]) => el('div', {}, el('dt', {}, words.option(key)), el('dd', {}, String(value))))))))));
}
