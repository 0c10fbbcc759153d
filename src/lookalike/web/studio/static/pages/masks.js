import { el } from '../lib.js';

export default {
  title: 'Masks',
  keys: [],
  async show(root, view) {
    root.append(el('div', { class: 'panel empty' }, el('p', {}, 'Masks is being built.')));
  },
};
