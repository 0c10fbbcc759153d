// The faces of the frame that is shown, and what can be done with them.
import { el, words } from '../lib.js';
import { keepingFocus } from './align-list.js';

const whose = (one) => (one.person === null ? 'Someone else' : `Person ${one.person}`);

export function makeFaces(on) {
  const title = el('h2', {}), pills = el('span', { class: 'row tight' }), faces = el('div', { class: 'align-faces', id: 'faces' });
  const actions = el('div', { class: 'row tight' }), between = el('div', { class: 'row tight' });
  const element = el('section', { class: 'panel', 'aria-label': 'Faces of this frame' }, el('div', { class: 'row' }, title, pills), faces, actions, between);
  const button = (text, run, more = {}) => el('button', { onclick: run, ...more }, text);

  function face(one, place, picked) {
    const facts = [one.score === null || one.score === undefined ? null : `score ${one.score.toFixed(2)}`, one.person !== null && one.person !== undefined ? `person ${one.person}` : null, one.hand ? 'by hand' : null, one.landmarks ? null : 'only a box'];
    return el('div', { class: 'align-face', 'data-picked': picked ? 'yes' : 'no' },
      button([el('strong', {}, `Face ${place + 1}`), ' ', el('span', { class: 'soft small' }, facts.filter(Boolean).join(' · '))], () => on.pick(place), { class: 'pick grow cut', 'aria-pressed': String(picked) }),
      button('Zoom', () => on.zoom(place), { class: 'small', 'aria-label': `Zoom to face ${place + 1}` }),
      button('Delete', () => on.remove(place), { class: 'small danger', 'aria-label': `Delete face ${place + 1}` }));
  }
  function other(one, place) {
    return el('div', { class: 'align-face' }, el('span', { class: 'grow soft small cut' }, `${whose(one)} · ${one.score.toFixed(2)}`),
      button('Take instead', () => on.take(place, false), { class: 'small', 'aria-label': `Take ${whose(one)} instead` }), button('Take too', () => on.take(place, true), { class: 'small', 'aria-label': `Take ${whose(one)} too` }));
  }
  function pill(text, kind) { return el('span', { class: `pill ${kind}` }, text); }

  return {
    element,
    set: (data, info, picked) => keepingFocus(element, () => show(data, info, picked)),
    links,
  };

  function show(data, info, picked) {
    title.textContent = `Frame ${data.frame + 1} · ${words.time(data.seconds)}`;
    pills.replaceChildren(...[data.hand ? pill('by hand', '') : null, data.between ? pill(`between ${data.between[0] + 1} and ${data.between[1] + 1}`, '') : null,
      data.failed ? pill('cannot be made', 'bad') : data.waits ? pill(info?.state?.startsWith('waits') ? info.state.slice(0, 60) : 'being made', 'warn') : null].filter(Boolean));
    element.dataset.waits = data.waits ? 'yes' : 'no';
    element.dataset.frame = data.frame;
    faces.replaceChildren(...data.faces.map((one, place) => face(one, place, place === picked)), ...data.others.map(other));
    if (!data.faces.length) faces.prepend(el('p', { class: 'soft' }, data.hand ? 'Set by hand: shows no face.' : 'No face of this person was found here.'));
    if (data.failed) faces.prepend(el('p', { class: 'bad small' }, data.failed));
    actions.replaceChildren(button('No face here', on.empty, { class: 'small', disabled: data.hand && !data.faces.length }), button('Back to what was found', on.revert, { class: 'small', disabled: !data.hand, id: 'revert' }));
    between.replaceChildren(...links(data, info).map(([first, last, is]) => button(`${is ? 'Do not move evenly' : 'Move evenly'} ${first + 1} → ${last + 1}`, () => on.link(first, last, !is), { 'data-link': `${first}-${last}`, 'aria-pressed': String(is) })));
    between.hidden = !between.children.length;
  }
}

/** Pairs of frames set by hand, the one shown among or between them, that frames may move between: [first, last, is on]. */
export function links(data, info) {
  if (!info) return [];
  const n = data.frame, hand = info.hand.filter((frame) => !info.empty.includes(frame));
  const before = hand.filter((frame) => frame < n).at(-1), after = hand.find((frame) => frame > n);
  const pairs = hand.includes(n) ? [[before, n], [n, after]] : [[before, after]];
  return pairs.filter(([a, b]) => a !== undefined && b !== undefined && b - a > 1)
    .map(([a, b]) => [a, b, info.between.some(([first, last]) => first === a && last === b)]);
}
