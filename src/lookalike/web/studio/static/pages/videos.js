import { el } from '../lib.js';

export default {
  title: 'Videos',
  keys: [],
  async show(root, view) {
    root.append(el('div', { class: 'panel empty' }, el('p', {}, 'Videos is being built.')));
  },
};
