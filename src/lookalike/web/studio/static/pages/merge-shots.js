// The shots of merge.toml: found, cut, joined, named, taken out.
import { asked, el, words } from '../lib.js';
import { start } from '../jobs.js';

export function makeShots(desk, watch) {
  const list = el('ol', { class: 'merge-shots', 'aria-label': 'Shots' });
  const count = el('p', { class: 'soft small' });
  const running = el('div', {});
  const element = el('div', { class: 'stack' },
    el('div', { class: 'row tight' },
      el('button', { id: 'merge-find', onclick: find }, 'Find the cuts'),
      el('button', { id: 'merge-split', title: 'A shot begins at this frame (S)', onclick: split }, 'Begin a shot here'),
      el('button', { id: 'merge-add', title: 'Make a shot of the marked frames', onclick: () => desk.act('range', { ...desk.marks, options: {} }) }, 'Shot of the range')),
    running, count, list);
  watch(running, 'shots');

  async function find() {
    const replace = desk.shots.length > 0;
    if (replace && !(await asked(`Put the shots that are found in the place of the ${desk.shots.length} there? You can undo it.`, 'Find and replace'))) return;
    await desk.flush();
    await start(desk.ws, 'shots', replace ? { replace } : {});
  }

  function split() { desk.act('split', { first: desk.frame }); }

  function row(shot, place) {
    const own = Object.entries(shot.options).map(([name, value]) => `${words.option(name)} ${value}`);
    const before = desk.shots[place - 1];
    const name = el('input', { type: 'text', value: shot.name, maxLength: 100, placeholder: `Shot ${place + 1}`, 'aria-label': `Name of shot ${place + 1}`,
      onchange: () => desk.act('name', { first: shot.first, name: name.value.trim() }) });
    return el('li', { 'data-first': shot.first, 'aria-current': desk.shotAt(desk.frame) === shot ? 'true' : undefined },
      el('div', { class: 'row tight' },
        el('button', { class: 'merge-jump', title: 'Go to its first frame', onclick: () => desk.go(shot.first) }, `${shot.first}–${shot.last}`), name,
        el('button', { title: 'Join with the shot before', 'aria-label': `Join shot ${place + 1} with the one before`, disabled: !before || before.last !== shot.first - 1, onclick: () => desk.act('join', { first: shot.first }) }, '⤺'),
        el('button', { title: 'Remove; its frames are as all others', 'aria-label': `Remove shot ${place + 1}`, onclick: () => desk.act('remove', { first: shot.first }) }, '✕')),
      own.length ? el('p', { class: 'small soft' }, own.join(', ')) : null);
  }

  function draw() {
    const focus = list.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : null;
    count.textContent = desk.shots.length ? `${words.many(desk.shots.length, 'shot')}, ${desk.shots.filter((shot) => Object.keys(shot.options).length).length} with options of their own` : 'No shots: all frames have the same options.';
    list.replaceChildren(...desk.shots.map(row));
    if (focus) list.querySelector(`[aria-label="${CSS.escape(focus)}"]`)?.focus();
    mark();
  }

  function mark() {
    const here = desk.shotAt(desk.frame);
    for (const item of list.children) {
      const is = Number(item.dataset.first) === here?.first;
      if (is === item.hasAttribute('aria-current')) continue;
      if (is) { item.setAttribute('aria-current', 'true'); if (list.clientHeight) item.scrollIntoView({ block: 'nearest' }); } else item.removeAttribute('aria-current');
    }
    element.querySelector('#merge-add').disabled = !desk.marks;
    element.querySelector('#merge-split').disabled = desk.frame <= 1 || here?.first === desk.frame;
  }

  desk.on('settings', (by) => { if (by !== 'form') draw(); });
  desk.on('frame marks', mark);
  draw();
  return { element, split };
}
