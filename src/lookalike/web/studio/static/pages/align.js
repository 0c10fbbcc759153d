import { el } from '../lib.js';

export default {
  title: 'Align',
  keys: [],
  async show(root, view) {
    root.append(el('div', { class: 'panel empty' }, el('p', {}, 'Align is being built.')));
  },
};
