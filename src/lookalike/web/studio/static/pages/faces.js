// The faces of a side: looked through, put aside, brought back.
import { api, el } from '../lib.js';

const KEYS = [['Arrows', 'Go to a face'], ['Shift+Arrows', 'Select up to a face'], ['Ctrl+Arrows or Space', 'Go without selecting, select one more'], ['Home or End or PageUp or PageDown', 'Go further'],
  ['Ctrl+A', 'Select all shown'], ['Escape', 'Select none'], ['Enter', 'Show large'], ['Delete', 'Put aside, to the trash'],
  ['R', 'Into removed/, or back into use'], ['Ctrl+Z', 'Undo'], ['L', 'Landmarks of all visible faces'], ['F', 'Filters'], ['/', 'Search'], ['+ or -', 'Larger, smaller'], ['1 or 2 or 3', 'In use, removed, trash']];

export default {
  title: 'Faces',
  keys: KEYS,
  fit: true,
  async show(root, view) {
    const side = view.args[0] === 'dst' ? 'dst' : 'src';
    const early = fetch(`${api.of(view.ws, 'faces', side, 'use')}?known=`); // comes while the rest of the page is loaded
    early.catch(() => {});
    const [{ makePage }] = await Promise.all([import('./faces-page.js'), styled()]);
    const page = makePage(root, view, side, early);
    await page.begin();
    return page.stop;
  },
};

/** Resolves when the page's own style is there: before that, all of the gallery would be in sight. */
function styled() {
  const href = '/static/pages/faces.css';
  if (document.head.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  return new Promise((resolve) => { document.head.append(el('link', { rel: 'stylesheet', href, onload: resolve, onerror: resolve })); });
}
