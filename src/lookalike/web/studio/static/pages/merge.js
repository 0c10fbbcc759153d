import { el } from '../lib.js';

export default {
  title: 'Merge',
  keys: [],
  async show(root, view) {
    root.append(el('div', { class: 'panel empty' }, el('p', {}, 'Merge is being built.')));
  },
};
