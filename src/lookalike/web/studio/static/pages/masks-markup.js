// The elements of the page of masks. None has an id but the rows of the list: they are found by their part.
import { el } from '../lib.js';

const key = (text) => el('kbd', {}, text);

/** Builds the page into root; answers its elements by their part. */
export function build(root) {
  const ui = {};
  const part = (name, tag, props = {}, ...children) => (ui[name] = el(tag, { 'data-part': name, ...props }, ...children));
  root.classList.add('masks');
  root.append(bar(part), list(part), stage(part), tools(part));
  return ui;
}

/** Buttons of which one is on. */
function choice(part, group, title, options, chosen) {
  return el('fieldset', { class: 'choice', 'aria-label': title }, options.map(([value, label, shortcut, swatch]) => el('label', {},
    part(`${group}-${value}`, 'input', { type: 'radio', name: `mask-${group}`, value, checked: value === chosen, 'aria-keyshortcuts': shortcut }),
    swatch ? el('span', { class: `swatch ${swatch}` }) : null, label, ' ', shortcut ? key(shortcut) : null)));
}

function bar(part) {
  return el('header', { class: 'panel bar' },
    el('h1', { class: 'hidden' }, 'Masks'),
    part('sides', 'nav', { class: 'sides', 'aria-label': 'Side' }),
    el('div', { class: 'steps', role: 'group', 'aria-label': 'Faces' },
      part('before', 'button', { 'aria-label': 'Face before', 'aria-keyshortcuts': 'Comma A', title: 'Face before (, or a)' }, '‹'),
      part('place', 'p', { class: 'place', 'aria-live': 'polite' }),
      part('next', 'button', { 'aria-label': 'Next face', 'aria-keyshortcuts': 'Period D', title: 'Next face (. or d)' }, '›'),
      part('next-drawn', 'button', { 'aria-keyshortcuts': 'Shift+D', title: 'Next face with polygons (> or Shift+D)' }, 'Next drawn ', key('>'))),
    part('links', 'nav', { class: 'links small', 'aria-label': 'This face on other pages' }),
    part('state', 'span', { class: 'pill', role: 'status' }, 'Loading'));
}

function list(part) {
  return el('aside', { class: 'faces panel', 'aria-label': 'Faces of the faceset' },
    el('div', { class: 'faces-head' },
      el('p', {}, part('count', 'strong', {}, '–'), ' ', part('reading', 'span', { class: 'soft small' })),
      part('go', 'input', { type: 'number', min: '1', step: '1', placeholder: 'Go to frame (g)', 'aria-label': 'Go to frame', 'aria-keyshortcuts': 'g' }),
      el('label', { class: 'small' }, part('only', 'input', { type: 'checkbox' }), ' with polygons only')),
    part('list', 'div', { class: 'list', role: 'listbox', tabIndex: 0, 'aria-label': 'Faces in order of frame' }, part('rows', 'div', { class: 'rows', role: 'presentation' })));
}

function stage(part) {
  return el('section', { class: 'stage panel', 'aria-label': 'The face' },
    el('div', { class: 'view' },
      part('canvas', 'canvas', { tabIndex: 0, role: 'application', 'aria-roledescription': 'drawing', 'aria-label': 'No face', 'aria-describedby': 'mask-hint' }),
      part('empty', 'div', { class: 'nothing', hidden: true })),
    el('div', { class: 'foot small' },
      part('hint', 'p', { class: 'soft', id: 'mask-hint' }),
      part('error', 'p', { class: 'error', role: 'alert' }),
      part('message', 'p', { role: 'status' })));
}

function tools(part) {
  return el('aside', { class: 'tools panel', 'aria-label': 'Tools' },
    el('div', { class: 'group' },
      choice(part, 'tool', 'Tool', [['choose', 'Choose', 's'], ['include', 'Include', 'i', 'include'], ['exclude', 'Exclude', 'e', 'exclude']], 'include'),
      choice(part, 'with', 'Drawn with', [['polygon', 'Polygon', null], ['brush', 'Brush', 'b']], 'polygon'),
      part('brush-line', 'label', { class: 'line' }, 'Size ', part('brush', 'input', { type: 'range', min: '0', max: '100', step: '1', 'aria-keyshortcuts': '[ ]' }), part('brush-text', 'output', {}))),
    el('div', { class: 'group' },
      el('h2', {}, 'Show'),
      choice(part, 'show', 'Show', [['polygons', 'Drawn', '1'], ['result', 'Result', '2'], ['face', 'Face', '3'], ['network', 'Network', '4']], 'polygons'),
      el('label', { class: 'line' }, 'Fill ', part('opacity', 'input', { type: 'range', min: '0', max: '100', step: '5', value: '35' }), part('opacity-text', 'output', {}, '35 %'))),
    el('div', { class: 'group' },
      el('div', { class: 'pair' },
        part('undo', 'button', { 'aria-keyshortcuts': 'Control+Z', title: 'Undo (Ctrl+Z)' }, 'Undo'),
        part('redo', 'button', { 'aria-keyshortcuts': 'Control+Shift+Z', title: 'Redo (Ctrl+Shift+Z)' }, 'Redo')),
      part('copy', 'button', { 'aria-keyshortcuts': 'c' }, 'Copy last drawn face here ', key('c'))),
    el('div', { class: 'group' },
      el('h2', {}, 'Polygons, the uppermost first'),
      part('polygons', 'ul', { class: 'polygons' }),
      part('none', 'p', { class: 'soft small' }, 'None on this face: its mask is left as it is.'),
      part('chosen', 'div', { class: 'pair' },
        part('kind', 'button', { 'aria-keyshortcuts': 'k', title: 'Include or exclude (k)' }, 'Other kind ', key('k')),
        part('remove', 'button', { 'aria-keyshortcuts': 'Delete', title: 'Delete the chosen corner or polygon' }, 'Delete ', key('Del')),
        part('up', 'button', { 'aria-keyshortcuts': 'PageUp', title: 'Over the next one (PageUp)' }, 'Raise ', key('PgUp')),
        part('down', 'button', { 'aria-keyshortcuts': 'PageDown', title: 'Under the one below (PageDown)' }, 'Lower ', key('PgDn')))),
    network(part));
}

function network(part) {
  return el('div', { class: 'group network' },
    el('h2', {}, 'Mask network'),
    part('source', 'p', { class: 'small' }),
    el('div', { class: 'pair' },
      part('apply', 'button', { 'aria-keyshortcuts': 'n', title: 'Ask the network what is seen of this face, and keep it (n)' }, 'Apply here ', key('n')),
      part('take-out', 'button', { title: "Take the network's mask out of this face" }, 'Take out')),
    part('apply-all', 'button', { 'aria-keyshortcuts': 'Shift+N', title: 'A job in the queue' }, 'Apply to all faces ', key('N')),
    el('div', { class: 'pair' },
      part('carry', 'button', { title: 'Bring polygons to the faces between drawn ones: a job in the queue' }, 'Carry …'),
      part('train', 'button', { title: 'Teach the network what was drawn: a job in the queue' }, 'Train …')),
    part('job', 'p', { class: 'small soft', 'aria-live': 'polite' }));
}
