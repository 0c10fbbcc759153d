import { el } from '../lib.js';

export default {
  title: 'Training',
  keys: [],
  async show(root, view) {
    root.append(el('div', { class: 'panel empty' }, el('p', {}, 'Training is being built.')));
  },
};
