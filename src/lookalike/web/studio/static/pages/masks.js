// The page of masks: one side's faces in the editor, and the mask network beside it.
import { api, el } from '../lib.js';
import { mount } from './masks-editor.js';
import { KEYS, listenToKeys } from './masks-keys.js';
import { Network } from './masks-network.js';

const SIDES = ['dst', 'src'], CSS = '/static/pages/masks.css';

export default {
  title: 'Masks',
  keys: KEYS,
  fit: true,
  async show(root, view) {
    await styled();
    const side = SIDES.includes(view.args[0]) ? view.args[0] : SIDES[0], base = `${api.of(view.ws, 'masks', side)}/`;
    const network = new Network(view.ws, side, base);
    const editor = mount(root, base, {
      address: (name) => to(view.ws, 'masks', side, name),
      counted: (facts) => network.counted(facts),
      help: () => el('a', { class: 'button', href: to(view.ws, 'videos') }, 'Find faces in the video'),
      shownNow: (face) => { network.shownNow(face); links(editor.ui.links, view.ws, side, face); },
    });
    editor.ui.sides.append(...SIDES.map((one) => el('a', { class: 'button', href: to(view.ws, 'masks', one), 'aria-current': one === side ? 'page' : undefined }, one)));
    const leave = network.join(editor), deaf = listenToKeys(editor, network);
    await editor.begin(view.args[1]);
    return () => { deaf(); leave(); editor.close(); };
  },
};

const to = (...parts) => `#/w/${parts.map(encodeURIComponent).join('/')}`;

/** The same face on the pages about faces and frames. */
function links(place, ws, side, { name, frame, problem }) {
  place.replaceChildren(el('a', { href: to(ws, 'faces', side, name) }, 'in Faces'), problem ? '' : el('a', { href: to(ws, 'align', side, String(frame)) }, 'in Align'));
}

/** The page's own style, loaded before it is shown. */
function styled() {
  if (document.querySelector(`link[href="${CSS}"]`)) return Promise.resolve();
  const link = el('link', { rel: 'stylesheet', href: CSS });
  return new Promise((resolve) => { link.onload = link.onerror = resolve; document.head.append(link); });
}
