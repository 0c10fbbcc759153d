// The worst frames of the report: pictures that lead to them.
import { api, el } from '../lib.js';

export function makeWorst(desk) {
  const row = el('div', { class: 'merge-worst', role: 'list' });
  const says = el('span', { class: 'soft small' });
  const element = el('section', { class: 'panel merge-worsts', 'aria-label': 'Worst frames' }, el('div', { class: 'row tight' }, el('h3', {}, 'Worst frames'), says), row);

  function draw() {
    const { worst } = desk.facts, frames = (worst?.frames ?? []).filter((one) => one.frame <= desk.frames);
    element.hidden = !worst;
    says.textContent = !worst ? '' : worst.current ? 'as the report measured the result' : `as the report measured ${worst.of}; the result is another one now`;
    row.replaceChildren(...frames.map((one) => {
      const text = one.reasons.join(', ');
      return el('div', { role: 'listitem' }, el('button', { class: `merge-worst-one${one.bad ? '' : ' fine'}`, 'data-frame': one.frame, title: `Frame ${one.frame}: ${text}`, onclick: () => desk.go(one.frame) },
        el('img', { src: api.of(desk.ws, 'merge', 'worst', String(one.frame)), alt: '', loading: 'lazy', draggable: false }),
        el('span', { class: 'cut' }, el('strong', {}, String(one.frame)), ` ${text}`)));
    }));
    mark();
  }

  function mark() {
    for (const one of row.querySelectorAll('button')) {
      if (Number(one.dataset.frame) === desk.frame) one.setAttribute('aria-current', 'true'); else one.removeAttribute('aria-current');
    }
  }

  /** To the worst frame before or after the one shown. */
  function step(way) {
    const frames = (desk.facts.worst?.frames ?? []).map((one) => one.frame).sort((a, b) => a - b);
    const next = way > 0 ? frames.find((one) => one > desk.frame) : frames.findLast((one) => one < desk.frame);
    if (next) { desk.go(next); row.querySelector(`[data-frame="${next}"]`)?.scrollIntoView({ inline: 'nearest', block: 'nearest' }); }
  }

  desk.on('facts', draw);
  desk.on('frame', mark);
  draw();
  return { element, step };
}
